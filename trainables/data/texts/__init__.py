"""Texts with several labels each, any of which may be missing: tweets, generated remarks, and the user's own files."""
