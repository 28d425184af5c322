"""Command line: parse, call, print, exit code; nothing else.

Data go to stdout (with ``--json`` one JSON document and nothing else), progress and messages to stderr.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 invalid sheets or settings, 4 partly done.
Every verb imports its own room when it is called, so that ``--help`` stays quick.
"""

import argparse
import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lampyris import __version__
from lampyris.core.errors import ImageError, InputError, LampyrisError, UsageError
from lampyris.core.finding import Finding, Severity

SHELLS = ("bash", "zsh")
DESCRIPTION = (
    "Near-infrared quantum-dot imaging of metastasis: from raw images to which cells spread, where, and how sure."
)


class _Parser(argparse.ArgumentParser):
    """A parser that raises, so that wrong usage leaves by the same door as every other error."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See `{self.prog} --help`.")


class _PrintCompletion(argparse.Action):
    """``--print-completion SHELL``: print what the shell needs to complete this command."""

    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> None:
        import shtab

        for action in _actions(parser):
            if action.type is Path:
                # shtab's own protocol: it looks for this attribute
                action.complete = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE  # type: ignore[attr-defined]
        print(shtab.complete(parser, rest[1]))
        parser.exit(0)


def _actions(parser: argparse.ArgumentParser) -> Iterable[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _actions(verb)


class Progress:
    """Progress on stderr: a bar where stderr is a terminal, plain lines elsewhere.

    It is called with a count, a total and a label, e.g. ``progress(3, 90, "m01 d07")``. A total that changes, or a
    count that falls, begins a new stage.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._shown = -1

    def __call__(self, done: int, total: int, label: str = "") -> None:
        if sys.stderr.isatty():
            self._draw(done, total, label)
            return
        # a line per tenth of the way: enough to see that it moves, little enough for a log file
        tenth = 10 * done // max(total, 1)
        if tenth == self._shown and done != total:
            return
        self._shown = tenth if done != total else -1
        print(f"[{done}/{total}] {label}".rstrip(), file=sys.stderr, flush=True)

    def _draw(self, done: int, total: int, label: str) -> None:
        if self._bar is None or self._bar.total != total or done < self._bar.n:
            from tqdm import tqdm

            self.close()
            self._bar = tqdm(total=total, desc=label, file=sys.stderr, leave=False)
        self._bar.set_description_str(label, refresh=False)
        self._bar.update(done - self._bar.n)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="lampyris", description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"lampyris {__version__}")
    parser.add_argument(
        "--print-completion", action=_PrintCompletion, choices=SHELLS, help="print the completion script of a shell"
    )
    common = _Parser(add_help=False)
    common.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else")
    common.add_argument("--traceback", action="store_true", help="show where an unexpected error arose")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, call: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common])
        sub.set_defaults(call=call)
        return sub

    demo = verb("demo", _demo, "make a virtual study, analyse it, score it against its truth and open the report")
    _add_directory(demo, nargs="?", default=Path("lampyris-demo"), text="new folder (default: lampyris-demo)")
    demo.add_argument("--seed", type=_whole, default=1, metavar="N", help="what chance is drawn from (default: 1)")
    demo.add_argument("--no-open", action="store_true", help="do not open the report")

    simulate = verb("simulate", _simulate, "write a virtual study: raw files in DIR, its truth beside it in DIR-truth")
    _add_directory(simulate, text="new folder")
    simulate.add_argument("--seed", type=_whole, default=1, metavar="N", help="what chance is drawn from (default: 1)")
    simulate.add_argument("--design", type=Path, metavar="FILE", help="TOML file that changes the design")
    simulate.add_argument(
        "--format", choices=("ome-tiff",), default="ome-tiff", help="format of the images (default: ome-tiff)"
    )

    check = verb("check", _check, "validate sheets, settings and images without analysing them")
    _add_directory(check, text="folder of the study")

    run = verb("run", _run, "analyse a study; what is already done is kept")
    _add_directory(run, text="folder of the study")
    run.add_argument("--workers", type=_positive, default=None, metavar="N", help="processes (default: threads)")
    run.add_argument("--only", metavar="SUB", help="analyse this animal only")
    run.add_argument("--force", action="store_true", help="analyse again what is already done")

    report = verb("report", _report, "write the report again from stored results")
    _add_directory(report, text="folder of the study")
    report.add_argument("--image-budget", type=_megabytes, metavar="MB", help="room for images in the report, in MB")

    verb("doctor", _doctor, "show versions, cores, memory, disk, optional parts, and what would be slow")
    return parser


