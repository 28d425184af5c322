"""Spots against the measured background, how strong each is, and what would have been missed."""
