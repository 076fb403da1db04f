"""How long a sweep takes and what it costs, before it runs: paces measured, the pruner rehearsed, intervals given."""
