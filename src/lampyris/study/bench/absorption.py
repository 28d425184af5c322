"""Absorption spectra to first exciton, size, concentration and gap."""

import math
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.absorption import (
    FEWEST_POINTS,
    ExcitonFit,
    infer_exciton,
    infer_scattering,
    predict_scattering,
)
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.core.errors import ImageError, InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Severity
from lampyris.core.instruments import Spectrum
from lampyris.core.techniques.absorption import Settings
from lampyris.io.instruments.spectra import read_spectra
from lampyris.probe.extinction import concentration_m
from lampyris.probe.sizing import diameter_nm, sizing_curves
from lampyris.statistics.intervals import with_error
from lampyris.study.bench.reading import (
    EMITTED,
    CurveError,
    Doubts,
    gap_of,
    over_replicates,
    record_each,
    remark,
    with_role,
)

_TRANSPARENT_EV, _TRANSPARENT_SD = 0.25, 4.5
"""So far below the first exciton, in eV and in its standard deviations, dots of one batch absorb nothing: a Gaussian is 4e-5 there."""
_LONGEST_NM = 3500.0
"""Up to which dots are looked at; beyond lie vibrations."""
_UNTOLD = 0.25
"""Standard error of an exciton over its wavelength from which nothing was found."""
_RED_SD, _RED_SHARE = 2.0, 0.5
"""How far a record should reach to the red of the exciton in its standard deviations, and the share of its top left at such an end."""
_LEAST_STEP_NM = 0.01
"""Over which the slope of a sizing curve is taken at least."""


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """First exciton of every absorption spectrum, and with a material size and concentration.

    Raises
    ------
    ImageError
        If no spectrum can be read or fitted.
    """
    limit = int(settings.max_file_mb * 1e6)

    def read_one(path: Path, file: str) -> tuple[Spectrum, ...]:
        return read_spectra(path, max_bytes=limit, file=file, axis_unit=settings.axis_unit, signal="absorbance")

    blanks = [one for source in with_role(sources, "blank") for one in read_one(source.path, source.file)]
    records, samples, findings = record_each(
        sources,
        read_one,
        lambda spectrum, findings: _record(spectrum, blanks, settings, findings),
        rule="absorption.spectrum",
        mend="Export absorbance over wavelength, from --low-nm to --high-nm around the rise, and name --material as the catalogue does.",
    )
    if not records:
        raise ImageError("No absorption spectrum can be used.", findings)
    notes = [
        "first_exciton_nm is the centre of a Gaussian in photon energy over the rise to the next transition; the highest point of a"
        " weak peak lies up to some nm to the blue of it.",
        "band_gap_eV is the energy of that exciton, the optical gap of the dot; tauc_gap_eV is Tauc's line, which an exciton bends:"
        " it serves comparison only.",
    ]
    if settings.material is None:
        notes.append("Size and concentration need --material.")
    pooled, replicate = over_replicates(records, samples, "spectra")
    return BenchResult("absorption", pooled, tuple(records), replicate, tuple(findings), tuple(notes))


