"""Spectra to a quantum yield, relative or absolute."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.photons import PhotonSum, band_photons, difference_sd, noise_line, photon_weight
from lampyris.bench.quantum_yield import (
    Dilutions,
    SpherePhotons,
    SphereYield,
    emission_sd,
    infer_relative,
    infer_sphere,
    pooled_yield,
    predict_emission,
    reabsorbed_share,
)
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.errors import ImageError, InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.instruments import Spectrum
from lampyris.core.techniques.quantum_yield import Settings
from lampyris.io.instruments.spectra import read_spectra
from lampyris.statistics.intervals import normal_interval
from lampyris.study.bench.reading import (
    Doubts,
    all_flags,
    doubt_reading,
    flat_topped,
    gap_of,
    remark,
    saturated,
    with_role,
)

_SPHERE = ("empty", "indirect", "direct")
_WEAK_ABSORPTANCE = 0.05
_LEFT, _SHORT, _FEWEST_KNOWN = 0.05, 0.1, 8
"""Share of its top that an emission may have at an end; share of a band by which a file may end early; points that tell it."""


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """Quantum yield from the files of a relative or an absolute measurement.

    Raises
    ------
    InputError
        If files of a role are missing, or the options contradict the files.
    ImageError
        If a file cannot be read.
    """
    roles = {source.role for source in sources}
    method = settings.method or ("absolute" if roles & set(_SPHERE) else "relative")
    return _absolute(sources, settings) if method == "absolute" else _relative(sources, settings)


def _refuse(role: str, seen: str, mend: str) -> InputError:
    return InputError(
        "The quantum yield cannot be measured.",
        [Finding("quantum-yield.files", Severity.ERROR, Place("", None, role), seen, mend)],
    )


def _spectra(sources: Sequence[BenchSource], settings: Settings) -> list[Spectrum]:
    """All curves of some files; each counts in what they give together, so the first that fails ends that."""
    limit = int(settings.max_file_mb * 1e6)
    return [
        one
        for source in sources
        for one in read_spectra(source.path, max_bytes=limit, file=source.file, signal="intensity")
    ]


def _correction(sources: Sequence[BenchSource], settings: Settings) -> Spectrum | None:
    found = _spectra(with_role(sources, "correction"), settings)
    if len(found) > 1:
        raise _refuse("correction", f"holds {len(found)} curves, one is needed.", "Give one factor by wavelength.")
    return found[0] if found else None


def _weight(spectrum: Spectrum, correction: Spectrum | None, settings: Settings) -> NDArray[np.float64]:
    try:
        return photon_weight(spectrum.axis, correction, signal_is=settings.signal_is)
    except ValueError as error:
        finding = remark(
            spectrum.file, "quantum-yield.correction", f"{error}.", "Give a correction that reaches over it."
        )
        raise InputError("The correction does not reach over a spectrum.", [finding]) from error


# absolute


def _absolute(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    for role in ("empty", "direct"):
        if not with_role(sources, role):
            meaning = Settings.roles[role]
            raise _refuse(role, f"is missing: {meaning}.", f"Add {role}=FILE.")
    correction = _correction(sources, settings)
    dilute = _spectra(with_role(sources, "dilute"), settings)
    by_replicate = sorted({source.replicate for source in sources if source.role in _SPHERE})
    findings: list[Finding] = []
    records = []
    for replicate in by_replicate:
        own = [one for one in sources if one.replicate == replicate]
        try:
            records.append(_sphere_record(own, settings, (correction, dilute), replicate, findings))
        except ImageError as error:
            # other replicates can be measured
            seen = [remark("", "quantum-yield.replicate", f"{replicate}: {error}", "Mend the files.")]
            findings += error.findings or seen
    if not records:
        raise ImageError("The quantum yield cannot be measured.", findings)
    notes = [
        "Absolute yield by the three-measurement method of de Mello (1997), counted in photons.",
        f"Intervals hold the points' own noise and {100 * settings.calibration_relative_sd:g} % of the correction"
        " between excitation and emission, which is assumed unless it was measured.",
    ]
    if not with_role(sources, "indirect"):
        notes.append(
            "Without the indirect measurement, emission that scattered light excites counts as the sample's own."
        )
    if correction is None:
        notes.append("No correction of the instrument was given: the spectra count as corrected.")
    return BenchResult(
        "quantum-yield",
        _pooled(records, settings.calibration_relative_sd),
        tuple(records),
        f"{len(records)} measurement{'s' if len(records) > 1 else ''} of three spectra",
        tuple(findings),
        tuple(notes),
    )


def _pooled(records: Sequence[BenchRecord], shared: float) -> BenchRecord:
    if len(records) == 1:
        return records[0]
    values = {
        "quantum_yield": pooled_yield([one.values["quantum_yield"] for one in records], shared_relative_sd=shared)
    }
    if "absorptance" in records[0].values:
        values["absorptance"] = pooled_yield([one.values["absorptance"] for one in records], shared_relative_sd=0.0)
    return BenchRecord("together", "", values, flags=all_flags(records))


def _sphere_record(
    sources: Sequence[BenchSource],
    settings: Settings,
    common: tuple[Spectrum | None, Sequence[Spectrum]],
    replicate: str,
    findings: list[Finding],
) -> BenchRecord:
    correction, dilute = common
    spectra = {role: _spectra(with_role(sources, role), settings) for role in _SPHERE}
    if not spectra["empty"] or not spectra["direct"]:
        raise _refuse(
            "empty" if not spectra["empty"] else "direct", f"is missing of replicate {replicate!r}.", "Add it."
        )
    centre = settings.excitation_nm or _brightest(spectra["empty"])
    excitation = (centre - settings.excitation_half_width_nm, centre + settings.excitation_half_width_nm)
    ends = [one.axis for role in ("direct", "indirect") for one in spectra[role]]
    emission = (
        settings.emission_low_nm or excitation[1],
        settings.emission_high_nm or max(float(axis[-1]) for axis in ends),
    )
    _refuse_correction(correction, (excitation, emission))
    noise = noise_line(
        tuple(one for role in ("indirect", "direct") for one in spectra[role] if one.axis[-1] > emission[0])
    )
    sums = {
        (role, name): _sum(spectra[role], band, correction, settings, noise)
        for role in _SPHERE
        for name, band in (("excitation", excitation), ("emission", emission))
    }
    file = with_role(sources, "direct")[0].file
    _checked(sums, file, excitation, emission)
    _refuse_short(spectra, emission)
    empty = sums["empty", "excitation"]
    indirect = sums["indirect", "excitation"] if spectra["indirect"] else empty
    none = PhotonSum(0.0, 0.0, 0)
    photons = SpherePhotons(
        empty,
        indirect,
        sums["direct", "excitation"],
        sums["indirect", "emission"] if spectra["indirect"] else none,
        sums["direct", "emission"],
    )
    share = _self_absorption(dilute, spectra["direct"], correction, settings, emission)
    found = infer_sphere(photons, calibration_relative_sd=settings.calibration_relative_sd, reabsorbed=share)
    flags = _sphere_flags(found, spectra, (correction, emission), settings, file, findings)
    values = {"quantum_yield": found.quantum_yield, "absorptance": found.absorptance}
    if share != (0.0, 0.0):
        values["observed_yield"] = found.observed_yield
        values["reabsorbed_share"] = normal_interval(*share, unit="1", method="tail")
    curves = _sphere_curves(spectra, correction, settings, (excitation, emission))
    return BenchRecord(
        replicate or with_role(sources, "direct")[0].sample or file, file, values, flags=flags, curves=curves
    )


def _brightest(spectra: Sequence[Spectrum]) -> float:
    one = max(spectra, key=lambda s: float(np.nanmax(s.signal)))
    return float(one.axis[np.nanargmax(one.signal)])


def _sum(
    spectra: Sequence[Spectrum],
    band: tuple[float, float],
    correction: Spectrum | None,
    settings: Settings,
    noise: tuple[float, float],
) -> PhotonSum:
    """Photons in a band, of the file that reaches over most of it."""
    if not spectra:
        return PhotonSum(math.nan, math.nan, 0)
    sums = [band_photons(one, band, _weight(one, correction, settings), noise=noise) for one in spectra]
    return max(sums, key=lambda one: one.points)


def _checked(
    sums: dict[tuple[str, str], PhotonSum], file: str, excitation: tuple[float, float], emission: tuple[float, float]
) -> None:
    """Refuse where a band holds no points, or the sample absorbs nothing."""
    faults = []
    for (role, name), one in sums.items():
        needed = role != "indirect" and not (role == "empty" and name == "emission")
        if needed and one.points < 2:
            low, high = excitation if name == "excitation" else emission
            seen = f"of role {role} has fewer than two points in the {name} band, {low:g} to {high:g} nm."
            faults.append(remark(file, "quantum-yield.band", seen, "Give the bands, or the file that covers them."))
    if not faults:
        faults += _exchanged(sums, file)
    if faults:
        raise ImageError("The quantum yield cannot be measured.", faults)


def _exchanged(sums: dict[tuple[str, str], PhotonSum], file: str) -> list[Finding]:
    """What says that measurements were taken for each other: the sample in the beam must let through least."""
    through, empty, aside = (sums[role, "excitation"].value for role in ("direct", "empty", "indirect"))
    if not through < empty:
        seen = "lets through as much excitation as the empty sphere: nothing was absorbed, so there is no yield."
        mend = "Check that empty and direct are not exchanged, and the bands."
    elif not through > 0.0:
        seen, mend = "holds no excitation light.", "Check the dark level, and the bands."
    elif math.isfinite(aside) and not through < aside:
        seen = "lets through more excitation than with the beam beside the sample."
        mend = "Check that direct and indirect are not exchanged."
    else:
        return []
    return [remark(file, "quantum-yield.no-absorption", seen, mend)]


def _self_absorption(
    dilute: Sequence[Spectrum],
    direct: Sequence[Spectrum],
    correction: Spectrum | None,
    settings: Settings,
    emission: tuple[float, float],
) -> tuple[float, float]:
    """Share of the emission taken up again, and its error; only the emission's band counts, not the excitation that passes."""
    if not dilute:
        return 0.0, 0.0
    seen = max(direct, key=lambda one: float(one.axis[-1]))
    reference = dilute[0]
    low, high = max(seen.axis[0], reference.axis[0], emission[0]), min(seen.axis[-1], reference.axis[-1], emission[1])
    grid = seen.axis[(seen.axis >= low) & (seen.axis <= high)]
    pairs = [np.interp(grid, one.axis, one.signal * _weight(one, correction, settings)) for one in (seen, reference)]
    # beyond the peak by half of the way down the red side nothing is absorbed by a dot of that emission
    peak = float(grid[np.argmax(pairs[1])])
    below = grid[(grid > peak) & (pairs[1] < 0.5 * pairs[1].max())]
    tail = float(below[0]) if below.size else peak
    try:
        return reabsorbed_share(grid, pairs[0], pairs[1], tail_nm=tail)
    except ValueError as error:
        finding = remark(
            reference.file, "quantum-yield.dilute", f"{error}.", "Give a spectrum that reaches further red."
        )
        raise InputError("Self-absorption cannot be told.", [finding]) from error


