"""X-ray spectra of electron microscopes to atomic composition."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.eds import (
    Composition,
    Family,
    SpectrumFit,
    detection_limit,
    families,
    families_in,
    fwhm_kev,
    infer_composition,
    infer_lines,
    k_factor,
    quantified,
)
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.errors import ImageError, InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.core.instruments import Spectrum
from lampyris.core.techniques.eds import Settings
from lampyris.io.instruments.spectra import read_spectra
from lampyris.study.bench.reading import CurveError, Doubts, over_replicates, record_each, remark

_LIGHT = ("C", "N", "O")
_FACTOR = re.compile(r"([A-Z][a-z]?)(?:_([KLM]))?\s*=\s*(\d+(?:\.\d*)?|\.\d+)(?:\s*:\s*(\d+(?:\.\d*)?|\.\d+))?")
_OVERLAP = -0.4
# of the EMSA/MAS standard; EDS, WDS and XRF are X-rays, and an empty one says nothing
_NO_X_RAYS = {
    "ELS": "energy losses of electrons",
    "AES": "Auger electrons",
    "PES": "photoelectrons",
    "CLS": "cathodoluminescence",
    "GAM": "gamma rays",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A spectrum's channels, lines and composition."""

    spectrum: Spectrum
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    beam_kv: float
    fit: SpectrumFit
    chosen: dict[str, Family]
    composition: Composition | None


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """Composition from every X-ray spectrum.

    Raises
    ------
    ImageError
        If no spectrum can be read or evaluated.
    InputError
        If the options name elements or factors that are not in the table.
    """
    limit = int(settings.max_file_mb * 1e6)
    factors = _checked(settings)

    def read_one(path: Path, file: str) -> tuple[Spectrum, ...]:
        return read_spectra(
            path, max_bytes=limit, file=file, axis="xray_energy", axis_unit=settings.axis_unit, signal="counts"
        )

    records, samples, findings = record_each(
        sources,
        read_one,
        lambda spectrum, findings: _record(_measured(spectrum, settings, factors), settings, factors, findings),
        rule="eds.spectrum",
        mend="Export counts over energy in keV from 0 up, and say the voltage of the beam with --beam-kv.",
    )
    if not records:
        raise ImageError("No X-ray spectrum can be evaluated.", findings)
    pooled, replicate = over_replicates(records, samples, "spectra")
    return BenchResult("eds", pooled, tuple(records), replicate, tuple(findings), _notes(settings, factors))


def _checked(settings: Settings) -> dict[str, tuple[float, float]]:
    """Given factors by family or element; what the table does not know is refused."""
    known = {one.element for one in families().values()}
    faults = [
        remark(
            "",
            "eds.element",
            f"{name!r} is not in the table of lines.",
            f"Known: {', '.join(sorted(known))}.",
            column=flag,
        )
        for flag, names in (("--element", settings.element), ("--not-counted", settings.not_counted))
        for name in names
        if name not in known
    ]
    found: dict[str, tuple[float, float]] = {}
    for text in settings.k_factor:
        match = _FACTOR.fullmatch(text.strip())
        if match is None or match[1] not in known or not float(match[3]) > 0:
            mend = "Write element, line family, factor and its standard uncertainty, as in Cd_L=3.1:0.2."
            faults.append(remark("", "eds.k-factor", f"{text!r} cannot be read.", mend, column="--k-factor"))
            continue
        value = float(match[3])
        sd = float(match[4]) if match[4] else 0.05 * value
        found[f"{match[1]}_{match[2]}" if match[2] else match[1]] = (value, sd)
    if faults:
        raise InputError("The options of the technique are invalid.", faults)
    return found


def _notes(settings: Settings, given: dict[str, tuple[float, float]]) -> tuple[str, ...]:
    how = (
        f"given for {', '.join(given)}, computed for the others" if given else
        "computed from Bethe's cross-section and tabled yields, with 8 % (K), 15 % (L) and 25 % (M) assumed"
    )  # fmt: skip
    left = [*settings.not_counted, *([settings.grid] if settings.grid != "none" else [])]
    thick = (
        f"absorption within {settings.thickness_nm:g} nm is corrected"
        if settings.thickness_nm
        else "absorption within the sample is not corrected, as for a thin film"
    )
    return (
        "Families of lines with fixed shares over a Kramers continuum, by Poisson likelihood; axis, width and escape of"
        " silicon's own fluorescence are fitted too.",
        f"Cliff-Lorimer factors are {how}; {thick}.",
        f"Not counted: {', '.join(left)}. Percentages are of what counts only.",
    )


