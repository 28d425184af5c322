"""Tasks `probe growth`, a batch over time, and `probe routes`, the guide to ways of making dots."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.output import print_json, print_table
from lampyris.core.errors import InputError, UsageError
from lampyris.core.finding import Finding, Place, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from lampyris.cli.probe import AddTask
    from lampyris.probe.growth import AliquotFit, Batch, Course, Kinetics

_TIMES = 60


def add_tasks(task: "AddTask", /) -> None:
    """Add this module's tasks."""
    growth = task("growth", _growth, "a batch over time: nucleation, focusing, ripening, and when to stop")
    growth.add_argument("material", metavar="MATERIAL", help="such as CdSe")
    growth.add_argument("--monomer", type=float, default=60.0, metavar="MMOL/L", help="at the start (default: 60)")
    growth.add_argument("--temperature", type=float, default=300.0, metavar="C", help="in Celsius (default: 300)")
    growth.add_argument(
        "--cool-to", type=float, default=math.nan, metavar="C", help="temperature approached afterwards"
    )
    growth.add_argument("--cooling", type=float, default=60.0, metavar="S", help="time constant of it (default: 60 s)")
    growth.add_argument("--minutes", type=float, default=60.0, metavar="MIN", help="how long (default: 60)")
    growth.add_argument(
        "--inject", action="append", default=[], type=_injection, metavar="MIN:MMOL/L", help="monomer added; repeatable"
    )
    growth.add_argument(
        "--seeds", type=_seeds, default=(), metavar="NM:SD:UMOL/L", help="dots at the start: diameter, spread, number"
    )
    growth.add_argument("--no-nucleation", action="store_true", help="only the seeds grow")
    growth.add_argument(
        "--aliquots", type=Path, metavar="TABLE", help="columns time_min, diameter_nm, sd_nm: fits speed and solubility"
    )
    growth.add_argument("--draws", type=int, default=20, metavar="N", help="of uncertain constants (default: 20)")
    growth.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws")
    growth.add_argument("--plot", type=Path, metavar="FILE", help="mean and spread against time: .svg or .png")
    routes = task("routes", _routes, "ways of making dots: what each gives, and when to choose it")
    routes.add_argument("--material", default="", metavar="NAME", help="that the route must make")
    routes.add_argument("--diameter", type=float, metavar="NM", help="that the route must reach")


def _injection(text: str) -> tuple[float, float]:
    minutes, sign, amount = text.partition(":")
    try:
        return float(minutes) * 60.0, float(amount)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"needs MIN:MMOL/L such as 5:10, got {text!r}{'' if sign else ' without a colon'}"
        ) from None


def _seeds(text: str) -> tuple[float, float, float]:
    parts = text.split(":")
    try:
        mean, sd, number = (float(part) for part in parts)
    except ValueError:
        raise argparse.ArgumentTypeError(f"needs NM:SD:UMOL/L such as 3:0.3:50, got {text!r}") from None
    if not (mean > 0 and 0 <= sd < mean / 2 and number > 0):
        raise argparse.ArgumentTypeError(
            f"needs a diameter above 0, a spread below half of it and a number, got {text!r}"
        )
    return mean, sd, number


def _growth(options: argparse.Namespace) -> int:
    import numpy as np

    from lampyris.core.seeds import seed_sequence
    from lampyris.probe.growth import Batch, Injection, advice, drawn_courses, grow, kinetics_of

    for name, value, high in (("--minutes", options.minutes, 1e5), ("--draws", options.draws, 1000)):
        if not 0 < value <= high:
            raise UsageError(f"{name} needs a number above 0 and at most {high:g}, got {value:g}")
    kinetics, told = kinetics_of(options.material)
    batch = Batch(
        options.monomer,
        options.temperature,
        seeds=_classes(options.seeds),
        injections=tuple(Injection(time, amount) for time, amount in options.inject),
        cool_to_c=options.cool_to,
        cooling_s=options.cooling,
    )
    times = np.geomspace(1.0, options.minutes * 60.0, _TIMES)
    fitted = _fitted(options, batch, kinetics) if options.aliquots else None
    used = kinetics if fitted is None else fitted.kinetics
    course = grow(batch, used, times, nucleation=not options.no_nucleation)
    rng = np.random.default_rng(seed_sequence("probe", "growth", options.material, str(options.seed)))
    # constants that aliquots have fixed are no longer drawn
    drawn = told if fitted is None else {"surface_energy_j_m2": told["surface_energy_j_m2"]}
    courses = drawn_courses(batch, used, drawn, times, draws=options.draws, rng=rng)
    told_advice = advice(course)
    document = _document(course, courses, told, fitted)
    if options.plot is not None:
        from lampyris.cli.comparisons import save_scene
        from lampyris.report.plots.growth import growth_plot

        save_scene(growth_plot(course, courses, title=f"{options.material}, {options.temperature:g} C"), options.plot)
        document["written"] = [options.plot]
    if options.json:
        print_json({"material": options.material, **document})
        return 0
    shown = range(0, _TIMES, 6)
    header = ("min", "diameter nm", "low", "high", "spread %", "dots umol/l", "monomer mmol/l")
    rows: list[tuple[Any, ...]] = [header]
    rows += [
        (
            course.time_s[k] / 60,
            course.diameter_nm[k],
            document["diameter_low_nm"][k],
            document["diameter_high_nm"][k],
            100 * course.spread[k],
            course.number_nmol_l[k] / 1000,
            course.monomer_mmol_l[k],
        )
        for k in shown
    ]
    print_table(rows)
    print(
        f"narrowest after {told_advice.stop_s / 60:.3g} min: {told_advice.diameter_nm:.3g} nm, spread {100 * told_advice.spread:.2g} %;"
        f" ripening from {told_advice.ripens_from_s / 60:.3g} min"
    )
    for line in document["notes"]:
        print(line)
    return 0


