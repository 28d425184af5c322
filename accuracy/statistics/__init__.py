"""Scores of statistics: error rates and coverage on drawn data, and independent implementations beside them."""
