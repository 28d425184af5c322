"""Instruments that characterise dots: each file predicts what its instrument records, and infers from a recording."""
