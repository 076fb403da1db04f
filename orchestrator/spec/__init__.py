"""The sweep file: `SweepSpec`, its loading with line numbers, and its checks. Knows no sampler and no trainable."""
