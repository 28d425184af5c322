"""Answers to a question of design: how many animals, what power, or which effect, in numbers and in plain words."""

import dataclasses
import math
from collections.abc import Callable, Sequence

from scipy import optimize

from lampyris.core.power import PowerResult
from lampyris.statistics.power.question import KINDS, Kind, PowerQuestion, Sizes
from lampyris.statistics.power.shares import auc_error, share_width
from lampyris.statistics.power.simulation import simulated_power
from lampyris.statistics.thresholds import half_width

WANTED = 0.8
# beyond this many animals per group no experiment with animals goes
MOST = 100_000
# an exact test's power does not rise evenly: from the size given it must hold for as many more
_HOLDS = 4


def plan_power(question: PowerQuestion, /) -> PowerResult:
    """Answer a question of design.

    Without `n` it gives the units for the wanted power (0.8 where none is said), without `effect` the detectable effect, and
    with both the power.

    Parameters
    ----------
    question : PowerQuestion

    Returns
    -------
    PowerResult

    Raises
    ------
    ValueError
        If something needed is missing or out of range, or no number of animals reaches the power; every fault is named.

    Examples
    --------
    >>> from lampyris.statistics.power.pilot import Spread
    >>> found = plan_power(PowerQuestion("two-sample", effect=1.0, spread=Spread(0.8, math.inf, "given"), attrition=0.1))
    >>> found.n, found.allocated, round(found.power, 2)
    ((12, 12), (14, 14), 0.83)
    """
    if question.kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, got {question.kind!r}")
    kind = KINDS[question.kind]
    faults = _faults(question, kind)
    if faults:
        raise ValueError("; ".join(faults))
    solved, sizes, effect = "power", question.n, question.effect
    if not sizes:
        solved = "n"
        sizes = _sizes_for(question, kind)
    elif effect is None:
        solved = "effect"
        effect = _detectable(question, kind)
    sizes = _spread_out(sizes, _groups(question, kind))
    return _answer(question, kind, solved, sizes, float(effect if effect is not None else math.nan))


def _groups(q: PowerQuestion, kind: Kind) -> int:
    return kind.groups or len(q.means)


def _faults(q: PowerQuestion, kind: Kind) -> list[str]:
    faults = []
    for name in kind.needs:
        value = getattr(q, name)
        if value is None or value == () or (isinstance(value, float) and math.isnan(value)):
            faults.append(f"{q.kind} needs {_SAID.get(name, name)}")
    if not q.n and q.effect is None:
        faults.append("give the effect that matters, or the number of units to find the detectable effect")
    faults += _range_faults(q)
    if q.n and min(q.n) < kind.least:
        faults.append(f"{q.kind} needs at least {kind.least} units per group, got {min(q.n)}")
    if q.n and len(q.n) not in (1, _groups(q, kind)):
        faults.append(f"{q.kind} needs one number of units or {_groups(q, kind)}, got {len(q.n)}")
    if q.effect is not None:
        faults += _effect_faults(q)
    return faults


_SAID = {
    "spread": "a spread: a standard deviation, a pilot or a study",
    "means": "the pattern of the groups' means",
    "control": "what the control group is like: its share of events, or its median day",
    "days": "the days of the sessions",
    "sd_within": "the spread of the values within an animal",
}


def _range_faults(q: PowerQuestion) -> list[str]:
    faults = []
    if not 0 < q.alpha < 1:
        faults.append(f"alpha is between 0 and 1, got {q.alpha:g}")
    if q.power is not None and not q.alpha / max(q.endpoints, 1) < q.power < 1:
        faults.append(f"the wanted power is between alpha and 1, got {q.power:g}")
    if not 0 <= q.attrition < 1:
        faults.append(f"attrition is a share from 0 to below 1, got {q.attrition:g}")
    if q.endpoints < 1 or q.inside < 1:
        faults.append(f"endpoints and values per animal are at least 1, got {q.endpoints} and {q.inside}")
    if not q.ratio > 0:
        faults.append(f"the ratio of group sizes is above 0, got {q.ratio:g}")
    for sd in (q.sd, q.second_sd, q.sd_within):
        if sd is not None and not math.isnan(sd) and not 0 < sd < math.inf:
            faults.append(f"a standard deviation is above 0, got {sd:g}")
    if q.means and (len(q.means) < 2 or max(q.means) == min(q.means)):
        faults.append(f"the means need at least two groups that differ, got {q.means}")
    if q.days and min(q.days) <= 0:
        faults.append(f"sessions after the start are on days above 0, got {min(q.days):g}")
    return faults