def _classes(seeds: "Sequence[float]") -> tuple[tuple[float, float], ...]:
    """Normal seeds as 41 classes of radius and nmol/l."""
    if not seeds:
        return ()
    mean, sd, number = seeds
    if sd == 0:
        return ((mean / 2, 1000.0 * number),)
    places = [-3.0 + 0.15 * k for k in range(41)]
    weights = [math.exp(-0.5 * place**2) for place in places]
    total = sum(weights)
    return tuple(
        ((mean + sd * place) / 2, 1000.0 * number * weight / total)
        for place, weight in zip(places, weights, strict=True)
    )


def _fitted(options: argparse.Namespace, batch: "Batch", kinetics: "Kinetics") -> "AliquotFit":
    from lampyris.io.data_tables import read_table
    from lampyris.probe.growth import fit_aliquots

    table = read_table(options.aliquots)
    minutes, size, sd = (table.numbers(name) for name in ("time_min", "diameter_nm", "sd_nm"))
    try:
        return fit_aliquots(batch, kinetics, minutes * 60.0, size, sd, nucleation=not options.no_nucleation)
    except ValueError as error:
        finding = Finding(
            "probe.aliquots", Severity.ERROR, Place(table.file), f"{error}.", "Mend the table of aliquots."
        )
        raise InputError("The aliquots cannot be fitted.", [finding]) from error


def _document(
    course: "Course", courses: "tuple[Course, ...]", told: Any, fitted: "AliquotFit | None"
) -> dict[str, Any]:
    from lampyris.probe.growth import advice
    from lampyris.probe.growth.advice import band

    found = advice(course)
    low, high = band(courses, "diameter_nm") if courses else (course.diameter_nm, course.diameter_nm)
    stops = sorted(one.stop_s for one in map(advice, courses) if math.isfinite(one.stop_s))
    notes = [
        f"Bands are the middle 95 % of {len(courses)} courses with constants drawn from their spread: "
        + ", ".join(f"{name} {one.value:g} ± {one.sd:g} {one.unit} ({one.mark})" for name, one in told.items())
        + ".",
    ]
    if stops:
        notes.append(f"Narrowest between {stops[0] / 60:.3g} and {stops[-1] / 60:.3g} min over the draws.")
    document: dict[str, Any] = {
        "time_s": _list(course.time_s),
        "diameter_nm": _list(course.diameter_nm),
        "diameter_low_nm": _list(low),
        "diameter_high_nm": _list(high),
        "sd_nm": _list(course.sd_nm),
        "number_nmol_l": _list(course.number_nmol_l),
        "monomer_mmol_l": _list(course.monomer_mmol_l),
        "stop_s": found.stop_s,
        "stop_diameter_nm": found.diameter_nm,
        "stop_spread": found.spread,
        "ripens_from_s": found.ripens_from_s,
        "notes": notes,
    }
    if fitted is not None:
        for name in ("speed", "solubility"):
            one = getattr(fitted, name)
            document |= {f"{name}_factor": one.value, f"{name}_factor_low": one.low, f"{name}_factor_high": one.high}
        notes.append(
            f"Aliquots ask for {fitted.speed.value:.3g} times the speed ({fitted.speed.low:.3g} to {fitted.speed.high:.3g}) and"
            f" {fitted.solubility.value:.3g} times the solubility ({fitted.solubility.low:.3g} to {fitted.solubility.high:.3g});"
            f" reduced chi2 {fitted.fit.goodness.reduced_chi2:.3g}."
        )
    return document


def _list(values: "np.ndarray[Any, Any]") -> list[float]:
    return [float(value) for value in values]


def _routes(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from lampyris.probe.growth.routes import routes

    found = routes(material=options.material, diameter_nm=options.diameter)
    if options.json:
        print_json({"routes": [asdict(one) for one in found]})
        return 0
    if not found:
        known = sorted({name for one in routes() for name in one.materials})
        raise UsageError(f"no route of the guide makes that; it knows {', '.join(known)}")
    for one in found:
        print(f"{one.name}: {one.gives}")
        print(
            f"  {one.least_nm:g} to {one.most_nm:g} nm, spread about {one.spread_percent:g} %, {one.temperature_c} C, {one.scale}"
        )
        print(f"  materials: {', '.join(one.materials)}")
        print(f"  surface: {one.surface}")
        print(f"  choose it when {one.choose_when}; not when {one.avoid_when}")
        print(f"  source ({one.mark}): {one.source}")
    return 0
