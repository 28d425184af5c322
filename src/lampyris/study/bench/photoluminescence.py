"""Emission spectra to peak and width."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.lines import PROFILES, EmissionFit, infer_emission, inner_filter
from lampyris.bench.photons import noise_line, photon_weight
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.constants import EV_NM
from lampyris.core.errors import ImageError, InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.core.instruments import Spectrum
from lampyris.core.techniques.photoluminescence import Settings
from lampyris.io.instruments.spectra import read_spectra
from lampyris.probe.spectra.axes import per_nm_from_per_ev
from lampyris.statistics.intervals import with_error
from lampyris.study.bench.reading import (
    ABSORBED,
    CurveError,
    Doubts,
    flat_topped,
    gap_of,
    over_replicates,
    record_each,
    remark,
    saturated,
    with_role,
)

_STRAY_NM = 12.0
_FEWEST_POINTS = 8


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """Peak and width of every emission spectrum.

    Raises
    ------
    ImageError
        If no spectrum can be read or fitted.
    InputError
        If correction, blank or absorption do not reach over a spectrum.
    """
    limit = int(settings.max_file_mb * 1e6)

    def read_one(path: Path, file: str) -> tuple[Spectrum, ...]:
        return read_spectra(
            path, max_bytes=limit, file=file, axis=settings.axis, axis_unit=settings.axis_unit, signal="intensity"
        )

    beside = {
        role: [s for one in with_role(sources, role) for s in read_one(one.path, one.file)] for role in Settings.roles
    }
    records, samples, findings = record_each(
        sources,
        read_one,
        lambda spectrum, findings: _record(spectrum, beside, settings, findings),
        rule="photoluminescence.spectrum",
        mend="Export the signal over wavelength, from --low-nm to --high-nm around the emission, and give a blank of the same range.",
    )
    if not records:
        raise ImageError("No emission spectrum can be fitted.", findings)
    notes = [
        "Lines are fitted as photons per nm, their shape in photon energy (Jacobian hc/E2); their number and shape by AICc.",
        f"peak_nm is the top per nm, peak_per_ev_nm the top per eV; both hold {settings.calibration_nm:g} nm of the wavelength scale.",
    ]
    if not beside["correction"]:
        notes.append("No correction of the instrument was given: the spectra count as corrected.")
    notes.append(
        f"Top and widths are those of the light before emission slits of {settings.bandpass_nm:g} nm."
        if settings.bandpass_nm
        else "Where a file says the bandpass of its emission slits, top and widths are those of the light before them; where it"
        " does not, they hold the slits: give --bandpass-nm."
    )
    pooled, replicate = over_replicates(records, samples, "spectra")
    return BenchResult("photoluminescence", pooled, tuple(records), replicate, tuple(findings), tuple(notes))


def _record(
    spectrum: Spectrum, beside: dict[str, list[Spectrum]], settings: Settings, findings: list[Finding]
) -> BenchRecord:
    if spectrum.signal_name in ABSORBED:
        raise CurveError(
            f"it is headed as {spectrum.signal_name}, not as emission",
            "Read it with lampyris bench absorption, or give it as absorption=FILE to correct the inner filter.",
        )
    wavelength, signal, factor = _photons(spectrum, beside, settings)
    keep = _kept(wavelength, settings, spectrum.excitation_nm) & np.isfinite(signal)
    if keep.sum() < _FEWEST_POINTS:
        raise ValueError(
            f"{int(keep.sum())} points are left of {wavelength.size}, at least {_FEWEST_POINTS} are needed"
        )
    if not (factor[keep] > 0).all():
        unfit = wavelength[keep & ~(factor > 0)]
        raise CurveError(
            f"its correction is not above 0 from {unfit[0]:g} to {unfit[-1]:g} nm", "Check correction=FILE."
        )
    noise = noise_line((spectrum,))
    raw = np.abs(signal / np.where(factor == 0, 1.0, factor))
    sd = np.sqrt(np.maximum(noise[0] + noise[1] * raw, 0.0)) * np.abs(factor)
    weights = sd[keep] if (sd[keep] > 0).all() else None
    found = infer_emission(
        wavelength[keep],
        signal[keep],
        weights,
        profiles=PROFILES if settings.profile == "auto" else (settings.profile,),
        lines=(settings.lines,) if settings.lines else (1, 2),
        baseline=settings.baseline,
        bandpass_nm=_bandpass(spectrum, settings),
    )

    edge = _at_edge(found.peak_nm, wavelength[keep])

    def placed(one: Estimate) -> Estimate:
        if edge or not wavelength[keep][0] <= one.value <= wavelength[keep][-1]:
            unseen = f"{one.method}, at the end of the spectrum or beyond: the peak was not recorded"
            return Estimate.unknown(one.level, one.unit, unseen)
        return with_error(one, settings.calibration_nm, f"{one.method}, wavelength scale")

    return BenchRecord(
        spectrum.name,
        spectrum.file,
        {
            "peak_nm": placed(found.peak_nm),
            "peak_per_ev_nm": placed(found.peak_per_ev_nm),
            "fwhm_nm": found.fwhm_nm,
            "fwhm_meV": found.fwhm_mev,
        },
        lists={"peaks_nm": tuple(map(placed, found.peaks_nm))} if found.lines > 1 and not edge else {},
        words={"profile": found.profile if found.lines == 1 else f"{found.lines} lines, {found.profile}"},
        flags=_flags(spectrum, wavelength[keep], found, settings, findings, edge=edge),
        curves=(_curve(spectrum, (wavelength, signal, keep), found, weights),),
    )


def _at_edge(peak_nm: Estimate, wavelength: NDArray[np.float64]) -> bool:
    """Whether a spectrum is highest where it ends: where its peak lies cannot be told from it."""
    return bool(peak_nm.value < wavelength[2] or peak_nm.value > wavelength[-3])


def _bandpass(spectrum: Spectrum, settings: Settings) -> float:
    """Bandpass in nm by the user's word, else the file's; 0 where nobody says it, or over another axis than wavelength."""
    if settings.bandpass_nm is not None:
        return settings.bandpass_nm
    return float(spectrum.words.get("bandpass_nm", 0.0)) if spectrum.axis_name == "wavelength" else 0.0


def _photons(
    spectrum: Spectrum, beside: dict[str, list[Spectrum]], settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Wavelength rising, photons per nm, and the factor from the raw signal to them."""
    if spectrum.axis_name == "wavelength":
        wavelength, signal, factor = spectrum.axis, spectrum.signal, np.ones(spectrum.axis.size)
    elif spectrum.axis_name in ("photon_energy", "wavenumber"):
        energy = spectrum.axis * (1.0 if spectrum.axis_name == "photon_energy" else EV_NM * 1e-7)
        if not energy[0] > 0:
            raise ValueError("its axis reaches 0, where there is no wavelength")
        factor = per_nm_from_per_ev(np.ones(energy.size), energy)[::-1]
        wavelength, signal = (EV_NM / energy)[::-1], spectrum.signal[::-1]
    else:
        raise ValueError(f"its axis is {spectrum.axis_name.replace('_', ' ')}, not a wavelength")
    if beside["blank"]:
        signal = signal - _at(beside["blank"][0], wavelength, "blank")
        if not float(np.nanmax(signal)) > 0:
            raise ValueError("the blank is stronger than the sample: no emission is left")
    correction = beside["correction"][0] if beside["correction"] else None
    factor = factor * photon_weight(wavelength, correction, signal_is=settings.signal_is)
    if beside["absorption"]:
        own = beside["absorption"][0]
        excitation = settings.excitation_nm or spectrum.excitation_nm
        if math.isnan(excitation):
            finding = remark(
                own.file, "photoluminescence.excitation", "needs the excitation wavelength.", "Give --excitation-nm."
            )
            raise InputError("The inner filter cannot be corrected.", [finding])
        factor = factor * inner_filter(wavelength, own.axis, own.signal * settings.path_cm, excitation)
    return wavelength, signal * factor, factor


