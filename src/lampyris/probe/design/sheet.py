"""The predicted sheet of one dot: each quantity beside what was measured of it, with a verdict."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.dots import DotSettings
from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.probe.confinement.bands import check_sizes
from lampyris.probe.design.batches import batch
from lampyris.probe.design.calibration import Calibrated, energy_by_size
from lampyris.probe.design.conditions import Calibration, Conditions, temperature_notes
from lampyris.probe.design.prediction import Prediction, predict
from lampyris.probe.refusals import fault
from lampyris.probe.spectra import Spectrum, absorption_spectrum, emission_spectrum, line_shape
from lampyris.probe.structure import structure_from_settings

AGREES, DIFFERS, NOT_MEASURED, NOT_PREDICTED = "agrees", "differs", "not measured", "not predicted"
_AGREE_SD = 2.0
_STEP_NM = 1.0


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A quantity of the sheet.

    Parameters
    ----------
    key, title, unit : str
        Stable name, name for people, unit.
    predicted : Estimate or None
    measured, measured_sd : float
        NaN where nothing was measured, or no uncertainty stated.
    verdict : str
        ``agrees`` within two standard deviations of both together, ``differs``, ``not measured`` or ``not predicted``.
    note : str
        Where the prediction comes from, or why there is none.
    """

    key: str
    title: str
    unit: str
    predicted: Estimate | None
    measured: float
    measured_sd: float
    verdict: str
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class DotSheet:
    """Everything predicted of a dot beside what was measured.

    Parameters
    ----------
    dot : DotSettings
    prediction : Prediction
    rows : tuple of SheetRow
    wavelengths_nm, absorption, emission : ndarray
        Spectra of the batch, dims (wavelength,), each on its greatest value.
    notes : tuple of str
    """

    dot: DotSettings
    prediction: Prediction
    rows: tuple[SheetRow, ...]
    wavelengths_nm: NDArray[np.float64]
    absorption: NDArray[np.float64]
    emission: NDArray[np.float64]
    notes: tuple[str, ...]


def dot_sheet(
    dot: DotSettings, /, *, excitation_nm: float = math.nan, calibrations: tuple[Calibration, ...] = ()
) -> DotSheet:
    """Predict a dot from its sheet, and compare with what was measured.

    Parameters
    ----------
    dot : DotSettings
    excitation_nm : float
        For extinction and brightness; the sheet's own where it is NaN.
    calibrations : tuple of Calibration
        Other samples of the user's. What was measured of this dot never moves its own prediction.

    Returns
    -------
    DotSheet

    Raises
    ------
    InputError
        If a layer, the coat or the medium is unknown, or a size outside what the model holds for.
    """
    structure = structure_from_settings(dot)
    check_sizes(structure)
    if dot.core_sd_nm > structure.core_diameter_nm / 3:
        raise _too_wide(dot.core_sd_nm, structure.core_diameter_nm)
    measured = dot.measured
    excitation = measured.excitation_nm if math.isnan(excitation_nm) and measured.excitation_nm else excitation_nm
    around = Conditions(
        temperature_k=dot.temperature_k,
        medium=dot.medium,
        coat=dot.coat,
        excitation_nm=excitation,
        calibrations=calibrations,
    )
    prediction = predict(structure, around, size_sd_nm=dot.core_sd_nm, scaled=False, aspect=dot.aspect_ratio)
    absorbed, emitted = _spectra(dot, prediction, around)
    return DotSheet(
        dot=dot,
        prediction=prediction,
        rows=_rows(dot, prediction, emitted.peak_nm),
        wavelengths_nm=emitted.wavelengths_nm,
        absorption=absorbed.values,
        emission=emitted.values / max(float(emitted.values.max()), 1e-300),
        notes=prediction.notes + temperature_notes(around) + _missing_notes(dot, excitation),
    )


def _too_wide(sd_nm: float, core_nm: float) -> InputError:
    seen = f"core_sd_nm of {sd_nm:g} is more than a third of the core's diameter, {core_nm:g}: no such batch is one kind of dot."
    mend = "Give the standard deviation of the diameter in nm, not its range."
    return InputError("the spread of the core cannot be used", [fault("design.spread", "core_sd_nm", seen, mend)])


