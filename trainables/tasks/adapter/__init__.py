"""Adapters from one embedding space to text embeddings of several classes."""
