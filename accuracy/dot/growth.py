"""Ripening against its laws: exponents, rates and limiting spreads; and focusing before it."""

import numpy as np

from accuracy.figures import Figure, figure
from lampyris.core.constants import AVOGADRO_PER_NM3
from lampyris.probe.growth import (
    Batch,
    Kinetics,
    diffusion_ripening_rate,
    grow,
    kinetics_of,
    lsw_distribution,
    reaction_ripening_rate,
    ripening_exponent,
    wagner_distribution,
)

TABLE = "growth"
# a capillary length far below the radii, so that Gibbs and Thomson's rule to first order holds as the laws take it
IDEAL = {
    "diffusion": Kinetics("ideal", 0.05, 0.02, 1e-12, 1e9, 0.5),
    "reaction": Kinetics("ideal", 0.05, 0.02, 1e-3, 1e-7, 0.5),
}
LAWS = {
    "diffusion": (3, diffusion_ripening_rate, lsw_distribution, 1.5, 1.0),
    "reaction": (2, reaction_ripening_rate, wagner_distribution, 2.0, 8.0 / 9.0),
}


def ripened(limit: str, /, *, classes: int, times: int = 24, fold: float = 12.0):  # type: ignore[no-untyped-def]
    """Course of a batch that starts with the limiting distribution, over `fold` times its own time scale."""
    power, rate_of, density, top, _ = LAWS[limit]
    kinetics, temperature_k, radius = IDEAL[limit], 573.15, 5.0
    u = (np.arange(classes) + 0.5) / classes * top
    weights = density(u)
    keep = weights > 1e-9 * weights.max()
    u, weights = u[keep], weights[keep] / weights[keep].sum()
    number = 1e-3 / (4 / 3 * np.pi * np.sum(weights * (u * radius) ** 3)) / AVOGADRO_PER_NM3 * 1e9
    supersaturated = 1.0 + kinetics.capillary_nm(temperature_k) / radius
    monomer = kinetics.solubility_mmol_l * supersaturated
    scale = radius**power / rate_of(kinetics, temperature_k)
    seeds = tuple(zip((u * radius).tolist(), (weights * number).tolist(), strict=True))
    batch = Batch(monomer, temperature_k - 273.15, seeds=seeds)
    at = np.linspace(0.5, fold, times) * scale
    return grow(batch, kinetics, at, nucleation=False, linear=True, dissolves_at_nm=0.02 * radius)


def unprepared(limit: str, /, *, fold: float) -> float:
    """Relative error of the exponent where the batch starts with normal radii (sd 0.3, cut at 3 sd), from a tenth of its time on."""
    power, rate_of, _, _, _ = LAWS[limit]
    kinetics, temperature_k, radius = IDEAL[limit], 573.15, 5.0
    z = np.linspace(-3.0, 3.0, 1501)
    u, weights = 1.0 + 0.3 * z, np.exp(-0.5 * z**2)
    weights = weights / weights.sum()
    number = 1e-3 / (4 / 3 * np.pi * np.sum(weights * (u * radius) ** 3)) / AVOGADRO_PER_NM3 * 1e9
    monomer = kinetics.solubility_mmol_l * (1.0 + kinetics.capillary_nm(temperature_k) / radius)
    seeds = tuple(zip((u * radius).tolist(), (weights * number).tolist(), strict=True))
    at = np.geomspace(0.1, 1.0, 15) * fold * radius**power / rate_of(kinetics, temperature_k)
    batch = Batch(monomer, temperature_k - 273.15, seeds=seeds)
    course = grow(batch, kinetics, at, nucleation=False, linear=True, dissolves_at_nm=0.02 * radius)
    return ripening_exponent(course.time_s, course.diameter_nm / 2, start=power).value / power - 1.0


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    found: list[Figure] = []
    classes = 3000 if quick else 8000
    for limit, (power, rate_of, _, _, mean_over_critical) in LAWS.items():
        course = ripened(limit, classes=classes)
        late = course.time_s > 1.5 / 12 * course.time_s[-1]
        exponent = ripening_exponent(course.time_s[late], course.diameter_nm[late] / 2, start=power)
        off = exponent.value / power - 1.0
        ends = (exponent.low / power - 1.0, exponent.high / power - 1.0)
        found.append(
            Figure(TABLE, limit, "exponent_error", off, *ends, int(late.sum()), "|.| <= 0.02", abs(off) <= 0.02)
        )
        slope = float(np.polyfit(course.time_s[late], (course.critical_nm[late] / 2) ** power, 1)[0])
        ratio = slope / rate_of(IDEAL[limit], 573.15) - 1.0
        found.append(
            Figure(TABLE, limit, "rate_error", ratio, None, None, int(late.sum()), "|.| <= 0.02", abs(ratio) <= 0.02)
        )
        mean = float(np.mean(course.diameter_nm[late] / course.critical_nm[late])) / mean_over_critical - 1.0
        found.append(
            Figure(
                TABLE, limit, "mean_radius_error", mean, None, None, int(late.sum()), "|.| <= 0.01", abs(mean) <= 0.01
            )
        )
    kinetics, _ = kinetics_of("CdSe")
    radii = np.linspace(1.2, 1.8, 41)
    seeds = tuple((float(r), float(1e3 * np.exp(-0.5 * ((r - 1.5) / 0.15) ** 2))) for r in radii)
    course = grow(Batch(30.0, 300.0, seeds=seeds), kinetics, np.geomspace(1, 3e5, 60), nucleation=False)
    spread = course.spread
    found.append(
        figure(TABLE, "CdSe seeds", "focused_spread", float(spread.min()), None, 60, at_most=0.6 * float(spread[0]))
    )
    found.append(
        figure(TABLE, "CdSe seeds", "ripened_spread", float(spread[-1]), None, 60, at_least=1.5 * float(spread.min()))
    )
    course = grow(Batch(60.0, 300.0, conversion_s=200.0), kinetics, np.geomspace(1, 3600, 60))
    most = int(np.nanargmax(course.number_nmol_l))
    widest, least = float(np.nanmax(course.spread)), float(np.nanmin(course.spread[most:]))
    found.append(figure(TABLE, "CdSe from nuclei", "focused_spread", least, None, 60, at_most=0.5 * widest))
    found.append(
        figure(TABLE, "CdSe from nuclei", "ripened_spread", float(course.spread[-1]), None, 60, at_least=1.3 * least)
    )
    # no goal: where ripening ends goes with the largest dots that it starts with
    for limit in LAWS:
        off = unprepared(limit, fold=100.0 if quick else 1000.0)
        found.append(figure(TABLE, f"{limit}, normal start", "exponent_error", off, None, 15))
    return found
