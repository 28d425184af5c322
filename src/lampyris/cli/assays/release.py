"""Kind release of the verb assay: drug release curves to models, similarity factors and what pH does."""

import argparse
import math
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import above_zero, add_reading, add_where, whole
from lampyris.cli.entries import estimate_entry, flat_entry
from lampyris.cli.figures import save_scene
from lampyris.cli.output import finding_entry, print_findings, print_json, print_table, print_written
from lampyris.core.errors import InputError, UsageError
from lampyris.core.finding import Finding, Place, Severity

if TYPE_CHECKING:
    from lampyris.cli.assays.release_columns import Curve, Curves
    from lampyris.core.estimate import Estimate
    from lampyris.probe.release import Loading, ModelFit, ReleaseFits, Similarity, Trigger

SHAPES = ("sphere", "cylinder", "film")
# what an option is where it was not said: other kinds refuse the rest
_DEFAULTS: dict[str, Any] = {
    "time": "", "released": "", "vessel": "", "formulation": "", "condition": "", "reference": "", "at": None,
    "shape": "sphere", "plateau": False, "weights": "constant", "seed": 0, "added": None, "free": None, "carrier": None,
    "where": [], "sheet": "", "prism_table": "", "decimal": "",
}  # fmt: skip
_MASS = re.compile(
    r"(?P<value>[\d.]+(?:[eE][+-]?\d+)?)\s*(?:(?:±|\+-|\+/-)\s*(?P<sd>[\d.]+(?:[eE][+-]?\d+)?))?(?:\s*mg)?"
)


def add_options(parser: argparse.ArgumentParser, /) -> None:
    """Options of release."""
    group = parser.add_argument_group("release")
    group.add_argument("--time", metavar="COLUMN", default="", help="column of times (default: time_h, time_min, ...)")
    group.add_argument("--released", metavar="COLUMN", default="", help="column of cumulative percent released")
    group.add_argument("--vessel", metavar="COLUMN", default="", help="column of the vessel, the unit of replication")
    group.add_argument("--formulation", metavar="COLUMN", default="", help="column of the formulation; else the file")
    group.add_argument("--condition", metavar="COLUMN", default="", help="column of the condition (default: pH)")
    group.add_argument(
        "--reference", metavar="NAME", default="", help="curve that others are compared with (default: the first)"
    )
    group.add_argument(
        "--at", type=_hours, metavar="H", help="time at which conditions are compared (default: the last)"
    )
    group.add_argument(
        "--shape",
        choices=SHAPES,
        default="sphere",
        help="of the carrier: gives the exponent its meaning (default: sphere)",
    )
    group.add_argument("--plateau", action="store_true", help="fit the total released in place of 100 %%")
    group.add_argument(
        "--weights",
        choices=("constant", "replicates"),
        default="constant",
        help="scatter of points (default: constant)",
    )
    group.add_argument("--seed", type=whole, metavar="N", default=0, help="of the bootstrap (default: 0)")
    group.add_argument("--added", type=_mass, metavar="MG", help="drug added, such as 5.0+-0.1: states the loading")
    group.add_argument("--free", type=_mass, metavar="MG", help="drug that was not held, filtrate and washes together")
    group.add_argument("--carrier", type=_mass, metavar="MG", help="mass of the empty carrier")
    add_reading(group)
    add_where(group)


def refuse_options(options: argparse.Namespace, /) -> None:
    """Refuse options of release where another kind was asked for.

    Raises
    ------
    UsageError
        With their names.
    """
    said = [name for name, default in _DEFAULTS.items() if getattr(options, name) != default]
    if said:
        names = ", ".join("--" + {"prism_table": "table"}.get(name, name) for name in said)
        raise UsageError(f"{names} belong{'s' if len(said) == 1 else ''} to assay release, not to {options.kind}")


def _hours(text: str) -> float:
    return above_zero(text, what="hours")


def _mass(text: str) -> tuple[float, float]:
    found = _MASS.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError(text)
        return float(found["value"]), float(found["sd"] or 0.0)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"needs a mass in mg such as 5.0+-0.1, got {text!r}") from error


def analyse_release(options: argparse.Namespace, /) -> int:
    """Read, fit, compare and print."""
    import numpy as np

    from lampyris.cli.assays.release_columns import read_curves

    loading = _loading(options)
    read = read_curves(options.paths, options)
    curves = _reference_first(read.curves, options.reference)
    fits = [_fitted(one, options) for one in curves]
    rng = np.random.default_rng(options.seed)
    similarities = _similarities(curves, rng)
    triggers = _triggers(curves, options.at)
    drawn = _draw(fits, options.plot)
    if options.json:
        print_json(_document(read, curves, fits, similarities, triggers, loading, drawn))
    else:
        _print(read, fits, similarities, triggers, loading)
        print_written(drawn)
    return 0


