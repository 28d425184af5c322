"""Size and emission over days of storage, from a table or from light-scattering files."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.stability import Trend, aggregates, infer_trend
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.errors import ImageError, InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Severity
from lampyris.core.techniques.stability import Settings
from lampyris.io.data_tables.reading import read_table
from lampyris.io.data_tables.table import DataTable
from lampyris.io.instruments.spectrometers.axes import PLAUSIBLE, unit_named
from lampyris.study.bench.reading import Doubts, all_flags, remark

_DAY = re.compile(r"\bdays?\b|\btage?\b|\btime\b|\bt\b\s*[\[(]\s*d", re.IGNORECASE)
_OTHER_TIME = re.compile(r"[\[(]\s*(h|hours?|weeks?|months?|min)\s*[\])]|\b(hours?|weeks?|months?)\b", re.IGNORECASE)
_SIZE = re.compile(r"size|diameter|größe|durchmesser|z.?av|hydrodyn|d\s*\.?\s*h\b", re.IGNORECASE)
_EMISSION = re.compile(r"emission|\bpl\b|peak|wavelength|λ", re.IGNORECASE)
_SAMPLE = re.compile(r"^(sample|lot|batch|name)\b", re.IGNORECASE)
_IN_NAME = re.compile(r"(?:^|[_\-\s.])(?:d|day)[_\-\s]?(\d+(?:\.\d+)?)(?=$|[_\-\s.])", re.IGNORECASE)
_PLAUSIBLE_NM = {"size": (0.3, 1e5), "emission": PLAUSIBLE["wavelength"][:2]}
"""From a few atoms to what sinks at once, and as the wavelength of any spectrum."""
_SPOILS = ("dust", "intercept-above-one", "noisy", "misfit", "very-polydisperse")
"""Flags of a run whose size is hardly the dots' own."""
_KINDS = {
    "size": ("size_slope_nm_per_day", "size_change_nm", "size_start_nm", "hydrodynamic diameter (nm)"),
    "emission": ("emission_slope_nm_per_day", "emission_change_nm", "emission_start_nm", "emission peak (nm)"),
}


@dataclass(slots=True)
class _Series:
    file: str
    days: dict[str, list[float]] = field(default_factory=lambda: {"size": [], "emission": []})
    values: dict[str, list[float]] = field(default_factory=lambda: {"size": [], "emission": []})
    flags: list[str] = field(default_factory=list)

    def add(self, kind: str, day: float, value: float) -> None:
        self.days[kind].append(day)
        self.values[kind].append(value)


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """Slopes over storage with intervals, and whether each sample is stable within the margins.

    Raises
    ------
    ImageError, InputError
        If nothing can be read, columns are not found, or no sample has 3 days.
    """
    findings: list[Finding] = []
    series: dict[str, _Series] = {}
    correlograms = [one for one in sources if _is_correlogram(one)]
    for source in sources:
        if source not in correlograms:
            try:
                _from_table(source, settings, series)
            except InputError as error:
                findings += error.findings
    if correlograms:
        _from_runs(correlograms, settings, series, findings)
    records = [made for name, one in series.items() if (made := _record(name, one, settings, findings)) is not None]
    if not records:
        raise ImageError("No sample can be followed over days.", findings)
    notes = (
        "A line through each day's mean; readings of one day share their day. Stable where the 90 % interval of the change over the"
        " storage lies within the margin (two one-sided tests at 5 %): a slope that is merely not significant shows nothing.",
        f"Margins: size {f'{settings.size_margin_nm:g} nm' if settings.size_margin_nm else '10 % of its start'},"
        f" emission {settings.emission_margin_nm:g} nm.",
    )
    pooled = records[0] if len(records) == 1 else _together(records)
    return BenchResult("stability", pooled, tuple(records), _counted(records), tuple(findings), notes)


def _is_correlogram(source: BenchSource) -> bool:
    try:
        with source.path.open("rb") as stream:
            start = stream.read(16)
    except OSError:
        return False
    return start.startswith((b"SQLite format 3\0", b"ALV"))


def _from_table(source: BenchSource, settings: Settings, series: dict[str, _Series]) -> None:
    table = read_table(source.path)
    day = _column(table, settings.day_column, _DAY)
    if day is None:
        raise _refuse(source, "day", "has no column of days.", "Name it 'day', or say --day-column.")
    if settings.day_column is None and _OTHER_TIME.search(day):
        raise _refuse(source, day, f"has times called {day!r}, which are no days.", "Give days, or say --day-column.")
    size, emission = _column(table, settings.size_column, _SIZE), _column(table, settings.emission_column, _EMISSION)
    if size is None and emission is None:
        raise _refuse(
            source, "size", "has no column of sizes or emission peaks.", "Name it 'size (nm)', or say --size-column."
        )
    name = _column(table, settings.sample_column, _SAMPLE)
    names = table.words(name) if name else tuple([source.sample or "sample"] * len(table))
    days = table.numbers(day)
    for kind, column in (("size", size), ("emission", emission)):
        if column is None:
            continue
        values = _in_nm(source, table, column, kind)
        for sample, at, value in zip(names, days.tolist(), values.tolist(), strict=True):
            if np.isfinite(at) and np.isfinite(value):
                series.setdefault(sample or "sample", _Series(source.file)).add(kind, at, value)


