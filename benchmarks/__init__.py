"""Benchmarks: speed and memory as ratios within one run, so that figures from noisy machines can be compared."""
