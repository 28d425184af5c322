"""Traces under light to what is left, arm by arm, and the test between arms."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.photostability import LAWS, TraceLaws, infer_trace
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.errors import ImageError, InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.core.instruments import Spectrum
from lampyris.core.techniques.photostability import Settings
from lampyris.io.instruments.spectra import read_spectra
from lampyris.statistics.groups.compare import compare_groups
from lampyris.statistics.groups.plan import ComparisonPlan, Source
from lampyris.statistics.intervals import with_error
from lampyris.study.bench.reading import (
    CurveError,
    Doubts,
    all_flags,
    flat_topped,
    mean_of_replicates,
    record_each,
    remark,
    saturated,
)

_FEWEST_TESTED = 3
"""Traces of an arm that a test needs."""
_DRIFT = math.sqrt(1.2)
"""Drift that a straight line through a random walk of the lamp shows, over the standard deviation of the walk's end."""
_GONE = 0.05
"""Share of the first reading below which the next ones hold no signal."""
_FURTHEST = 10
"""Times its own length to which a trace is extrapolated at most."""


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """Share left after light, from traces; a column is a trace, and columns that differ in a closing number are replicates.

    Raises
    ------
    ImageError
        If no trace can be read or fitted.
    InputError
        If the control names no arm.
    """
    limit = int(settings.max_file_mb * 1e6)
    unit = settings.time_unit or ""
    records, arms, findings = record_each(
        sources,
        lambda path, file: read_spectra(
            path, max_bytes=limit, file=file, axis="time", axis_unit=unit, signal="intensity"
        ),
        lambda trace, findings: _record(trace, settings, findings),
        rule="photostability.trace",
        mend="Export signal over time, say --time-unit and --dark, and ask for --at-min within the trace.",
    )
    if not records:
        raise ImageError("No trace can be fitted.", findings)
    names = list(dict.fromkeys(arms))
    if settings.control is not None and settings.control not in names:
        finding = remark(
            "",
            "photostability.control",
            f"names no arm; there are {', '.join(names)}.",
            "Name one of them.",
            column="control",
        )
        raise InputError("The control is no arm.", [finding])
    pooled = _pooled(records, arms, names, settings)
    notes = [
        f"Share left after {settings.at_min:g} min of light, of the fitted signal at the start;"
        " where no law was named, the mean over laws by their Akaike weights, the least AICc naming the model;"
        " the interval holds what each law says that explains the trace about as well as the best.",
        "rate_per_min is minus the logarithm of that share over the time, which of a single exponential is its rate.",
    ]
    if settings.irradiance_mw_per_cm2:
        dose = settings.irradiance_mw_per_cm2 * settings.at_min * 60.0 / 1000.0
        notes.append(
            f"Dose after {settings.at_min:g} min: {dose:.4g} J/cm2 at {settings.irradiance_mw_per_cm2:g} mW/cm2."
        )
    counts = ", ".join(f"{arms.count(name)} of {name}" for name in names)
    return BenchResult("photostability", pooled, tuple(records), f"traces: {counts}", tuple(findings), tuple(notes))


def _share_key(settings: Settings) -> str:
    return "retained_60min" if settings.at_min == 60 else "retained"


def _record(trace: Spectrum, settings: Settings, findings: list[Finding]) -> BenchRecord:
    if trace.axis_name not in ("time", "unknown"):
        raise ValueError(f"its axis is {trace.axis_name.replace('_', ' ')}, not a time")
    minutes = (trace.axis - trace.axis[0]) / 60.0
    if minutes[-1] < settings.at_min / _FURTHEST:
        raise CurveError(
            f"it ends after {minutes[-1]:.3g} min, and {settings.at_min:g} min are more than {_FURTHEST} times as long:"
            " no law holds that far",
            "Ask for --at-min within the trace, or check that it is one of bleaching.",
        )
    signal = trace.signal - settings.dark
    keep = np.isfinite(signal)
    laws = LAWS if settings.law == "auto" else (settings.law,)
    found = _with_lamp(infer_trace(minutes[keep], signal[keep], at_min=settings.at_min, laws=laws), settings)
    full = saturated(trace, settings.saturation) or flat_topped(trace)
    values = {_share_key(settings): found.retained, "rate_per_min": found.rate_per_min}
    if full:
        values = {key: _withheld(one) for key, one in values.items()}
    best = found.fits[0]
    residual = best.fit.residuals[0] / (best.fit.goodness.residual_sd or math.nan)
    curve = BenchCurve(
        trace.name,
        "light (min)",
        "signal",
        minutes[keep],
        signal[keep],
        best.expected,
        residual=residual,
        marks=() if full else ((settings.at_min, f"{100 * found.retained.value:.1f} % left"),),
    )
    return BenchRecord(
        trace.name,
        trace.file,
        values,
        words={"model": best.law},
        flags=_flags(trace, minutes[keep], signal[keep], found, settings, findings, full=full),
        curves=(curve,),
    )


