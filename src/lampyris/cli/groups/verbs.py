"""Verb that compares groups on any table: compare."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lampyris.cli.arguments import AddVerb, add_where, figure_path
from lampyris.cli.figures import save_scene
from lampyris.cli.output import finding_entry, print_findings, print_json, print_table
from lampyris.core.errors import UsageError

if TYPE_CHECKING:
    from lampyris.cli.groups.answers import Answer

POST_HOC = ("games-howell", "tukey", "dunnett", "dunnett-unequal", "dunn")
# a paired comparison may be one of ranks, in a stated order of conditions
_TOGETHER = {("--paired", "--test"), ("--paired", "--order"), ("--limit", "--order"), ("--paired", "--average")}
TESTS = ("welch", "anova", "kruskal-wallis")


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
    compare = verb("compare", _compare, "compare groups on any table: CSV, Excel or Prism; values, or mean, SD and n")
    compare.add_argument("table", metavar="TABLE", type=Path, help="CSV, .xlsx, .xls, .ods, .pzfx, .prism or .parquet")
    add_columns(compare)
    _add_design(compare)
    _add_summary(compare)


def add_columns(parser: argparse.ArgumentParser, /) -> None:
    """Add how the table is read, and which of its columns mean what."""
    columns = parser.add_argument_group("the table")
    columns.add_argument("--value", metavar="COLUMN", default="", help="column of the values")
    columns.add_argument("--group", metavar="COLUMN", default="", help="column of the groups")
    columns.add_argument(
        "--subject", metavar="COLUMN", default="", help="column of the experimental unit, such as the animal"
    )
    columns.add_argument("--sheet", default="", help="sheet of a workbook")
    columns.add_argument("--table", dest="prism_table", metavar="TITLE", default="", help="table of a Prism project")
    columns.add_argument("--decimal", choices=("point", "comma"), help="decimal mark, where it cannot be told")
    columns.add_argument("--wide", action="store_true", help="the table has a column per group")
    columns.add_argument("--columns", metavar="LIST", default="", help="with --wide: these columns, with commas")
    add_where(columns)
    columns.add_argument("--unit", default="1", help="unit of the values, for labels")
    columns.add_argument(
        "--unit-of-replication", metavar="NAME", default="", help="what a subject is (default: its column)"
    )


def _add_design(parser: argparse.ArgumentParser) -> None:
    design = parser.add_argument_group("the comparison")
    design.add_argument("--control", metavar="GROUP", default="", help="compare every other group with this one")
    design.add_argument("--order", metavar="LIST", default="", help="order of the groups, with commas")
    design.add_argument("--test", choices=TESTS, help="test that answers (default: welch; dunn takes kruskal-wallis)")
    design.add_argument("--post-hoc", choices=POST_HOC, help="pairs (default: games-howell, or Dunnett with --control)")
    design.add_argument(
        "--nested",
        metavar="mean|mixed|COLUMN",
        default="",
        help="rows inside a subject: averaged, modelled, or their column",
    )
    design.add_argument("--average", action="store_true", help="average the rows of a subject; same as --nested mean")
    design.add_argument("--mixed", action="store_true", help="model the rows of a subject; same as --nested mixed")
    design.add_argument("--within", metavar="COLUMN", default="", help="column of the day: groups compared over time")
    design.add_argument("--paired", action="store_true", help="every subject is in both groups")
    design.add_argument("--two-way", metavar="COLUMN", default="", help="second factor")
    design.add_argument("--block", metavar="COLUMN", default="", help="column of the block, such as the cage")
    design.add_argument("--log", action="store_true", help="compare logarithms (base 10): ratios of geometric means")
    design.add_argument(
        "--limit",
        metavar="NUMBER|COLUMN|cells",
        default="",
        help="detection limit; what lies below is censored. cells: only those that say so, as <0.5",
    )
    design.add_argument(
        "--equivalence", metavar="MARGIN", type=float, help="two groups: are they alike within this margin?"
    )
    design.add_argument("--level", type=float, default=0.95, help="coverage of intervals (default: 0.95)")
    design.add_argument("--plot", type=figure_path, metavar="FILE", help="draw the comparison: .svg or .png")
    design.add_argument(
        "--width", type=float, choices=(85.0, 180.0), default=85.0, help="of the plot in mm (default: 85)"
    )


def _add_summary(parser: argparse.ArgumentParser) -> None:
    summary = parser.add_argument_group("from a printed table")
    summary.add_argument("--summary", action="store_true", help="the table holds mean, SD and n per group")
    summary.add_argument("--mean", metavar="COLUMN", default="", help="found by its name where not given")
    summary.add_argument("--sd", metavar="COLUMN", default="", help="found by its name where not given")
    summary.add_argument("--sem", metavar="COLUMN", default="", help="standard error instead of SD: converted with n")
    summary.add_argument("--n", metavar="COLUMN", default="", help="found by its name where not given")


def _compare(options: argparse.Namespace) -> int:
    _refuse_clashes(options)
    from lampyris.cli.groups.kinds import answered

    answer = answered(options)
    if options.plot is not None and answer.draw is not None:
        save_scene(answer.draw(options.width), options.plot)
    print_answer(answer, as_json=options.json)
    if options.plot is not None:
        print(f"drawn: {options.plot}", file=sys.stderr)
    return 0


def print_answer(answer: "Answer", /, *, as_json: bool) -> None:
    """Print an analysis: a sentence to paste, tables, then what informs and what warns."""
    sentences = [_plain(sentence) for sentence in answer.sentences]
    if as_json:
        warnings = [finding_entry(finding) for finding in answer.warnings]
        print_json({**answer.document, "warnings": warnings, "notes": answer.notes, "sentences": sentences})
        return
    print(answer.title)
    for sentence in sentences:
        print(f"  {sentence}")
    for heading, rows in answer.tables:
        print()
        if heading:
            print(heading)
        print_table([tuple(map(_plain, row)) for row in rows])
    for heading, lines in (("for information (decides nothing):", answer.checks), ("notes:", answer.notes)):
        if lines:
            print(f"\n{heading}")
            for line in lines:
                print(f"  {_plain(line)}")
    if answer.warnings:
        print("\nwhat a reviewer would object to:")
        print_findings(answer.warnings, stream=sys.stdout)


def _plain(text: str) -> str:
    """Text with plain blanks: those of print must not reach a terminal, a paste or a search."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def _refuse_clashes(options: argparse.Namespace) -> None:
    """Refuse options that contradict each other before anything is read."""
    ways = {
        "--summary": options.summary,
        "--within": options.within,
        "--two-way": options.two_way,
        "--paired": options.paired,
        "--limit": options.limit,
        "--equivalence": options.equivalence is not None,
    }
    together = {frozenset(("--paired", "--equivalence")), frozenset(("--summary", "--equivalence"))}
    given = [name for name, on in ways.items() if on]
    if len(given) > 1 and frozenset(given) not in together:
        raise UsageError(f"{' and '.join(given)} are different analyses: choose one")
    rows = [name for name, on in (("--two-way", options.two_way), ("--block", options.block)) if on]
    others = [name for name in given if name not in ("--two-way", "--equivalence")]
    if rows and others:
        raise UsageError(f"{rows[0]} and {others[0]} are different analyses: choose one")
    if options.average and options.mixed:
        raise UsageError("--average and --mixed are different analyses: choose one")
    if (
        options.nested
        and options.nested not in ("mean", "mixed")
        and not (options.average or options.mixed or options.within)
    ):
        raise UsageError(
            f"rows of one {options.nested} inside a subject are no replicates: say --average or --mixed with --nested {options.nested}"
        )
    alone = {"--within": options.within, "--limit": options.limit, "--paired": options.paired}
    extra = {
        "--post-hoc": options.post_hoc,
        "--test": options.test,
        "--order": options.order,
        "--average": options.average,
    }
    for name in [name for name, on in alone.items() if on]:
        idle = [other for other, on in extra.items() if on and (name, other) not in _TOGETHER]
        if idle:
            raise UsageError(f"{' and '.join(idle)} has no meaning with {name}: leave it out")
    if not 0.5 <= options.level < 1:
        raise UsageError(f"--level is the coverage of an interval, such as 0.95, got {options.level:g}")