def _sphere_flags(
    found: SphereYield,
    spectra: dict[str, list[Spectrum]],
    seen_by: tuple[Spectrum | None, tuple[float, float]],
    settings: Settings,
    file: str,
    findings: list[Finding],
) -> tuple[str, ...]:
    correction, emission = seen_by
    gaps = [one.file for own in spectra.values() for one in own if gap_of(one.axis)]
    left = max(_left_at_end(one, _weight(one, correction, settings), emission) for one in spectra["direct"])
    full = [
        one.file for own in spectra.values() for one in own if saturated(one, settings.saturation) or flat_topped(one)
    ]
    told = [
        ("weak-absorption", found.absorptance.value < _WEAK_ABSORPTANCE,
         f"absorbs {100 * found.absorptance.value:.1f} % only: the yield hangs on a small difference.", "Use a stronger sample."),
        ("above-one", found.quantum_yield.low > 1.0, "gives a yield above 1, which cannot be.",
         "Check the correction, signal_is, and excitation light in the emission band."),
        ("no-emission", not found.quantum_yield.low > 0.0, "shows no emission beyond its noise.",
         "Expose longer, or check the emission band."),
        ("gap", bool(gaps), f"has a gap in {', '.join(gaps)}, bridged by a straight line: light in it is not seen.", "Record it whole."),
        ("emission-cut", left > _LEFT, f"ends with {100 * left:.0f} % of its emission's top: cut short, or a dark level is in it.",
         "Record further, or take the dark level off."),
        ("uncorrected", correction is None, "counts as corrected: no correction of the instrument was given.",
         "Give correction=FILE, unless the instrument's program has corrected the spectra."),
        ("saturated", bool(full), f"reaches saturation, or one largest reading again and again, in {', '.join(full)}.", "Expose less."),
    ]  # fmt: skip
    doubts = Doubts("quantum-yield", file, findings)
    for one in (curve for own in spectra.values() for curve in own):
        doubt_reading(one.words, replace(doubts, file=one.file, name=one.name))
    doubts.add_held(told, notes=("uncorrected",))
    return tuple(doubts.flags)


