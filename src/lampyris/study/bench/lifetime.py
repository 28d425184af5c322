"""Decays and the instrument's response to lifetimes, their means and the phasor."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lampyris.bench.lifetime import (
    DecayFit,
    Phasor,
    Range,
    Response,
    Window,
    averaged_phasor,
    background_over,
    beside_of,
    fit_decay,
    infer_decay,
    laws_that_weigh,
    mean_over,
    phasor_of,
    pulse_at,
    range_of,
    response_from_counts,
    saturated,
    shift_over,
)
from lampyris.bench.lifetime.inference import CLEARLY
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.errors import ImageError, InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Severity
from lampyris.core.instruments import Decay
from lampyris.core.techniques.lifetime import Settings
from lampyris.io.instruments.decays import read_decays
from lampyris.statistics.thresholds import half_width
from lampyris.study.bench.reading import (
    CurveError,
    Doubts,
    all_flags,
    doubt_reading,
    mean_of_replicates,
    mend_of,
    read_each,
    remark,
    with_role,
)

_LIKE = 1e-3
"""By what share channels of response and decay may differ in width."""
_MOVES = 0.02
"""By what share the intensity mean may move with the fitted range before it is flagged."""
_FEW = 10_000
"""Photons below which lifetimes of several components are weakly known."""
_FULL = 65_535.0
"""What a counter of 16 bits stops at; higher counts are of another."""
_NARROW = 4.0
"""Channels across a response, at half its height, that show its shape."""
_LIFETIMES, _LONGER = 15.0, 20
"""Longest lifetimes after the last channel, and records, in which the light is gone."""
_LIKE_RISE = 1.5
"""Rises of a decay below which a lifetime of its tail may be that of the response."""
_TOLD = 0.05
"""Share of the background that may be afterpulses without being told."""
_CLEAR = 3.3
"""Standard errors by which reduced chi-squared must exceed 1 for a misfit: a chance of 0.05 %."""
_WIDEST_NS = 1e6
"""Width of a channel above which a file holds no decay."""
_JOINED, _STANDS = 8, 6.0
"""Channels that are taken together, and standard deviations by which the fullest of them stands above the middle one."""


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """Lifetimes of each decay.

    Raises
    ------
    ImageError
        If no decay can be read or fitted.
    InputError
        If options contradict each other.
    """
    if settings.law == "stretched" and (settings.components or 1) > 1:
        finding = remark(
            "", "lifetime.law", "asks for a stretched law of several components.", "Leave one out.", column="components"
        )
        raise InputError("A stretched law has one component.", [finding])
    limit = int(settings.max_file_mb * 1e6)

    def opened(path: Path, file: str) -> tuple[Decay, ...]:
        return read_decays(
            path, max_bytes=limit, file=file, channel_ns=settings.channel_ns, time_unit=settings.time_unit or ""
        )

    read, findings = read_each(with_role(sources, ""), opened)
    responses, more = read_each(with_role(sources, "response"), opened)
    findings += more
    records: list[BenchRecord] = []
    for source, decays in read:
        for decay in decays:
            made = _record(decay, source, responses, settings, findings)
            if made is not None:
                records.append(made)
    if not records:
        raise ImageError("No decay can be fitted.", findings)
    pooled = records[0] if len(records) == 1 else _pooled(records)
    told = f"{len(records)} decays" if len(records) > 1 else "nothing: one decay, intervals by the counting of photons"
    return BenchResult("lifetime", pooled, tuple(records), told, tuple(findings), _notes(bool(responses), settings))


def _notes(response: bool, settings: Settings) -> tuple[str, ...]:
    how = (
        "Decay laws through the measured response, shifted by a fitted part of a channel"
        if response
        else "No response was given: only the tail after the peak is fitted, and amplitudes are those at its start"
    )
    number = (
        f"{settings.components} component(s) as asked for"
        if settings.components or settings.law == "stretched"
        else "as few components as AICc, its likelihood divided by the excess variance (QAICc), allows within 10, each of them"
        " borne by the decay: off its bounds, its share clear of 0 and its lifetime clear of its neighbours';"
        " a stretched law where it is likelier"
    )
    until = (
        f"channels from before the pulse to {100 * settings.until_share:g} % of the peak"
        if settings.until_share and response
        else "all recorded channels after the start"
    )
    return (
        f"{how}; Poisson likelihood of the counts, background free, over {until}; {number}.",
        "Amplitudes are shares of the height at time 0; the amplitude mean is what a quantum yield follows, the intensity mean"
        " is the mean arrival of a photon: they are different numbers. Where the law is open"
        " both, the background and the shift are means over the laws that the decay bears, by their Akaike weights, and their"
        " intervals hold the choice.",
        "Lifetimes have support-plane (profile likelihood) intervals, widened by the counting noise of the response and by"
        " channels of uneven width, as far as the scatter of the counts shows them; reduced chi-squared is Pearson's.",
    )


def _record(
    decay: Decay,
    source: BenchSource,
    responses: Sequence[tuple[BenchSource, tuple[Decay, ...]]],
    settings: Settings,
    findings: list[Finding],
) -> BenchRecord | None:
    name = decay.name or source.sample or source.file
    doubts = Doubts("lifetime", decay.file, findings, decay.name)
    doubt_reading(decay.words, doubts)
    try:
        _refuse_level(decay)
        response = _response(decay, source, responses, doubts)
        found = range_of(decay.counts, until=settings.until_share, tail=response is None)
        window = _window(decay, found, response, settings, doubts)
        fits = _fits(window, decay, settings, tail=response is None)
    except ValueError as error:
        mend = mend_of(error, "Check the recording.")
        findings.append(remark(decay.file, "lifetime.decay", f"{decay.name} {error}.".strip(), mend))
        return None
    best = fits[0]
    _judge(decay, found, fits, response, settings, doubts)
    background = background_over(fits)
    if response is not None:
        _moved(best, window, found, decay, settings, doubts)
        _may_be_afterpulses(decay, found, background, response, doubts)
    phasor = _phasor(decay, found, fits, response, settings)
    rows = tuple(
        {
            "law": one.title, "criterion": one.criterion - best.criterion, "reduced_chi2": one.fit.goodness.reduced_chi2,
            "intensity_mean_ns": one.law.intensity_mean_ns, "borne": "yes" if one.borne else "no",
        }
        for one in fits
    )  # fmt: skip
    return BenchRecord(
        name,
        decay.file,
        _values(fits, background, phasor, settings, reconvolved=response is not None),
        lists={
            "lifetimes_ns": best.lifetimes(),
            "amplitudes": best.amplitudes(),
            "photon_shares": best.intensities(),
        },
        words={
            "model": best.title,
            "method": "reconvolution" if response is not None else "tail fit",
            "fitted_ns": f"{window.start * decay.channel_ns:.4g} to {window.end * decay.channel_ns:.4g}",
        },
        tables={"laws": rows} if len(rows) > 1 else {},
        flags=tuple(doubts.flags),
        curves=_curves(decay, best, window, phasor),
    )


def _refuse_level(decay: Decay) -> None:
    """Refuse a trace in channels that no decay has, and one of which nothing stands out.

    Raises
    ------
    ValueError
        In those cases.
    """
    if decay.channel_ns > _WIDEST_NS:
        raise CurveError(
            f"has channels of {decay.channel_ns:.3g} ns: no decay of a dot or dye is that slow",
            "Measure traces over time with lampyris bench blinking or photostability.",
        )
    whole = decay.counts[: decay.counts.size // _JOINED * _JOINED].reshape(-1, _JOINED).sum(axis=1)
    level = float(np.median(whole)) if whole.size else 0.0
    if level >= 1.0 and float(whole.max()) < level + _STANDS * math.sqrt(level):
        raise ValueError("shows no decay: nothing stands above a level background")


def _values(
    fits: Sequence[DecayFit], background: Estimate, phasor: Phasor | None, settings: Settings, *, reconvolved: bool
) -> dict[str, Estimate]:
    best = fits[0]
    values = {
        "amplitude_mean_ns": mean_over(fits, "amplitude"),
        "intensity_mean_ns": mean_over(fits, "intensity"),
        "reduced_chi2": best.reduced_chi2(),
        "background_counts": background,
    }
    if reconvolved and settings.shift_ns is None:
        values["response_shift_ns"] = shift_over(fits)
    if settings.scatter:
        values["scatter_photons"] = best.supported("scatter")
    if best.model.stretched:
        values["stretch"] = best.fit["stretch"]
    if phasor is not None:
        values |= {
            "phasor_g": phasor.g, "phasor_s": phasor.s, "phase_lifetime_ns": phasor.phase_ns,
            "modulation_lifetime_ns": phasor.modulation_ns,
        }  # fmt: skip
    return values


def _response(
    decay: Decay, source: BenchSource, responses: Sequence[tuple[BenchSource, tuple[Decay, ...]]], doubts: Doubts
) -> Response | None:
    """Response of the decay's own sample, else the first; of its curves that of the same name, else the first."""
    if not responses:
        doubts.add(
            "tail-fit",
            "has no response: only its tail is fitted, and what of its background afterpulses are is not told.",
            "Give response=FILE.",
            Severity.NOTE,
        )
        return None
    curves = next((read for own, read in responses if own.sample and own.sample == source.sample), responses[0][1])
    one = next((curve for curve in curves if curve.name and curve.name == decay.name), curves[0])
    if abs(one.channel_ns - decay.channel_ns) > _LIKE * decay.channel_ns:
        raise ValueError(
            f"its channels are {decay.channel_ns:g} ns wide and those of the response {one.file} {one.channel_ns:g} ns:"
            " record both alike"
        )
    if one.counts.size > decay.counts.size and one.counts[decay.counts.size :].any():
        seen = f"has {decay.counts.size} channels and its response {one.counts.size}: the response is cut."
        doubts.add("response-longer", seen, "Record both over the same time.")
    if one.counts.size < decay.counts.size:
        seen = f"has {decay.counts.size} channels and its response {one.counts.size}: nothing is taken to follow."
        doubts.add("response-shorter", seen, "Record both over the same time.", Severity.NOTE)
    found = response_from_counts(one.counts, channels=decay.counts.size)
    if found.counts < _FEW:
        seen = f"has a response of {found.counts:.0f} photons, whose noise widens every interval."
        doubts.add("response-noisy", seen, "Record the response longer.")
    if found.width_channels < _NARROW:
        seen = f"has a response only {found.width_channels:.0f} channels wide: its shape between channels is not known."
        doubts.add("response-narrow", seen, "Record with narrower channels; times near a channel's width are rough.")
    if saturated(one.counts) or one.counts.max() == _FULL:
        doubts.add("response-saturated", "has a response with a flat top.", "Record it with less light, or shorter.")
    return found


