"""``python -m accuracy [TABLE...] [--quick] [--json] [--list]``: each score table, matched and mismatched."""

import argparse
import json
from dataclasses import asdict
from importlib import import_module

from accuracy.figures import Figure

TABLES = {
    "thread": "accuracy.animals.thread",
    "lesions": "accuracy.animals.lesions",
    "kinds": "accuracy.animals.kinds",
    "oracles": "accuracy.statistics.oracles",
    "nulls": "accuracy.statistics.nulls",
    "relations": "accuracy.statistics.relations",
    "fitting": "accuracy.statistics.fitting",
    "censoring": "accuracy.statistics.censoring",
    "mixed": "accuracy.statistics.mixed",
    "onset": "accuracy.statistics.onset",
    "exvivo": "accuracy.animals.exvivo",
    "trays": "accuracy.animals.trays",
    "histology": "accuracy.animals.histology",
    "sizing": "accuracy.dot.sizing",
    "bands": "accuracy.dot.bands",
    "growth": "accuracy.dot.growth",
    "bench-absorption": "accuracy.bench.absorption",
    "bench-photoluminescence": "accuracy.bench.emission",
    "bench-quantum-yield": "accuracy.bench.quantum_yield",
    "bench-photostability": "accuracy.bench.photostability",
    "bench-dls": "accuracy.bench.dls",
    "bench-tem": "accuracy.bench.tem",
    "bench-tem-crystals": "accuracy.bench.tem_crystals",
    "bench-chain": "accuracy.bench.chain",
    "bench-xrd": "accuracy.bench.xrd",
    "bench-xrd-shapes": "accuracy.bench.xrd_shapes",
    "bench-lifetime": "accuracy.bench.lifetime",
    "bench-blinking": "accuracy.bench.blinking",
    "bench-eds": "accuracy.bench.eds",
    "bench-ftir": "accuracy.bench.ftir",
    "bench-stability": "accuracy.bench.stability",
    "fate": "accuracy.dot.fate",
    "release": "accuracy.dot.release",
}


def main() -> int:
    """Score and print; exit 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m accuracy", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE")
    parser.add_argument("--quick", action="store_true", help="one seed in place of five: wider intervals")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--list", action="store_true", help="print the tables")
    options = parser.parse_args()
    if options.list:
        print(json.dumps({"tables": list(TABLES)}, indent=2) if options.json else "\n".join(TABLES))
        return 0
    unknown = set(options.tables) - TABLES.keys()
    if unknown:
        parser.error(f"no table {', '.join(sorted(unknown))}; --list prints them")
    found: list[Figure] = []
    for table in options.tables or TABLES:
        found += import_module(TABLES[table]).tables(quick=options.quick)
    if options.json:
        print(json.dumps({"tables": [asdict(entry) for entry in found]}, indent=2, allow_nan=False))
    else:
        for entry in found:
            print(_line(entry))
    return 1 if any(entry.held is False for entry in found) else 0


def _line(entry: Figure) -> str:
    name = f"{entry.table}, {entry.arm}, {entry.measure}"
    if entry.value is None:
        return f"{name}: no cases"
    interval = f" ({entry.low:.3g} to {entry.high:.3g})" if entry.low is not None and entry.high is not None else ""
    verdict = {True: ": held", False: ": MISSED", None: ""}[entry.held]
    goal = f", goal {entry.goal}" if entry.goal else ""
    return f"{name}: {entry.value:.3g}{interval}, n {entry.n}{goal}{verdict}"


if __name__ == "__main__":
    raise SystemExit(main())
