"""``python -m speed [ROW...] [--quick] [--json] [--list]``: each row that runs here, ours beside its peer."""

import argparse
import json
import sys
from dataclasses import asdict
from importlib import import_module

from speed.measurement import Measurement

RUNNABLE = {
    "unmixing": "speed.unmixing",
    "diffusion": "speed.diffusion",
    "registration": "speed.registration",
    "cold-start": "speed.cold_start",
    "session": "speed.session",
    "study": "speed.study",
    "mixed-model": "speed.mixed_model",
    "compare": "speed.compare",
    "tcspc-fit": "speed.tcspc_fit",
    "probe-design": "speed.probe_design",
    "dls-inversion": "speed.dls_inversion",
    "micrograph": "speed.micrograph",
}
# rows of minutes and gigabytes, which have a shorter form
QUICK = ("session", "study")
NOT_YET = {
    "detection": "the row's 2048x2048 field has no peer wired up yet",
    "linking": "lesions are not yet linked across days",
    "montecarlo": "there is no Monte Carlo transport yet",
    "live-small": "there is no live analysis yet",
    "live-large": "there is no live analysis yet",
}


def main() -> int:
    """Measure and print; exit 1 where a goal is missed or answers differ, 2 on an unknown row."""
    parser = argparse.ArgumentParser(prog="python -m speed", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--quick", action="store_true", help=f"a shorter form of {' and '.join(QUICK)}")
    parser.add_argument("--list", action="store_true", help="print the rows")
    options = parser.parse_args()
    if options.list:
        _list(as_json=options.json)
        return 0
    unknown = set(options.rows) - RUNNABLE.keys() - NOT_YET.keys()
    if unknown:
        parser.error(f"no row {', '.join(sorted(unknown))}; --list prints them")
    found: list[Measurement] = []
    for row in options.rows or [*RUNNABLE, *NOT_YET]:
        if row in NOT_YET:
            found.append(Measurement(row, "", "", "", note=f"not runnable yet: {NOT_YET[row]}"))
            continue
        print(f"measuring {row}", file=sys.stderr, flush=True)
        short = {"quick": options.quick} if row in QUICK else {}
        found += import_module(RUNNABLE[row]).measure(**short)
    if options.json:
        print(json.dumps({"rows": [asdict(entry) for entry in found]}, indent=2, allow_nan=False))
    else:
        for entry in found:
            print(_line(entry))
    return 1 if any(entry.held is False for entry in found) else 0


def _list(*, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"rows": [*RUNNABLE, *NOT_YET], "runnable": list(RUNNABLE)}, indent=2))
        return
    for row in RUNNABLE:
        print(row)
    for row, why in NOT_YET.items():
        print(f"{row}  (not runnable yet: {why})")


def _line(entry: Measurement) -> str:
    name = f"{entry.row}, {entry.part}" if entry.part else entry.row
    if entry.ours_s is None:
        return f"{name}: {entry.note}" + (f" (goal {entry.goal})" if entry.goal else "")
    verdict = {True: "held", False: "MISSED", None: "not told"}[entry.held]
    note = f"; {entry.note}" if entry.note else ""
    memory = "" if entry.ours_gb is None else f", {entry.ours_gb:.2f} GB"
    memory += "" if entry.peer_gb is None else f" beside {entry.peer_gb:.2f} GB"
    if entry.ratio is None:
        return f"{name}: {entry.ours_s:.3g} s{memory}, goal {entry.goal}: {verdict}{note}"
    answers = "answers agree" if entry.answers_agree else "ANSWERS DIFFER"
    spread = f"{entry.ratio:.3g} x ({entry.ratio_low:.3g}-{entry.ratio_high:.3g})"
    return (
        f"{name}: {entry.ours_s:.3g} s beside {entry.peer_s:.3g} s of {entry.peer}: {spread}{memory}, "
        f"goal {entry.goal}: {verdict}; {answers}{note}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
