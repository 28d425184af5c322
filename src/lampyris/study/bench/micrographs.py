"""Micrographs to particle sizes: each picture scaled and measured, mended by hand where asked, then all together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lampyris.bench.micrographs.corners import Ripples, corner_size, corners
from lampyris.bench.micrographs.measure import Particles, measure_particles
from lampyris.bench.micrographs.shape_means import Shapes, mean_aspect, mean_circularity
from lampyris.bench.micrographs.sizes import (
    FEWEST,
    Diameters,
    SizeLaw,
    fit_sizes,
    geometric,
    mean_interval,
    over_images,
    particles_needed,
    shell_nm,
    spread_interval,
    with_common,
)
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Severity
from lampyris.core.instruments import Micrograph
from lampyris.core.techniques.micrographs import MicrographSettings
from lampyris.statistics.intervals import normal_interval, t_interval
from lampyris.study.bench.micrograph_outlines import (
    Mended,
    corrected,
    picture_of,
    read_corrections,
    write_outlines,
)
from lampyris.study.bench.micrograph_remarks import image_flags, size_flags
from lampyris.study.bench.micrograph_scale import Scaled, scaled_picture
from lampyris.study.bench.reading import all_flags, read_each, remark, with_role


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What one picture gave, without its pixels."""

    source: BenchSource
    diameters: Diameters
    shapes: Shapes
    # of particles that tell of corners
    ripples: Ripples
    # of all its sizes: what the picture leaves open of its own edge; and what other pictures of the sample share, of the scale (a bar of
    # the same length is misread alike) and of what kind of particle they show
    edge_sd: float
    scale_sd: float
    kind_sd: float
    record: BenchRecord


def measure_micrographs(technique: str, sources: tuple[BenchSource, ...], settings: MicrographSettings) -> BenchResult:
    """Sizes of the particles in some pictures of one sample, or of several.

    Parameters
    ----------
    technique : str
        ``tem`` or ``sem``: which particles are dark.
    sources : tuple of BenchSource
    settings : MicrographSettings

    Returns
    -------
    BenchResult

    Raises
    ------
    ImageError
        If no picture can be read and scaled, or none has particles.
    """
    mended = read_corrections(settings.corrections)
    own, findings = _measured(technique, with_role(sources, ""), settings, mended)
    findings += _of_no_picture(mended, {source.file for source in sources})
    if not own:
        raise ImageError("No particle can be measured.", findings or [_none(sources)])
    samples = list(dict.fromkeys(one.source.sample for one in own))
    if len(samples) > 1:
        pooled = BenchRecord("", "", {}, flags=all_flags(one.record for one in own))
        replicate = f"particles; {len(own)} pictures of {len(samples)} samples, each on its own"
    else:
        pooled, replicate = _together(own, settings, findings)
    cores = with_role(sources, "core")
    if cores or settings.core_nm is not None:
        pooled = _with_shell(technique, pooled, cores, settings, findings)
    records = tuple(one.record for one in own)
    if len(own) == 1:
        records = (pooled,)
    return BenchResult(technique, pooled, records, replicate, tuple(findings), _notes(own, settings))


def _none(sources: Sequence[BenchSource]) -> Finding:
    file = sources[0].file if sources else ""
    return remark(file, "micrograph.none", "there is no picture to measure.", "Give a picture without a role.")


def _measured(
    technique: str, sources: Sequence[BenchSource], settings: MicrographSettings, mended: dict[str, Mended]
) -> tuple[list[Measured], list[Finding]]:
    """What each picture gave; one at a time, so that only one is in memory.

    Whether outlines have corners, and of what size, is the sample's and is told from all of its pictures together: they are then
    measured again.
    """
    found = [_read(technique, source, settings, mended, corner=None) for source in sources]
    for sample in dict.fromkeys(source.sample for source in sources):
        own = [k for k, (one, _) in enumerate(found) if one is not None and sources[k].sample == sample]
        ripples = [one.ripples for one, _ in (found[k] for k in own) if one is not None]
        if len(own) < 2:
            continue
        every = ripples[0].joined(ripples[1:])
        corner = corner_size(every) if corners(every) == "seen" else 0.0
        for k in own:
            one = found[k][0]
            if corner or (one is not None and "faceted" in one.record.flags):
                found[k] = _read(technique, sources[k], settings, mended, corner=corner)
    return [one for one, _ in found if one is not None], [finding for _, findings in found for finding in findings]


def _read(
    technique: str,
    source: BenchSource,
    settings: MicrographSettings,
    mended: dict[str, Mended],
    *,
    corner: float | None,
) -> tuple[Measured | None, list[Finding]]:
    try:
        read, _ = read_each([source], lambda path, file: scaled_picture(path, file, settings))
    except ImageError as error:
        return None, list(error.findings)
    findings: list[Finding] = []
    return _one(technique, source, read[0][1], settings, mended, findings, corner=corner), findings


