"""The sweep service: a YAML question goes in, a remembered answer comes out. Start with `trial` and `spec`."""
