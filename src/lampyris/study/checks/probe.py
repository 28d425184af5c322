"""Checks of the probe and of how it was measured (L18-L22, L24)."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.reporting import PhotostabilityMeasurement, SpectrumMeasurement, YieldMeasurement
from lampyris.core.settings import ProbeSettings
from lampyris.study.checks.evidence import NEEDS_SHEETS, NO_STUDY, Answer, Evidence, answer, beside_the_point, fault
from lampyris.study.rules.sheets import SETTINGS

ABSORBANCE_ERROR = 0.1
ABSORBANCE_WARNING = 0.05
CORRECTABLE = 0.3
NEAR_INFRARED_NM = 700.0
LEAST_RELATIVE_SD = 0.05
LEAST_FRAMES = 3
BRIGHTENED_PERCENT = 105.0


def yield_faults(measured: YieldMeasurement, place: Place, /) -> Iterator[Finding]:
    """L18 of one measurement: the inner filter.

    Parameters
    ----------
    measured : YieldMeasurement
        From the settings, or from a bench.
    place : Place
        Where it stands.
    """
    if measured.method != "relative":
        return
    if measured.absorbance is None:
        yield fault("L18", Severity.WARNING, place, "the absorbance of sample and standard is not stated.")
        return
    a = measured.absorbance
    if a > ABSORBANCE_ERROR and not (measured.inner_filter_corrected and a <= CORRECTABLE):
        lost = 100 * (1 - 10 ** (-a / 2))
        corrected = (
            f", beyond the {CORRECTABLE:g} to which it can be corrected" if measured.inner_filter_corrected else ""
        )
        seen = f"the absorbance is {a:g}{corrected}: in the middle of the cell {lost:.0f} % of the light are gone."
        yield fault("L18", Severity.ERROR, place, seen)
    elif measured.inner_filter_corrected and a > ABSORBANCE_WARNING:
        emission = measured.emission_absorbance or 0.0
        factor = 10 ** ((a + emission) / 2)
        seen = f"an absorbance of {a:g} was corrected by a factor of {factor:.3g}."
        yield fault("L18", Severity.NOTE, place, seen)
    elif a > ABSORBANCE_WARNING:
        yield fault("L18", Severity.WARNING, place, f"the absorbance is {a:g}, above {ABSORBANCE_WARNING:g}.")


def standard_faults(measured: YieldMeasurement, probe: ProbeSettings, place: Place, /) -> Iterator[Finding]:
    """L19 of one measurement: standard, refractive indices, and a believable yield."""
    if measured.method == "relative":
        needed = {
            "the standard": measured.standard,
            "its quantum yield": measured.standard_yield,
            "the excitation": measured.excitation_nm,
            "the refractive index of the sample's solvent": measured.refractive_index,
            "that of the standard's": measured.standard_refractive_index,
        }
        missing = [name for name, value in needed.items() if value is None]
        if missing:
            yield fault(
                "L19",
                Severity.WARNING,
                place,
                f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not stated.",
            )
    value = probe.quantum_yield if measured.quantum_yield is None else measured.quantum_yield
    sd = probe.quantum_yield_sd if measured.quantum_yield_sd is None else measured.quantum_yield_sd
    if not 0 <= value <= 1:
        yield fault(
            "L19",
            Severity.ERROR,
            place,
            f"a quantum yield of {value:g} cannot be.",
            "Correct it; per cent is not meant.",
        )
    elif value > 0 and probe.emission_nm > NEAR_INFRARED_NM and sd / value < LEAST_RELATIVE_SD:
        seen = f"{value:g} +- {sd:g} at {probe.emission_nm:g} nm: {100 * sd / value:.2g} % is less than its standards are known to."
        yield fault(
            "L19", Severity.WARNING, place, seen, "Add the uncertainty of standard, correction curve and absorbance."
        )


def spectrum_faults(measured: SpectrumMeasurement, place: Place, /) -> Iterator[Finding]:
    """L20 of one spectrum: the Jacobian."""
    if measured.axis != "eV":
        return
    if not measured.jacobian:
        yield fault("L20", Severity.ERROR, place, "a spectrum on an energy axis still has intensities per nm.")
        return
    per_nm, per_ev = measured.peak_per_nm, measured.peak_per_ev
    if per_nm is None or per_ev is None:
        yield fault("L20", Severity.NOTE, place, "the peaks per nm and per eV are not both given.")
    elif per_ev < per_nm:
        seen = f"the peak moved from {per_nm:g} nm to {per_ev:g} nm; wavelength squared moves it to longer ones."
        yield fault("L20", Severity.ERROR, place, seen, "Multiply by the wavelength squared; do not divide.")


def bleaching_faults(measured: PhotostabilityMeasurement, place: Place, /) -> Iterator[Finding]:
    """L21 of one bleaching curve: its start and its dose."""
    frames = measured.baseline_frames
    if frames is None or frames < LEAST_FRAMES:
        seen = f"the start is {'of unknown' if frames is None else f'of {frames}'} frames; {LEAST_FRAMES} are the convention."
        yield fault("L21", Severity.WARNING, place, seen)
    if not measured.dark_subtracted:
        told = "not" if measured.dark_subtracted is False else "not known to be"
        yield fault("L21", Severity.WARNING, place, f"the dark frame was {told} taken off: what is left is too much.")
    if measured.dose_j_per_cm2 is None:
        yield fault(
            "L21", Severity.WARNING, place, "the light dose is not stated: bleaching goes with light, not with minutes."
        )
    if measured.retained_percent > BRIGHTENED_PERCENT:
        seen = f"{measured.retained_percent:g} % is left after {measured.minutes:g} minutes: it brightened, as dots do."
        yield fault("L21", Severity.NOTE, place, seen, "Show the whole curve; one rate does not describe it.")


def _measured(evidence: Evidence, key: str) -> list[tuple[str, ProbeSettings, object, Place]]:
    """Probes that have such a table, with it and its place."""
    return [
        (name, probe, table, Place(SETTINGS, None, f"probes.{name}.{key}"))
        for name, probe in evidence.probes.items()
        if (table := getattr(probe, key)) is not None
    ]


def _judged(
    evidence: Evidence,
    key: str,
    what: str,
    faults: Callable[[Any, ProbeSettings, Place], Iterator[Finding]],
    passed: str,
) -> Answer:
    """Faults of every probe's table of one kind; the probes' names follow what passed where it ends in a colon."""
    if evidence.settings is None:
        return beside_the_point(NEEDS_SHEETS if evidence.sheets.samples else NO_STUDY)
    found = _measured(evidence, key)
    if not found:
        return beside_the_point(f"no such data in the study: {what}.")
    names = f" {', '.join(name for name, *_ in found)}." if passed.endswith(":") else ""
    return answer([one for _, probe, table, place in found for one in faults(table, probe, place)], f"{passed}{names}")


def check_inner_filter(evidence: Evidence, /) -> Answer:
    """L18: absorbance of a relative quantum yield."""
    return _judged(
        evidence,
        "yield_measurement",
        "how the quantum yield was measured is not stated",
        lambda table, _, place: yield_faults(table, place),
        "thin enough, or absolute:",
    )


def check_yield_standard(evidence: Evidence, /) -> Answer:
    """L19: what a quantum yield stands on."""
    return _judged(
        evidence,
        "yield_measurement",
        "how the quantum yield was measured is not stated",
        standard_faults,
        "documented and believable:",
    )


def check_jacobian(evidence: Evidence, /) -> Answer:
    """L20: spectra on an energy axis."""
    return _judged(
        evidence,
        "spectrum",
        "the axis of the spectra is not stated",
        lambda table, _, place: spectrum_faults(table, place),
        "shown per nm, or per eV with the factor and both peaks.",
    )


def check_bleaching(evidence: Evidence, /) -> Answer:
    """L21: baseline and dose of bleaching."""
    return _judged(
        evidence,
        "photostability",
        "no bleaching was measured",
        lambda table, _, place: bleaching_faults(table, place),
        "start, dark and dose are stated:",
    )


def check_autofluorescence(evidence: Evidence, /) -> Answer:
    """L22: the animal's own light is told apart, and detection follows from false alarms."""
    settings = evidence.settings
    if settings is None:
        return beside_the_point(NEEDS_SHEETS if evidence.sheets.samples else NO_STUDY)
    bands, controls = len(settings.instrument.bands), [n for n, arm in settings.groups.items() if arm.role == "control"]
    findings = []
    if bands < 2 and not controls:
        seen = "there is one emission band and no control arm: the animal's own light cannot be told from the probe's."
        findings.append(fault("L22", Severity.WARNING, Place(SETTINGS, None, "groups"), seen))
    for session in evidence.sessions or ():
        for view in session.views:
            for one in view.detections:
                # what a person put there need not pass the threshold: it is flagged
                if math.isfinite(one.z) and one.z < one.z_threshold and not one.flags:
                    seen = f"detection {one.number} has z {one.z:.3g}, below the {one.z_threshold:.3g} that it needs."
                    findings.append(fault("L22", Severity.ERROR, Place(view.file), seen))
    rate = settings.analysis.false_alarms_per_session
    how = f"unmixing of {bands} bands" if bands > 1 else f"the control arm {', '.join(controls)}"
    return answer(
        findings, f"{how}; detected at {rate:g} expected false alarms a session, not at a fixed number of deviations."
    )


