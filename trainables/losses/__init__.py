"""Loss functions, one concept a file, and their `bounds`.

Between two modalities `clip`, `siglip` and `supcon`; within one `supcon`, `contrastive`, `triplet` and
`multi_similarity`, over the masks and `distances` that mining works with; by token or patch `captioning`, `masked`.

All are dense and mask-based: no shape depends on values and nothing branches on them, so that the same definition
runs eagerly for one trial and under `torch.func.vmap` for many. They know no model, no data and no config.
"""
