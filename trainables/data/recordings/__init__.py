"""Recordings of people's heartbeats: ECG-ID, generated ones, and the user's own files, cut into windows."""
