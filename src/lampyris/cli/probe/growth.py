"""Task `probe growth`: a batch over time."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import add_reading, figure_path, number, positive, whole
from lampyris.cli.entries import estimate_entry, flat_entry
from lampyris.cli.figures import save_scene
from lampyris.cli.output import print_json, print_table
from lampyris.cli.probe.numbers import band_text
from lampyris.core.errors import InputError, UsageError
from lampyris.core.finding import Finding, Place, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from lampyris.cli.arguments import AddTask
    from lampyris.core.sourced import SourcedValue
    from lampyris.probe.growth import AliquotFit, Batch, Course, Kinetics

_TIMES = 60


def add_tasks(task: "AddTask", /) -> None:
    """Add this module's tasks."""
    growth = task("growth", _growth, "a batch over time: nucleation, focusing, ripening, and when to stop")
    growth.add_argument("material", metavar="MATERIAL", help="such as CdSe")
    growth.add_argument("--monomer", type=number, default=60.0, metavar="MMOL/L", help="at the start (default: 60)")
    growth.add_argument(
        "--conversion",
        type=number,
        metavar="S",
        help="time constant of precursor to monomer; 0: at once (default: its table)",
    )
    growth.add_argument("--temperature", type=number, default=300.0, metavar="C", help="in Celsius (default: 300)")
    growth.add_argument(
        "--profile", type=_knots, default=(), metavar="MIN:C,...", help="temperatures joined by straight lines"
    )
    growth.add_argument(
        "--cool-to", type=number, default=math.nan, metavar="C", help="temperature approached from the start on"
    )
    growth.add_argument("--cooling", type=number, default=60.0, metavar="S", help="time constant of it (default: 60 s)")
    growth.add_argument("--minutes", type=number, default=60.0, metavar="MIN", help="how long (default: 60)")
    growth.add_argument(
        "--inject", action="append", default=[], type=_injection, metavar="MIN:MMOL/L", help="monomer added; repeatable"
    )
    growth.add_argument(
        "--seeds", type=_seeds, default=(), metavar="NM:SD:UMOL/L", help="dots at the start: diameter, spread, number"
    )
    growth.add_argument("--no-nucleation", action="store_true", help="only the seeds grow")
    growth.add_argument(
        "--aliquots",
        type=Path,
        metavar="TABLE",
        help="time_min, and diameter_nm with sd_nm or first_exciton_nm; fits the constants",
    )
    growth.add_argument("--draws", type=positive, default=20, metavar="N", help="of uncertain constants (default: 20)")
    growth.add_argument("--seed", type=whole, default=0, metavar="N", help="of the draws")
    growth.add_argument("--plot", type=figure_path, metavar="FILE", help="mean and spread against time: .svg or .png")
    add_reading(growth)


def _injection(text: str) -> tuple[float, float]:
    minutes, sign, amount = text.partition(":")
    try:
        return number(minutes) * 60.0, number(amount)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"needs MIN:MMOL/L such as 5:10, got {text!r}{'' if sign else ' without a colon'}"
        ) from None