def _of_no_picture(mended: dict[str, Mended], known: set[str]) -> list[Finding]:
    return [
        remark(
            one.file,
            "micrograph.correction",
            f"corrects {image}, which is not among the pictures.",
            "Give that picture too.",
            severity=Severity.WARNING,
        )
        for image, one in mended.items()
        if image and image not in known
    ]


def _brighter(technique: str, micrograph: Micrograph, settings: MicrographSettings) -> bool:
    if settings.particles != "auto":
        return settings.particles == "bright"
    return micrograph.bright_particles if micrograph.bright_particles is not None else technique == "sem"


def _one(
    technique: str,
    source: BenchSource,
    scaled: Scaled,
    settings: MicrographSettings,
    mended: dict[str, Mended],
    findings: list[Finding],
    *,
    corner: float | None,
) -> Measured | None:
    pixel = scaled.pixel_nm
    brighter = _brighter(technique, scaled.micrograph, settings)
    try:
        found = measure_particles(
            scaled.micrograph.pixels,
            brighter=brighter,
            ignored=scaled.ignored,
            sigmas=settings.sigmas,
            flatness={"sphere": 0.0, "disc": 1.0}.get(settings.contrast),
            least_px=max(3.0, settings.least_diameter_nm / pixel),
            corner=corner,
        )
    except ValueError as error:
        seen, mend = (
            f"{error}.",
            f"Check that particles are {'bright' if brighter else 'dark'} (--particles), and --sigmas.",
        )
        if isinstance(error, np.linalg.LinAlgError):
            seen = "holds particles whose edges cannot be fitted: their grey is cut at an end of the scale, or they were drawn."
            mend = "Give the picture as it was recorded, its levels not cut."
        findings.append(remark(source.file, "micrograph.none", seen, mend))
        return None
    correction = mended.get(source.file) or (mended.get("") if len(mended) == 1 else None)
    kept = corrected(found, correction, touching=settings.touching == "use")
    if settings.outlines is not None:
        write_outlines(Path(settings.outlines), source.file, found, kept, pixel)
    flags = image_flags(scaled, found, kept, brighter, findings)
    used = kept.used
    own_sd = edge_sd(found)
    kind_sd = math.hypot(found.taper.relative_sd(), found.edge.even_stretch / math.sqrt(3.0))
    common = math.hypot(own_sd, scaled.relative_sd, kind_sd)
    ripples = found.round.ripples.of(found.lone)
    diameters = Diameters(
        pixel * kept.diameter_px[used], pixel * kept.diameter_sd_px[used], kept.weight[used], kept.piece[used]
    )
    shapes = Shapes(
        kept.circularity[used], kept.aspect[used], kept.tilt_sd[used], kept.shared_sd[used], found.round.noise_share
    )
    picture = picture_of(scaled.micrograph.pixels, kept, pixel, scaled.micrograph.name)
    record = BenchRecord(scaled.micrograph.name, source.file, _shape_values([shapes]), flags=flags, pictures=(picture,))
    record = _with_sizes(record, scaled, found, kept.kinds, diameters, common, settings, findings)
    return Measured(source, diameters, shapes, ripples, own_sd, scaled.relative_sd, kind_sd, record)


def edge_sd(found: Particles, /) -> float:
    """Standard uncertainty of all diameters of a picture from not knowing its edge, as a share of them."""
    fit = found.edge.fit
    if fit is None:
        return 0.0
    own = [one.sd for name, one in zip(fit.names, fit.estimates, strict=True) if name.startswith("stretch")]
    known = [sd for sd in own if math.isfinite(sd)]
    # particles were fitted to the pixels that make the edge, so that its scatter may be less than its noise, never its error
    short = min(1.0, math.sqrt(fit.goodness.reduced_chi2))
    return float(np.mean(known)) / short if known and short > 0 else 0.0


def _shape_values(pictures: Sequence[Shapes]) -> dict[str, Estimate]:
    return {"circularity": mean_circularity(pictures), "aspect": mean_aspect(pictures)}


def counted(number: int, /) -> Estimate:
    """A number that was counted."""
    return Estimate(number, 0.0, number, number, 0.95, "1", "counted")


def _law(file: str, diameters: Diameters, settings: MicrographSettings, findings: list[Finding]) -> tuple[SizeLaw, ...]:
    try:
        laws = fit_sizes(diameters)
    except ValueError as error:
        mend = "Measure more pictures: nothing is told of the spread."
        findings.append(remark(file, "micrograph.few", f"{error}.", mend, severity=Severity.WARNING))
        return ()
    return tuple(sorted(laws, key=lambda one: one.law != settings.law)) if settings.law != "auto" else laws


