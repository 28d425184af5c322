"""Verb of what is published: catalogue."""

import argparse
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import AddVerb, positive
from lampyris.cli.output import print_json

if TYPE_CHECKING:
    from lampyris.probe.catalogue import Entry

# as lampyris.probe.catalogue has them, which --help must not load
KINDS = ("dot", "assay", "patent", "dye", "finding")
_BAND = re.compile(r"(\d+(?:\.\d+)?)\s*[-–]\s*(\d+(?:\.\d+)?)(?:\s*nm)?")


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
    catalogue = verb(
        "catalogue", _catalogue, "published dots, assays, patents, dyes and findings, each with its citation"
    )
    catalogue.add_argument("--cancer", metavar="C", default="", help="of one cancer, such as breast")
    catalogue.add_argument("--target", metavar="T", default="", help="of one target, such as HER2")
    catalogue.add_argument(
        "--band", metavar="LOW-HIGH", type=_band, help="with the peak of emission in a band in nm, such as 700-900"
    )
    catalogue.add_argument("--table", metavar="N", type=positive, default=0, help="of one table of the review, 1 to 5")
    catalogue.add_argument("--kind", choices=KINDS, default="", help=", ".join(KINDS))
    catalogue.add_argument("--text", metavar="WORDS", default="", help="that hold all of these words")


def _band(text: str) -> tuple[float, float]:
    found = _BAND.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"needs LOW-HIGH in nm, such as 700-900, got {text!r}")
    return float(found[1]), float(found[2])


def _catalogue(options: argparse.Namespace) -> int:
    from lampyris.probe.catalogue import entries, search

    found = search(
        cancer=options.cancer,
        target=options.target,
        band_nm=options.band,
        table=options.table,
        kind=options.kind,
        text=options.text,
    )
    if options.json:
        print_json({"entries": [_entry(one) for one in found], "total": len(entries())})
        return 0
    _print(found, len(entries()))
    return 0


def _entry(one: "Entry") -> dict[str, Any]:
    from lampyris.core.sourced import MARKS

    return {
        "kind": one.kind,
        "table": one.table or None,
        "cancer": ", ".join(one.cancers),
        "target": ", ".join(one.targets),
        "cell_line": ", ".join(one.cell_lines),
        "dot": one.dot,
        "emission_nm": one.emission_nm,
        "excitation_nm": one.excitation_nm,
        "quantum_yield": one.quantum_yield,
        "extinction_per_M_cm": one.molar_extinction,
        "conditions": one.conditions,
        "finding": one.finding,
        "patent": one.patent,
        "assignee": one.assignee,
        "year": one.year or None,
        "citation": one.citation,
        "original": one.original,
        "mark": one.mark,
        "mark_meaning": MARKS[one.mark],
        "note": one.note,
    }


def _print(found: Sequence["Entry"], total: int) -> None:
    from lampyris.core.sourced import MARKS

    for one in found:
        about = [", ".join(one.cancers), ", ".join(one.targets), ", ".join(one.cell_lines)]
        head = [one.kind, one.patent, one.assignee, str(one.year or ""), one.dot, *about]
        print(" · ".join(part for part in head if part))
        numbers = [
            ("excitation", one.excitation_nm, "nm"),
            ("emission", one.emission_nm, "nm"),
            ("quantum yield", one.quantum_yield, ""),
            ("extinction", one.molar_extinction, "/(M cm)"),
        ]
        told = [f"{name} {value:g} {unit}".rstrip() for name, value, unit in numbers if not math.isnan(value)]
        for line in ("; ".join(told), one.conditions, one.finding):
            if line:
                print(f"    {line}")
        print(f"    [{one.citation}] {one.mark}")
        for name, line in (("about", one.original), ("note", one.note)):
            if line:
                print(f"    {name}: {line}")
    print(f"{len(found)} of {total} entries")
    for mark in dict.fromkeys(one.mark for one in found):
        print(f"  {mark}: {MARKS[mark]}")
