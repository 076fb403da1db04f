"""What a model is judged by, one concept a file.

Embeddings: `retrieval` for pairs; `ranking`, `verification`, `distances`, `clustering` for classes; `cosines` and
`collapse`. Predictions: `classification`, `regression`. The rest: `text`, `stenosis`, `gradients`.

`rows` keeps what compares every query with every item within memory. Pure functions from tensors or strings to plain
numbers; tasks call them and name the results. They know no model, no data and no config.
"""