def _knots(text: str) -> tuple[tuple[float, float], ...]:
    try:
        knots = [tuple(number(word) for word in part.split(":")) for part in text.split(",")]
        return tuple((minutes * 60.0, celsius) for minutes, celsius in knots)
    except (ValueError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError(f"needs MIN:C,MIN:C such as 0:300,0.2:260, got {text!r}") from None


def _seeds(text: str) -> tuple[float, float, float]:
    parts = text.split(":")
    try:
        mean, sd, amount = (number(part) for part in parts)
    except (ValueError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError(f"needs NM:SD:UMOL/L such as 3:0.3:50, got {text!r}") from None
    if not (mean > 0 and 0 <= sd < mean / 2 and amount > 0):
        raise argparse.ArgumentTypeError(
            f"needs a diameter above 0, a spread below half of it and a number, got {text!r}"
        )
    return mean, sd, amount


def _growth(options: argparse.Namespace) -> int:
    from lampyris.probe.growth import kinetics_of

    for name, value, high in (("--minutes", options.minutes, 1e5), ("--draws", options.draws, 1000)):
        if not 0 < value <= high:
            raise UsageError(f"{name} needs a number above 0 and at most {high:g}, got {value:g}")
    kinetics, told = kinetics_of(options.material)
    if options.conversion is not None:
        # the user's own: no longer uncertain
        usual = told.pop("conversion_s")
    else:
        usual = told["conversion_s"]
    batch = _batch(options, usual.value if options.conversion is None else options.conversion)
    fitted = _fitted(options, batch, kinetics) if options.aliquots else None
    if fitted is not None:
        batch, kinetics = fitted.batch, fitted.kinetics
        # constants that aliquots have fixed are no longer drawn
        told = {"surface_energy_j_m2": told["surface_energy_j_m2"]}
    course, courses = _followed(options, batch, kinetics, told)
    document = _document(options, course, courses, told, fitted)
    if options.plot is not None:
        from lampyris.report.plots.growth import growth_plot

        title = f"{options.material}, {options.temperature:g} °C"
        save_scene(growth_plot(course, courses, title=title), options.plot)
        document["written"] = [options.plot]
    if options.json:
        print_json({"material": options.material, **document})
    else:
        _print(document)
    return 0


def _batch(options: argparse.Namespace, conversion_s: float) -> "Batch":
    from lampyris.probe.growth import Batch, Injection

    return Batch(
        options.monomer,
        options.temperature,
        seeds=_classes(options.seeds),
        injections=tuple(Injection(time, amount) for time, amount in options.inject),
        cool_to_c=options.cool_to,
        cooling_s=options.cooling,
        profile=options.profile,
        conversion_s=conversion_s,
    )


def _followed(
    options: argparse.Namespace, batch: "Batch", kinetics: "Kinetics", told: "dict[str, SourcedValue]"
) -> "tuple[Course, tuple[Course, ...]]":
    """The course, and those of drawn constants."""
    import numpy as np

    from lampyris.core.seeds import seed_sequence
    from lampyris.probe.growth import drawn_courses, grow

    end = options.minutes * 60.0
    times = np.geomspace(min(1.0, 1e-3 * end), end, _TIMES)
    forming = not options.no_nucleation
    try:
        course = grow(batch, kinetics, times, nucleation=forming)
    except ValueError as error:
        mend = "Shorten the batch, or bring monomer and seeds nearer to what flasks hold."
        finding = Finding("probe.growth", Severity.ERROR, Place(column="minutes"), f"{error}.", mend)
        raise InputError("The batch cannot be followed.", [finding]) from error
    rng = np.random.default_rng(seed_sequence("probe", "growth", options.material, str(options.seed)))
    return course, drawn_courses(batch, kinetics, told, times, draws=options.draws, rng=rng, nucleation=forming)


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
    from lampyris.cli.probe.aliquots import aliquots_of
    from lampyris.probe.growth import fit_aliquots

    read = aliquots_of(options.aliquots, options.material, options)
    values = read.time_s.size if read.spread_nm is None else 2 * read.time_s.size
    # the precursor's time constant is the user's where it is given
    free = options.conversion is None and values > 3
    try:
        return fit_aliquots(batch, kinetics, read, nucleation=not options.no_nucleation, conversion=free)
    except ValueError as error:
        mend = "Mend the table of aliquots, or describe the batch as it was."
        finding = Finding("probe.aliquots", Severity.ERROR, Place(options.aliquots.name), f"{error}.", mend)
        raise InputError("The aliquots cannot be fitted.", [finding]) from error


def _document(
    options: argparse.Namespace,
    course: "Course",
    courses: "tuple[Course, ...]",
    told: "dict[str, SourcedValue]",
    fitted: "AliquotFit | None",
) -> dict[str, Any]:
    from lampyris.probe.growth import advice, advice_range
    from lampyris.probe.growth.advice import band
    from lampyris.probe.growth.peaks import first_peaks

    found, over = advice(course), advice_range(courses)
    low, high = band(courses, "diameter_nm") if courses else (course.diameter_nm, course.diameter_nm)
    peaks = first_peaks(options.material, course.diameter_nm, low, high)
    document: dict[str, Any] = {
        "time_s": course.time_s.tolist(),
        "diameter_nm": course.diameter_nm.tolist(),
        "diameter_low_nm": low.tolist(),
        "diameter_high_nm": high.tolist(),
        "sd_nm": course.sd_nm.tolist(),
        "first_exciton_nm": peaks[0].tolist(),
        "first_exciton_low_nm": peaks[1].tolist(),
        "first_exciton_high_nm": peaks[2].tolist(),
        "number_nmol_l": course.number_nmol_l.tolist(),
        "monomer_mmol_l": course.monomer_mmol_l.tolist(),
        "precursor_mmol_l": course.precursor_mmol_l.tolist(),
        "critical_nm": course.critical_nm.tolist(),
        "stop_s": found.stop_s,
        "stop_diameter_nm": found.diameter_nm,
        "stop_spread": found.spread,
        "ripens_from_s": found.ripens_from_s,
        "still_narrowing": found.still_narrowing,
        "range": {
            name: estimate_entry(getattr(over, name)) for name in ("stop_s", "diameter_nm", "spread", "ripens_from_s")
        },
        "draws": over.draws,
        "draws_without_dots": over.without_dots,
        "draws_left_out": options.draws - over.draws,
        "constants": {
            name: {"value": one.value, "sd": one.sd, "unit": one.unit, "mark": one.mark, "source": one.source}
            for name, one in told.items()
        },
        "notes": [],
    }
    document["notes"] = _notes(options, document, peaks[0], told)
    if fitted is not None:
        document |= _fit_entries(fitted)
        document["notes"] += _fit_words(fitted)
    return document


def _notes(
    options: argparse.Namespace,
    document: dict[str, Any],
    peaks: "np.ndarray[Any, Any]",
    told: "dict[str, SourcedValue]",
) -> list[str]:
    constants = ", ".join(f"{name} {one.value:g} ± {one.sd:g} {one.unit} ({one.mark})" for name, one in told.items())
    notes = [
        f"Bands are the middle 95 % of {document['draws']} courses with constants drawn from their spread: {constants}."
    ]
    conditions = next(iter(told.values())).conditions
    if conditions.startswith("any other"):
        notes.append(f"No constants are known for {options.material}: those of CdSe stand in, with a wider spread.")
    if document["draws_left_out"]:
        notes.append(f"{document['draws_left_out']} draws could not be followed and are left out.")
    if document["draws_without_dots"]:
        notes.append(f"In {document['draws_without_dots']} of {document['draws']} draws no dots formed.")
    if not math.isfinite(document["stop_s"]):
        notes.append("No dots formed: more monomer, a lower temperature, a longer time or seeds are needed.")
    elif document["still_narrowing"]:
        notes.append("The spread still falls at the end: a longer batch may be narrower yet.")
    missing = sum(
        math.isnan(peak) and math.isfinite(size)
        for peak, size in zip(peaks.tolist(), document["diameter_nm"], strict=True)
    )
    if missing and not any(map(math.isfinite, peaks.tolist())):
        notes.append(f"{options.material} has no sizing curve at these sizes: no first absorption peaks.")
    elif missing:
        notes.append(f"{missing} of {len(peaks)} sizes are outside of the sizing curves: no peaks for them.")
    return notes


def _fit_entries(fitted: "AliquotFit") -> dict[str, Any]:
    entries: dict[str, Any] = {"reduced_chi2": fitted.fit.goodness.reduced_chi2, "fit_trusted": fitted.fit.trusted}
    for name in ("speed", "solubility", "conversion"):
        one = getattr(fitted, name)
        if one is not None:
            entries |= flat_entry(f"{name}_factor", one)
    return entries


def _fit_words(fitted: "AliquotFit") -> list[str]:
    factors = {
        "speed": fitted.speed,
        "solubility": fitted.solubility,
        "time constant of the precursor": fitted.conversion,
    }
    told = " and ".join(f"{band_text(one)} times the {name}" for name, one in factors.items() if one is not None)
    return [
        f"Aliquots ask for {told}; reduced chi2 {fitted.fit.goodness.reduced_chi2:.3g}.",
        *(f"Fit: {note}" for note in fitted.fit.notes()),
    ]


def _print(document: dict[str, Any]) -> None:
    columns = {
        "min": [time / 60 for time in document["time_s"]],
        "diameter nm": document["diameter_nm"],
        "low": document["diameter_low_nm"],
        "high": document["diameter_high_nm"],
        "spread %": [100 * sd / d for sd, d in zip(document["sd_nm"], document["diameter_nm"], strict=True)],
        "peak nm": document["first_exciton_nm"],
        "dots umol/l": [one / 1000 for one in document["number_nmol_l"]],
        "monomer mmol/l": document["monomer_mmol_l"],
    }
    rows: list[Sequence[Any]] = [tuple(columns)]
    for k in [*range(0, _TIMES - 1, 6), _TIMES - 1]:
        cells = [values[k] for values in columns.values()]
        rows.append(tuple("-" if math.isnan(cell) else cell for cell in cells))
    print_table(rows)
    if math.isfinite(document["stop_s"]):
        print(
            f"narrowest after {document['stop_s'] / 60:.3g} min: {document['stop_diameter_nm']:.3g} nm,"
            f" spread {100 * document['stop_spread']:.2g} %{_ripening(document)}"
        )
    over = document["range"]
    if over["stop_s"] is not None and math.isfinite(over["stop_s"]["value"]):
        stop, size, spread = over["stop_s"], over["diameter_nm"], over["spread"]
        print(
            f"over the draws: after {stop['value'] / 60:.3g} min ({stop['low'] / 60:.3g} to {stop['high'] / 60:.3g}),"
            f" {size['value']:.3g} nm ({size['low']:.3g} to {size['high']:.3g}),"
            f" spread {100 * spread['value']:.2g} % ({100 * spread['low']:.2g} to {100 * spread['high']:.2g})"
        )
    for line in document["notes"]:
        print(line)


def _ripening(document: dict[str, Any]) -> str:
    at = document["ripens_from_s"]
    return f"; the number of dots falls from {at / 60:.3g} min on" if math.isfinite(at) else ""
