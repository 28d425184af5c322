"""Arguments that several verbs share, and what their words may be."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

# words for decimal marks, which a shell might take for its own
MARKS = {"point": ".", "comma": ","}


class AddVerb(Protocol):
    """Adds a verb to the command: its name, the function that it calls, and what it does in a line."""

    def __call__(self, name: str, call: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser: ...


def add_directory(parser: argparse.ArgumentParser, *, text: str, **options: Any) -> None:
    parser.add_argument("directory", metavar="DIR", type=Path, help=text, **options)


def add_reading(parser: argparse._ActionsContainer) -> None:
    """How a table of the user's own is read."""
    parser.add_argument("--sheet", metavar="NAME", default="", help="sheet of a workbook")
    parser.add_argument("--table", metavar="TITLE", default="", dest="prism_table", help="table of a Prism project")
    parser.add_argument("--decimal", choices=tuple(MARKS), default="", help="decimal mark, where it cannot be told")


def add_where(parser: argparse._ActionsContainer) -> None:
    """Which rows of a table are kept."""
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="keep rows where it holds (also !=); repeatable",
    )


def whole(text: str) -> int:
    return integer(text, low=0)


def positive(text: str) -> int:
    return integer(text, low=1)


def integer(text: str, *, low: int) -> int:
    if not text.isdecimal() or int(text) < low:
        raise argparse.ArgumentTypeError(f"needs a whole number from {low}, got {text!r}")
    return int(text)


def megabytes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"needs a number of megabytes above 0, got {text!r}")
    return value