def _at(other: Spectrum, wavelength: NDArray[np.float64], what: str) -> NDArray[np.float64]:
    if wavelength[0] < other.axis[0] - 1e-6 or wavelength[-1] > other.axis[-1] + 1e-6:
        raise ValueError(f"the {what} reaches from {other.axis[0]:g} to {other.axis[-1]:g} nm only")
    return np.interp(wavelength, other.axis, other.signal)


def _kept(wavelength: NDArray[np.float64], settings: Settings, excitation_nm: float) -> NDArray[np.bool_]:
    keep = (wavelength >= (settings.low_nm or 0.0)) & (wavelength <= (settings.high_nm or math.inf))
    excitation = settings.excitation_nm or excitation_nm
    if not math.isnan(excitation):
        for order in (1, 2):
            keep &= np.abs(wavelength - order * excitation) > _STRAY_NM
    return keep


def _flags(
    spectrum: Spectrum,
    wavelength: NDArray[np.float64],
    found: EmissionFit,
    settings: Settings,
    findings: list[Finding],
    *,
    edge: bool,
) -> tuple[str, ...]:
    top = float(np.nanmax(spectrum.signal))
    full = saturated(spectrum, settings.saturation) or flat_topped(spectrum)
    noise = found.fit.goodness.residual_sd
    lines = float(sum(part.max() for part in found.parts))
    scatter = float(np.std(found.fit.residuals[0]))
    beyond = [one.value for one in found.peaks_nm if not wavelength[0] <= one.value <= wavelength[-1]]
    gap = gap_of(spectrum.axis) if spectrum.axis_name == "wavelength" else None
    told = [
        ("saturated", full, f"reaches {top:g} again and again: the detector saturates.", "Expose less, or dilute."),
        ("peak-at-edge", edge, f"is highest at the edge, {found.peak_nm.value:.0f} nm: the peak lies outside.", "Record further."),
        ("line-beyond", bool(beyond) and not edge, f"has a line beyond its ends, at {_listed(beyond)}: background, or other light.",
         "Record further, or try --baseline linear or --lines 1."),
        ("gap", gap is not None, "holds nothing from {:.0f} to {:.0f} nm: lines there are not seen.".format(*gap or (0, 0)),
         "Record it whole."),
        ("energy-axis", spectrum.axis_name != "wavelength", "is over energy: its signal counts as per eV, which moves its top per nm.",
         "If only the axis was turned from nm to eV, give it over nm."),
        ("half-maximum-outside", math.isnan(found.fwhm_nm.value), "does not fall to half on both sides: no width.", "Record further."),
        ("weak", lines < 5.0 * scatter, "hardly stands above its noise.", "Expose longer."),
        ("fit-doubtful", not found.fit.trusted or not math.isfinite(noise), " ".join(found.fit.notes()), "Try another profile."),
        ("shape-misfit", found.misfit > 0.5, "is not quite of that shape: residuals follow each other.",
         "Narrow --low-nm and --high-nm, or give blank=FILE; try --lines 2 where one line was fitted."),
    ]  # fmt: skip
    doubts = Doubts("photoluminescence", spectrum.file, findings, spectrum.name)
    doubts.add_held(told, notes=("energy-axis", "line-beyond"))
    return tuple(doubts.flags)