def _window(decay: Decay, found: Range, response: Response | None, settings: Settings, doubts: Doubts) -> Window:
    start, end = found.start, found.end
    if settings.start_ns is not None:
        start = max(found.first, round(settings.start_ns / decay.channel_ns))
    if settings.end_ns is not None:
        end = min(found.last, round(settings.end_ns / decay.channel_ns))
    if end - start < 10:
        raise ValueError(f"only {max(end - start, 0)} channels are left to fit")
    rate = settings.repetition_mhz or decay.repetition_mhz
    period = math.inf if math.isnan(rate) else 1e3 / rate / decay.channel_ns
    if math.isfinite(period) and found.last - found.first > 1.05 * period:
        seen = f"spans {(found.last - found.first) * decay.channel_ns:.4g} ns, more than the {1e3 / rate:.4g} ns between pulses."
        doubts.add("several-periods", seen, "Check --repetition-mhz.", Severity.NOTE)
    if found.first > 0 or found.last < decay.counts.size:
        seen = f"is empty before channel {found.first + 1} or after {found.last}: these lie outside what was recorded."
        doubts.add("empty-ends", seen, "Nothing, unless the decay was cut.", Severity.NOTE)
    # two channels before the tail, so that every fitted channel holds a full step of the decay
    own = pulse_at(max(start - 2, 0), decay.counts.size) if response is None else response
    return Window(decay.counts, own, start, end, math.inf if response is None else period)


