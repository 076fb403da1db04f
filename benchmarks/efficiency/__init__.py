"""How many epochs a search needs: Orch's default against random search and plain Optuna, on tabulated tasks."""
