"""The use cases: check, plan, launch, resume, stop, read, sync. Each takes and returns data; `cli` only renders."""
