"""Pairs of a video and a text: generated angiograms, Omniglot drawings with their strokes, and the user's own files."""
