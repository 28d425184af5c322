"""Scores of virtual studies against their truth, with intervals, in a matched and a mismatched arm.

``python -m accuracy [TABLE...] [--quick] [--json] [--list]``. All of it is synthetic: it says how well the analysis finds what
was drawn, not how well it does in mice.
"""
