"""Texts with several labels each: focal loss, learned task weights, and labels that are missing batch by batch."""