def _left_at_end(one: Spectrum, weight: NDArray[np.float64], band: tuple[float, float], *, both: bool = False) -> float:
    """Light at the red end of a band, or at the higher of both, over its top; 0 where too little is known."""
    known = (one.signal * weight)[(one.axis >= band[0]) & (one.axis <= band[1]) & np.isfinite(one.signal)]
    if known.size < _FEWEST_KNOWN or not float(known.max()) > 0.0:
        return 0.0
    ends = [float(np.mean(known[-3:])), *([float(np.mean(known[:3]))] if both else [])]
    # as much as the noise of three points may make is no light
    return (max(ends) - math.sqrt(3.0) * difference_sd(known)) / float(known.max())


def _refuse_correction(correction: Spectrum | None, bands: tuple[tuple[float, float], ...]) -> None:
    """Refuse a correction that is not above 0 where light is counted.

    Raises
    ------
    ImageError
        If it is not.
    """
    if correction is None:
        return
    inside = np.any([(correction.axis >= low) & (correction.axis <= high) for low, high in bands], axis=0)
    if not (correction.signal[inside] > 0).all():
        seen = "is not above 0 over the bands of excitation and emission."
        finding = remark(correction.file, "quantum-yield.correction", seen, "Give the factor by wavelength.")
        raise ImageError("The quantum yield cannot be measured.", [finding])


