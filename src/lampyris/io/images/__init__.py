"""Image formats both ways, a module per format, and the registry that finds the one of a file."""