def _add_directory(parser: argparse.ArgumentParser, *, text: str, **options: Any) -> None:
    parser.add_argument("directory", metavar="DIR", type=Path, help=text, **options)


def _whole(text: str) -> int:
    return _integer(text, low=0)


def _positive(text: str) -> int:
    return _integer(text, low=1)


def _integer(text: str, *, low: int) -> int:
    if not text.isdecimal() or int(text) < low:
        raise argparse.ArgumentTypeError(f"needs a whole number from {low}, got {text!r}")
    return int(text)


def _megabytes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"needs a number of megabytes above 0, got {text!r}")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows ``lampyris``; the process's own arguments by default.

    Returns
    -------
    int
        Exit code: 0 done, 1 failed, 2 wrong usage, 3 invalid sheets or settings, 4 partly done.

    Examples
    --------
    >>> main(["--version"])
    lampyris 0.1.0
    0
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # a name from a sheet that the terminal cannot show must not end the command
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _call(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader, e.g. `head`, has seen enough; without this the interpreter would complain while it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _call(words: Sequence[str]) -> int:
    # the words are looked at as well because wrong usage leaves no parsed options
    as_json = "--json" in words
    try:
        options = _parser().parse_args(words)
        code: int = options.call(options)
        return code
    except SystemExit as leave:  # argparse, after --help, --version and --print-completion
        return int(leave.code or 0)
    except LampyrisError as error:
        _print_error(error, as_json=as_json)
        return error.exit_code
    except KeyboardInterrupt:
        print("lampyris: interrupted; call it again to go on where it stopped", file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except Exception as error:
        _print_unexpected(error, as_json=as_json, with_traceback="--traceback" in words)
        return 1


def _print_error(error: LampyrisError, *, as_json: bool) -> None:
    message = str(error.args[0])
    if as_json:
        entries = [_entry(finding) for finding in error.findings]
        _print_json({"errors": entries or [{"check": "", "where": "", "message": message, "fix": ""}]})
    print(f"lampyris: {message}", file=sys.stderr)
    _print_findings(error.findings, stream=sys.stderr)


def _print_unexpected(error: Exception, *, as_json: bool, with_traceback: bool) -> None:
    message = " ".join(f"{type(error).__name__}: {error}".split())
    if as_json:
        _print_json({"errors": [{"check": "", "where": "", "message": message, "fix": ""}]})
    if with_traceback:
        traceback.print_exception(error)
    else:
        print(f"lampyris: {message} (--traceback shows where)", file=sys.stderr)


def _print_findings(findings: Iterable[Finding], *, stream: Any) -> None:
    for finding in findings:
        where = str(finding.place)
        print(f"  {finding.severity}: {where}" if where else f"  {finding.severity}", file=stream)
        print(f"      {finding.seen}", file=stream)
        if finding.mend:
            print(f"      -> {finding.mend}", file=stream)


def _entry(finding: Finding) -> dict[str, Any]:
    place = finding.place
    return {
        "check": finding.rule,
        "where": str(place),
        "message": finding.seen,
        "fix": finding.mend,
        "file": place.file,
        "row": place.row,
        "column": place.column,
    }


def _print_json(document: Mapping[str, Any]) -> None:
    print(json.dumps(_plain(document), indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    """Value in JSON's own types; a number that JSON has no word for (NaN, infinity) becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if hasattr(value, "item"):  # numpy's scalars, without importing numpy
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)


def _print_table(rows: Iterable[Sequence[Any]]) -> None:
    lines = [[_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _simulate(options: argparse.Namespace) -> int:
    from lampyris.virtual.design import read_design
    from lampyris.virtual.simulate import simulate_study

    design = None if options.design is None else read_design(options.design)
    with Progress() as progress:
        made = simulate_study(options.directory, seed=options.seed, design=design, progress=progress)
    if options.json:
        _print_json({"study": made.study, "truth": made.truth})
    else:
        _print_table([("study", made.study), ("truth", made.truth)])
    return 0


def _check(options: argparse.Namespace) -> int:
    from lampyris.study.check import check_study

    checked = check_study(options.directory)
    errors, warnings = checked.errors, checked.warnings
    notes = [finding for finding in checked.findings if finding.severity is Severity.NOTE]
    if options.json:
        parts = {"errors": errors, "warnings": warnings, "notes": notes}
        _print_json({name: [_entry(finding) for finding in part] for name, part in parts.items()})
    else:
        print(f"{options.directory}: {len(errors)} errors, {len(warnings)} warnings, {len(notes)} notes")
        _print_findings(checked.findings, stream=sys.stdout)
    if checked.sheet_errors:
        return InputError.exit_code
    # a fault of an image stops its animal only, so the rest of the study can still be analysed
    return ImageError.exit_code if checked.image_errors else 0


def _run(options: argparse.Namespace) -> int:
    from lampyris.study.run import run_study

    with Progress() as progress:
        outcome = run_study(
            options.directory,
            workers=options.workers,
            only=options.only,
            force=options.force,
            progress=progress,
        )
    if options.json:
        _print_json(
            {
                "results": outcome.results,
                "report": outcome.report,
                "animals": outcome.animals,
                "seconds": outcome.seconds,
            }
        )
    else:
        _print_table(
            (name, *(entry[key] for key in ("group", "status", "reason"))) for name, entry in outcome.animals.items()
        )
        _print_table([("results", outcome.results), ("report", outcome.report), ("seconds", outcome.seconds["total"])])
    failed = sum(entry["status"] == "failed" for entry in outcome.animals.values())
    if failed:
        print(f"lampyris: {failed} of {len(outcome.animals)} animals could not be analysed", file=sys.stderr)
    return outcome.exit_code


def _report(options: argparse.Namespace) -> int:
    from lampyris.study.run import render_again

    report = render_again(options.directory, image_budget_mb=options.image_budget)
    if options.json:
        _print_json({"report": report})
    else:
        _print_table([("report", report)])
    return 0


def _demo(options: argparse.Namespace) -> int:
    from lampyris.trial.demo import run_demo
    from lampyris.trial.words import accuracy_in_words

    with Progress() as progress:
        outcome = run_demo(options.directory, seed=options.seed, progress=progress)
    if options.json:
        _print_json(
            {
                "study": outcome.study,
                "report": outcome.report,
                "accuracy": outcome.accuracy,
                "seconds": outcome.seconds,
            }
        )
    else:
        print("A synthetic study: every image, number and name in it was simulated.")
        _print_table([("study", outcome.study), ("report", outcome.report)])
        print("accuracy against the drawn truth, pooled over animals, 95 % intervals (--json gives every figure):")
        _print_table(_indented(dict(accuracy_in_words(outcome.accuracy))))
        print("seconds:")
        _print_table(_indented(outcome.seconds))
    if not options.no_open:
        _open(outcome.report)
    return int(outcome.exit_code)


def _indented(figures: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(f"  {name}", value) for name, value in figures.items()]


def _open(report: Path) -> None:
    # only where a person sits in front of it: never from a script, a pipe or a test
    if sys.stdout.isatty() and sys.stderr.isatty():
        import webbrowser

        webbrowser.open(report.resolve().as_uri())


def _doctor(options: argparse.Namespace) -> int:
    from lampyris.study.doctor import describe, examine

    found = examine()
    if options.json:
        _print_json(found)
    else:
        print(describe(found))
    return 0 if found["ready"] else 1