def _measured(spectrum: Spectrum, settings: Settings, given: dict[str, tuple[float, float]]) -> _Measured:
    if spectrum.axis_name != "xray_energy":
        name = spectrum.axis_name.replace("_", " ")
        raise CurveError(f"its axis is {name}, not an X-ray energy in keV", "Say it with --axis-unit keV.")
    kind = spectrum.words.get("SIGNALTYPE", "").strip().upper()
    if kind in _NO_X_RAYS:
        raise ValueError(f"it says SIGNALTYPE {kind}, {_NO_X_RAYS[kind]}: that is no X-ray spectrum")
    beam = settings.beam_kv if settings.beam_kv is not None else _beam(spectrum)
    if math.isnan(beam):
        raise CurveError("it does not say the voltage of the beam", "Give --beam-kv.")
    light = any(one in settings.element for one in _LIGHT)
    low = settings.low_kev or (0.2 if light else 0.8)
    high = min(settings.high_kev or 20.0, 0.98 * beam, float(spectrum.axis[-1]))
    keep = (spectrum.axis >= max(low, 0.1)) & (spectrum.axis <= high)
    x, y = spectrum.axis[keep], spectrum.signal[keep]
    if not np.isfinite(y).all() or (y < 0).any():
        raise ValueError(
            "it has channels without a count, or negative ones: give counts, not what a program subtracted"
        )
    elements = set(settings.element) or {one.element for one in families().values()}
    elements |= {settings.grid} - {"none"}
    tried = families_in(sorted(elements), low_kev=low, high_kev=high, beam_kv=beam)
    fit = infer_lines(x, y, tried, beam_kv=beam, mn_ka_ev=settings.fwhm_ev, significance=settings.significance)
    chosen = {
        element: family
        for element, family in quantified(fit.families).items()
        if element != settings.grid and element not in settings.not_counted
    }
    composition = None
    if chosen:
        thickness = settings.thickness_nm or 0.0
        composition = infer_composition(
            fit,
            chosen,
            {one.name: _factor(one, beam, given) for one in chosen.values()},
            mass_thickness_g_cm2=thickness * 1e-7 * settings.density_g_cm3,
            takeoff_deg=settings.takeoff_deg,
        )
    return _Measured(spectrum, x, y, beam, fit, chosen, composition)


def _beam(spectrum: Spectrum) -> float:
    match = re.match(r"\s*(\d+(?:\.\d*)?)", spectrum.words.get("BEAMKV", ""))
    value = float(match[1]) if match else math.nan
    return value if 1.0 < value < 1500.0 else math.nan


def _factor(one: Family, beam_kv: float, given: dict[str, tuple[float, float]]) -> tuple[float, float]:
    return given.get(one.name) or given.get(one.element) or k_factor(one, beam_kv)


def _record(
    one: _Measured, settings: Settings, given: dict[str, tuple[float, float]], findings: list[Finding]
) -> BenchRecord:
    found = one.composition
    values: dict[str, Estimate] = {}
    rows = []
    for element, family in one.chosen.items() if found is not None else ():
        values[f"atomic_percent_{element}"] = found.atomic_percent[element]  # type: ignore[union-attr]
        factor, sd = _factor(family, one.beam_kv, given)
        rows.append(
            {
                "element": element,
                "atomic_percent": found.atomic_percent[element],  # type: ignore[union-attr]
                "weight_percent": found.weight_percent[element],  # type: ignore[union-attr]
                "line": f"{element} {family.main}",
                "counts": one.fit.counts[family.name],
                "k_factor": factor,
                "k_factor_sd": sd,
            }
        )
    lines = tuple(
        {"family": family.name, "energy_kev": family.main_kev, "counts": one.fit.counts[family.name]}
        for family in one.fit.families
    )
    tables: dict[str, tuple[dict[str, Any], ...]] = {"atomic_percent": tuple(rows), "lines": lines}
    limits = _limits(one, settings, given)
    if limits:
        tables["detection_limits"] = limits
    return BenchRecord(
        one.spectrum.name,
        one.spectrum.file,
        values,
        words={"beam_kv": f"{one.beam_kv:g}", "elements": ", ".join(sorted({f.element for f in one.fit.families}))},
        tables=tables,
        flags=_flags(one, settings, findings),
        curves=(_curve(one),),
    )


