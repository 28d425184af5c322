"""Infrared spectra to bands with their assignments, and what an exchange of ligands changed."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.ftir import (
    MOST_CANDIDATES,
    SHAPE_FLOOR,
    Band,
    BandFit,
    absorbance,
    assignments,
    binding_modes,
    height_at,
    infer_bands,
    lopsided,
    misshapen,
    penalised_baseline,
    ratio_of,
    rubber_band,
)
from lampyris.bench.ftir.band_shapes import LEVEL
from lampyris.bench.photons import rounding_step
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.errors import ImageError, InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Severity
from lampyris.core.instruments import Spectrum
from lampyris.core.techniques.ftir import Settings
from lampyris.io.instruments.spectra import read_spectra
from lampyris.statistics.intervals import normal_interval, with_error
from lampyris.study.bench.reading import CurveError, Doubts, mend_of, over_replicates, record_each, remark, with_role

_NEAR = 0.35
_WATER_LINES = 6
_NARROW_CM = 15.0
_MOST_COMMON = 0.99
"""Of the variance of a difference that a common error may take off: rounding."""
_AIR_CM = 120.0
"""Both branches of the air's carbon dioxide together are not as wide."""
_MISFIT = 0.1
_BESIDE_NOISE = 4.0
_INFRARED_CM = 12_800.0
"""Where light begins to be seen: a spectrum that begins beyond holds no vibrations."""


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A spectrum as absorbance, with its bands."""

    spectrum: Spectrum
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    saturated: tuple[tuple[float, float], ...]
    fit: BandFit
    converted: bool


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """Bands of every infrared spectrum.

    Raises
    ------
    ImageError
        If no spectrum can be read or evaluated.
    InputError
        If the spectrum before the exchange cannot be evaluated.
    """
    limit = int(settings.max_file_mb * 1e6)

    def read_one(path: Path, file: str) -> tuple[Spectrum, ...]:
        return read_spectra(path, max_bytes=limit, file=file, axis="wavenumber", axis_unit=settings.axis_unit)

    before = _before(sources, read_one, settings)
    records, samples, findings = record_each(
        sources,
        read_one,
        lambda spectrum, findings: _record(_measured(spectrum, settings), before, settings, findings),
        rule="ftir.spectrum",
        mend="Say what its axis and signal are with --axis-unit and --signal, and keep --low-cm to --high-cm to where it was measured.",
    )
    if not records:
        raise ImageError("No infrared spectrum can be evaluated.", findings)
    pooled, replicate = over_replicates(records, samples, "spectra")
    return BenchResult("ftir", pooled, tuple(records), replicate, tuple(findings), _notes(settings, before))


def _before(sources: tuple[BenchSource, ...], read_one: Any, settings: Settings) -> _Measured | None:
    given = with_role(sources, "before")
    if not given:
        return None
    spectrum = read_one(given[0].path, given[0].file)[0]
    try:
        return _measured(spectrum, settings)
    except ValueError as error:
        mend = mend_of(error, "Give the spectrum before the exchange.")
        finding = remark(given[0].file, "ftir.before", f"{error}.", mend)
        raise InputError("The spectrum before the exchange cannot be evaluated.", [finding]) from error


def _notes(settings: Settings, before: _Measured | None) -> tuple[str, ...]:
    notes = [
        f"Bands are pseudo-Voigt lines, which may lean to a side, over a straight line of each group, fitted after a {settings.baseline}"
        " baseline and as recorded, with the instrument's resolution; "
        f"those of {settings.significance:g} standard errors or more are told, several assignments stay several.",
        f"Centres hold {settings.calibration_cm:g} 1/cm of the wavenumber scale.",
    ]
    if before is not None:
        notes.append(
            "Ratios after to before are of heights"
            + (f", divided by the band at {settings.reference_cm:g} 1/cm." if settings.reference_cm else
               ": without --reference-cm they hold the amount of sample too.")
        )  # fmt: skip
    return tuple(notes)


def _measured(spectrum: Spectrum, settings: Settings) -> _Measured:
    if spectrum.axis_name == "wavelength":
        x, y = (1e7 / spectrum.axis)[::-1], spectrum.signal[::-1]
    elif spectrum.axis_name == "wavenumber":
        x, y = spectrum.axis, spectrum.signal
    else:
        raise CurveError(
            f"its axis is {spectrum.axis_name.replace('_', ' ')}, not a wavenumber", "Say it with --axis-unit."
        )
    if not float(x[0]) < _INFRARED_CM:
        raise CurveError(
            f"it begins at {x[0]:.0f} 1/cm, beyond the infrared", "Read visible spectra with lampyris bench absorption."
        )
    kind = spectrum.signal_name if settings.signal == "auto" else settings.signal
    if kind == "unknown":
        raise CurveError("it does not say whether it is absorbance or transmittance", "Say it with --signal.")
    converted = kind in ("transmittance", "reflectance")
    rounding = rounding_step(y) / math.sqrt(12.0)
    if converted:
        percent = 100.0 if np.nanmax(y) > 2.0 else 1.0
        y, rounding = absorbance(y / percent), rounding / percent / math.log(10.0)
    elif kind != "absorbance":
        raise ValueError(f"its signal is {kind.replace('_', ' ')}, neither absorbance nor transmittance")
    inside = (x >= (settings.low_cm or 0.0)) & (x <= (settings.high_cm or math.inf))
    x, y = x[inside], y[inside]
    over = ~(y < settings.highest_absorbance)
    good = ~over
    if good.sum() < 30:
        raise ValueError(f"{int(good.sum())} points are left, at least 30 are needed")
    base = _baseline(x[good], y[good], settings)
    fit = infer_bands(
        x[good],
        y[good],
        baseline=base,
        reach_cm=settings.baseline_cm if settings.baseline == "penalised" else 0.0,
        significance=settings.significance,
        widest_cm=settings.widest_cm,
        rounding=rounding,
    )
    return _Measured(spectrum, x[good], y[good], _runs(x, over), fit, converted)


def _baseline(x: NDArray[np.float64], y: NDArray[np.float64], settings: Settings) -> NDArray[np.float64]:
    if settings.baseline == "none":
        return np.zeros(x.size)
    if settings.baseline == "rubber-band":
        return rubber_band(x, y)
    return penalised_baseline(x, y, reach_cm=settings.baseline_cm)


def _runs(x: NDArray[np.float64], over: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """Ranges that were left out, in 1/cm."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], over.astype(np.int8), [0]])))
    return tuple((float(x[a]), float(x[b - 1])) for a, b in edges.reshape(-1, 2))


