"""Intervals, thresholds and comparisons."""
