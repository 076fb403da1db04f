"""Embeddings with target vectors in one or two other spaces, and the class of each."""