def _record(spectrum: Spectrum, blanks: list[Spectrum], settings: Settings, findings: list[Finding]) -> BenchRecord:
    doubts = Doubts("absorption", spectrum.file, findings, spectrum.name)
    wavelength, absorbance = _absorbance(spectrum, blanks)
    keep = (
        np.isfinite(absorbance)
        & (wavelength >= (settings.low_nm or 0))
        & (wavelength <= (settings.high_nm or math.inf))
    )
    least = float(np.min(absorbance[keep], initial=0.0))
    if least < -0.05:
        seen = f"falls to {least:.3g}: the blank absorbs more than the sample there."
        doubts.add("below-zero", seen, "Record the blank again.")
    over = keep & (absorbance > settings.highest_absorbance)
    keep &= ~over
    if over.any() and keep.sum() < FEWEST_POINTS:
        raise ValueError(
            f"{int(over.sum())} of its {over.size} values lie above {settings.highest_absorbance:g}, the highest absorbance"
            f" that is used, up to {float(np.nanmax(absorbance)):.3g}: emission, or percent, or a sample to be diluted"
        )
    try:
        found = infer_exciton(wavelength[keep], absorbance[keep], near_nm=settings.near_nm)
    except ValueError as error:
        if not over.any():
            raise
        left = f"{int(over.sum())} points above {settings.highest_absorbance:g} were left out as saturated"
        raise CurveError(f"{error}; {left}", "Dilute it.") from error
    # a peak that the fit pushes as far off as it may go is none: the curve bends there, but the other way or for another reason
    if "energy" in found.fit.at_bound or found.first_exciton_nm.sd > _UNTOLD * found.first_exciton_nm.value:
        raise ValueError(
            f"no transition can be fitted: the one that bends the curve at {found.second_derivative_nm:.0f} nm has no height"
        )
    if over.any():
        # it matters only where the answer lies
        near = bool((np.abs(wavelength[over] - found.first_exciton_nm.value) < 60.0).any())
        seen = f"is above {settings.highest_absorbance:g} at {int(over.sum())} points, which are left out."
        doubts.add("saturated" if near else "saturated-elsewhere", seen, "Dilute it.")
    if settings.scattering == "auto":
        sd = found.fwhm_mev.value / 1000.0 / FWHM_PER_SD
        edge = EV_NM / max(found.energy_ev.value - max(_TRANSPARENT_EV, _TRANSPARENT_SD * sd), 0.1)
        if scattered := infer_scattering(wavelength[keep], absorbance[keep], edge):
            found = infer_exciton(wavelength[keep], absorbance[keep], near_nm=settings.near_nm, scattered=scattered)
    clean = absorbance
    if own := found.scattering:
        clean = absorbance - own.below(wavelength)
        there = predict_scattering(found.first_exciton_nm.value, own.at_600, own.exponent)
        if there > 0.2 * found.absorbance.value:
            seen = f"scatters: {own.at_600:.3g} at 600 nm, which was taken off."
            doubts.add("scattering", seen, "Filter or centrifuge the sample.")
    _unseen(wavelength[keep], clean[keep], found, doubts)
    values = _values(found, settings, doubts)
    curve = _curve(spectrum, wavelength[keep], absorbance[keep], found)
    words = {"second_derivative_nm": f"{found.second_derivative_nm:.1f}"}
    return BenchRecord(spectrum.name, spectrum.file, values, words=words, flags=tuple(doubts.flags), curves=(curve,))


def _unseen(
    wavelength: NDArray[np.float64], absorbance: NDArray[np.float64], found: ExcitonFit, doubts: Doubts
) -> None:
    """Say where a transition of lower energy may hide: beyond the red end of the record, or in a gap of it."""
    energy, sd = found.energy_ev.value, found.fwhm_mev.value / 1000.0 / FWHM_PER_SD
    there = float(np.interp(found.first_exciton_nm.value, wavelength, absorbance))
    floor = min(0.0, float(absorbance.min()))
    high = float(np.median(absorbance[-3:])) - floor > _RED_SHARE * (there - floor)
    end = float(wavelength[-1])
    if high or EV_NM / end > energy - _RED_SD * sd:
        seen = f"ends at {end:.0f} nm, where the dots still absorb: the first exciton may lie beyond."
        doubts.add("red-end", seen, "Record further to the red.")
    if gap := gap_of(wavelength):
        seen = f"holds nothing from {gap[0]:.0f} to {gap[1]:.0f} nm: a transition there is not seen."
        doubts.add("gap", seen, "Record it whole.")