def _record(one: _Measured, before: _Measured | None, settings: Settings, findings: list[Finding]) -> BenchRecord:
    bands = one.fit.bands
    rows = tuple(_row(band, one, settings) for band in bands)
    values: dict[str, Estimate] = {}
    words = {"bands_found": str(len(bands))}
    splitting = _splitting(bands)
    if splitting is not None:
        values["carboxylate_splitting_cm"] = splitting[0]
        words["carboxylate_binding"] = " or ".join(binding_modes(splitting[0])) or "none of the usual modes"
    tables: dict[str, tuple[dict[str, Any], ...]] = {"bands": rows}
    if before is not None:
        tables["exchange"] = _exchange(before, one, settings, findings)
    flags = _flags(one, splitting, settings, findings)
    return BenchRecord(
        one.spectrum.name,
        one.spectrum.file,
        values,
        words=words,
        tables=tables,
        flags=flags,
        curves=(_curve(before, "before: "), _curve(one, "after: ")) if before is not None else (_curve(one),),
    )


def _with_scale(centre: Estimate, settings: Settings) -> Estimate:
    return with_error(centre, settings.calibration_cm, f"{centre.method}, wavenumber scale")


def _row(band: Band, one: _Measured, settings: Settings) -> dict[str, Any]:
    centre = _with_scale(band.centre_cm, settings)
    found = assignments(centre)
    near = any(a - band.fwhm_cm.value < centre.value < b + band.fwhm_cm.value for a, b in one.saturated)
    return {
        "centre_cm": centre,
        "fwhm_cm": band.fwhm_cm,
        "height": band.height,
        "area": band.area,
        "significance": band.significance,
        "assignment": "; ".join(f"{row.group}, {row.vibration}" for row in found) or "not in the table",
        "ligands": " | ".join(dict.fromkeys(row.ligands for row in found)),
        "marks": ", ".join(dict.fromkeys(f"{row.source} ({row.mark})" for row in found)),
        "flag": "saturated" if near else "air" if any(row.key in ("co2", "co2-bend") for row in found) else "",
    }