def _limits(one: _Measured, settings: Settings, given: dict[str, tuple[float, float]]) -> tuple[dict[str, Any], ...]:
    """Least atomic percent that would have been found, of what was asked for or is there."""
    asked = sorted(set(settings.element) | set(one.chosen))
    total = sum(
        _factor(f, one.beam_kv, given)[0] * one.fit.counts[f.name].value * f.main_share / f.molar_mass
        for f in one.chosen.values()
    )
    low, high = float(one.x[0]), float(one.x[-1])
    pool = quantified(families_in(asked, low_kev=low, high_kev=high, beam_kv=one.beam_kv))
    rows = []
    for element in asked:
        family = one.chosen.get(element) or pool.get(element)
        if family is None or total <= 0:
            continue
        counts = detection_limit(one.x, one.fit, family, float(one.fit.fit.values[-1]))
        part = _factor(family, one.beam_kv, given)[0] * counts * family.main_share / family.molar_mass
        rows.append(
            {
                "element": element, "line": f"{element} {family.main}", "counts": counts,
                "atomic_percent": 100.0 * part / (total + (0.0 if element in one.chosen else part)),
                "found": "yes" if any(f.element == element for f in one.fit.families) else "no",
            }
        )  # fmt: skip
    return tuple(rows)


def _flags(one: _Measured, settings: Settings, findings: list[Finding]) -> tuple[str, ...]:
    fit = one.fit
    there = {family.element for family in fit.families}
    missing = sorted(set(settings.element) - there - {settings.grid})
    pairs = _overlaps(fit)
    near = _under(one)
    off = fit.fit.goodness
    scatter = off.chi2 / off.degrees if off.degrees > 0 else math.nan
    told = [
        ("no-element", not one.chosen, "shows no element that counts.", "Count longer, or check --element and --not-counted."),
        ("grid-metal", settings.grid in there, f"has lines of {settings.grid}, taken for the grid and not counted.",
         "If your dots hold it, use another grid and say --grid."),
        ("overlap", bool(pairs), f"has lines that overlap so that their counts trade: {', '.join(pairs)}.",
         "Use other lines, or a detector of better resolution; their intervals hold it."),
        ("hidden-lines", bool(near), f"cannot tell lines that lie together: {', '.join(near)} were not found beside those that were.",
         "Name the elements that can be there with --element."),
        ("not-found", bool(missing), f"shows no {', '.join(missing)} above the limit of detection.", "See detection_limits."),
        ("shape-misfit", scatter > 1.5 and off.points > 100, f"is not fully explained: chi2 per channel is {scatter:.2f}.",
         "An element may be missing, or sum peaks stand there; look at the residuals."),
        ("fit-doubtful", not fit.fit.trusted, " ".join(fit.fit.notes()), "Name the elements, or narrow the range."),
        ("axis-off", abs(float(fit.fit.values[-3])) > 30.0, f"has an axis that is off by {fit.fit.values[-3]:.0f} eV.",
         "Calibrate the detector."),
    ]  # fmt: skip
    doubts = Doubts("eds", one.spectrum.file, findings, one.spectrum.name)
    doubts.add_held(told)
    return tuple(doubts.flags)


def _overlaps(fit: SpectrumFit) -> list[str]:
    names = [one.name for one in fit.families]
    return [
        f"{names[a]} with {names[b]}"
        for a in range(len(names))
        for b in range(a + 1, len(names))
        if fit.trade[a, b] < _OVERLAP
    ]


def _under(one: _Measured) -> list[str]:
    """Elements by which those found could be mistaken: their main line lies within half a width, and nothing else tells."""
    there = {family.element for family in one.fit.families}
    width = float(one.fit.fit.values[-1])
    hidden = []
    for family in one.chosen.values():
        for other in families().values():
            close = abs(other.main_kev - family.main_kev) < 0.5 * float(fwhm_kev(family.main_kev, width))
            alone = sum(f.element == family.element for f in one.fit.families) == 1
            if other.element not in there and close and alone and other.edge_kev < 0.8 * one.beam_kv:
                hidden.append(f"{other.name} under {family.name}")
    return hidden


def _curve(one: _Measured) -> BenchCurve:
    expected = one.fit.expected
    marks = tuple((f.main_kev, f"{f.element} {f.main}") for f in one.fit.families)
    return BenchCurve(
        one.spectrum.name,
        "energy (keV)",
        "counts",
        one.x,
        one.y,
        expected,
        parts={"continuum": one.fit.continuum},
        residual=(one.y - expected) / np.sqrt(np.maximum(expected, 1.0)),
        marks=marks,
        steps=False,
    )
