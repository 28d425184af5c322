"""Speed and memory of Lampyris beside its peers, as ratios in one run on the same core and data.

``python -m speed [ROW...] [--quick] [--json] [--list]``. Nothing is installed here; ``make speed`` adds the peers first. Answers
are compared before anything is timed, and peer and ours run alternately.
"""