def _splitting(bands: tuple[Band, ...]) -> tuple[Estimate, bool] | None:
    """Distance of the strongest bands where a carboxylate's two stretches lie, and whether others contend."""
    picked = []
    contended = False
    for key in ("coo-as", "coo-s"):
        own = sorted(
            (band for band in bands if any(row.key == key for row in assignments(band.centre_cm))),
            key=lambda band: -band.area.value,
        )
        if not own:
            return None
        contended |= len(own) > 1 and own[1].area.value > 0.5 * own[0].area.value
        picked.append(own[0])
    high, low = picked
    # the error of the scale is common to both and falls out, and so does what a common lean moves
    common = high.by_lean_cm * low.by_lean_cm if high.lean is low.lean else 0.0
    variance = high.centre_cm.sd**2 + low.centre_cm.sd**2
    sd = math.sqrt(max(variance - 2.0 * common, (1.0 - _MOST_COMMON) * variance))
    value = high.centre_cm.value - low.centre_cm.value
    return normal_interval(value, sd, unit="1/cm", method="difference of two fitted centres"), contended


def _exchange(
    before: _Measured, after: _Measured, settings: Settings, findings: list[Finding]
) -> tuple[dict[str, Any], ...]:
    """What became of each band, and what is new."""
    scale = _reference(before, after, settings, findings)
    rows: list[dict[str, Any]] = []
    taken: set[int] = set()
    for band in before.fit.bands:
        match = _match(band, after.fit.bands, taken)
        others = after.fit.bands
        if match is not None:
            taken.add(match)
            now = after.fit.bands[match].height
        else:
            now = height_at(after.x, after.y - after.fit.baseline, band, others)
        ratio = ratio_of(now, band.height)
        if scale is not None:
            ratio = _product(ratio, scale)
        # "gone" only where what could be left is less than a tenth, else nothing is decided
        gone = match is None and ratio.low <= 0.0
        fate = (
            "kept"
            if match is not None
            else "gone"
            if gone and ratio.high < 0.1
            else "below detection"
            if gone
            else "weaker"
        )
        rows.append(_fate(fate, band, ratio, settings))
    nothing = Estimate.unknown(0.95, "1", "not there before")
    rows += [_fate("new", band, nothing, settings) for k, band in enumerate(after.fit.bands) if k not in taken]
    return tuple(rows)


def _fate(fate: str, band: Band, ratio: Estimate, settings: Settings) -> dict[str, Any]:
    found = assignments(_with_scale(band.centre_cm, settings))
    return {
        "fate": fate,
        "centre_cm": band.centre_cm,
        "ratio": ratio,
        "assignment": "; ".join(f"{row.group}, {row.vibration}" for row in found) or "not in the table",
    }


def _match(band: Band, others: tuple[Band, ...], taken: set[int]) -> int | None:
    """Nearest band of another spectrum within a share of both widths."""
    found = [
        (abs(other.centre_cm.value - band.centre_cm.value), k)
        for k, other in enumerate(others)
        if k not in taken
        and abs(other.centre_cm.value - band.centre_cm.value) < _NEAR * (band.fwhm_cm.value + other.fwhm_cm.value)
        and 0.4 < other.fwhm_cm.value / band.fwhm_cm.value < 2.5
    ]
    return min(found)[1] if found else None


def _reference(before: _Measured, after: _Measured, settings: Settings, findings: list[Finding]) -> Estimate | None:
    """How much less the reference band is after: before over after."""
    if settings.reference_cm is None:
        return None
    near = []
    for one in (before, after):
        own = [band for band in one.fit.bands if abs(band.centre_cm.value - settings.reference_cm) < band.fwhm_cm.value]
        if not own:
            seen = f"has no band at {settings.reference_cm:g} 1/cm to divide by: ratios hold the amount of sample."
            findings.append(
                remark(
                    one.spectrum.file, "ftir.reference", seen, "Name another --reference-cm.", severity=Severity.WARNING
                )
            )
            return None
        near.append(max(own, key=lambda band: band.height.value).height)
    return ratio_of(near[0], near[1])


def _product(a: Estimate, b: Estimate) -> Estimate:
    value = a.value * b.value
    sd = math.hypot(a.sd * b.value, a.value * b.sd)
    return normal_interval(value, sd, unit=a.unit, method=f"{a.method}, over the reference band")