def _effect_faults(q: PowerQuestion) -> list[str]:
    e = q.effect if q.effect is not None else math.nan
    if q.kind in ("correlation",) and not 0 < abs(e) < 1:
        return [f"a correlation is between -1 and 1 and not 0, got {e:g}"]
    if q.kind == "auc" and not 0.5 < e < 1:
        return [f"an area under the curve that is to be found is between 0.5 and 1, got {e:g}"]
    if q.kind == "shares" and not (0 <= e <= 1 and 0 <= q.control <= 1 and e != q.control):
        return [f"shares are from 0 to 1 and differ, got {q.control:g} and {e:g}"]
    if q.kind in ("log-rank", "onset") and not (e > 0 and e != 1):
        return [f"a hazard ratio is above 0 and not 1, got {e:g}"]
    if q.kind == "equivalence" and not e > abs(q.difference):
        return [f"the margin is above the true difference, got {e:g}"]
    if not math.isfinite(e) or e == 0:
        return [f"the effect is a number other than 0, got {e:g}"]
    return []


def _spread_out(sizes: Sizes, groups: int) -> Sizes:
    return sizes * groups if len(sizes) == 1 else sizes


def _sizes(q: PowerQuestion, kind: Kind, m: int) -> Sizes:
    groups = _groups(q, kind)
    if groups == 2 and q.ratio != 1:
        return m, max(math.ceil(m * q.ratio - 1e-9), kind.least)
    return (m,) * groups


