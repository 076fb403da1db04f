"""What trainables learn from: generated angiograms, Omniglot, and the user's own files."""
