"""Embeddings that a run has saved after its epochs, to be examined afterwards."""