def _fitted(curve: "Curve", options: argparse.Namespace) -> "ReleaseFits":
    from lampyris.probe.release import fit_release

    try:
        return fit_release(curve.profile, plateau=options.plateau, shape=options.shape, weights=options.weights)
    except ValueError as error:
        mend = "Measure more times, most of them early, or leave --plateau out."
        finding = Finding("release.too-few", Severity.ERROR, Place(curve.file), f"{error}.", mend)
        raise InputError("a curve cannot be fitted", (finding,)) from error


def _loading(options: argparse.Namespace) -> "Loading | None":
    masses = [getattr(options, name) for name in ("added", "free", "carrier")]
    if all(mass is None for mass in masses):
        return None
    if any(mass is None for mass in masses):
        raise UsageError("the loading needs all of --added, --free and --carrier")
    import numpy as np

    from lampyris.probe.release import drug_loading

    try:
        return drug_loading(*masses, rng=np.random.default_rng(options.seed))
    except ValueError as error:
        raise UsageError(f"--added, --free and --carrier: {error}") from error


def _reference_first(curves: Sequence["Curve"], name: str) -> list["Curve"]:
    """Curves with the reference in front."""
    if not name:
        return list(curves)
    chosen = [one for one in curves if name in (one.profile.name, one.formulation)]
    if not chosen:
        names = ", ".join(one.profile.name for one in curves)
        finding = Finding(
            "release.no-reference",
            Severity.ERROR,
            Place(column="--reference"),
            f"there is no curve {name!r}.",
            f"Curves are: {names}.",
        )
        raise InputError("the reference is not among the curves", (finding,))
    return [chosen[0], *(one for one in curves if one is not chosen[0])]


def _similarities(curves: Sequence["Curve"], rng: Any) -> list["Similarity"]:
    from lampyris.probe.release import compare_profiles

    return [compare_profiles(curves[0].profile, one.profile, rng=rng) for one in curves[1:]]


def _triggers(curves: Sequence["Curve"], at_h: float | None) -> list["Trigger"]:
    """Conditions of each formulation beside its least acid one, or beside the reference where the condition is no pH."""
    from lampyris.probe.release import compare_conditions

    found = []
    for formulation in dict.fromkeys(one.formulation for one in curves):
        own = [one for one in curves if one.formulation == formulation]
        if all(math.isfinite(one.acidity) for one in own):
            own = sorted(own, key=lambda one: -one.acidity)
        for one in own[1:]:
            try:
                found.append(compare_conditions(own[0].profile, one.profile, at_h=at_h))
            except ValueError as error:
                place = Place(one.file, None, "--at")
                finding = Finding(
                    "release.no-shared-time", Severity.ERROR, place, f"{error}.", "Say --at with a time that both have."
                )
                raise InputError("conditions cannot be compared", (finding,)) from error
    if at_h is not None and not found:
        raise UsageError("--at compares conditions, and no formulation has two")
    return found


def _draw(fits: Sequence["ReleaseFits"], path: Path | None) -> list[Path]:
    if path is None:
        return []
    from lampyris.report.plots.release import release_plot

    return [save_scene(release_plot(fits), path)]


def _document(
    read: "Curves",
    curves: Sequence["Curve"],
    fits: Sequence["ReleaseFits"],
    similarities: Sequence["Similarity"],
    triggers: Sequence["Trigger"],
    loading: "Loading | None",
    drawn: Sequence[Path],
) -> dict[str, Any]:
    first = similarities[0] if similarities else None
    return {
        "reference": fits[0].profile.name,
        "model": fits[0].best.model.name,
        "parameters": _parameters(fits[0].best),
        "f1": first.f1 if first else None,
        "f2": first.f2.value if first else None,
        "f2_low": first.f2.low if first else None,
        "f2_high": first.f2.high if first else None,
        "profiles": [_profile(curve, one) for curve, one in zip(curves, fits, strict=True)],
        "similarity": [_similarity(one) for one in similarities],
        "triggers": [_trigger(one) for one in triggers],
        "loading": _loading_entry(loading) if loading else None,
        "warnings": [f"{one.profile.name}: {words}" for one in fits for words in one.warnings],
        "findings": [finding_entry(one) for one in read.findings],
        "notes": list(read.notes),
        "written": drawn,
    }


def _parameters(fit: "ModelFit") -> list[dict[str, Any]]:
    return [{"name": name, **estimate_entry(one)} for name, one in fit.parameters]


def _profile(curve: "Curve", one: "ReleaseFits") -> dict[str, Any]:
    return {
        "name": one.profile.name,
        "formulation": curve.formulation,
        "condition": curve.condition,
        "design": one.design.sentence(),
        "model": one.best.model.name,
        "parameters": _parameters(one.best),
        "models": [_model(fit) for fit in one.whole],
        "early_models": [_model(fit) for fit in one.early],
        "mechanism": one.mechanism,
        "vessels_differ": one.clustered,
        "vessels_differ_p": one.cluster_p,
        "lack_of_fit_p": one.lack_of_fit_p,
        "t50_h": estimate_entry(one.half_time_h),
        "mean_dissolution_time_h": estimate_entry(one.mean_time_h),
        "efficiency_percent": estimate_entry(one.efficiency),
        "course": [{"time_h": t.time_h, "n": t.n, "mean": t.mean, "sd": t.sd} for t in one.course],
        "warnings": list(one.warnings),
        "notes": list(one.notes),
    }


