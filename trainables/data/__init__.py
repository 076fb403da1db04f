"""What trainables learn from, a folder for each kind of data: its sources as config, its readers, and `load`."""
