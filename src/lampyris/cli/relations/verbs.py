"""Verbs about two measurements on any table: correlate, agree."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lampyris.cli.arguments import AddVerb, above_zero, add_reading, add_where, figure_path
from lampyris.cli.figures import save_scene
from lampyris.cli.output import finding_entry, print_findings, print_json, print_table
from lampyris.core.errors import UsageError

if TYPE_CHECKING:
    from lampyris.cli.relations.parts import Answer

METHODS = ("pearson", "spearman", "kendall", "repeated")
WEIGHTS = ("none", "linear", "quadratic")
AXES = ("x", "y", "both")


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
    _add_correlate(verb)
    _add_agree(verb)


def _add_correlate(verb: AddVerb) -> None:
    parser = verb("correlate", _correlate, "correlate two columns of a table, with interval, line and plot")
    parser.add_argument(
        "table",
        metavar="TABLE",
        type=Path,
        nargs="?",
        help="CSV, .xlsx, .xls, .ods, .pzfx, .prism or .parquet; none with --r and --n",
    )
    parser.add_argument("--x", metavar="COLUMN", help="column of the one measurement")
    parser.add_argument("--y", metavar="COLUMN", help="column of the other")
    _add_subject(parser)
    parser.add_argument(
        "--method", choices=METHODS, help="default: pearson, or repeated where subjects have several rows"
    )
    parser.add_argument("--means", action="store_true", help="correlate one mean per subject: between subjects")
    parser.add_argument(
        "--covariate", action="append", default=[], metavar="COLUMN", help="adjust for this column; repeatable"
    )
    parser.add_argument("--log", choices=AXES, help="take logarithms (base 10) of x, y or both")
    lines = parser.add_argument_group("line with errors in both columns")
    lines.add_argument("--sd-x", metavar="COLUMN|NUMBER", default="", help="standard deviation of each x")
    lines.add_argument("--sd-y", metavar="COLUMN|NUMBER", default="", help="standard deviation of each y")
    lines.add_argument(
        "--variance-ratio", metavar="R", type=above_zero, help="error variance of y over that of x: Deming's line"
    )
    summary = parser.add_argument_group("from a printed correlation")
    summary.add_argument("--r", type=float, help="Pearson's r, with --n and no table")
    summary.add_argument("--n", type=int, help="independent units behind it")
    _add_shared(parser)


def _add_agree(verb: AddVerb) -> None:
    parser = verb("agree", _agree, "how far two measurements, or two readers, agree on the same things")
    parser.add_argument("table", metavar="TABLE", type=Path, help="CSV, .xlsx, .xls, .ods, .pzfx, .prism or .parquet")
    parser.add_argument("--a", metavar="COLUMN", required=True, help="column of the one measurement or reader")
    parser.add_argument("--b", metavar="COLUMN", required=True, help="column of the other")
    parser.add_argument(
        "--also", action="append", default=[], metavar="COLUMN", help="a further reader, for ICC or kappa; repeatable"
    )
    _add_subject(parser)
    parser.add_argument("--ratio", action="store_true", help="ratios in place of differences, for values above 0")
    parser.add_argument(
        "--pairing",
        choices=("linked", "constant"),
        default="linked",
        help="rows of a subject: a and b belong together (default), or the subject stays the same and rows pair at random",
    )
    kinds = parser.add_argument_group("categories, and calls against a truth")
    kinds.add_argument(
        "--categories",
        nargs="?",
        const="",
        metavar="LIST",
        help="columns hold categories: kappa; their order from low to high with commas, where it matters",
    )
    kinds.add_argument("--weights", choices=WEIGHTS, default="none", help="of near misses (default: none)")
    kinds.add_argument(
        "--truth",
        action="store_true",
        help="b is the truth, yes or no: sensitivity and specificity, or ROC of a number",
    )
    _add_shared(parser)


def _add_subject(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--subject", metavar="COLUMN", default="", help="column of the subject, such as the animal")
    parser.add_argument(
        "--unit-of-replication", metavar="NAME", default="", help="what a subject is (default: its column)"
    )


def _add_shared(parser: argparse.ArgumentParser) -> None:
    table = parser.add_argument_group("the table")
    add_reading(table)
    add_where(table)
    parser.add_argument("--level", type=_level, default=0.95, help="coverage of intervals (default: 0.95)")
    parser.add_argument("--plot", type=figure_path, metavar="FILE", help="draw it: .svg or .png")
    parser.add_argument(
        "--width", type=float, choices=(85.0, 180.0), default=85.0, help="of the plot in mm (default: 85)"
    )


def _level(text: str) -> float:
    value = above_zero(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"needs a probability between 0 and 1, such as 0.95, got {text!r}")
    return value


def _correlate(options: argparse.Namespace) -> int:
    from lampyris.cli.relations.correlation import correlated, correlated_from_summary

    if options.table is None:
        if options.r is None or options.n is None:
            raise UsageError(
                "correlate needs a table with --x and --y, or --r and --n. See `lampyris correlate --help`."
            )
        if options.plot is not None:
            raise UsageError("--plot needs a table: r and n alone have no points to draw.")
        return _finish(correlated_from_summary(options), options)
    if options.x is None or options.y is None:
        raise UsageError("correlate TABLE needs --x and --y. See `lampyris correlate --help`.")
    if options.r is not None or options.n is not None:
        raise UsageError("--r and --n stand in place of a table: give one or the other.")
    if options.x == options.y:
        raise UsageError(f"--x and --y are both {options.x!r}: a column correlates with itself.")
    if bool(options.sd_x) != bool(options.sd_y):
        raise UsageError("--sd-x and --sd-y belong together; a column without error has a standard deviation of 0.")
    lines = bool(options.sd_x or options.variance_ratio)
    if (options.means or options.method == "repeated") and not options.subject:
        raise UsageError(
            "--means and --method repeated need --subject: the column that says which rows belong together."
        )
    if options.means and options.method == "repeated":
        raise UsageError("--means asks between subjects, --method repeated within them: give one or the other.")
    if lines and (options.covariate or options.method == "repeated"):
        raise UsageError("lines with errors in both columns go with independent rows, without --covariate.")
    return _finish(correlated(options), options)


def _agree(options: argparse.Namespace) -> int:
    from lampyris.cli.relations.agreement import agreed

    columns = [options.a, options.b, *options.also]
    if len(set(columns)) < len(columns):
        raise UsageError("--a, --b and --also must name different columns: a column agrees with itself.")
    if options.truth and (options.categories is not None or options.also or options.ratio):
        raise UsageError("--truth stands alone: without --categories, --also and --ratio.")
    if options.weights != "none" and options.categories is None:
        raise UsageError("--weights belong to --categories.")
    return _finish(agreed(options), options)


def _finish(answer: "Answer", options: argparse.Namespace) -> int:
    if options.plot is not None:
        _save(answer, options)
    if options.json:
        warnings = [finding_entry(finding) for finding in answer.warnings]
        sentence = _plain(answer.sentence)
        print_json({**answer.document, "warnings": warnings, "notes": answer.notes, "sentence": sentence})
    else:
        print(_plain(answer.sentence))
        print()
        print_table([tuple(_plain(cell) if isinstance(cell, str) else cell for cell in row) for row in answer.rows])
        if answer.notes:
            print("\nnotes:")
            for note in answer.notes:
                print(f"  {note}")
        if answer.warnings:
            print("\nwhat a reviewer would object to:")
            print_findings(answer.warnings, stream=sys.stdout)
    if options.plot is not None:
        print(f"drawn: {options.plot}", file=sys.stderr)
    return 0


def _plain(text: str) -> str:
    """Text with plain blanks: those of print must not reach a terminal or a search."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def _save(answer: "Answer", options: argparse.Namespace) -> None:
    if answer.draw is None:
        raise UsageError(
            "there is no plot of categories, yes-or-no calls or adjusted correlations: what they rest on is in the output."
        )
    save_scene(answer.draw(options.width), options.plot)
