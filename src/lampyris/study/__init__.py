"""A study on disk: sheets, checks, the graph of steps, resuming, the manifest."""