def _sizes_for(q: PowerQuestion, kind: Kind) -> Sizes:
    wanted = q.power if q.power is not None else WANTED
    effect = q.effect if q.effect is not None else math.nan

    def enough(m: int) -> bool:
        holds = _HOLDS if q.kind == "shares" else 0
        return all(kind.power(_sizes(q, kind, m + k), effect, q.sd, q) >= wanted for k in range(holds + 1))

    high = kind.least
    limit = 400 if q.kind in ("shares", "onset") else MOST
    while not enough(high):
        if high >= limit:
            raise ValueError(
                f"even {limit} units per group give less than a power of {wanted:g}: the effect is too small for it"
            )
        high = min(2 * high, limit)
    return _sizes(q, kind, _least(enough, max(high // 2, kind.least), high))


def _least(enough: Callable[[int], bool], low: int, high: int) -> int:
    if enough(low):
        return low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _detectable(q: PowerQuestion, kind: Kind) -> float:
    wanted = q.power if q.power is not None else WANTED
    sizes = _spread_out(q.n, _groups(q, kind))
    start, end = kind.ends
    if q.kind == "shares":
        # towards fewer events, which is what a treatment is for
        start, end = q.control, 0.0
    elif q.kind == "equivalence":
        start = abs(q.difference)
    if math.isfinite(q.sd) and end > 1e3:
        end = start + 100 * max(q.sd, q.second_sd or 0.0, 0.0 if math.isnan(q.sd_within) else q.sd_within)
    if kind.power(sizes, end, q.sd, q) < wanted:
        raise ValueError(f"with {', '.join(map(str, sizes))} units no {kind.effect} gives a power of {wanted:g}")
    if q.kind in ("shares", "onset"):
        return _stepped(lambda e: kind.power(sizes, e, q.sd, q) >= wanted, start, end)
    near = start + 1e-9 * (end - start)
    return float(
        optimize.brentq(lambda e: kind.power(sizes, e, q.sd, q) - wanted, near, end, xtol=1e-8 * abs(end - start))
    )


def _stepped(enough: Callable[[float], bool], start: float, end: float) -> float:
    """Least effect, to a hundredth of the way, where power is known by steps or by simulation."""
    steps = [start + (end - start) * k / 100 for k in range(1, 101)]
    low, high = -1, len(steps) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(steps[middle]) else (middle, high)
    return steps[high]


def _answer(q: PowerQuestion, kind: Kind, solved: str, sizes: Sizes, effect: float) -> PowerResult:
    power = kind.power(sizes, effect, q.sd, q)
    allocated = tuple(math.ceil(n / (1 - q.attrition) - 1e-9) for n in sizes)
    ranged: tuple[float, ...] = ()
    assurance = math.nan
    if q.spread is not None and math.isfinite(q.spread.df):
        low, high = q.spread.interval()
        ranged = tuple(kind.power(sizes, effect, sd, q) for sd in (high, low))
        assurance = q.spread.average(lambda sd: kind.power(sizes, effect, sd, q))
    simulated = simulated_power(q, sizes, effect) if q.simulations else None
    result = PowerResult(
        q.kind,
        _test_name(q, kind),
        solved,
        _group_names(q, kind),
        sizes,
        allocated,
        power,
        ranged,
        effect,
        kind.effect,
        q.test_alpha,
        _assumptions(q, kind, effect),
        "",
        _curve(q, kind, sizes, effect),
        assurance,
        simulated,
    )
    return dataclasses.replace(result, sentence=_sentence(q, result))


def _test_name(q: PowerQuestion, kind: Kind) -> str:
    if q.kind == "two-sample" and q.second_sd is not None:
        return "Welch's t test"
    return kind.test.format(test={"fisher": "Fisher's", "boschloo": "Boschloo's unconditional"}.get(q.test, q.test))


def _group_names(q: PowerQuestion, kind: Kind) -> tuple[str, ...]:
    if q.kind == "paired":
        return ("pairs",)
    if q.kind == "correlation":
        return ("units",)
    if q.kind == "auc":
        return ("with the condition", "without it")
    if _groups(q, kind) == 2 and q.kind not in ("anova", "kruskal"):
        return ("first group", "second group")
    return tuple(f"group {k + 1}" for k in range(_groups(q, kind)))


def _curve(q: PowerQuestion, kind: Kind, sizes: Sizes, effect: float) -> tuple[tuple[int, float], ...]:
    ratios = [n / sizes[0] for n in sizes]
    top = max(2 * sizes[0], kind.least + 8)
    many = 8 if q.kind == "onset" else 30
    at = sorted(
        {max(kind.least, round(kind.least + (top - kind.least) * k / many)) for k in range(many + 1)} | {sizes[0]}
    )
    rows = []
    for m in at:
        own = tuple(max(kind.least, round(m * ratio)) for ratio in ratios)
        rows.append((m, kind.power(own, effect, q.sd, q)))
    return tuple(rows)


def _assumptions(q: PowerQuestion, kind: Kind, effect: float) -> tuple[str, ...]:
    said = [
        f"alpha {q.test_alpha:.3g}, two-sided" if q.kind != "equivalence" else f"alpha {q.test_alpha:.3g} for each side"
    ]
    if q.endpoints > 1:
        said.append(
            f"alpha {q.alpha:g} divided evenly among {q.endpoints} endpoints; Holm's procedure does at least as well"
        )
    said += _spread_words(q)
    if q.kind in ("log-rank", "onset"):
        said.append(
            f"half of the control group has the event by day {q.control:g}; Weibull law of shape {q.shape:g}; "
            f"proportional hazards; looked at up to day {max(q.days):g}"
        )
    if q.kind == "onset":
        said.append(
            f"sessions on days {', '.join(f'{day:g}' for day in q.days)}; by {q.simulations or 400} simulated experiments"
        )
    if q.kind == "log-rank":
        said.append("Schoenfeld's formula: right for many events; with few, or events seen in sessions only, use onset")
    if q.kind == "nested":
        said.append(
            f"{q.inside} values per animal with a spread of {q.sd_within:g} within it; the animal is the unit, as many "
            "values in each"
        )
    if q.kind in ("anova", "kruskal"):
        said.append(f"pattern of the means {', '.join(f'{one:g}' for one in q.means)}")
    if q.kind == "kruskal":
        said.append(
            "normal values: rank tests there need 1.05 times the animals of F; at worst, whatever the law, 1.16 times"
        )
    if q.kind == "equivalence":
        said.append(f"true difference {q.difference:g}")
    if q.kind == "shares":
        said.append(
            f"share in the first group {q.control:g}; every outcome counted, and power does not rise evenly with n"
        )
    if q.kind == "auc":
        said.append("Hanley and McNeil's variance")
    if q.attrition:
        said.append(f"{100 * q.attrition:g} % of the units lost for reasons that have nothing to do with the outcome")
    return tuple(said)


def _spread_words(q: PowerQuestion) -> list[str]:
    if q.spread is None:
        return []
    if math.isinf(q.spread.df):
        words = f"standard deviation {q.spread.sd:.3g} taken as known ({q.spread.source})"
        return [words + (f", and {q.second_sd:g} in the second group" if q.second_sd is not None else "")]
    low, high = q.spread.interval()
    return [
        f"standard deviation {q.spread.sd:.3g} from {q.spread.source} ({q.spread.df:g} degrees of freedom, 95 % {low:.3g} to "
        f"{high:.3g}); its upper {100 * q.confidence:g} % limit {q.sd:.3g} is used"
    ]


def _sentence(q: PowerQuestion, found: PowerResult) -> str:
    """What the numbers mean."""
    sizes = _size_words(found)
    power = f"{found.power * 100:.0f} of 100"
    if q.kind == "equivalence":
        core = f"equivalence within {found.effect:.3g} would be shown in {power} such experiments"
    else:
        core = f"a true {found.effect_name} of {found.effect:.3g} would be found (p below {found.alpha:.3g}) in {power} such experiments"
    text = f"With {sizes}, {core}."
    if found.allocated != found.n:
        loss = f"{100 * q.attrition:g} %"
        text += (
            f" To have them at the end, begin with {' and '.join(map(str, _distinct(found.allocated)))} (loss {loss})."
        )
    if found.power_range:
        low, high = found.power_range
        text += f" The pilot knows the spread only roughly: power may be from {low:.2f} to {high:.2f}, "
        text += f"and {found.assurance:.2f} on average."
    if found.solved == "power" and found.power < WANTED:
        text += " That is less than the usual 80 of 100: a result without significance would say little."
    return text


def _size_words(found: PowerResult) -> str:
    if len(found.n) == 1:
        return f"{found.n[0]} {found.groups[0]}"
    if len(set(found.n)) == 1:
        return f"{found.n[0]} units in each of {len(found.n)} groups"
    return " and ".join(f"{n} units ({name})" for n, name in zip(found.n, found.groups, strict=True))


def _distinct(sizes: Sequence[int]) -> Sequence[int]:
    return sizes[:1] if len(set(sizes)) == 1 else sizes


def plan_share_width(share: float, width: float, /, *, attrition: float = 0.0, level: float = 0.95) -> PowerResult:
    """Units for an interval of a share, such as a sensitivity, that is on average no wider than asked.

    Parameters
    ----------
    share : float
        Expected.
    width : float
        Of the whole interval.
    attrition : float
    level : float

    Returns
    -------
    PowerResult
        With the width as its effect and no power.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> plan_share_width(0.9, 0.2).n
    (35,)
    """
    if not (0 <= share <= 1 and 0 < width < 1 and 0 <= attrition < 1):
        raise ValueError(f"share, width and attrition are between 0 and 1, got {share:g}, {width:g}, {attrition:g}")
    high = 2
    while share_width(high, share, level=level) > width:
        high *= 2
    n = _least(lambda m: share_width(m, share, level=level) <= width, max(high // 2, 1), high)
    text = (
        f"With {n} units of known state, a share of about {share:g} would be known to a {100 * level:g} % interval of about "
        f"{share_width(n, share, level=level):.2f} from end to end."
    )
    allocated = (math.ceil(n / (1 - attrition) - 1e-9),)
    assumed = (
        f"expected share {share:g}; Wilson's interval, its width averaged over the outcomes",
        "one value per unit",
    )
    return PowerResult(
        "sensitivity", "width of Wilson's interval", "n", ("units",), (n,), allocated, math.nan, (),
        share_width(n, share, level=level), "width of the interval", 1 - level, assumed, text,
    )  # fmt: skip


def plan_auc_width(
    auc: float, width: float, /, *, ratio: float = 1.0, attrition: float = 0.0, level: float = 0.95
) -> PowerResult:
    """Units for an interval of an area under the ROC curve that is no wider than asked.

    Parameters
    ----------
    auc : float
        Expected.
    width : float
        Of the whole normal interval.
    ratio : float
        Units without the condition over those with it.
    attrition : float
    level : float

    Returns
    -------
    PowerResult
        With the width as its effect and no power.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> plan_auc_width(0.85, 0.2).n
    (30, 30)
    """
    if not (0.5 <= auc < 1 and 0 < width < 1 and 0 <= attrition < 1 and ratio > 0):
        raise ValueError(
            f"the area is from 0.5 to below 1, width and attrition are between 0 and 1, got {auc:g}, {width:g}, {attrition:g}"
        )

    def sizes(m: int) -> tuple[int, int]:
        return m, max(math.ceil(m * ratio - 1e-9), 2)

    def wide(m: int) -> float:
        return 2 * half_width(level) * auc_error(sizes(m), auc)

    high = 2
    while wide(high) > width:
        high *= 2
    n = sizes(_least(lambda m: wide(m) <= width, max(high // 2, 2), high))
    text = (
        f"With {n[0]} units with the condition and {n[1]} without it, an area of about {auc:g} would be known to a "
        f"{100 * level:g} % interval of about {wide(n[0]):.2f} from end to end."
    )
    allocated = tuple(math.ceil(one / (1 - attrition) - 1e-9) for one in n)
    assumed = (f"expected area {auc:g}; Hanley and McNeil's variance, normal interval", "one value per unit")
    return PowerResult(
        "auc", "width of the interval of an area under the ROC curve", "n", ("with the condition", "without it"), n, allocated,
        math.nan, (), wide(n[0]), "width of the interval", 1 - level, assumed, text,
    )  # fmt: skip
