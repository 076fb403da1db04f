"""Identification: a one-dimensional encoder that tells people apart by their heartbeat."""
