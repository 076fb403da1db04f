"""`orch confirm`: the best configurations and the default again, with fresh seeds, and then the test split once."""