def _with_lamp(found: TraceLaws, settings: Settings) -> TraceLaws:
    """Numbers that hold the drift of the lamp, which on one trace looks as bleaching does."""
    sd = _DRIFT * settings.lamp_relative_sd
    left, rate = found.retained, found.rate_per_min
    return replace(
        found,
        retained=with_error(left, sd * left.value, f"{left.method}, lamp", least=0.0),
        rate_per_min=with_error(rate, sd / settings.at_min, f"{rate.method}, lamp"),
    )


def _withheld(one: Estimate) -> Estimate:
    """A clipped trace hides what was lost: the light at the start may have been anything."""
    return Estimate.unknown(one.level, one.unit, "withheld: the trace is saturated")


def _flags(
    trace: Spectrum,
    minutes: NDArray[np.float64],
    signal: NDArray[np.float64],
    found: TraceLaws,
    settings: Settings,
    findings: list[Finding],
    *,
    full: bool,
) -> tuple[str, ...]:
    gone = float(np.median(signal[1:4])) < _GONE * float(signal[0])
    told = [
        ("saturated", full, "reaches saturation, or one largest reading again and again: bleaching is hidden there: no number.",
         "Expose less, or turn the light or the gain down; if the detector reads higher, say so with --saturation."),
        ("extrapolated", minutes[-1] < settings.at_min, f"ends after {minutes[-1]:.3g} min: {settings.at_min:g} min are extrapolated.",
         "Record longer, or ask for --at-min within the trace."),
        ("drift", found.correlated, "has residuals that follow each other: a drift of lamp or focus.", "Record a reference beside it."),
        ("gone-at-once", gone, "has lost its signal by the second reading: how fast, or whether the light went out, was not seen.",
         "Check shutter and --dark; record more often."),
        ("laws-alike", len(found.together) > 1, f"does not tell {', '.join(found.together)} apart.", "Record longer for the law."),
        ("brightens", found.retained.low > 1.0 and not full, "grows under light: brightening, not bleaching.", "Wait until it is steady."),
    ]  # fmt: skip
    doubts = Doubts("photostability", trace.file, findings, trace.name)
    doubts.add_held(told, notes=("laws-alike",))
    return tuple(doubts.flags)


def _pooled(
    records: Sequence[BenchRecord],
    arms: Sequence[str],
    names: Sequence[str],
    settings: Settings,
) -> BenchRecord:
    """The first arm's numbers, every arm in a table, and the test between arms."""
    if len(records) == 1:
        return records[0]
    key = _share_key(settings)
    rows = []
    for name in names:
        own = [record for record, arm in zip(records, arms, strict=True) if arm == name]
        rows.append({"arm": name, "n": len(own), key: mean_of_replicates([one.values[key] for one in own])})
    first = [record for record, arm in zip(records, arms, strict=True) if arm == names[0]]
    values = {
        key: mean_of_replicates([one.values[key] for one in first]),
        "rate_per_min": mean_of_replicates([one.values["rate_per_min"] for one in first]),
    }
    models = dict.fromkeys(one.words["model"] for one in first)
    tables: dict[str, tuple[dict[str, Any], ...]] = {"arms": tuple(rows)}
    # an arm of which a trace has no number is not tested by the others
    unknown = {arm for record, arm in zip(records, arms, strict=True) if not math.isfinite(record.values[key].value)}
    tested = [name for name in names if arms.count(name) >= _FEWEST_TESTED and name not in unknown]
    if len(tested) > 1:
        kept = [k for k, arm in enumerate(arms) if arm in tested]
        plan = ComparisonPlan(control=settings.control) if settings.control in tested else ComparisonPlan()
        comparison = compare_groups(
            [records[k].values[key].value for k in kept],
            [arms[k] for k in kept],
            source=Source(value=key, group="arm", unit="1"),
            plan=plan,
        )
        tables["tests"] = tuple(
            {"name": one.name, "statistic": one.statistic, "df": list(one.df), "p": one.p} for one in comparison.tests
        )
        tables["pairs"] = tuple(
            {"a": one.a, "b": one.b, "difference": one.difference, "p": one.p, "method": one.method}
            for one in comparison.pairs
        )
    words = {"model": ", ".join(models)}
    flags = all_flags(records)
    curves = (_side_by_side(records, arms, names),)
    return BenchRecord(names[0], first[0].file, values, words=words, tables=tables, flags=flags, curves=curves)


def _side_by_side(records: Sequence[BenchRecord], arms: Sequence[str], names: Sequence[str]) -> BenchCurve:
    """Mean of each arm's fitted laws as shares of their starts; the readings stand in the traces' own panels."""
    x = np.unique(np.concatenate([record.curves[0].x for record in records]))
    shares: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}
    for record, arm in zip(records, arms, strict=True):
        own = record.curves[0]
        fit = own.fit if own.fit is not None else own.y
        shares[arm].append(np.interp(x, own.x, fit / fit[0], right=math.nan))
    parts = {name: np.mean(each, axis=0) for name, each in shares.items()}
    return BenchCurve("arms side by side", "light (min)", "share left", x, np.full(x.size, math.nan), parts=parts)
