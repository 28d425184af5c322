"""Statistical plots as scenes, a file per kind: print-ready, with every point, interval and exact p shown.

In the order of use: `frame` what they share; `groups`, `paired`, `longitudinal`, `forest`, `relations`, `onset`, `power`, `exvivo`.
"""