def _refuse_short(spectra: dict[str, list[Spectrum]], emission: tuple[float, float]) -> None:
    """Refuse an emission of which one file ends long before the others: what is missing would count as dark.

    Raises
    ------
    ImageError
        If one does.
    """
    low, high = emission
    faults = []
    for role in ("indirect", "direct"):
        ends = max((float(one.axis[-1]) for one in spectra[role]), default=math.inf)
        if ends < high - _SHORT * (high - low):
            seen = f"of role {role} ends at {ends:g} nm, within the emission band of {low:g} to {high:g} nm."
            mend = "Record it as far as the others; if that is all of the emission, say --emission-high-nm."
            faults.append(remark(spectra[role][-1].file, "quantum-yield.short", seen, mend))
    if faults:
        raise ImageError("The quantum yield cannot be measured.", faults)


def _sphere_curves(
    spectra: dict[str, list[Spectrum]],
    correction: Spectrum | None,
    settings: Settings,
    bands: tuple[tuple[float, float], tuple[float, float]],
) -> tuple[BenchCurve, ...]:
    curves = []
    for name, (low, high) in zip(("excitation", "emission"), bands, strict=True):
        base = max(spectra["direct"], key=lambda one: int(((one.axis >= low) & (one.axis <= high)).sum()))
        inside = (base.axis >= low) & (base.axis <= high)
        if inside.sum() < 2:
            continue
        x = base.axis[inside]
        parts = {}
        for role in ("empty", "indirect"):
            for one in spectra[role]:
                if one.axis[0] <= x[0] + 1e-6 and one.axis[-1] >= x[-1] - 1e-6:
                    parts[role] = np.interp(x, one.axis, one.signal * _weight(one, correction, settings))
        y = (base.signal * _weight(base, correction, settings))[inside]
        curves.append(BenchCurve(f"{name}, direct", "wavelength (nm)", "photons per nm (a.u.)", x, y, parts=parts))
    return tuple(curves)


