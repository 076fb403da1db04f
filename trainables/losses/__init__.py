"""Loss functions, one concept a file: `clip`, `siglip`, `supcon`, `captioning`, `masked`, and their `bounds`;
`contrastive`, `triplet` and `multi_similarity` over the masks and the `distances` that mining works with.

All are dense and mask-based: no shape depends on values and nothing branches on them, so that the same definition
runs eagerly for one trial and under `torch.func.vmap` for many. They know no model, no data and no config.
"""
