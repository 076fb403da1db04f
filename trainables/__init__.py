"""What is trained. Knows no Ray, Optuna, MLflow or click; read `contract` first."""
