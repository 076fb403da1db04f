"""The same faults on plain Ray Tune, Optuna and MLflow, and on Orch: what is lost, doubled or stuck afterwards."""