def _model(fit: "ModelFit") -> dict[str, Any]:
    return {
        "model": fit.model.name,
        "formula": fit.model.formula,
        "reference": fit.model.reference,
        "delta_aicc": fit.delta,
        "weight": fit.weight,
        "residual_sd": fit.residual_sd,
        "points": fit.points,
        "parameters": _parameters(fit),
        "notes": list(fit.notes),
        "skipped": fit.skipped,
    }


def _similarity(one: "Similarity") -> dict[str, Any]:
    return {
        "reference": one.reference,
        "test": one.test,
        "f1": one.f1,
        **flat_entry("f2", one.f2),
        "level": one.f2.level,
        "method": one.f2.method,
        "verdict": one.verdict,
        "times_h": list(one.times_h),
        "vessels": list(one.vessels),
        "notes": list(one.notes),
    }


def _trigger(one: "Trigger") -> dict[str, Any]:
    return {
        "resting": one.resting,
        "triggered": one.triggered,
        "at_h": one.at_h,
        "difference_percent": estimate_entry(one.difference),
        "mean_dissolution_time_difference_h": estimate_entry(one.mean_time_difference),
        "verdict": one.verdict,
        "notes": list(one.notes),
    }


def _loading_entry(one: "Loading") -> dict[str, Any]:
    return {
        "encapsulation_percent": estimate_entry(one.encapsulation),
        "content_percent": estimate_entry(one.content),
        "held_mg": estimate_entry(one.held_mg),
        "notes": list(one.notes),
    }


def _print(
    read: "Curves",
    fits: Sequence["ReleaseFits"],
    similarities: Sequence["Similarity"],
    triggers: Sequence["Trigger"],
    loading: "Loading | None",
) -> None:
    if loading is not None:
        print("loading (95 % intervals):")
        names = ("encapsulation, %", "drug in the loaded carrier, %", "drug held, mg")
        estimates = (loading.encapsulation, loading.content, loading.held_mg)
        print_table((f"  {name}", _interval(one)) for name, one in zip(names, estimates, strict=True))
        _print_lines(loading.notes)
    for one in fits:
        _print_fits(one)
    for pair in similarities:
        f1 = "-" if math.isnan(pair.f1) else f"{pair.f1:.1f}"
        print(
            f"{pair.test} beside {pair.reference}: f1 {f1}, f2 {_interval(pair.f2)} at {100 * pair.f2.level:.0f} %: {pair.verdict}"
        )
        print(f"  times compared, h: {', '.join(f'{time:g}' for time in pair.times_h) or 'none'}")
        _print_lines(pair.notes)
    for each in triggers:
        print(
            f"{each.triggered} less {each.resting} at {each.at_h:g} h: {_interval(each.difference)} % released: {each.verdict}"
        )
        print(f"  mean dissolution time: {_interval(each.mean_time_difference)} h")
        _print_lines(each.notes)
    _print_lines(read.notes)
    print_findings(read.findings, stream=sys.stdout)


def _print_fits(one: "ReleaseFits") -> None:
    best = one.best
    print(f"{one.profile.name}: {best.model.title}, {best.model.formula} (Akaike weight {best.weight:.2f})")
    print(f"  {one.design.sentence()}")
    print_table((f"  {name}", _interval(value), value.unit, value.method) for name, value in best.parameters)
    print("  models of the whole curve:")
    print_table([("    model", "delta AICc", "weight", "residual sd, %"), *_rows(one.whole)])
    if one.early:
        print("  models of the first 60 %:")
        print_table([("    model", "delta AICc", "weight", "residual sd, %"), *_rows(one.early)])
        power = next((fit for fit in one.early if fit.model.name == "korsmeyer-peppas" and not fit.skipped), None)
        if power is not None:
            print(f"  exponent of Korsmeyer-Peppas {_interval(power['n'])}: {one.mechanism}")
    print(f"  t50 {_interval(one.half_time_h)} h, mean dissolution time {_interval(one.mean_time_h)} h")
    for words in one.warnings:
        print(f"  warning: {words}")
    _print_lines((*best.notes, *one.notes))


def _rows(fits: Sequence["ModelFit"]) -> Iterator[tuple[str, str, str, str]]:
    for one in fits:
        if one.skipped:
            yield f"    {one.model.title}", "-", "-", one.skipped
        else:
            yield f"    {one.model.title}", f"{one.delta:.1f}", f"{one.weight:.3f}", f"{one.residual_sd:.2f}"


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(f"  {line}")


def _interval(one: "Estimate") -> str:
    if math.isnan(one.value):
        return "-"
    if one.low == one.high:
        return f"{one.value:.4g} (held)" if one.sd == 0 else f"{one.value:.4g}"
    if math.isinf(one.low) and math.isinf(one.high):
        return f"{one.value:.4g} (no interval)"
    return f"{one.value:.4g} ({one.low:.4g} to {one.high:.4g})"
