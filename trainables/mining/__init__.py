"""Which positives and negatives an anchor is trained against, and the record of what was asked and what was done.

`sampler` fills the batch, `pool` says who may be a pair, `choose` picks pairs by a strategy, `record` tells what
happened, and `memory` keeps past batches. `strategies` holds the names; it alone knows no torch.
"""
