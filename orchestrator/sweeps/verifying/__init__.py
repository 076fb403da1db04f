"""Whether all that is recorded of a sweep agrees, and mending what does not."""