def _missing_notes(dot: DotSettings, excitation_nm: float) -> tuple[str, ...]:
    """What was left out, and what that leaves open."""
    notes = []
    if dot.coat is None:
        notes.append("no coat is named: the diameter in water is that of the bare dot, and a real one is larger")
    if math.isnan(excitation_nm):
        notes.append("no excitation wavelength is given, so that extinction and brightness are not told")
    return tuple(notes)


def _spectra(dot: DotSettings, prediction: Prediction, around: Conditions) -> tuple[Spectrum, Spectrum]:
    """Absorption and emission of the batch."""
    structure = prediction.structure
    of_size = energy_by_size(structure, around, Calibrated(around), scaled=False)
    ensemble = batch(structure, dot.core_sd_nm, scaled=False, aspect=dot.aspect_ratio, gap_ev=prediction.bulk_gap_ev)
    line = line_shape(structure.layers[0].material)
    peak = prediction.emission_nm.value
    wavelengths = np.arange(min(400.0, peak - 250.0), max(1400.0, peak + 250.0) + _STEP_NM, _STEP_NM)
    return (
        absorption_spectrum(of_size, ensemble, wavelengths, line=line, temperature_k=around.temperature_k),
        emission_spectrum(of_size, ensemble, wavelengths, line=line, temperature_k=around.temperature_k),
    )


def _rows(dot: DotSettings, prediction: Prediction, batch_peak_nm: float) -> tuple[SheetRow, ...]:
    measured, transition = dot.measured, prediction.transition
    nan = math.nan

    def known(value: float | None) -> float:
        return nan if value is None else value

    table: tuple[tuple[str, str, Estimate | None, float, float, str], ...] = (
        ("first_exciton_nm", "first absorption peak", prediction.absorption_nm, known(measured.first_exciton_nm), nan, ""),
        ("emission_nm", "emission peak", prediction.emission_nm, known(measured.emission_nm), known(measured.emission_sd_nm),
         f"of a dot of mean size; the batch's peak, drawn, is at {batch_peak_nm:.0f} nm, for larger dots absorb more"),
        ("fwhm_nm", "width of the emission", prediction.width.total_nm, known(measured.fwhm_nm), nan, "full width at half maximum"),
        ("lifetime_ns", "radiative lifetime", transition.radiative_lifetime_ns, known(measured.lifetime_ns), nan,
         "the measured one is shorter by what gives no light"),
        ("quantum_yield", "quantum yield", prediction.quantum_yield, known(measured.quantum_yield), known(measured.quantum_yield_sd), ""),
        ("molar_extinction_per_m_cm", "molar extinction", prediction.extinction, known(measured.molar_extinction_per_m_cm), nan,
         "at the excitation wavelength"),
        ("brightness_per_m_cm", "brightness", prediction.brightness, nan, nan, "extinction times quantum yield"),
        ("hydrodynamic_nm", "diameter in water", prediction.size.diameter, known(measured.hydrodynamic_nm),
         known(measured.hydrodynamic_sd_nm), ""),
    )  # fmt: skip
    return tuple(_row(key, title, predicted, value, sd, note) for key, title, predicted, value, sd, note in table)


def _row(key: str, title: str, predicted: Estimate | None, measured: float, sd: float, note: str) -> SheetRow:
    unit = predicted.unit if predicted else ""
    return SheetRow(key, title, unit, predicted, measured, sd, verdict(predicted, measured, sd), note)


def verdict(predicted: Estimate | None, measured: float, measured_sd: float, /) -> str:
    """Whether a measured value agrees with a prediction, within two standard deviations of both together.

    Examples
    --------
    >>> verdict(Estimate(800.0, 20.0, 760.0, 840.0, 0.95, "nm", "normal"), 812.0, 5.0)
    'agrees'
    """
    if math.isnan(measured):
        return NOT_MEASURED
    if predicted is None or math.isnan(predicted.value):
        return NOT_PREDICTED
    own = 0.0 if math.isnan(measured_sd) else measured_sd
    return AGREES if abs(predicted.value - measured) <= _AGREE_SD * math.hypot(predicted.sd, own) else DIFFERS
