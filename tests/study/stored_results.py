"""What a run of a small study left behind, as tests read it."""

import csv

from lampyris.io.durable import sha256_file


def hashes(study):
    """SHA-256 of every file of the results, listed or not."""
    results = study / "results"
    return {p.relative_to(results).as_posix(): sha256_file(p) for p in sorted(results.rglob("*")) if p.is_file()}


def table(study, name):
    """Rows of a table of the results."""
    with (study / "results/tables" / f"{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))