def _in_nm(source: BenchSource, table: DataTable, column: str, kind: str) -> NDArray[np.float64]:
    """Numbers of a column in nm, by the unit that its name says.

    Raises
    ------
    InputError
        If the name says an energy, or a number is none that a size or an emission in nm can be.
    """
    said = unit_named(column)
    if said is not None and said.axis == "photon_energy":
        raise _refuse(source, column, f"is an energy: its unit is {said.name}.", "Give the emission peaks in nm.")
    factor = said.factor if said is not None and said.axis == "wavelength" else 1.0
    values = table.numbers(column) * factor
    low, high = _PLAUSIBLE_NM[kind]
    bad = np.flatnonzero(np.isfinite(values) & ~((values >= low) & (values <= high)))
    if bad.size:
        seen = (
            f"holds {values[bad[0]]:g} nm in its row of data {bad[0] + 1}, which no {kind} is ({low:g} to {high:g} nm)."
        )
        raise _refuse(
            source, column, seen, "Mend the cell, or write the unit into the column's name, as in 'size (um)'."
        )
    return values


def _column(table: DataTable, given: str | None, words: re.Pattern[str]) -> str | None:
    if given is not None:
        table.words(given)
        return given
    found = [name for name in table.columns if words.search(name)]
    return found[0] if found else None


def _refuse(source: BenchSource, column: str, seen: str, mend: str) -> InputError:
    return InputError(
        f"{source.file} cannot be used.", [remark(source.file, "stability.column", seen, mend, column=column)]
    )


def _from_runs(
    sources: Sequence[BenchSource], settings: Settings, series: dict[str, _Series], findings: list[Finding]
) -> None:
    """Z-averages of light-scattering files, each with the day that is given, or that its replicate or name says."""
    from lampyris.core.techniques.dls import Settings as RunSettings
    from lampyris.study.bench.dls import measure as measure_runs

    given = dict(zip([one.path for one in sources], settings.day, strict=False))
    if settings.day and len(settings.day) != len(sources):
        seen = f"are {len(settings.day)} for {len(sources)} files."
        raise InputError(
            "The days do not fit the files.",
            [remark("", "stability.day", seen, "Give one --day a file.", column="day")],
        )
    for source in sources:
        day = given.get(source.path)
        if day is None:
            match = _IN_NAME.search(source.replicate) or _IN_NAME.search(source.path.stem)
            day = float(match[1]) if match else None
        if day is None:
            findings.append(
                remark(
                    source.file, "stability.day", "does not say its day.", "Give --day, or name it like lot1_day7.zmes."
                )
            )
            continue
        try:
            found = measure_runs((source,), RunSettings(max_file_mb=settings.max_file_mb))
        except ImageError as error:
            findings += error.findings
            continue
        findings += [one for one in found.findings if one.severity is not Severity.NOTE]
        own = series.setdefault(source.sample or "sample", _Series(source.file))
        for record in found.records:
            own.add("size", day, record.values["z_average_nm"].value)
            own.flags += [flag for flag in record.flags if flag in _SPOILS]


def _record(name: str, one: _Series, settings: Settings, findings: list[Finding]) -> BenchRecord | None:
    values: dict[str, Estimate] = {}
    verdicts: dict[str, str] = {}
    doubts = Doubts("stability", one.file, findings, name, list(dict.fromkeys(one.flags)))
    curves = []
    for kind, (slope_key, change_key, start_key, label) in _KINDS.items():
        days, seen = np.array(one.days[kind]), np.array(one.values[kind])
        if not days.size:
            continue
        margin = settings.emission_margin_nm
        if kind == "size":
            margin = settings.size_margin_nm or 0.1 * abs(float(seen[days == days.min()].mean()))
        try:
            trend = infer_trend(days, seen, margin=margin)
        except ValueError as error:
            findings.append(
                remark(one.file, "stability.days", f"{name}: {error}.", "Measure on more days.", column=name)
            )
            continue
        values |= {slope_key: trend.slope, change_key: trend.change, start_key: trend.start}
        verdicts[kind] = trend.stable
        if kind == "size" and aggregates(days, seen, trend):
            doubts.add("aggregation", "grows: the dots clump.", "Look at the figure.")
        if trend.bends:
            bent = "does not change along a line; the slope is its mean only."
            doubts.add(f"{kind}-bends", bent, "Look at the figure.")
        curves.append(_curve(f"{name}: {kind}", label, (days, seen), trend))
    if not values:
        return None
    words = {"stable": _all(verdicts.values()), **{f"{kind}_stable": word for kind, word in verdicts.items()}}
    return BenchRecord(name, one.file, values, words=words, flags=tuple(doubts.flags), curves=tuple(curves))


def _all(verdicts: Iterable[str]) -> str:
    """No where one says no, yes where all say yes."""
    words = list(verdicts)
    return "no" if "no" in words else ("yes" if words and set(words) == {"yes"} else "undecided")


def _curve(title: str, label: str, seen: tuple[NDArray[np.float64], NDArray[np.float64]], trend: Trend) -> BenchCurve:
    days, values = seen
    order = np.argsort(days, kind="stable")
    residual = (values - trend.fitted) / trend.sd if trend.sd > 0 else None
    return BenchCurve(
        title, "storage (d)", label, days[order], values[order], trend.fitted[order],
        residual=residual[order] if residual is not None else None,
    )  # fmt: skip


def _together(records: Sequence[BenchRecord]) -> BenchRecord:
    """The first sample's numbers are no one's but its own: together there is a table and the common verdict."""
    rows = tuple({"sample": one.name, "stable": one.words["stable"], **dict(one.values)} for one in records)
    return BenchRecord(
        "all samples",
        records[0].file,
        {},
        words={"stable": _all([one.words["stable"] for one in records])},
        tables={"samples": rows},
        flags=all_flags(records),
    )


def _counted(records: Sequence[BenchRecord]) -> str:
    days = [len(np.unique(curve.x)) for one in records for curve in one.curves]
    if not records:
        return ""
    span = f"{max(days)}" if min(days) == max(days) else f"{min(days)} to {max(days)}"
    return f"{len(records)} sample{'s' if len(records) > 1 else ''} over {span} days"