def _with_sizes(
    record: BenchRecord,
    scaled: Scaled,
    found: Particles,
    kinds: Sequence[str],
    diameters: Diameters,
    common: float,
    settings: MicrographSettings,
    findings: list[Finding],
) -> BenchRecord:
    """A picture's record with its sizes, particles as units."""
    laws = _law(record.file, diameters, settings, findings)
    flags = record.flags
    values: dict[str, Estimate] = {}
    words = {"scale": f"{scaled.pixel_nm:.5g} nm per pixel, {scaled.source}"}
    tables: dict[str, tuple[dict[str, float], ...]] = {}
    if laws:
        why = "with what the picture's edge and scale leave open"
        own = _of_particles(diameters, laws[0], settings)
        values = {
            name: with_common(one, common, why)
            for name, one in own.items()
            if name in ("diameter_nm", "geometric_mean_nm")
        }
        values["sd_nm"] = with_common(own["sd_nm"], common, why)
        values["geometric_sd"] = own["geometric_sd"]
        words["law"] = laws[0].law
        flags, tables = size_flags(record.file, diameters, laws[0], flags, findings)
    elif diameters.nm.size:
        values["diameter_nm"] = with_common(t_interval(diameters.nm, unit="nm"), common, "few particles")
        flags = (*flags, "few-particles")
    values["count"] = counted(diameters.nm.size)
    words["left out"] = ", ".join(f"{list(kinds).count(kind)} {kind}" for kind in ("edge", "rejected"))
    curves = (*_histogram(diameters, laws, record.name), *_edge_curve(found))
    return replace(record, values={**values, **record.values}, words=words, tables=tables, flags=flags, curves=curves)


def _of_particles(diameters: Diameters, law: SizeLaw, settings: MicrographSettings) -> dict[str, Estimate]:
    """Mean and spread with particles as units: of whatever law, or of the one that was asked for."""
    middle, factor = geometric(diameters)
    mean, sd = mean_interval(diameters), spread_interval(diameters)
    if settings.law != "auto":
        mean, sd = law.mean_nm, law.sd_nm
    return {"diameter_nm": mean, "sd_nm": sd, "geometric_mean_nm": middle, "geometric_sd": factor}


def _histogram(diameters: Diameters, laws: Sequence[SizeLaw], name: str) -> list[BenchCurve]:
    if diameters.nm.size < FEWEST or not laws:
        return []
    low, high = float(diameters.nm.min()), float(diameters.nm.max())
    width = max(2.0 * float(np.subtract(*np.quantile(diameters.nm, [0.75, 0.25]))) / diameters.nm.size ** (1 / 3), 1e-9)
    bins = int(np.clip(round((high - low) / width), 5, 60))
    step = (high - low) / bins
    # an empty bin at either end, so that the last bars are drawn whole
    edges = np.linspace(low - step, high + step, bins + 3)
    weight = diameters.weight / diameters.weight.mean()
    y = np.histogram(diameters.nm, edges, weights=weight)[0]
    x = 0.5 * (edges[1:] + edges[:-1])
    total = diameters.nm.size * (edges[1] - edges[0])
    best, *others = laws
    return [
        BenchCurve(
            f"diameters{f' of {name}' if name else ''}",
            "diameter (nm)",
            "particles",
            x,
            y,
            total * best.density(x),
            {one.law: total * one.density(x) for one in others},
            marks=((best.mean_nm.value, f"mean {best.mean_nm.value:.3g} nm"),),
            steps=True,
        )
    ]


def _edge_curve(found: Particles) -> list[BenchCurve]:
    edge = found.edge
    if edge.fit is None:
        return []
    order = np.argsort(edge.radius, kind="stable")
    # one line for the groups of sizes, whose fits differ by less than the points scatter
    _, place = np.unique(edge.radius, return_inverse=True)
    line = (np.bincount(place, edge.fitted) / np.bincount(place))[place]
    scatter = float(np.sqrt(edge.fit.goodness.reduced_chi2)) or 1.0
    residual = (edge.contrast - edge.fitted) / edge.sd / scatter
    title = f"edge: blur {edge.blur_px:.2f} px, flatness {edge.flatness:.2f}"
    return [
        BenchCurve(
            title, "distance from the centre / radius", "contrast / particle's own", edge.radius[order],
            edge.contrast[order], line[order], residual=residual[order],
        )
    ]  # fmt: skip


