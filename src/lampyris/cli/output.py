"""What the command line prints: data on stdout, progress and messages on stderr."""

import json
import math
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lampyris.core.checks import CheckVerdict, Outcome
from lampyris.core.errors import ImageError, LampyrisError
from lampyris.core.finding import Finding, Severity

MOST_ALIKE, MOST_PLACES = 6, 12
"""Findings of one kind that are printed whole, and places of the others that are named."""


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


def print_error(error: LampyrisError, *, as_json: bool) -> None:
    """An error that names its mend: its findings on stderr, and as one document on stdout where that was asked for."""
    message = str(error.args[0])
    if as_json:
        entries = [finding_entry(finding) for finding in error.findings]
        print_json({"errors": entries or [{"check": "", "where": "", "message": message, "fix": ""}]})
    print(f"lampyris: {message}", file=sys.stderr)
    print_findings(error.findings, stream=sys.stderr)


def print_unexpected(error: Exception, *, as_json: bool, with_traceback: bool) -> None:
    """An error that nobody foresaw, in a line; where it arose only on request."""
    message = " ".join(f"{type(error).__name__}: {error}".split())
    if as_json:
        print_json({"errors": [{"check": "", "where": "", "message": message, "fix": ""}]})
    if with_traceback:
        traceback.print_exception(error)
    else:
        print(f"lampyris: {message} (--traceback shows where)", file=sys.stderr)


def print_findings(findings: Iterable[Finding], *, stream: Any) -> None:
    """Findings by place, what is seen and the mend; many of one kind by the first, and where the others are."""
    kinds: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.rule, str(finding.severity), finding.mend), []).append(finding)
    for alike in kinds.values():
        shown = alike if len(alike) <= MOST_ALIKE else alike[: MOST_ALIKE - 1]
        for finding in shown:
            where = str(finding.place)
            print(f"  {finding.severity}: {where}" if where else f"  {finding.severity}", file=stream)
            print(f"      {finding.seen}", file=stream)
            if finding.mend and (finding is shown[-1] or len(shown) == len(alike)):
                print(f"      -> {finding.mend}", file=stream)
        if len(shown) < len(alike):
            print(f"      {_others(alike[len(shown) :])}", file=stream)


def _others(findings: Sequence[Finding]) -> str:
    """How many more there are, and where."""
    files = {one.place.file for one in findings}
    places = [str(replace(one.place, file="") if len(files) == 1 else one.place) for one in findings]
    named = [place for place in dict.fromkeys(places) if place]
    more = f", ... and {len(named) - MOST_PLACES} further" if len(named) > MOST_PLACES else ""
    return f"and {len(findings)} more of this kind" + (f": {', '.join(named[:MOST_PLACES])}{more}" if named else "")


def finding_entry(finding: Finding) -> dict[str, Any]:
    """A finding in JSON."""
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


def check_entry(verdict: CheckVerdict) -> dict[str, Any]:
    """A methods check in JSON."""
    return {
        "check": verdict.check,
        "title": verdict.title,
        "outcome": str(verdict.outcome),
        "severity": verdict.severity,
        "where": verdict.where,
        "message": verdict.seen,
        "fix": verdict.mend,
        "what": verdict.what,
        "threshold": verdict.threshold,
        "basis": str(verdict.basis),
        "why": verdict.why,
        "source": verdict.source,
    }


def checks_sentence(verdicts: Sequence[CheckVerdict]) -> str:
    """How many of the methods checks hold, and which do not."""
    fired = [verdict for verdict in verdicts if verdict.outcome is Outcome.FIRED]
    names = ", ".join(f"{verdict.check} {verdict.title} ({verdict.severity})" for verdict in fired)
    held = f"methods checks: {len(verdicts) - len(fired)} of {len(verdicts)} passed or not applicable"
    return f"{held}; fired: {names}" if fired else held


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON document on stdout."""
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


def print_table(rows: Iterable[Sequence[Any]]) -> None:
    """Rows with their columns below each other, on stdout."""
    lines = [[_text(cell) for cell in row] for row in rows]
    # a sentence that ends its row runs on: it widens no column of numbers
    ends = [max((k for k, cell in enumerate(line) if cell), default=0) for line in lines]
    widths = [0] * max(map(len, lines), default=0)
    for line, end in zip(lines, ends, strict=True):
        for k, cell in enumerate(line):
            if k != end or end == len(line) - 1:
                widths[k] = max(widths[k], len(cell))
    for line in lines:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4g}"
    return str(value)


def print_written(files: Iterable[Path], /) -> None:
    """Name the files that a verb wrote, on stderr: what it found stands on stdout."""
    for path in files:
        print(f"written: {path}", file=sys.stderr)


def exit_code(findings: Iterable[Finding], /) -> int:
    """How a verb ends that goes on past faults of single files: with an error's code where one of them is an error."""
    return ImageError.exit_code if any(one.severity is Severity.ERROR for one in findings) else 0
