"""Which positives and negatives an anchor is trained against, and the record of what was asked and what was done."""
