"""Virtual study, analysis, score against the truth."""
