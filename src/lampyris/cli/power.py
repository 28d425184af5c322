"""Verb of the design of an experiment: power."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from lampyris.cli.arguments import AddVerb, add_reading, add_where, figure_path, number, numbers, positive, whole
from lampyris.cli.figures import save_scene
from lampyris.cli.output import print_json, print_table
from lampyris.cli.tables import rows_where, table_read
from lampyris.core.errors import UsageError

if TYPE_CHECKING:
    from lampyris.core.power import PowerResult
    from lampyris.statistics.power import PowerQuestion, Spread

# as lampyris.statistics.power has them, which --help must not load
KINDS = (
    "two-sample", "paired", "anova", "kruskal", "correlation", "equivalence", "shares", "log-rank", "onset", "nested", "auc",
    "sensitivity",
)  # fmt: skip


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
    power = verb("power", _power, "how many animals, what power, or which effect a design can show")
    power.add_argument("kind", metavar="KIND", choices=KINDS, help=", ".join(KINDS))
    power.add_argument(
        "--effect",
        type=number,
        metavar="E",
        help="difference, correlation, margin, second share, hazard ratio, AUC or share",
    )
    power.add_argument(
        "--n", type=_sizes, default=(), metavar="N[,N]", help="units per group; left out, they are found"
    )
    power.add_argument("--power", type=number, metavar="P", help="wanted power (default: 0.8)")
    power.add_argument("--sd", type=number, metavar="SD", help="standard deviation within groups, taken as known")
    power.add_argument("--second-sd", type=number, metavar="SD", help="of the second group: Welch's test")
    power.add_argument(
        "--pilot", type=Path, metavar="TABLE", help="take the spread from a table, with --value and --group"
    )
    power.add_argument("--value", metavar="V", help="column of the pilot's values")
    power.add_argument("--group", default="", metavar="G", help="column of the pilot's groups")
    power.add_argument(
        "--subject", default="", metavar="S", help="column of the pilot's animals; several rows of one are averaged"
    )
    power.add_argument("--from-study", type=Path, metavar="DIR", help="take the spread from an analysed study")
    power.add_argument("--endpoint", default="", metavar="NAME", help="which of the study's endpoints")
    _add_design(power)


def _add_design(power: argparse.ArgumentParser) -> None:
    """What is assumed of the design, and what is done with the answer."""
    power.add_argument(
        "--confidence",
        type=number,
        default=0.8,
        metavar="C",
        help="upper limit of a pilot's spread that is used (default: 0.8)",
    )
    power.add_argument(
        "--alpha", type=number, default=0.05, metavar="A", help="for all endpoints together (default: 0.05)"
    )
    power.add_argument(
        "--endpoints", type=positive, default=1, metavar="K", help="among which alpha is divided (default: 1)"
    )
    power.add_argument(
        "--attrition", type=number, default=0.0, metavar="A", help="share of animals expected to be lost"
    )
    power.add_argument(
        "--ratio", type=number, default=1.0, metavar="R", help="second group's size over the first's (default: 1)"
    )
    power.add_argument(
        "--means", type=numbers, default=(), metavar="A,B,...", help="pattern of means, for anova and kruskal"
    )
    power.add_argument(
        "--control", type=number, default=math.nan, metavar="X", help="first group's share, or its median day of onset"
    )
    power.add_argument(
        "--days", type=numbers, default=(), metavar="D,D,...", help="days of the sessions; the last ends follow-up"
    )
    power.add_argument(
        "--shape", type=number, default=1.0, metavar="K", help="of the Weibull law of onset (default: 1)"
    )
    power.add_argument(
        "--sd-within", type=number, default=math.nan, metavar="SD", help="of values of one animal, for nested"
    )
    power.add_argument("--inside", type=positive, default=1, metavar="M", help="values per animal, for nested")
    power.add_argument("--true-difference", type=number, default=0.0, metavar="D", help="for equivalence (default: 0)")
    power.add_argument("--test", choices=("fisher", "boschloo"), default="fisher", help="for shares (default: fisher)")
    power.add_argument(
        "--width", type=number, metavar="W", help="wanted width of the interval, for sensitivity and auc"
    )
    power.add_argument("--simulate", type=whole, default=0, metavar="N", help="check by as many simulated experiments")
    power.add_argument(
        "--seed", type=whole, default=1, metavar="N", help="what simulations are drawn from (default: 1)"
    )
    add_reading(power)
    add_where(power)
    power.add_argument("--plot", type=figure_path, metavar="FILE", help="draw power over animals: .svg or .png")


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(positive(part.strip()) for part in text.split(","))


def _power(options: argparse.Namespace) -> int:
    from lampyris.statistics.power import plan_auc_width, plan_power, plan_share_width

    spread, notes = _spread(options)
    try:
        if options.kind == "sensitivity":
            if options.effect is None or options.width is None:
                raise UsageError("sensitivity needs the expected share as --effect, and --width.")
            result = plan_share_width(options.effect, options.width, attrition=options.attrition)
        elif options.kind == "auc" and options.width is not None:
            if options.effect is None:
                raise UsageError("the width of an interval of an area needs the expected area as --effect.")
            result = plan_auc_width(options.effect, options.width, ratio=options.ratio, attrition=options.attrition)
        else:
            result = plan_power(_question(options, spread))
    except ValueError as error:
        raise UsageError(f"{error}.") from error
    if options.plot:
        _draw(result, options.plot)
    if options.json:
        print_json(_document(result, notes))
    else:
        _print(result, notes)
    return 0


def _question(options: argparse.Namespace, spread: "Spread | None") -> "PowerQuestion":
    from lampyris.statistics.power import PowerQuestion

    return PowerQuestion(
        options.kind,
        n=options.n,
        power=options.power,
        effect=options.effect,
        spread=spread,
        second_sd=options.second_sd,
        alpha=options.alpha,
        endpoints=options.endpoints,
        attrition=options.attrition,
        ratio=options.ratio,
        means=options.means,
        control=options.control,
        days=options.days,
        shape=options.shape,
        sd_within=options.sd_within,
        inside=options.inside,
        difference=options.true_difference,
        test=options.test,
        confidence=options.confidence,
        simulations=options.simulate,
        seed=options.seed,
    )


def _spread(options: argparse.Namespace) -> "tuple[Spread | None, tuple[str, ...]]":
    from lampyris.statistics.power import Spread, pooled_from_summary

    given = [name for name in ("sd", "pilot", "from_study") if getattr(options, name) is not None]
    if len(given) > 1:
        raise UsageError("a spread comes from one place: --sd, --pilot or --from-study.")
    if not 0 < options.confidence < 1:
        raise UsageError(f"--confidence is between 0 and 1, got {options.confidence:g}.")
    if not given:
        return None, ()
    if given == ["sd"]:
        return Spread(options.sd, math.inf, "as given"), ()
    from lampyris.io.pilot_columns import pilot_summary, study_summary

    if options.pilot is not None:
        if not options.value:
            raise UsageError("--pilot needs --value, the column of its values.")
        table = table_read(options.pilot, options)
        for condition in options.where:
            table = rows_where(table, condition)
        found = pilot_summary(table, value=options.value, group=options.group, subject=options.subject)
    else:
        found = study_summary(options.from_study, endpoint=options.endpoint)
    try:
        return pooled_from_summary(found.n, found.sd, source=found.source), found.notes
    except ValueError as error:
        raise UsageError(f"{found.source}: {error}.") from error


def _draw(result: "PowerResult", path: Path) -> None:
    from lampyris.report.plots.power import power_figure

    try:
        scene = power_figure(result)
    except ValueError as error:
        raise UsageError(f"{error}.") from error
    save_scene(scene, path)


def _document(result: "PowerResult", notes: tuple[str, ...]) -> dict[str, object]:
    check = result.simulated
    return {
        "kind": result.kind,
        "test": result.test,
        "solved": result.solved,
        "groups": result.groups,
        "n": result.n[0],
        "n_by_group": result.n,
        "n_total": sum(result.n),
        "allocated": result.allocated,
        "power": result.power,
        "power_low": result.power_range[0] if result.power_range else None,
        "power_high": result.power_range[1] if result.power_range else None,
        "assurance": result.assurance,
        "effect": result.effect,
        "effect_name": result.effect_name,
        "alpha": result.alpha,
        "assumptions": result.assumptions,
        "meaning": result.sentence,
        "curve": [{"n": n, "power": power} for n, power in result.curve],
        "simulated": {"power": check.value, "low": check.low, "high": check.high} if check else None,
        "warnings": notes,
    }


def _print(result: "PowerResult", notes: tuple[str, ...]) -> None:
    print(result.sentence)
    rows: list[tuple[str, object]] = [("test", result.test), (result.effect_name, result.effect)]
    rows += [(f"n, {name}", n) for name, n in zip(result.groups, result.n, strict=True)]
    if result.allocated != result.n:
        rows += [(f"allocate, {name}", n) for name, n in zip(result.groups, result.allocated, strict=True)]
    if math.isfinite(result.power):
        rows.append(("power", result.power))
    if result.power_range:
        rows.append(("power, 95 % of the spread", f"{result.power_range[0]:.3g} to {result.power_range[1]:.3g}"))
        rows.append(("power, on average", result.assurance))
    if result.simulated is not None:
        check = result.simulated
        rows.append(("power, simulated", f"{check.value:.3g} ({check.low:.3g} to {check.high:.3g})"))
    print_table(rows)
    for one in result.assumptions:
        print(f"assumed: {one}")
    for note in notes:
        print(f"note: {note}")
