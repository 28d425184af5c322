"""Task of comparing lots: ``probe compare``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import number
from lampyris.cli.entries import estimate_entry
from lampyris.cli.output import print_json, print_table
from lampyris.cli.probe.numbers import band_text, pair
from lampyris.core.errors import UsageError

if TYPE_CHECKING:
    from lampyris.cli.arguments import AddTask
    from lampyris.probe.comparability import LotComparison


def add_tasks(task: "AddTask", /) -> None:
    """Add this module's tasks."""
    text = "two lots or sources side by side: which differences a study notices, pass or fail with the reason, what to ask of a supplier"
    lots = task("compare", _compare, text)
    lots.add_argument("reference", metavar="A", type=Path, help="sheet of the lot that the study was planned with")
    lots.add_argument("other", metavar="B", type=Path, help="sheet of the other lot")
    lots.add_argument(
        "--band", type=pair, metavar="CENTRE,WIDTH", help="emission filter in nm (default: 40 nm around A's emission)"
    )
    lots.add_argument(
        "--margin",
        action="append",
        default=[],
        metavar="PROPERTY=X",
        help="allowed difference, or factor of a ratio; repeatable",
    )


def _compare(options: argparse.Namespace) -> int:
    from lampyris.io.dots import read_dot
    from lampyris.probe.comparability import compare_dots

    allowed = dict(_margin(text) for text in options.margin)
    found = compare_dots(read_dot(options.reference), read_dot(options.other), band_nm=options.band, allowed=allowed)
    if options.json:
        print_json(_document(found))
    else:
        _print(found)
    return 0


def _margin(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--margin is PROPERTY=X, such as emission_nm=5, got {text!r}.")
    try:
        return name.strip(), number(value)
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"--margin {name} {error}.") from error


def _document(found: "LotComparison") -> dict[str, Any]:
    return {
        "reference": found.reference,
        "other": found.other,
        "verdict": found.verdict,
        "band_nm": found.band_nm,
        "signal_ratio": estimate_entry(found.signal),
        "limit_ratio": estimate_entry(found.limit),
        "rows": [
            {
                "property": row.property,
                "unit": row.unit,
                "reference": estimate_entry(row.reference),
                "other": estimate_entry(row.other),
                "difference": estimate_entry(row.difference),
                "kind": row.kind,
                "margin": row.margin,
                "verdict": row.verdict,
                "reason": row.reason,
                "effect": row.effect,
                "ask": row.ask,
            }
            for row in found.rows
        ],
    }


def _print(found: "LotComparison") -> None:
    print(f"{found.other} against {found.reference}: {found.verdict}")
    print_table(
        [("property", "A", "B", "verdict", "reason")]
        + [
            (
                row.property,
                f"{row.reference.value:.4g}" if row.reference else "-",
                f"{row.other.value:.4g}" if row.other else "-",
                row.verdict,
                row.reason,
            )
            for row in found.rows
        ]
    )
    centre, width = found.band_nm
    if found.signal is not None and found.limit is not None:
        print(f"light in {centre:g}/{width:g} nm per dot: {band_text(found.signal)} times")
        print(f"cells at the detection limit: {band_text(found.limit)} times")
    else:
        print(
            f"light in {centre:g}/{width:g} nm: cannot tell without extinction, quantum yield, peak and width of both"
        )
    print("what it does to a study:")
    for row in found.rows:
        if row.verdict != "pass":
            print(f"  {row.property}: {row.effect}")
    print("ask the supplier for:")
    for row in found.rows:
        if row.kind != "same":
            print(f"  {row.ask}")
