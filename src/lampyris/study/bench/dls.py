"""Correlograms of light scattering to hydrodynamic sizes."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.dls import (
    Cumulants,
    Distribution,
    Optics,
    Peak,
    infer_cumulants,
    infer_distribution,
    sd_meaning,
    water_viscosity,
)
from lampyris.bench.dls.cumulants import infer_cumulants_at, lognormal_size, lognormal_width, over_runs
from lampyris.bench.dls.noise import covariance_correlogram
from lampyris.bench.dls.quality import advised
from lampyris.bench.dls.recording import Recording, prepared
from lampyris.bench.dls.scattering import scattered_intensity
from lampyris.bench.dls.weights import (
    MOST_BY_SHAPE,
    MOST_SPAN,
    Part,
    Weighting,
    lone_part,
    parts_of,
    shape_factor,
    weighted_mean,
)
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Severity
from lampyris.core.instruments import Correlogram
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.dls import Settings
from lampyris.io.instruments.correlograms import read_correlograms
from lampyris.study.bench.reading import (
    Doubts,
    all_flags,
    doubt_reading,
    mean_of_replicates,
    read_each,
    remark,
    with_role,
)
from lampyris.study.bench.zeta import zeta_records

DIFFER = 0.05
"""Records that lie further apart than this, and than their noise, are told to differ."""
LEAST_SHARE = 0.01
"""Share of the highest below which sizes are left out of weights by volume and number."""
_WEIGHTINGS: tuple[Weighting, ...] = ("volume", "number")
_NOTES = (
    "Z-average and polydispersity by quadratic cumulants of the logarithm of g1, weighted by its square; intercept is that of g1,"
    " as Zetasizer programs print it, intercept_g2 its square. Where a file states the fitted lags and baseline, they are used.",
    "Intervals hold the noise of photons and of the finite number of speckles, by their covariance over lags, and what the order of"
    " the fit leaves out for a lognormal distribution.",
    "Sizes by non-negative least squares with a penalty on second differences, its strength by CONTIN's rule (F test at 0.5); a second"
    " population is told only where one top costs 2 squares more. Size and width of a lone peak are of the lognormal law behind the"
    " cumulants; widths of several are broadened by what the noise blurs, and are upper limits.",
    "Weights by volume and number divide by the light that a sphere scatters, which goes with the sixth power of size, and stand for"
    " spheres of one material. Their means are of a lognormal law of the Z-average and polydispersity, or of one for each peak of"
    " several: the drawn distribution is broader than the sample by what the noise blurs, and its sizes below 1 % of the top are left"
    " out.",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """A record with what it was made of."""

    record: BenchRecord
    optics: Optics
    cumulants: Cumulants


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """Hydrodynamic size, polydispersity and distribution of each record, and of all together.

    Raises
    ------
    ImageError
        If no file can be read, or none gives a size.
    """
    limit = int(settings.max_file_mb * 1e6)
    told = with_role(sources, "zeta")
    read, findings = read_each(
        [one for one in sources if one.role != "zeta"],
        lambda path, file: read_correlograms(
            path, max_bytes=limit, file=file, lag_unit=settings.lag_unit or "", correlation=settings.correlation or ""
        ),
    )
    runs: list[_Run] = []
    for source, curves in read:
        for number, curve in enumerate(curves, start=1):
            name = source.sample or curve.name or curve.file
            name = f"{name} {number}" if len(curves) > 1 else name
            made = _record(curve, name, settings, findings)
            if made is not None:
                runs.append(made)
    records, optics = [one.record for one in runs], [one.optics for one in runs]
    zeta = zeta_records(told, limit, findings)
    if not records and not zeta:
        raise ImageError("No correlogram gives a size.", findings)
    pooled = _pooled(runs, settings, findings) if records else zeta[0]
    notes = [*_NOTES] if records else []
    if settings.expected_nm is not None and settings.expected_sd_nm is not None:
        question = sd_meaning(settings.expected_nm, settings.expected_sd_nm)
        notes += [question] if question else []
    if any(
        math.isclose(one.viscosity_mpa_s, water_viscosity(one.temperature_k).value)
        for one in optics
        if 254 < one.temperature_k < 383
    ):
        notes.append("The medium was taken as water where the file does not say its viscosity (Patek et al. 2009).")
    count = (
        f"runs: {len(records)}, of files: {len({one.file for one in records})}"
        if records
        else f"{len(zeta)} zeta records"
    )
    return BenchResult("dls", pooled, (*records, *zeta), count, tuple(findings), tuple(notes))


def _optics(curve: Correlogram, settings: Settings, findings: list[Finding]) -> Optics | None:
    """Geometry and medium: the user's word, then the file's, then water where the medium is not said."""
    kelvin = settings.temperature_c + 273.15 if settings.temperature_c is not None else curve.temperature_k
    missing = [
        word
        for word, given, own in (
            ("angle-deg", settings.angle_deg, curve.angle_deg),
            ("wavelength-nm", settings.wavelength_nm, curve.wavelength_nm),
            ("temperature-c", settings.temperature_c, curve.temperature_k),
        )
        if given is None and math.isnan(own)
    ]
    if missing:
        seen = f"does not say its {', '.join(word.rsplit('-', 1)[0] for word in missing)}."
        mend = f"Give {' '.join('--' + word for word in missing)}."
        findings.append(remark(curve.file, "dls.optics", seen, mend))
        return None
    try:
        return Optics(
            settings.angle_deg or curve.angle_deg,
            settings.wavelength_nm or curve.wavelength_nm,
            _first(settings.refractive_index, curve.refractive_index)
            or _water_index(settings.wavelength_nm or curve.wavelength_nm),
            kelvin,
            _first(settings.viscosity_mpa_s, curve.viscosity_mpa_s) or water_viscosity(kelvin).value,
        )
    except ValueError as error:
        findings.append(
            remark(curve.file, "dls.optics", f"cannot be right: {error}.", "Mend the file, or give the option.")
        )
        return None


def _first(given: float | None, own: float) -> float | None:
    return given if given is not None else (None if math.isnan(own) else own)


def _water_index(wavelength_nm: float) -> float:
    from lampyris.probe.standards import refractive_index

    return refractive_index("water", wavelength_nm=min(max(wavelength_nm, 200.0), 1100.0)).value


def _record(curve: Correlogram, name: str, settings: Settings, findings: list[Finding]) -> _Run | None:
    optics = _optics(curve, settings, findings)
    if optics is None:
        return None
    rate = settings.count_rate_kcps or curve.count_rate_kcps
    run = settings.duration_s or curve.duration_s
    stated = curve.vendor.get("baseline") if settings.vendor_range else None
    try:
        recording = prepared(
            curve.lag_s,
            curve.correlation,
            duration_s=run,
            count_rate_per_s=1e3 * rate,
            first_lag_s=1e-6 * settings.first_lag_us,
            baseline=stated if stated is not None and math.isfinite(stated) else None,
        )
        cumulants = _cumulants(curve, recording, optics, stated, (run, rate), settings)
        found = infer_distribution(recording, optics, rng=_generator(curve))
    except ValueError as error:
        findings.append(
            remark(curve.file, "dls.run", f"{name}: {error}.", "Measure again, longer or with more light.", column=name)
        )
        return None
    doubts = Doubts("dls", curve.file, findings, name)
    doubt_reading(curve.words, doubts)
    for advice in advised(recording, cumulants, rate, curve.vendor):
        doubts.add(advice.flag, advice.seen, advice.mend)
    parts = parts_of(cumulants, found)
    means = _means(parts, optics, settings)
    _doubt_means(means, doubts)
    _doubt_law(parts, means, optics, settings, doubts)
    flags = doubts.flags
    if not recording.told:
        flags.append("noise-from-scatter")
    if found.reduced_chi2 > 3.0 and recording.told:
        flags.append("misfit")
    made = _made(curve, name, (recording, cumulants, found), means, optics, tuple(flags), settings)
    return _Run(made, optics, cumulants)


def _generator(curve: Correlogram) -> np.random.Generator:
    """Draws that depend on nothing but the correlogram."""
    digest = hashlib.sha256(np.ascontiguousarray(curve.correlation).tobytes()).hexdigest()
    return np.random.default_rng(seed_sequence("dls", digest))


def _cumulants(
    curve: Correlogram,
    recording: Recording,
    optics: Optics,
    stated: float | None,
    run: tuple[float, float],
    settings: Settings,
) -> Cumulants:
    times = curve.vendor.get("fitted_times_s")
    if stated is None or times is None or not math.isfinite(stated) or len(times) < 6:
        return infer_cumulants(recording, optics, cutoff=settings.cutoff)
    places = np.searchsorted(curve.lag_s, np.asarray(times) * (1.0 - 1e-6))
    if places.max() >= curve.lag_s.size or not np.allclose(curve.lag_s[places], times, rtol=1e-5):
        return infer_cumulants(recording, optics, cutoff=settings.cutoff)
    seen = curve.correlation[places] - stated
    field = np.sqrt(np.clip(np.minimum.accumulate(seen) / recording.intercept, 0.0, 1.0))
    steps = np.minimum(np.gradient(curve.lag_s), curve.lag_s)[places]
    duration, rate = (
        value if math.isfinite(value) else fallback for value, fallback in zip(run, (30.0, 200.0), strict=True)
    )
    covariance = covariance_correlogram(
        curve.lag_s[places], field, intercept=min(recording.intercept, 1.0), duration_s=duration,
        count_rate_per_s=1e3 * rate, widths_s=steps,
    )  # fmt: skip
    return infer_cumulants_at(curve.lag_s[places], seen, covariance, optics)


def _made(
    curve: Correlogram,
    name: str,
    found: tuple[Recording, Cumulants, Distribution],
    means: Mapping[str, Estimate],
    optics: Optics,
    flags: tuple[str, ...],
    settings: Settings,
) -> BenchRecord:
    recording, cumulants, distribution = found
    amplitude = cumulants.intercept
    values = {
        "z_average_nm": cumulants.z_average_nm,
        "pdi": cumulants.pdi,
        "intercept": amplitude,
        "intercept_g2": Estimate(
            amplitude.value**2, 2.0 * amplitude.value * amplitude.sd, amplitude.low * abs(amplitude.low), amplitude.high**2,
            amplitude.level, "1", "square of the intercept of g1",
        ),
    }  # fmt: skip
    values.update(means)
    volume, number = _weights(distribution, optics, _index(settings))
    peaks = _peaks(cumulants, distribution)
    vendor = {k: v for k, v in curve.vendor.items() if isinstance(v, float) and math.isfinite(v)}
    return BenchRecord(
        name,
        curve.file,
        values,
        lists={
            "peaks_nm": tuple(one.mean_nm for one in peaks),
            "peak_widths_nm": tuple(one.sd_nm for one in peaks),
            "peak_areas": tuple(one.area for one in peaks),
        },
        words={
            "populations": f"{len(peaks)}; one top costs {distribution.single_costs:.2g} squares",
            "angle_deg": f"{optics.angle_deg:.4g}",
        },
        tables={"vendor": (vendor,)} if vendor else {},
        flags=flags,
        curves=_curves(curve, recording, replace(distribution, peaks=peaks), (volume, number)),
    )


def _peaks(cumulants: Cumulants, distribution: Distribution) -> tuple[Peak, ...]:
    """Populations, of which a lone one has the size and width of the law behind the cumulants: the drawn distribution blurs both."""
    peaks = distribution.peaks
    if len(peaks) > 1:
        return peaks
    return tuple(replace(one, mean_nm=lognormal_size(cumulants), sd_nm=lognormal_width(cumulants)) for one in peaks)


def _index(settings: Settings) -> complex | None:
    return complex(settings.particle_index, settings.particle_absorption) if settings.particle_index else None


def _means(parts: Sequence[Part], optics: Optics, settings: Settings) -> dict[str, Estimate]:
    return {f"{one}_mean_nm": weighted_mean(parts, optics, one, particle_index=_index(settings)) for one in _WEIGHTINGS}


def _doubt_means(means: Mapping[str, Estimate], doubts: Doubts) -> None:
    """Say of a mean that the sixth power of size makes of what the run hardly sees."""
    for key, one in means.items():
        weighting = key.partition("_")[0]
        if math.isfinite(one.value) and one.high <= MOST_SPAN * one.low:
            continue
        told = "is withheld" if math.isnan(one.value) else "is hardly known"
        seen = f"does not tell its mean by {weighting}, which {told}: anything from {one.low:.2g} to {one.high:.2g} nm would give this run."
        mend = "Report z_average_nm, or measure longer with more light; sizes by number are an electron microscope's."
        doubts.add(f"{weighting}-mean-untold", seen, mend, Severity.NOTE)


def _doubt_law(
    parts: Sequence[Part], means: Mapping[str, Estimate], optics: Optics, settings: Settings, doubts: Doubts
) -> None:
    """Say of a mean that the law of the sizes decides it, which no run tells."""
    for weighting in _WEIGHTINGS:
        value = means[f"{weighting}_mean_nm"].value
        factor = shape_factor(parts, optics, weighting, particle_index=_index(settings))
        if not math.isfinite(value) or factor < MOST_BY_SHAPE:
            continue
        seen = f"has a mean by {weighting} of {value:.3g} nm if its sizes are lognormal, of {factor * value:.3g} nm if they fill a span"
        mend = f"Report z_average_nm and pdi; sizes by {weighting} are an electron microscope's."
        doubts.add(f"{weighting}-mean-by-law", f"{seen} evenly: the run does not tell which.", mend, Severity.NOTE)


def _weights(
    distribution: Distribution, optics: Optics, index: complex | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares by volume and by number."""
    light = scattered_intensity(distribution.diameters_nm, optics, particle_index=index)
    number = _above(distribution.intensity) / light
    volume = number * distribution.diameters_nm**3
    return volume / volume.sum(), number / number.sum()