def _fits(window: Window, decay: Decay, settings: Settings, *, tail: bool) -> tuple[DecayFit, ...]:
    shift = 0.0 if tail else None if settings.shift_ns is None else settings.shift_ns / decay.channel_ns
    law = settings.law
    return infer_decay(
        window,
        channel_ns=decay.channel_ns,
        components=1 if law == "stretched" else settings.components,
        most=settings.most_components,
        stretched=True if law == "stretched" else None if law == "auto" else False,
        scatter=settings.scatter and not tail,
        shift=shift,
    )


def _judge(
    decay: Decay, found: Range, fits: Sequence[DecayFit], response: Response | None, settings: Settings, doubts: Doubts
) -> None:
    """What lowers trust, each said once."""
    best = fits[0]
    total = float(decay.counts.sum())
    rate = settings.repetition_mhz or decay.repetition_mhz
    per_pulse = total / decay.acquisition_s / (rate * 1e6)
    if math.isnan(per_pulse):
        missing = "repetition rate" if math.isnan(rate) else "time of the recording"
        doubts.add(
            "pile-up-unknown",
            f"does not say its {missing}: pile-up cannot be checked.",
            "Give --repetition-mhz.",
            Severity.NOTE,
        )
    elif per_pulse > settings.most_rate:
        seen = f"has {100 * per_pulse:.3g} photons per 100 pulses: late photons are lost, lifetimes come out short."
        doubts.add("pile-up", seen, "Record with less light.")
    if saturated(decay.counts) or decay.counts.max() == _FULL:
        doubts.add("saturated", "has a flat top: the counter was full.", "Record shorter, or with less light.")
    if decay.words.get("whole") == "no":
        seen = "holds numbers that are not whole: they are no counts, and the intervals do not hold."
        doubts.add("not-counts", seen, "Export counts, not scaled or smoothed numbers.")
    if total < _FEW:
        doubts.add("few-photons", f"has {total:.0f} photons.", "Record longer.")
    longest = best.law.lifetimes_ns[-1]
    left = (found.last - found.peak) * decay.channel_ns
    if longest > 0.5 * left:
        seen = f"has a lifetime of {longest:.3g} ns and ends {left:.3g} ns after its peak: it runs into the background."
        doubts.add("cut-short", seen, "Record over a longer time.")
    if response is None and best.law.lifetimes_ns[0] < _LIKE_RISE * found.rise * decay.channel_ns:
        seen = (
            f"has a lifetime of {best.law.lifetimes_ns[0]:.3g} ns, little longer than its rise of"
            f" {found.rise * decay.channel_ns:.3g} ns: a slow tail of the response may be taken for light of the sample."
        )
        doubts.add("tail-short", seen, "Give response=FILE.")
    alike = [one.title for one in fits[1:] if one.borne and one.criterion < best.criterion + CLEARLY]
    if alike:
        seen = f"does not clearly tell {best.title} from {', '.join(alike)}: lifetimes hold only if that law does."
        doubts.add("laws-alike", seen, "Record more photons; print the means.", Severity.NOTE)
    chi2 = best.reduced_chi2()
    if best.correlated:
        seen = (
            f"is not fully met by the law: reduced chi-squared {chi2.value:.3g}, and its residuals follow each other."
        )
        doubts.add("misfit", seen, "Look at the residuals; try --scatter, more components, or a fresh response.")
    elif chi2.low - (_CLEAR - half_width(chi2.level)) * chi2.sd > 1.0:
        seen = (
            f"scatters beyond its photons: reduced chi-squared {chi2.value:.3g}, as channels that differ in width by"
            f" {100 * best.unevenness:.2g} % make it. The intervals hold that."
        )
        doubts.add("uneven-channels", seen, "Look at the residuals; steady light shows the widths of the channels.")
    if response is not None and settings.shift_ns is None:
        shift = best.fit["shift"].value
        if abs(shift) > max(3.0, response.width_channels):
            seen = f"lies {shift * decay.channel_ns:.3g} ns from its response, more than the response is wide."
            doubts.add("shifted", seen, "Check that both were recorded with the same delays.")
    for note in best.fit.notes():
        doubts.add("fit-" + note.split(":")[0].split(" (")[0].replace(" ", "-"), f"{note}", "See the note.")