def _flags(
    one: _Measured, splitting: tuple[Estimate, bool] | None, settings: Settings, findings: list[Finding]
) -> tuple[str, ...]:
    bands = one.fit.bands
    vapour = [
        band
        for band in bands
        if band.fwhm_cm.value < _NARROW_CM
        and (1400 < band.centre_cm.value < 1950 or 3550 < band.centre_cm.value < 3950)
    ]
    air = any(2300 < band.centre_cm.value < 2385 and band.fwhm_cm.value < _AIR_CM for band in bands)
    broad = [band for band in bands if band.fwhm_cm.value > settings.widest_cm]
    hump = max(broad, key=lambda band: band.area.value) if broad else None
    where = ", ".join(f"{a:.0f} to {b:.0f}" for a, b in one.saturated[:4])
    left, at = _left(one)
    chance, beside = misshapen(one.x, one.y, one.fit)
    even, lean = lopsided(one.fit)
    told = [
        ("saturated", bool(one.saturated), f"absorbs too much at {where} 1/cm: left out, bands there are not to be trusted.",
         "Dilute, or press a thinner pellet."),
        ("carbon-dioxide", air, "has the band of carbon dioxide of the air near 2350 1/cm.", "Purge, or take a new background."),
        ("water-vapour", len(vapour) >= _WATER_LINES, f"has {len(vapour)} narrow bands where water vapour has its lines.",
         "Purge, or take a new background; bands from 1400 to 1950 1/cm are doubtful."),
        ("no-band", not bands, "has no band above its noise.", "Use more sample or more scans."),
        ("carboxylate-ambiguous", splitting is not None and splitting[1],
         "has several strong bands where a carboxylate's stretches lie: the splitting may be of others.",
         "Read the table of bands before you name a binding mode."),
        ("shape-misfit", left > _MISFIT, f"leaves {100 * left:.0f} % of its range unexplained near {at:.0f} 1/cm: "
         "bands that overlap, a vapour's lines, or a wrong baseline.",
         "Look at the plot; measure a dry film, or narrow --low-cm and --high-cm."),
        ("band-shape", chance < LEVEL, f"leaves residuals that run beside the band at {beside:.0f} 1/cm: a tail, or another band beneath,"
         " which widths and areas do not hold.", "Look at the residuals of the plot; read the place and height of the band only."),
        ("lopsided", even < LEVEL, f"has bands whose side to {'high' if lean.value > 0 else 'low'} wavenumbers is wider, by"
         f" {100.0 * abs(lean.value):.0f} % of the mean of both: errors are of two such halves, another tail moves numbers more.",
         "Trust places to a hundredth of a width, widths and areas to some percent."),
        ("broad-band", hump is not None, "has a band" + (f" at {hump.centre_cm.value:.0f} 1/cm that is {hump.fwhm_cm.value:.0f} 1/cm"
         f" wide, more than the {settings.widest_cm:g} that are searched for" if hump else "") + ": of water or hydroxyls, or fringes and"
         " baseline that pass for one, which bands on it then hold.", "Look at the plot: fringes come from a film of even thickness."),
        ("bands-untried", one.fit.untried > 0, f"has {one.fit.untried} more places where a band may be than the {MOST_CANDIDATES} "
         "that are fitted, the weakest: a vapour's lines, or patterned noise.", "Measure a dry film, or narrow --low-cm and --high-cm."),
        ("noise-unseen", one.fit.unseen, "scatters less than its numbers are rounded: drawn, computed or smoothed. Errors are those of "
         "what the bands leave alone.", "Give the spectrum as the instrument recorded it."),
        ("fit-doubtful", one.fit.doubtful, "has a group of bands whose fit is uncertain.", "Narrow --low-cm and --high-cm."),
    ]  # fmt: skip
    doubts = Doubts("ftir", one.spectrum.file, findings, one.spectrum.name)
    doubts.add_held(told)
    return tuple(doubts.flags)


def _left(one: _Measured) -> tuple[float, float]:
    """Largest misfit of five points beside noise, as a share of the signal's range, and its place in 1/cm."""
    off = np.convolve(one.y - one.fit.expected, np.ones(5) / 5.0, mode="valid")
    # the detector's noise, which is more of the absorbance where less comes through
    beyond = np.abs(off) - _BESIDE_NOISE * one.fit.noise * 10.0 ** np.clip(one.y[2:-2], 0.0, 4.0)
    worst = int(np.argmax(beyond))
    return float(beyond[worst]) / max(float(np.ptp(one.y)), 1e-12), float(one.x[worst + 2])


def _curve(one: _Measured, when: str = "") -> BenchCurve:
    off = one.y - one.fit.expected
    # rounded numbers have no noise where they repeat
    spread = max(one.fit.noise, SHAPE_FLOOR * float(np.ptp(one.y)), 1e-12)
    return BenchCurve(
        f"{when}{one.spectrum.name}",
        "wavenumber (1/cm)",
        "absorbance",
        one.x,
        one.y,
        one.fit.expected,
        parts={"baseline": one.fit.baseline},
        residual=off / spread,
        marks=tuple((band.centre_cm.value, f"{band.centre_cm.value:.0f}") for band in one.fit.bands),
    )
