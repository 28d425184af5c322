"""Arguments that several verbs share, and what their words may be."""

import argparse
import difflib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from lampyris.core.errors import UsageError

# words for decimal marks, which a shell might take for its own
MARKS = {"point": ".", "comma": ","}


class Parser(argparse.ArgumentParser):
    """A parser that raises, so that wrong usage leaves by the same door as every other error.

    Words that are left over are refused by the verb that they were given to, whose options it knows.
    """

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}{self._meant(left)}")
        return found, left

    def _meant(self, words: Sequence[str]) -> str:
        """Options that were meant, for those that are misspelt."""
        own = [option for option in self._option_string_actions if option.startswith("--")]
        misspelt = [word.split("=")[0] for word in words if word.startswith("-")]
        near = [one for word in misspelt for one in difflib.get_close_matches(word, own, 1)]
        return f". Did you mean {' and '.join(dict.fromkeys(near))}?" if near else ""

    def error(self, message: str) -> NoReturn:
        end = "" if message.endswith("?") else "."
        raise UsageError(f"{message}{end} See `{self.prog} --help`.")


class AddVerb(Protocol):
    """Adds a verb to the command: its name, the function that it calls, and what it does in a line."""

    def __call__(self, name: str, call: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser: ...


class AddTask(Protocol):
    """Adds a task of ``probe``: its name, the function that it calls, and what it does in a line."""

    def __call__(self, name: str, call: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser: ...


def add_directory(parser: argparse.ArgumentParser, *, text: str, **options: Any) -> None:
    """The folder that a verb works on."""
    parser.add_argument("directory", metavar="DIR", type=Path, help=text, **options)


def add_output(parser: argparse._ActionsContainer) -> None:
    """How every verb answers."""
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else")
    parser.add_argument("--traceback", action="store_true", help="show where an unexpected error arose")


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
    """A whole number from 0."""
    return integer(text, low=0)


def positive(text: str) -> int:
    """A whole number from 1."""
    return integer(text, low=1)


def integer(text: str, *, low: int) -> int:
    """A whole number from `low`."""
    if not text.isdecimal() or int(text) < low:
        raise argparse.ArgumentTypeError(f"needs a whole number from {low}, got {text!r}")
    return int(text)


def number(text: str) -> float:
    """A finite number; a comma for the decimal point is told apart from a wrong word."""
    value = _finite(text)
    if math.isnan(value):
        mend = "write the decimal point as '.'" if "," in text else "write it without its unit"
        raise argparse.ArgumentTypeError(f"needs a number, got {text!r}; {mend}")
    return value


def numbers(text: str) -> tuple[float, ...]:
    """Finite numbers with commas between them."""
    return tuple(number(part) for part in text.split(","))


def above_zero(text: str, *, what: str = "a number") -> float:
    """A finite number above 0; `what` says in the refusal which."""
    value = _finite(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"needs {what} above 0, got {text!r}")
    return value


def megabytes(text: str) -> float:
    """A size above 0, in MB."""
    return above_zero(text, what="a number of megabytes")


def _finite(text: str) -> float:
    """The number that a text is; NaN where it is none, or no finite one."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def figure_path(text: str) -> Path:
    """File of a figure, .svg or .png."""
    path = Path(text)
    if path.suffix.lower() not in (".svg", ".png"):
        raise argparse.ArgumentTypeError(f"writes .svg or .png, got {path.name!r}")
    return path