def _moved(best: DecayFit, window: Window, found: Range, decay: Decay, settings: Settings, doubts: Doubts) -> None:
    """The same law over every recorded channel: a mean that moves says that something beside the law is in the tail."""
    if (
        (window.start, window.end) == (found.first, found.last)
        or settings.start_ns is not None
        or settings.end_ns is not None
    ):
        return
    whole = replace(window, start=found.first, end=found.last)
    shift = None if settings.shift_ns is None else settings.shift_ns / decay.channel_ns
    again = fit_decay(
        whole, channel_ns=decay.channel_ns, components=best.model.components, stretched=best.model.stretched,
        scatter=best.model.scatter, shift=shift, start_shift=best.law.shift_channels,
    )  # fmt: skip
    here, there = best.mean("intensity"), again.mean("intensity")
    off = abs(there.value - here.value)
    if off > max(_MOVES * here.value, here.high - here.value):
        seen = (
            f"has an intensity mean of {here.value:.3g} ns as fitted and of {there.value:.3g} ns over every channel:"
            " afterpulses, reflections or a further slow component."
        )
        doubts.add("range-dependent", seen, "Look at the tail with --until-share 0; record response and sample again.")


def _may_be_afterpulses(decay: Decay, found: Range, background: Estimate, response: Response, doubts: Doubts) -> None:
    """The response was recorded by the same detector: at most all of its background came after its own photons."""
    share = response.background * response.shape.size / response.counts
    photons = float(decay.counts.sum()) - background.value * (found.last - found.first)
    most = min(share * max(photons, 0.0) / response.shape.size, background.value)
    if most > max(0.5 * (background.high - background.low), _TOLD * background.value):
        seen = (
            f"has a background of {background.value:.3g} counts per channel, of which up to {most:.3g} may be afterpulses:"
            f" counts beside the light are {100 * share:.2g} % of the photons of its response."
        )
        doubts.add(
            "afterpulses-possible",
            seen,
            "Do not take it for dark counts alone; record both in the dark.",
            Severity.NOTE,
        )


