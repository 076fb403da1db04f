"""Is the question of a sweep file a sensible one? Rules, and what they say of a file."""