# relative


def _line_curve(name: str, dilutions: Dilutions, slope: float, absorbance_sd: float) -> BenchCurve:
    """Photons against what was absorbed, by which the line is straight, with the origin that it passes."""
    order = np.argsort(dilutions.absorbance)
    expected = predict_emission(dilutions.absorbance, slope)
    off = (dilutions.photons - expected) / emission_sd(dilutions, slope, absorbance_sd)

    def from_origin(first: float, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([[first], values[order]])

    return BenchCurve(
        name,
        "absorbed share of the beam",
        "emitted photons (a.u.)",
        from_origin(0.0, dilutions.absorbed()),
        from_origin(math.nan, dilutions.photons),
        from_origin(0.0, expected),
        residual=from_origin(math.nan, off),
    )


def _relative(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    findings: list[Finding] = []
    flags: list[str] = []
    sample, standard = _both_dilutions(sources, settings, findings, flags)
    known, known_sd, standard_name = _standard_yield(settings)
    indices = _indices(settings)
    found = infer_relative(
        sample,
        standard,
        standard_yield=(known, known_sd),
        refractive_indices=indices,
        absorbance_sd=settings.absorbance_sd,
        excitation_ratio=settings.excitation_ratio,
    )
    first = with_role(sources, "")[0]
    doubts = Doubts("quantum-yield", first.file, findings, flags=list(dict.fromkeys(flags)))
    if found.bent:
        seen = "does not lie on a line through the origin: inner filter, blank or a wrong absorbance."
        doubts.add(
            "bent",
            seen,
            "Leave out the strongest dilutions, take off a blank, and read each absorbance at the excitation.",
        )
    curves = tuple(
        _line_curve(name, one, slope.value, settings.absorbance_sd)
        for name, one, slope in (("sample", sample, found.slope), (standard_name, standard, found.standard_slope))
    )
    record = BenchRecord(
        first.sample or "sample",
        first.file,
        {"quantum_yield": found.quantum_yield},
        words={"standard": standard_name},
        flags=tuple(doubts.flags),
        curves=curves,
    )
    notes = (
        f"Relative to {standard_name}, yield {known:.3g} ± {known_sd:.2g}; refractive indices {indices[0]:.4g} and {indices[1]:.4g}.",
        f"{sample.photons.size} dilutions of the sample and {standard.photons.size} of the standard, absorbance at most"
        f" {settings.highest_absorbance:g}; lines through the origin.",
    )
    replicate = f"{sample.photons.size} and {standard.photons.size} dilutions"
    return BenchResult("quantum-yield", record, (record,), replicate, tuple(findings), notes)


def _both_dilutions(
    sources: tuple[BenchSource, ...], settings: Settings, findings: list[Finding], flags: list[str]
) -> list[Dilutions]:
    """Of the sample, then of the standard."""
    correction = _correction(sources, settings)
    common = _spectra(with_role(sources, "blank"), settings), correction
    both = []
    for role, absorptions, given in (
        ("", "absorption", settings.absorbance),
        ("standard", "standard-absorption", settings.standard_absorbance),
    ):
        name = role or "sample"
        read = _read_each(with_role(sources, role), settings, findings)
        if not read:
            raise _refuse(role or "FILE", f"is missing: emission of the {name}.", "Add it, a file per dilution.")
        absorbing = _read_each(with_role(sources, absorptions), settings, findings)
        values = _absorbances(role, read, absorbing, given, settings, findings)
        pairs = [(one, own) for one, own in zip(read, values, strict=True) if one is not None and own is not None]
        if not pairs:
            raise ImageError(f"No dilution of the {name} can be read.", findings)
        if len(pairs) < len(read):
            flags.append("dilutions-left-out")
        emissions = [one for one, _ in pairs]
        for one in emissions:
            doubt_reading(one.words, Doubts("quantum-yield", one.file, findings, one.name, flags))
        both.append(_dilutions(name, emissions, np.array([own for _, own in pairs]), common, settings, findings, flags))
    return both


def _read_each(sources: Sequence[BenchSource], settings: Settings, findings: list[Finding]) -> list[Spectrum | None]:
    """Curves of each file in their order; None and a finding for a file that cannot be read: the others give a yield without it."""
    found: list[Spectrum | None] = []
    for source in sources:
        try:
            found += _spectra([source], settings)
        except ImageError as error:
            seen = [remark(source.file, "quantum-yield.file", f"{error}", "Mend the file, or leave it out.")]
            findings += error.findings or seen
            found.append(None)
    return found


def _absorbances(
    role: str,
    emissions: Sequence[Spectrum | None],
    absorptions: Sequence[Spectrum | None],
    given: Sequence[float],
    settings: Settings,
    findings: list[Finding],
) -> list[float | None]:
    """Absorbance of each dilution; None and a finding where its spectrum does not tell it."""
    option = "standard_absorbance" if role else "absorbance"
    if given and absorptions:
        raise _refuse(option, "is given beside absorption spectra.", "Give one of both.")
    if not given and not absorptions:
        raise _refuse(
            option,
            "is missing: without the absorbance there is no yield.",
            f"Give --{option.replace('_', '-')} per dilution.",
        )
    values: list[float | None] = list(given)
    if absorptions:
        if settings.excitation_nm is None:
            raise _refuse("excitation_nm", "is missing, at which the absorbance is read.", "Give --excitation-nm.")
        values = [_read_at(one, settings.excitation_nm, findings) for one in absorptions]
    if len(values) != len(emissions):
        failed = " (a file that cannot be read counts as one)" if None in [*emissions, *absorptions] else ""
        seen = f"has {len(values)} absorbances for {len(emissions)} emission spectra{failed}."
        refused = _refuse(option, seen, "Give one absorbance per emission spectrum, in the same order.")
        raise InputError(str(refused), [*findings, *refused.findings])
    return values


def _read_at(one: Spectrum | None, excitation_nm: float, findings: list[Finding]) -> float | None:
    if one is None:
        return None
    if not one.axis[0] <= excitation_nm <= one.axis[-1]:
        seen = f"does not reach {excitation_nm:g} nm."
        findings.append(remark(one.file, "quantum-yield.excitation", seen, "Give the right file."))
        return None
    return float(np.interp(excitation_nm, one.axis, one.signal))


def _dilutions(
    name: str,
    emissions: Sequence[Spectrum],
    absorbance: NDArray[np.float64],
    common: tuple[Sequence[Spectrum], Spectrum | None],
    settings: Settings,
    findings: list[Finding],
    flags: list[str],
) -> Dilutions:
    blank, correction = common
    photons, kept = [], []
    noise = noise_line(tuple(emissions))

    def warn(rule: str, flag: str, seen: str, mend: str) -> None:
        findings.append(remark(one.file, f"quantum-yield.{rule}", seen, mend, severity=Severity.WARNING))
        flags.append(flag)

    for one, own in zip(emissions, absorbance.tolist(), strict=True):
        if own > settings.highest_absorbance or own <= 0.0:
            seen = f"has an absorbance of {own:.3g}, which is not between 0 and {settings.highest_absorbance:g}: it is left out."
            warn("absorbance", "dilutions-left-out", seen, "Dilute it.")
            continue
        if saturated(one, settings.saturation) or flat_topped(one):
            seen = "reaches saturation, or one largest reading again and again."
            warn("saturated", "saturated", seen, "Expose less.")
        clean = _without_blank(one, blank, settings)
        band = (settings.emission_low_nm or float(one.axis[0]), settings.emission_high_nm or float(one.axis[-1]))
        weight = _weight(one, correction, settings)
        left = _left_at_end(clean, weight, band, both=True)
        if left > _LEFT:
            seen = f"has {100 * left:.0f} % of its top left at an end: cut short, or a background is in it."
            warn("emission-cut", "emission-cut", seen, "Record further, or give blank=FILE.")
        total = band_photons(clean, band, weight, noise=noise)
        if not total.value > 0.0:
            seen = "has no light left once the blank is taken off: the blank is as strong as the sample."
            warn("blank", "blank-too-strong", seen, "Check the blank, or the band.")
            continue
        photons.append(total)
        kept.append(own)
    if not kept:
        seen = f"has no dilution of the {name} that can be used."
        raise ImageError(
            seen,
            [*findings, remark(emissions[0].file, "quantum-yield.none", seen, "Dilute below the highest absorbance.")],
        )
    return Dilutions(np.array(kept), np.array([one.value for one in photons]), np.array([one.sd for one in photons]))


def _without_blank(one: Spectrum, blank: Sequence[Spectrum], settings: Settings) -> Spectrum:
    """Spectrum per second of exposure where the file says it, the blank taken off."""
    signal = one.signal / (1.0 if math.isnan(one.integration_s) else one.integration_s)
    if blank:
        own = blank[0]
        seconds = 1.0 if math.isnan(own.integration_s) else own.integration_s
        if one.axis[0] < own.axis[0] - 1e-6 or one.axis[-1] > own.axis[-1] + 1e-6:
            seen = f"reaches from {own.axis[0]:g} to {own.axis[-1]:g} nm, the emission further."
            raise InputError(
                seen, [remark(own.file, "quantum-yield.blank", seen, "Record the blank over the same range.")]
            )
        signal = signal - np.interp(one.axis, own.axis, own.signal) / seconds
    return Spectrum(one.axis, signal, one.axis_name, one.signal_name, name=one.name, file=one.file)


def _standard_yield(settings: Settings) -> tuple[float, float, str]:
    if settings.standard_yield is not None:
        sd = settings.standard_yield_sd if settings.standard_yield_sd is not None else 0.05 * settings.standard_yield
        return settings.standard_yield, sd, settings.standard or "standard"
    if settings.standard is None:
        raise _refuse(
            "standard",
            "is missing: which dye, or which yield.",
            "Give --standard and --standard-solvent, or --standard-yield.",
        )
    from lampyris.probe.standards import quantum_yield_standard

    one = quantum_yield_standard(settings.standard, settings.standard_solvent)
    return one.value, one.sd, f"{settings.standard} in {settings.standard_solvent}"


def _indices(settings: Settings) -> tuple[float, float]:
    from lampyris.probe.standards import refractive_index

    own = settings.refractive_index or refractive_index(settings.solvent).value
    standard = settings.standard_refractive_index or refractive_index(settings.standard_solvent).value
    return own, standard
