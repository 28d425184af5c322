"""Rules of bench.csv: files, probes and lots that exist, roles that the technique knows, each file once."""

from collections.abc import Iterator

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import BenchRow
from lampyris.core.techniques import settings_of
from lampyris.core.techniques.table import known_techniques
from lampyris.io.mends import did_you_mean
from lampyris.io.paths import path_fault
from lampyris.study.rules.sheets import SHEET_BENCH, Sheets


def _finding(severity: Severity, rule: str, row: BenchRow, column: str, seen: str, mend: str) -> Finding:
    return Finding(f"bench.{rule}", severity, Place(SHEET_BENCH, row.row, column), seen, mend)


def check_bench(sheets: Sheets, /) -> Iterator[Finding]:
    """Files, probes, lots and roles of bench.csv exist, and a file stands once."""
    first: dict[tuple[str, ...], int] = {}
    for row in sheets.bench:
        if not path_fault(sheets.study, row.file) and not (sheets.study / row.file).exists():
            yield _finding(
                Severity.ERROR, "missing-file", row, "file", f"{row.file} does not exist.", "Correct the path."
            )
        yield from _check_role(row)
        yield from _check_probe(row, sheets)
        key = (row.technique, row.file, row.role, row.probe, row.lot)
        line = first.setdefault(key, row.row)
        if line != row.row:
            seen = f"{row.file} stands on row {line} already: one measurement would count twice."
            yield _finding(Severity.ERROR, "duplicate", row, "file", seen, "Keep one row.")
    yield from _check_options(sheets)


def _check_role(row: BenchRow) -> Iterator[Finding]:
    known = known_techniques()
    if row.technique not in known:
        seen = f"{row.technique} cannot be measured by this version."
        yield _finding(Severity.ERROR, "technique", row, "technique", seen, f"Known are: {', '.join(known)}.")
        return
    roles = settings_of(row.technique).roles
    if row.role and row.role not in roles:
        near = did_you_mean(row.role, roles)
        listed = "; ".join(f"{role}: {meaning}" for role, meaning in roles.items())
        mend = (
            f"Write {near}." if near else f"Write one of {listed}; or leave it empty." if roles else "Leave it empty."
        )
        seen = f"{row.technique} knows no role {row.role!r}."
        yield _finding(Severity.ERROR, "role", row, "role", seen, mend)


def _check_probe(row: BenchRow, sheets: Sheets) -> Iterator[Finding]:
    if sheets.settings is None:
        return
    probes = sheets.settings.probes
    if row.probe and row.probe not in probes:
        near = did_you_mean(row.probe, probes)
        mend = f"Write {near}." if near else f"Known are: {', '.join(probes)}."
        yield _finding(Severity.ERROR, "probe", row, "probe", f"there is no probe {row.probe!r}.", mend)
        return
    if not row.probe and not row.role and len(probes) > 1:
        seen = f"the study has {len(probes)} probes, and this row names none: its numbers are compared with no probe's."
        mend = f"Write one of {', '.join(probes)}; leave it empty for what is none of them."
        yield _finding(Severity.WARNING, "no-probe", row, "probe", seen, mend)
    probe = probes.get(row.probe or next(iter(probes), ""))
    if probe is not None and probe.lots and row.lot and row.lot not in probe.lots:
        seen = f"the lot {row.lot!r} is not among those of the probe: {', '.join(probe.lots)}."
        yield _finding(Severity.WARNING, "lot", row, "lot", seen, "Correct it, or add it to the probe's lots.")


def _check_options(sheets: Sheets) -> Iterator[Finding]:
    """Options that nothing is measured with."""
    if sheets.settings is None or not sheets.whole:
        return
    measured = {row.technique for row in sheets.bench}
    for name in sheets.settings.bench.named:
        if name not in measured:
            place = Place("study.toml", None, f"bench.{name}")
            seen = f"sets options of {name}, of which {SHEET_BENCH} names no file."
            yield Finding("bench.options", Severity.WARNING, place, seen, "Remove the table, or name its files.")
