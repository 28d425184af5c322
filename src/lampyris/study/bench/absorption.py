"""Absorption spectra to first exciton, size, concentration and gap."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.absorption import (
    ExcitonFit,
    Scattering,
    infer_exciton,
    infer_scattering,
    predict_scattering,
    tauc_gap,
)
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.errors import ImageError, InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Severity
from lampyris.core.instruments import Spectrum
from lampyris.core.techniques.absorption import Settings
from lampyris.io.instruments.spectra import read_spectra
from lampyris.probe.extinction import concentration_m
from lampyris.probe.sizing import diameter_nm
from lampyris.probe.spectra.axes import EV_NM
from lampyris.study.bench.reading import over_replicates, read_each, remark, sample_of, with_role

_TRANSPARENT_EV = 0.25
"""So far below the first exciton dots of one batch absorb nothing."""


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
    read, findings = read_each(with_role(sources, ""), read_one)
    records: list[BenchRecord] = []
    samples: list[str] = []
    for source, spectra in read:
        for spectrum in spectra:
            record = _record(spectrum, blanks, settings, findings)
            if record is not None:
                records.append(record)
                samples.append(source.sample or sample_of(record.name))
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


def _record(
    spectrum: Spectrum, blanks: list[Spectrum], settings: Settings, findings: list[Finding]
) -> BenchRecord | None:
    flags: list[str] = []
    try:
        wavelength, absorbance = _absorbance(spectrum, blanks)
        keep = (
            np.isfinite(absorbance)
            & (wavelength >= (settings.low_nm or 0))
            & (wavelength <= (settings.high_nm or math.inf))
        )
        if float(np.nanmin(absorbance[keep], initial=0.0)) < -0.05:
            flags.append("below-zero")
            seen = f"{spectrum.name} falls to {np.nanmin(absorbance[keep]):.3g}: the blank absorbs more than the sample there."
            _warn(spectrum, "below-zero", seen, "Record the blank again.", findings)
        over = keep & (absorbance > settings.highest_absorbance)
        keep &= ~over
        found = infer_exciton(wavelength[keep], absorbance[keep], near_nm=settings.near_nm)
        if over.any():
            # it matters only where the answer lies
            near = bool((np.abs(wavelength[over] - found.first_exciton_nm.value) < 60.0).any())
            flags.append("saturated" if near else "saturated-elsewhere")
            seen = f"{spectrum.name} is above {settings.highest_absorbance:g} at {int(over.sum())} points, which are left out."
            _warn(spectrum, flags[-1], seen, "Dilute it.", findings)
        scattered = None
        if settings.scattering == "auto":
            edge = EV_NM / max(found.energy_ev.value - _TRANSPARENT_EV, 0.1)
            scattered = infer_scattering(wavelength[keep], absorbance[keep], edge)
        clean = absorbance - _scattered(wavelength, scattered)
        if scattered is not None:
            if (
                predict_scattering(found.first_exciton_nm.value, scattered.at_600, scattered.exponent)
                > 0.2 * found.absorbance.value
            ):
                flags.append("scattering")
                seen = f"{spectrum.name} scatters: {scattered.at_600:.3g} at 600 nm, which was taken off."
                _warn(spectrum, "scattering", seen, "Filter or centrifuge the sample.", findings)
            found = infer_exciton(wavelength[keep], clean[keep], near_nm=settings.near_nm)
    except ValueError as error:
        findings.append(
            remark(
                spectrum.file,
                "absorption.spectrum",
                f"{spectrum.name}: {error}.",
                "Check file, window and material.",
                column=spectrum.name,
            )
        )
        return None
    values = _values(spectrum, wavelength[keep], clean[keep], found, settings, findings, flags)
    curve = _curve(spectrum, wavelength[keep], absorbance[keep], found, scattered)
    words = {"second_derivative_nm": f"{found.second_derivative_nm:.1f}"}
    return BenchRecord(spectrum.name, spectrum.file, values, words=words, flags=tuple(flags), curves=(curve,))


def _warn(spectrum: Spectrum, name: str, seen: str, mend: str, findings: list[Finding]) -> None:
    findings.append(
        remark(spectrum.file, f"absorption.{name}", seen, mend, severity=Severity.WARNING, column=spectrum.name)
    )


def _absorbance(spectrum: Spectrum, blanks: list[Spectrum]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if spectrum.axis_name != "wavelength":
        raise ValueError(f"its axis is {spectrum.axis_name.replace('_', ' ')}, not a wavelength")
    absorbance = spectrum.signal
    if spectrum.signal_name == "transmittance":
        absorbance = -np.log10(np.where(absorbance > 0, absorbance, math.nan))
    if blanks:
        own = blanks[0]
        if spectrum.axis[0] < own.axis[0] - 1e-6 or spectrum.axis[-1] > own.axis[-1] + 1e-6:
            raise ValueError(f"the blank reaches from {own.axis[0]:g} to {own.axis[-1]:g} nm only")
        absorbance = absorbance - np.interp(spectrum.axis, own.axis, own.signal)
    return spectrum.axis, absorbance


def _scattered(wavelength: NDArray[np.float64], scattered: Scattering | None) -> NDArray[np.float64]:
    if scattered is None:
        return np.zeros(wavelength.size)
    return predict_scattering(wavelength, scattered.at_600, scattered.exponent) + scattered.level


def _values(
    spectrum: Spectrum,
    wavelength: NDArray[np.float64],
    clean: NDArray[np.float64],
    found: ExcitonFit,
    settings: Settings,
    findings: list[Finding],
    flags: list[str],
) -> dict[str, Estimate]:
    exciton = found.first_exciton_nm
    sd = math.hypot(exciton.sd, settings.calibration_nm)
    reach = max((exciton.high - exciton.low) / (2 * exciton.sd) if exciton.sd > 0 else 0.0, 1.959963984540054) * sd
    exciton = Estimate(
        exciton.value,
        sd,
        exciton.value - reach,
        exciton.value + reach,
        0.95,
        "nm",
        "fit in energy, wavelength scale",
    )
    gap = _scaled(exciton, lambda nm: EV_NM / nm, "eV", "energy of the first exciton")
    values = {
        "first_exciton_nm": exciton,
        "band_gap_eV": gap,
        "fwhm_meV": found.fwhm_mev,
        "absorbance": found.absorbance,
        "tauc_gap_eV": tauc_gap(wavelength, clean, found.energy_ev.value),
    }
    if math.isnan(found.highest_nm):
        flags.append("shoulder")
    if not math.isfinite(exciton.sd) or not found.fit.trusted:
        flags.append("fit-doubtful")
        _warn(
            spectrum,
            "fit-doubtful",
            f"{spectrum.name}: {' '.join(found.fit.notes())}",
            "Give --near-nm or a window.",
            findings,
        )
    if settings.material is None:
        return values
    try:
        own = diameter_nm(settings.material, exciton.value)
        ends = [
            diameter_nm(settings.material, at).value for at in (exciton.value - exciton.sd, exciton.value + exciton.sd)
        ]
        joined = math.hypot(own.sd, (max(ends) - min(ends)) / 2)
        values["size_nm"] = Estimate(
            own.value,
            joined,
            own.value - 1.96 * joined,
            own.value + 1.96 * joined,
            0.95,
            "nm",
            f"{own.method}; exciton {exciton.value:.1f} nm",
        )
        stock = concentration_m(
            float(found.absorbance.value) * settings.dilution,
            settings.path_cm,
            settings.material,
            own.value,
            first_exciton_ev=gap.value,
            hwhm_ev=found.fwhm_mev.value / 2000.0,
        )
        share = found.absorbance.sd / found.absorbance.value if found.absorbance.value > 0 else 0.0
        sd = stock.value * math.hypot(stock.sd / stock.value, share)
        values["concentration_M"] = Estimate(
            stock.value, sd, max(stock.value - 1.96 * sd, 0.0), stock.value + 1.96 * sd, 0.95, "mol/l", stock.method
        )
    except InputError as error:
        flags.append("no-size")
        findings += [
            remark(
                spectrum.file,
                one.rule,
                f"{spectrum.name}: {one.seen}",
                one.mend,
                severity=Severity.WARNING,
                column=spectrum.name,
            )
            for one in error.findings
        ]
    return values


def _scaled(one: Estimate, of: Callable[[float], float], unit: str, method: str) -> Estimate:
    """Estimate on another axis that runs one way."""
    low, high = sorted((of(one.low), of(one.high)))
    return Estimate(of(one.value), (high - low) / (one.high - one.low) * one.sd, low, high, one.level, unit, method)


def _curve(
    spectrum: Spectrum,
    wavelength: NDArray[np.float64],
    absorbance: NDArray[np.float64],
    found: ExcitonFit,
    scattered: Scattering | None,
) -> BenchCurve:
    below = _scattered(wavelength, scattered)
    residual = np.full(wavelength.size, math.nan)
    own = found.fit.residuals[0]
    residual[found.inside] = own / (float(np.std(own)) or math.nan)
    parts = {"scattering": below} if scattered is not None else {}
    mark = f"{found.first_exciton_nm.value:.1f} nm"
    return BenchCurve(
        spectrum.name,
        "wavelength (nm)",
        "absorbance",
        wavelength,
        absorbance,
        found.expected + below,
        parts=parts,
        residual=residual,
        marks=((found.first_exciton_nm.value, mark),),
    )
