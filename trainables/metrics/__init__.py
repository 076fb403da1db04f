"""What a model is judged by, one concept a file.

Of embeddings: `retrieval` for pairs; `ranking`, `verification`, `distances` and `clustering` for classes; `cosines` and
`collapse`. Of the rest: `text`, `stenosis`, `gradients`. Pure functions from tensors or strings to plain numbers; tasks call them and name the results. They know no model,
no data and no config.
"""
