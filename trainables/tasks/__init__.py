"""One folder per task, with the same files in each. Tasks do not know each other."""