def _together(
    own: Sequence[Measured], settings: MicrographSettings, findings: list[Finding]
) -> tuple[BenchRecord, str]:
    """All pictures of one sample: the picture is the unit, as particles of one share its focus and its place."""
    count = sum(one.diameters.nm.size for one in own)
    if len(own) == 1:
        (record,) = (one.record for one in own)
        needed = {"particles_needed": _needed(record.values, settings)} if "sd_nm" in record.values else {}
        told = f"{count} particles in 1 picture: intervals speak of that picture's particles only"
        return replace(record, values={**record.values, **needed}), told
    with_particles = [one for one in own if one.diameters.nm.size > 1]
    flags = tuple(flag for flag in all_flags(one.record for one in own) if flag != "few-particles")
    values: dict[str, Estimate] = {}
    words: dict[str, str] = {}
    tables: dict[str, Any] = {}
    curves: tuple[BenchCurve, ...] = ()
    if len(with_particles) > 1:
        every = with_particles[0].diameters.joined([one.diameters for one in with_particles[1:]])
        mean, sd = over_images([one.diameters for one in with_particles])
        shared = float(np.hypot(*np.mean([(one.scale_sd, one.kind_sd) for one in with_particles], axis=0)))
        # the scatter among pictures holds what each leaves open of its edge
        values["diameter_nm"] = with_common(mean, shared, "with the scale's own")
        values["sd_nm"] = with_common(sd, shared, "with the scale's own")
        laws = _law("", every, settings, findings)
        if laws:
            of = _of_particles(every, laws[0], settings)
            parts = np.array([one.diameters.weight.sum() for one in with_particles])
            edges = float(np.linalg.norm(parts * [one.edge_sd for one in with_particles]) / parts.sum())
            common = math.hypot(edges, shared)
            values["diameter_of_particles_nm"] = with_common(of["diameter_nm"], common, "with edges and scale")
            values["sd_of_particles_nm"] = of["sd_nm"]
            words["law"] = laws[0].law
            flags, tables = size_flags("", every, laws[0], flags, findings)
            values["particles_needed"] = _needed(values, settings)
        curves = tuple(_histogram(every, laws, ""))
    values["count"] = counted(count)
    values |= _shape_values([one.shapes for one in own])
    record = BenchRecord(own[0].source.sample, "", values, words=words, tables=tables, flags=flags, curves=curves)
    return record, f"{len(own)} pictures with {count} particles: the picture is the unit, particles are nested in it"


def _needed(values: Mapping[str, Estimate], settings: MicrographSettings) -> Estimate:
    mean, sd = values["diameter_nm"], values["sd_nm"]
    ends = [
        particles_needed(mean.value, spread, settings.precision_percent)
        for spread in (sd.value, sd.low, min(sd.high, 10.0 * mean.value))
    ]
    method = f"for a mean within {settings.precision_percent:g} %, particles independent"
    return Estimate(ends[0], math.nan, ends[1], ends[2], 0.95, "1", method)


def _with_shell(
    technique: str,
    pooled: BenchRecord,
    cores: Sequence[BenchSource],
    settings: MicrographSettings,
    findings: list[Finding],
) -> BenchRecord:
    values = dict(pooled.values)
    if settings.core_nm is not None:
        core = normal_interval(settings.core_nm, settings.core_nm_sd, unit="nm", method="given")
    else:
        own, more = _measured(technique, cores, settings, {})
        findings += more
        if not own:
            return pooled
        found, _ = _together(own, settings, findings)
        if "diameter_nm" not in found.values:
            return pooled
        core = found.values["diameter_nm"]
    if "diameter_nm" in values:
        values["core_nm"] = core
        values["shell_nm"] = shell_nm(values["diameter_nm"], core)
    flags = pooled.flags
    if "shell_nm" in values and values["shell_nm"].low <= 0.0:
        flags = (*flags, "shell-not-told")
        seen = "the particles are not larger than the cores beyond their errors."
        findings.append(
            remark("", "micrograph.shell", seen, "Measure more pictures of both.", severity=Severity.WARNING)
        )
    return replace(pooled, values=values, flags=flags)


def _notes(own: Sequence[Measured], settings: MicrographSettings) -> tuple[str, ...]:
    uncertain = (
        f"The scale counts as known to {settings.scale_uncertainty_percent:g} %."
        if settings.scale_uncertainty_percent
        else "The microscope's own calibration counts as exact; --scale-uncertainty-percent widens the intervals."
    )
    return (
        "Diameter of the circle of the projected area's size, of a blurred ellipse fitted to each particle; "
        "blur and kind of edge are the picture's own.",
        f"A particle stands {settings.sigmas:g} standard deviations of the background's noise out of it; touching ones are "
        "parted at necks; those that the border cuts are left out, the others weighted by their chance to lie whole within.",
        "sd_nm is that of the particles; the noise of measuring one is taken out.",
        uncertain,
    )