def _phasor(
    decay: Decay, found: Range, fits: Sequence[DecayFit], response: Response | None, settings: Settings
) -> Phasor | None:
    """Over one period, or over all light where pulses are far apart; what was not recorded of it is the laws'."""
    best = fits[0]
    rate = settings.repetition_mhz or decay.repetition_mhz
    first, last = (found.first if response is not None else best.model.window.start), found.last
    frequency = settings.phasor_mhz or (rate if not math.isnan(rate) else 1e3 / ((last - first) * decay.channel_ns))
    period = best.model.window.period
    if math.isfinite(period):
        end = first + round(period)
    else:
        end = last + min(
            math.ceil(_LIFETIMES * best.law.lifetimes_ns[-1] / decay.channel_ns), _LONGER * decay.counts.size
        )
    last = min(last, end)
    laws, weights = laws_that_weigh(fits)
    try:
        each = [
            phasor_of(
                decay.counts[first:last],
                None if response is None else response.shape[first:last] / max(response.shape[first:last].sum(), 1e-12),
                channel_ns=decay.channel_ns,
                frequency_mhz=frequency,
                response_variance=None if response is None else response.variance[first:last],
                beside=beside_of(one, first, last, end),
            )
            for one in laws
        ]
    except ValueError:
        return None
    return averaged_phasor(each, weights)


def _curves(decay: Decay, best: DecayFit, window: Window, phasor: Phasor | None) -> tuple[BenchCurve, ...]:
    low, high = max(0, window.start - 20), min(decay.counts.size, window.end + 200)
    time = np.asarray((np.arange(low, high) + 0.5) * decay.channel_ns, np.float64)
    inside = slice(window.start - low, window.end - low)
    fit, residual = np.full(time.size, math.nan), np.full(time.size, math.nan)
    fit[inside], residual[inside] = best.fit.fitted[0], best.weighted_residuals
    shown = np.where(window.response.shape > 0, window.response.shape, math.nan)
    parts = {}
    if np.isfinite(shown).sum() > 1:
        parts["response"] = shown[low:high] / np.nanmax(shown) * decay.counts.max()
    if best.model.components > 1:
        for k, tau in zip(best.order, best.law.lifetimes_ns, strict=True):
            each = best.model.parts(best.fit.values)[int(k)][low:high]
            parts[f"{tau:.3g} ns"] = np.where(each > 0.1, each, math.nan)
    lags = best.autocorrelation()
    curves = [
        BenchCurve("decay", "time (ns)", "photons per channel", time, decay.counts[low:high], fit, parts, residual, y_log=True),
        BenchCurve(
            "autocorrelation of the residuals", "lag (ns)", "autocorrelation",
            np.arange(1.0, lags.size + 1.0) * decay.channel_ns, lags,
            parts={"none": np.zeros(lags.size)},
        ),
    ]  # fmt: skip
    if phasor is not None:
        curves.append(_phasor_curve(phasor))
    return tuple(curves)


def _phasor_curve(phasor: Phasor) -> BenchCurve:
    angle = np.linspace(0.0, math.pi, 181)
    circle = 0.5 + 0.5 * np.cos(angle)
    x = np.append(circle, phasor.g.value)
    y = np.append(np.full(angle.size, math.nan), phasor.s.value)
    single = np.append(0.5 * np.sin(angle), math.nan)
    marks = ((phasor.g.value, f"phase {phasor.phase_ns.value:.3g} ns"),)
    return BenchCurve(
        f"phasor at {phasor.frequency_mhz:.4g} MHz", "g", "s", x, y, parts={"single lifetimes": single}, marks=marks
    )


def _pooled(records: Sequence[BenchRecord]) -> BenchRecord:
    """Means of the decays with Student's interval; lifetimes only where all have the same law."""
    values = {
        key: mean_of_replicates([one.values[key] for one in records], least=0.0)
        for key in ("amplitude_mean_ns", "intensity_mean_ns", "reduced_chi2")
    }
    models = list(dict.fromkeys(one.words["model"] for one in records))
    lists = {}
    if len(models) == 1:
        for key in ("lifetimes_ns", "amplitudes", "photon_shares"):
            columns = zip(*(one.lists[key] for one in records), strict=True)
            lists[key] = tuple(mean_of_replicates(own, least=0.0) for own in columns)
    flags = all_flags(records)
    if len(models) > 1:
        flags = (*flags, "laws-differ")
    return BenchRecord(
        "all decays", records[0].file, values, lists=lists, words={"model": ", ".join(models)}, flags=flags
    )
