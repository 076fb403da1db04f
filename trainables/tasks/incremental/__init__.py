"""Class-incremental learning with InfoNCE and ANT; see README.md."""
