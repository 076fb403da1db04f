"""Population-based training against fixed and linear schedules at equal epochs."""