def _listed(wavelengths: Sequence[float]) -> str:
    return " and ".join(f"{one:.0f} nm" for one in wavelengths)


def _curve(
    spectrum: Spectrum,
    recorded: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]],
    found: EmissionFit,
    sd: NDArray[np.float64] | None,
) -> BenchCurve:
    """What was fitted, with nothing where a point was left out or none was recorded."""
    wavelength, signal, keep = recorded
    inside = slice(int(keep.argmax()), keep.size - int(keep[::-1].argmax()))
    kept = keep[inside]
    gap = gap_of(wavelength[inside])
    # nobody looked between its ends: one point without a value breaks the line there
    breaks = [int(np.searchsorted(wavelength[inside], gap[1]))] if gap is not None else []

    def spaced(values: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = np.full(kept.size, math.nan)
        whole[kept] = values
        return np.insert(whole, breaks, math.nan)

    x = np.insert(wavelength[inside], breaks, [0.5 * sum(gap)] if gap is not None else [])
    # by the noise of each point where that is told from the spectrum
    own = found.fit.residuals[0] / (sd if sd is not None else 1.0)
    spread = float(np.std(own))
    parts = {f"line {k}": spaced(part) for k, part in enumerate(found.parts, start=1)} if found.lines > 1 else {}
    return BenchCurve(
        spectrum.name,
        "wavelength (nm)",
        "photons per nm (a.u.)",
        x,
        spaced(signal[keep]),
        spaced(found.expected),
        parts=parts,
        residual=spaced(own / spread) if spread > 0 else None,
        marks=((found.peak_nm.value, f"{found.peak_nm.value:.1f} nm"),),
    )