def _absorbance(spectrum: Spectrum, blanks: list[Spectrum]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    wavelength, absorbance = _over_wavelength(spectrum)
    said = spectrum.words.get("YUNITS", "")
    if "LOG" in said.upper():
        raise CurveError(f"its signal is {said!r}, a logarithm, not an absorbance", "Export the absorbance.")
    if spectrum.signal_name in EMITTED:
        raise CurveError(
            f"it is headed as {spectrum.signal_name.replace('_', ' ')}, not as absorbance",
            "Read emission with lampyris bench photoluminescence; head the column Absorbance if it is that after all.",
        )
    if spectrum.signal_name == "transmittance":
        absorbance = -np.log10(np.where(absorbance > 0, absorbance, math.nan))
    if blanks:
        own = blanks[0]
        at, level = _over_wavelength(own)
        if wavelength[0] < at[0] - 1e-6 or wavelength[-1] > at[-1] + 1e-6:
            raise ValueError(f"the blank reaches from {at[0]:g} to {at[-1]:g} nm only")
        absorbance = absorbance - np.interp(wavelength, at, level)
    return wavelength, absorbance


def _over_wavelength(spectrum: Spectrum) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rising wavelength in nm, and the signal there; absorbance is the same over energy."""
    if spectrum.axis_name == "wavelength":
        return spectrum.axis, spectrum.signal
    scale = {"photon_energy": EV_NM, "wavenumber": 1e7}.get(spectrum.axis_name)
    if scale is None:
        raise ValueError(f"its axis is {spectrum.axis_name.replace('_', ' ')}, not a wavelength or energy of light")
    if not spectrum.axis[0] > scale / _LONGEST_NM:
        raise CurveError(
            f"its axis reaches down to {spectrum.axis[0]:g} {'eV' if scale == EV_NM else '1/cm'}, beyond"
            f" {_LONGEST_NM:g} nm: it is an infrared spectrum",
            "Read it with lampyris bench ftir.",
        )
    return (scale / spectrum.axis)[::-1], spectrum.signal[::-1]


def _values(found: ExcitonFit, settings: Settings, doubts: Doubts) -> dict[str, Estimate]:
    exciton = with_error(found.first_exciton_nm, settings.calibration_nm, "fit in energy, wavelength scale")
    gap = _scaled(exciton, lambda nm: EV_NM / nm, "eV", "energy of the first exciton")
    # the scale's error is the same in nm for the edge as for the exciton
    tauc = found.tauc_gap_ev
    scale = tauc.value**2 / EV_NM * settings.calibration_nm
    values = {
        "first_exciton_nm": exciton,
        "band_gap_eV": gap,
        "fwhm_meV": found.fwhm_mev,
        "absorbance": found.absorbance,
        "tauc_gap_eV": with_error(tauc, scale, f"{tauc.method}, wavelength scale"),
    }
    if math.isnan(found.highest_nm):
        doubts.flags.append("shoulder")
    if not math.isfinite(exciton.sd) or not found.fit.trusted:
        doubts.add("fit-doubtful", " ".join(found.fit.notes()), "Give --near-nm, or --low-nm and --high-nm.")
    if settings.material is None:
        return values
    if not math.isfinite(exciton.sd):
        doubts.flags.append("no-size")
        return values
    return values | _of_material(settings.material, found, exciton, settings, doubts)


def _of_material(
    material: str, found: ExcitonFit, exciton: Estimate, settings: Settings, doubts: Doubts
) -> dict[str, Estimate]:
    """Size and concentration, as far as the tables of the material reach."""
    values = {}
    try:
        size = values["size_nm"] = _size(material, exciton)
        values["concentration_M"] = concentration_m(
            found.absorbance,
            # a centimetre of a diluted sample absorbs as less of what it was made of
            settings.path_cm / settings.dilution,
            material,
            size,
            first_exciton_ev=EV_NM / exciton.value,
            hwhm_ev=found.fwhm_mev.value / 2000.0,
        )
    except InputError as error:
        doubts.flags.append("no-size")
        for one in error.findings:
            seen, severity = f"{doubts.name}: {one.seen}", Severity.WARNING
            doubts.findings.append(remark(doubts.file, one.rule, seen, one.mend, severity=severity, column=doubts.name))
    return values


def _size(material: str, exciton: Estimate) -> Estimate:
    """Diameter with the errors of the sizing curves and of the exciton."""
    own = diameter_nm(material, exciton.value)
    step = max(exciton.sd, _LEAST_STEP_NM)
    slopes = []
    for curve in sizing_curves(material):
        low, high = curve.wavelengths_nm
        if low <= exciton.value <= high:
            # the slope is taken inside: beyond its ends a curve says nothing
            ends = max(exciton.value - step, low), min(exciton.value + step, high)
            slopes.append((curve.diameter_nm(ends[1]) - curve.diameter_nm(ends[0])) / (ends[1] - ends[0]))
    sd = abs(fmean(slopes)) * exciton.sd
    return with_error(own, sd, f"{own.method}; exciton {exciton.value:.1f} nm")


def _scaled(one: Estimate, of: Callable[[float], float], unit: str, method: str) -> Estimate:
    """Estimate on another axis that runs one way."""
    low, high = sorted((of(one.low), of(one.high)))
    return Estimate(of(one.value), (high - low) / (one.high - one.low) * one.sd, low, high, one.level, unit, method)


def _curve(
    spectrum: Spectrum,
    wavelength: NDArray[np.float64],
    absorbance: NDArray[np.float64],
    found: ExcitonFit,
) -> BenchCurve:
    scattering = found.scattering
    parts = {"scattering": predict_scattering(wavelength, scattering.at_600, scattering.exponent)} if scattering else {}
    residual = np.full(wavelength.size, math.nan)
    own = found.fit.residuals[0]
    residual[found.inside] = own / (float(np.std(own)) or math.nan)
    mark = f"{found.first_exciton_nm.value:.1f} nm"
    return BenchCurve(
        spectrum.name,
        "wavelength (nm)",
        "absorbance",
        wavelength,
        absorbance,
        found.expected + sum(parts.values()),
        parts=parts,
        residual=residual,
        marks=((found.first_exciton_nm.value, mark),),
    )
