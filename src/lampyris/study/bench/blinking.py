"""Traces of single dots to the laws of their on and off times."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.blinking import (
    StayLaw,
    Stays,
    beyond_photons,
    infer_law,
    infer_stays,
    on_share,
    stay_counts,
    stays_by_threshold,
)
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Severity
from lampyris.core.instruments import Spectrum
from lampyris.core.techniques.blinking import Settings
from lampyris.io.instruments.spectra import read_spectra
from lampyris.statistics.intervals import normal_interval, t_interval
from lampyris.study.bench.reading import Doubts, doubt_reading, read_each, remark

Array = NDArray[np.float64]
_EVEN = 0.02
_FEW_STAYS = 20
_FEWEST_BINS = 50
_MOST_BINS = 2_000_000
_FEW_DOTS = 5
_OF_LAW, _ODD = frozenset(("unresolved", "several-levels")), 0.25
"""Flags that say that the laws do not hold, and the share of dots that may have them by chance, or be odd ones."""
_CLEAR = 4.0
"""Standard errors by which counts must scatter beyond photons to be flagged: of photons alone a chance of 1 in 30,000, but short stays that
were missed scatter as well: 2 % of virtual traces whose stays last two bins and longer are flagged."""
_NONE = Estimate.unknown(0.95, "1", "no law: too few stays")


@dataclass(frozen=True, slots=True, eq=False)
class _Dot:
    """A trace and what was found in it."""

    name: str
    file: str
    counts: Array
    bin_s: float
    stays: Stays
    flags: tuple[str, ...]


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """Laws of the on and off times of dots, a column each.

    Raises
    ------
    ImageError
        If no trace can be read or used.
    """
    limit = int(settings.max_file_mb * 1e6)
    unit = settings.time_unit or ""
    read, findings = read_each(
        sources,
        lambda path, file: read_spectra(path, max_bytes=limit, file=file, axis="time", axis_unit=unit, signal="counts"),
    )
    dots: list[_Dot] = []
    for source, traces in read:
        for trace in traces:
            own = source.sample if len(traces) == 1 and source.sample else trace.name or source.file
            made = _dot(trace, own, settings, findings)
            if made is not None:
                dots.append(made)
    if not dots:
        raise ImageError("No trace can be used.", findings)
    widths = {round(math.log(one.bin_s), 2) for one in dots}
    if len(widths) > 1:
        seen = f"has bins of {dots[0].bin_s:g} s and others do not: the laws of all dots need one length of bin."
        raise ImageError(
            "The traces have bins of different length.",
            [*findings, remark(dots[0].file, "blinking.bins", seen, "Bin all alike.")],
        )
    shortest = settings.shortest_bins or max(_shortest(one.stays) for one in dots)
    records = tuple(_record([one], one.name, shortest) for one in dots)
    pooled = records[0] if len(dots) == 1 else _record(dots, "all dots", shortest)
    if 1 < len(dots) < _FEW_DOTS:
        seen = f"holds {len(dots)} dots: how much dots differ is hardly known from so few."
        findings.append(remark(dots[0].file, "blinking.few-dots", seen, "Record more dots.", severity=Severity.WARNING))
    return BenchResult(
        "blinking", pooled, records, _replicated(dots), tuple(findings), _notes(shortest, dots[0].bin_s, settings)
    )


def _replicated(dots: Sequence[_Dot]) -> str:
    stays = sum(one.stays.bins.size for one in dots)
    return (
        f"{len(dots)} dots, {stays} stays"
        if len(dots) > 1
        else f"stays of one dot ({stays}): nothing is said of other dots"
    )


def _notes(shortest: int, bin_s: float, settings: Settings) -> tuple[str, ...]:
    penalty = f"{settings.penalty:g}" if settings.penalty else "2 log(bins), Schwarz's"
    return (
        f"Change points by penalised Poisson likelihood (PELT, penalty {penalty}); levels by BIC; on is nearer to the"
        " brightest level than to the darkest.",
        f"Stays of {shortest} bins ({shortest * bin_s:.3g} s) and longer, density t^-m exp(-t/cutoff), maximum likelihood of"
        " lengths in whole bins; the last stay of a trace counts as longer than seen, the first is left out.",
        "threshold_* are the same laws of the stays that a fixed threshold half-way between the levels makes, from two bins on:"
        " shown to compare, not to be used.",
        "The laws hold for the times that were looked at: exponents depend on bin and length of the record if no power law holds.",
    )


def _shortest(stays: Stays) -> int:
    """Bins from which on hardly a stay of the other state is missed within: twice what is surely seen and one."""
    return max(4, 2 * stays.shortest + 1)


def _dot(trace: Spectrum, name: str, settings: Settings, findings: list[Finding]) -> _Dot | None:
    def refused(seen: str, mend: str) -> None:
        findings.append(remark(trace.file, "blinking.trace", f"{trace.name} {seen}".strip(), mend))

    if trace.axis_name != "time":
        refused(
            f"has a {trace.axis_name.replace('_', ' ')} axis, not a time.", "Give counts against time, or --time-unit."
        )
        return None
    keep = np.isfinite(trace.signal)
    last = int(np.flatnonzero(keep)[-1]) + 1 if keep.any() else 0
    time, signal = trace.axis[:last], trace.signal[:last]
    if last < _FEWEST_BINS or last > _MOST_BINS or not keep[:last].all():
        refused(
            f"has {int(keep.sum())} bins, or gaps between them.",
            f"Give {_FEWEST_BINS} to {_MOST_BINS} bins without gaps.",
        )
        return None
    steps = np.diff(time)
    bin_s = float((time[-1] - time[0]) / (time.size - 1))
    if (np.abs(steps - bin_s) > max(_EVEN * bin_s, 1.01 * 10.0 ** math.floor(math.log10(bin_s) - 1))).any():
        refused(f"has bins from {steps.min():g} to {steps.max():g} s.", "Bin the photons evenly, no bin left out.")
        return None
    as_rate = settings.signal_is == "rate" or (settings.signal_is is None and trace.signal_name == "count_rate")
    counts = np.asarray(signal * bin_s if as_rate else signal, np.float64)
    near = np.abs(counts - np.round(counts))
    if (counts < 0).any() or (float(np.max(near)) > 0.01 * max(1.0, float(counts.mean())) and not as_rate):
        refused(
            "holds numbers that are no counts.", "Give photons per bin, no background taken off; or --signal-is rate."
        )
        return None
    counts = np.round(counts) if as_rate else counts
    if not counts.any():
        refused("holds no photon.", "Check the recording.")
        return None
    stays = infer_stays(counts, penalty=settings.penalty, most_levels=settings.most_levels)
    return _Dot(name, trace.file, counts, bin_s, stays, _doubts(trace, counts, stays, settings, findings))


def _doubts(
    trace: Spectrum, counts: Array, stays: Stays, settings: Settings, findings: list[Finding]
) -> tuple[str, ...]:
    whole = min(sum(~stays.of(on=on)[1]) for on in (True, False))
    contrast = stays.on_level / stays.off_level if stays.off_level else math.inf
    grey = stays.levels.rates.size
    beyond, clear = max(beyond_photons(counts, stays).values(), key=lambda one: one[1])
    told: list[tuple[str, bool, str, str]] = [
        ("one-state", stays.one_state, "has one state only: no switch was found.", "Record longer, or another dot."),
        ("few-switches", not stays.one_state and whole < _FEW_STAYS,
         f"has {whole} whole stays in the rarer state, too few for a law of its own.", "Record longer, or more dots."),
        ("bleached", stays.bleached, "ends in a dark stay far longer than any other: it may have bleached.",
         "Look at its end; cut the trace there."),
        ("drift", bool(stays.drift), f"has an on level that changes by {100 * stays.drift:.0f} % over the trace.",
         "It is a drift of focus or bleaching in steps: record a reference beside it, or use the part before."),
        ("several-levels", grey > 2, f"has {grey} levels of brightness, joined to on and off.",
         "Look at the trace: grey states, or more than one dot. The laws and the share of time on hold for the joined states."),
        ("unresolved", clear > _CLEAR,
         f"scatters within stays by {beyond:.3g} times what photons do: it switches faster than a bin, or its levels wander."
         " Stays are joined over what is not seen, and exponents and the share of time on are off.",
         "Bin narrower, with more light, and look whether the exponents stay."),
        ("low-contrast", stays.shortest > 20 and not stays.one_state,
         f"has levels so near ({contrast:.3g} to 1) that stays below {stays.shortest} bins are missed.",
         "Bin wider, or use more light."),
    ]  # fmt: skip
    doubts = Doubts("blinking", trace.file, findings, trace.name)
    doubt_reading(trace.words, doubts)
    doubts.add_held(told)
    return tuple(doubts.flags)


def _record(dots: Sequence[_Dot], name: str, shortest: int) -> BenchRecord:
    bin_s = dots[0].bin_s
    laws = {on: _law(dots, on, shortest, bin_s) for on in (True, False)}
    naive = {on: _naive(dots, on, bin_s) for on in (True, False)}
    on_law, off_law = laws[True], laws[False]
    no_time = replace(_NONE, unit="s")
    values = {
        "on_exponent": on_law.exponent if on_law else _NONE,
        "off_exponent": off_law.exponent if off_law else _NONE,
        "cutoff_s": on_law.cutoff_s if on_law else no_time,
        "off_cutoff_s": off_law.cutoff_s if off_law else no_time,
        "on_fraction": _on_fraction(dots, shortest),
        "threshold_on_exponent": naive[True],
        "threshold_off_exponent": naive[False],
    }
    if len(dots) == 1:
        stays = dots[0].stays
        values |= {
            "on_level": _level(stays.on_level, stays.level_sds[0]),
            "off_level": _level(stays.off_level, stays.level_sds[1]),
        }
    flags = dots[0].flags if len(dots) == 1 else _flags_of(dots)
    if 1 < len(dots) < _FEW_DOTS:
        flags = (*flags, "few-dots")
    if not (on_law and off_law):
        flags = (*flags, "no-law")
    words = {"bin_s": f"{bin_s:.6g}", "shortest_s": f"{shortest * bin_s:.6g}"}
    curves = _trace_curves(dots[0]) if len(dots) == 1 else ()
    curves = (*curves, *_law_curves(dots, laws, shortest, bin_s))
    return BenchRecord(name, dots[0].file, values, words=words, flags=flags, curves=curves)


def _flags_of(dots: Sequence[_Dot]) -> tuple[str, ...]:
    """Flags of any dot; those of its law only where enough dots have them.

    About one in forty dots is flagged by chance, and how an odd one differs the interval holds, as each dot is left out in turn.
    """
    often = Counter(flag for one in dots for flag in one.flags)
    return tuple(sorted(flag for flag, many in often.items() if flag not in _OF_LAW or many > _ODD * len(dots)))


def _law(dots: Sequence[_Dot], on: bool, shortest: int, bin_s: float) -> StayLaw | None:
    counted = [stay_counts(*one.stays.of(on=on), shortest=shortest) for one in dots if not one.stays.one_state]
    if not counted:
        return None
    try:
        return infer_law(counted, shortest=shortest, bin_s=bin_s)
    except ValueError:
        return None


def _naive(dots: Sequence[_Dot], on: bool, bin_s: float) -> Estimate:
    """Exponent of the stays that a threshold makes."""
    counted = []
    for one in dots:
        if one.stays.one_state:
            continue
        bins, states = stays_by_threshold(one.counts, 0.5 * (one.stays.on_level + one.stays.off_level))
        cut = np.zeros(bins.size, bool)
        cut[-1] = True
        # the first is left out, as of other stays
        own = np.flatnonzero(states == on)
        own = own[own > 0]
        counted.append(stay_counts(bins[own], cut[own], shortest=2))
    try:
        found = infer_law(counted, shortest=2, bin_s=bin_s, profile=False).exponent if counted else _NONE
    except ValueError:
        return _NONE
    return replace(found, method=f"{found.method}, of stays by a threshold")


def _on_fraction(dots: Sequence[_Dot], shortest: int) -> Estimate:
    """Share of time on until the end or bleaching: over dots by Student, of one dot by the laws of its stays."""
    shares = [one.stays.on_bins / max(one.stays.observed_bins, 1) for one in dots]
    if len(dots) > 1:
        found = t_interval(shares)
        return replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0))
    return on_share(dots[0].stays, shortest=shortest)


def _level(level: float, sd: float) -> Estimate:
    unit = "photons per bin"
    if math.isnan(level):
        return Estimate.unknown(0.95, unit, "no such stay")
    return normal_interval(level, sd, unit=unit, method="of bins within stays, Poisson", low=0.0)


def _trace_curves(dot: _Dot) -> tuple[BenchCurve, ...]:
    time: Array = np.asarray((np.arange(dot.counts.size) + 0.5) * dot.bin_s, np.float64)
    middle = 0.5 * (dot.stays.on_level + dot.stays.off_level)
    parts = {"threshold": np.full(time.size, middle)} if math.isfinite(middle) else {}
    return (BenchCurve("trace", "time (s)", "photons per bin", time, dot.counts, dot.stays.expected, parts),)


def _law_curves(
    dots: Sequence[_Dot], laws: dict[bool, StayLaw | None], shortest: int, bin_s: float
) -> tuple[BenchCurve, ...]:
    """Share of longer stays, of those that count, beside the law: Kaplan and Meier's, so that stays cut short count."""
    curves = []
    for on, law in laws.items():
        if law is None:
            continue
        both = [one.stays.of(on=on) for one in dots if not one.stays.one_state]
        bins, cut = (np.concatenate([one[k] for one in both]) for k in (0, 1))
        kept = bins >= shortest
        lengths = np.unique(bins[kept & ~cut])
        ends = np.array([(bins[kept & ~cut] == one).sum() for one in lengths], np.float64)
        risk = np.array([(bins[kept] >= one).sum() for one in lengths], np.float64)
        left: Array = np.asarray(np.cumprod(1.0 - ends / risk), np.float64)
        time: Array = np.asarray((lengths + 0.5) * bin_s, np.float64)
        shown = left > 0
        if shown.sum() < 2:
            continue
        name = "on" if on else "off"
        curves.append(
            BenchCurve(
                f"{name} times", f"{name} time (s)", "share of longer stays", time[shown], left[shown],
                law.law.survival(time[shown]), x_log=True, y_log=True,
            )
        )  # fmt: skip
    return tuple(curves)
