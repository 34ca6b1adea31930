"""Measures of speed and quality, each run by hand: `python -m benchmarks.NAME --help`."""
