"""Results in, one HTML file and its figures out; recomputes nothing."""