MIRIBEL_FIELDS: dict[str, tuple[str, ...]] = {
    "composition": ("composition",),
    "size by microscopy": ("core_nm", "core_sd_nm"),
    "particles counted": ("core_count",),
    "size by light scattering": ("hydrodynamic_nm",),
    "shape": ("shape",),
    "zeta potential with medium": ("zeta_mv", "zeta_medium"),
    "dispersity": ("dispersity",),
    "ligand and its density": ("ligand", "ligands_per_particle"),
    "concentration in nM": ("concentration_nmol_per_l",),
    "concentration as metal": ("metal", "metal_ug_per_ml"),
    "stability in media": ("stability",),
    "dose and route": ("dose",),
    "endotoxin": ("endotoxin",),
}
"""What a dot of the study must state, and the keys of its table that state it."""


def missing_fields(probe: ProbeSettings, /) -> list[str]:
    """What of `MIRIBEL_FIELDS` a probe does not state; the density of no ligand and the amount of no metal need none."""
    table = probe.characterisation
    missing = []
    for name, keys in MIRIBEL_FIELDS.items():
        said = [getattr(table, key, None) for key in keys]
        if said[0] is None or (None in said and str(said[0]).casefold() != "none"):
            missing.append(name)
    return missing


def check_miribel(evidence: Evidence, /) -> Answer:
    """L24: the probe is described."""
    if evidence.settings is None:
        return beside_the_point(NEEDS_SHEETS if evidence.sheets.samples else NO_STUDY)
    used = {arm.probe for arm in evidence.settings.groups.values() if arm.probe}
    dots = {name: probe for name, probe in evidence.probes.items() if probe.kind == "quantum dot" and name in used}
    if not dots:
        return beside_the_point("no quantum dot is used.")
    findings = []
    for name, probe in dots.items():
        if missing := missing_fields(probe):
            place = Place(SETTINGS, None, f"probes.{name}.characterisation")
            findings.append(fault("L24", Severity.NOTE, place, f"not stated of {name}: {', '.join(missing)}."))
    report = evidence.reporting
    cells = [
        name for name, said in (("cell line", report.cell_line), ("mycoplasma test", report.mycoplasma)) if not said
    ]
    if cells:
        findings.append(
            fault("L24", Severity.NOTE, Place(SETTINGS, None, "reporting"), f"not stated: {', '.join(cells)}.")
        )
    return answer(findings, f"complete: {', '.join(dots)}.")