def _above(intensity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distribution without what stands below a hundredth of its top: a sixth power would make a heap of it."""
    return np.where(intensity >= LEAST_SHARE * float(intensity.max()), intensity, 0.0)


def _curves(
    curve: Correlogram,
    recording: Recording,
    found: Distribution,
    weights: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[BenchCurve, ...]:
    lag = 1e6 * recording.lag_s
    fit, residual = np.full(lag.size, math.nan), np.full(lag.size, math.nan)
    first = int(np.searchsorted(recording.lag_s, found.lag_s[0]))
    fitted = slice(first, first + found.lag_s.size)
    fit[fitted], residual[fitted] = found.fitted, found.residual
    marks = tuple(
        (one.mean_nm.value, f"{one.mean_nm.value:{'.0f' if one.mean_nm.value >= 100 else '.3g'}} nm")
        for one in found.peaks
    )
    top = found.intensity.max()
    return (
        BenchCurve("correlogram", "lag (us)", "g2 - 1", lag, recording.level, fit, residual=residual, x_log=True),
        BenchCurve(
            "size by scattered light",
            "hydrodynamic diameter (nm)",
            "share (of the highest)",
            found.diameters_nm,
            found.intensity / top,
            parts={"volume": weights[0] / weights[0].max(), "number": weights[1] / weights[1].max()},
            marks=marks,
            x_log=True,
            steps=True,
        ),
    )


def _pooled(runs: Sequence[_Run], settings: Settings, findings: list[Finding]) -> BenchRecord:
    """Mean over runs with Student's interval; runs that differ beyond their noise are said to."""
    records, optics = [one.record for one in runs], [one.optics for one in runs]
    if len(records) == 1:
        return records[0]
    flags = set(all_flags(records))
    keys = ("z_average_nm", "pdi", "intercept", "intercept_g2", "volume_mean_nm", "number_mean_nm")
    values = {key: mean_of_replicates([one.values[key] for one in records], least=0.0) for key in keys}
    common = over_runs([one.cumulants for one in runs])
    values |= {"z_average_nm": common.z_average_nm, "pdi": common.pdi}
    if (
        np.median([len(one.record.lists["peaks_nm"]) for one in runs]) < 2
        and len({one.angle_deg for one in optics}) == 1
    ):
        # means of a mean run: those of each run lean, since none is narrower than sharp
        values |= _means((lone_part(common),), optics[0], settings)
    noise = [one.cumulants.z_noise_nm for one in runs]
    sizes = np.array([one.values["z_average_nm"].value for one in records])
    sds = np.array([one.values["z_average_nm"].sd for one in records])
    span = float(sizes.max() - sizes.min())
    angles = {round(one.angle_deg) for one in optics}
    if span > DIFFER * float(sizes.mean()) and span > 3.0 * math.hypot(*sorted(noise)[-2:]) and len(angles) == 1:
        flags.add("records-differ")
        seen = f"holds runs from {sizes.min():.1f} to {sizes.max():.1f} nm, further apart than their noise lets them."
        mend = "Do not print one number for them: find what changed (dust, aggregation, temperature)."
        findings.append(remark(records[0].file, "dls.records-differ", seen, mend, severity=Severity.WARNING))
    tables = {}
    if len(angles) > 2:
        tables["angles"], extrapolated, changed = _over_angles(sizes, sds, optics)
        values["z_average_q0_nm"] = extrapolated
        if changed:
            flags.add("size-depends-on-angle")
            seen = "give sizes that change with the angle: large or several populations weigh otherwise at each."
            findings.append(
                remark(records[0].file, "dls.angles", seen, "Read z_average_q0_nm.", severity=Severity.WARNING)
            )
    return BenchRecord("together", records[0].file, values, tables=tables, flags=tuple(sorted(flags)))


def _over_angles(
    sizes: NDArray[np.float64], sds: NDArray[np.float64], optics: Sequence[Optics]
) -> tuple[tuple[dict[str, float], ...], Estimate, bool]:
    """Apparent diffusion against the square of the scattering vector, extrapolated to none, as a diameter."""
    from lampyris.statistics.fitting import DataSet, Parameter, derived, fit_least_squares

    square = np.array([one.vector_per_m**2 for one in optics]) * 1e-14
    inverse, sd = 1.0 / sizes, np.maximum(sds, 1e-3 * sizes) / sizes**2
    start = float(inverse.mean())
    line = fit_least_squares(
        DataSet(lambda p: p[0] * (1.0 + p[1] * square), inverse, sd=sd),
        [Parameter("inverse", start, scale=0.1 * start), Parameter("slope", 0.0, scale=0.1)],
        scatter="residual",
    )
    own = derived(line, lambda p: 1.0 / p[0], unit="nm")
    rows = tuple(
        {"angle_deg": one.angle_deg, "q2_1e14_per_m2": float(q2), "z_average_nm": float(size)}
        for one, q2, size in zip(optics, square, sizes, strict=True)
    )
    slope = line["slope"]
    return rows, own, not slope.low <= 0.0 <= slope.high
