"""What is asked of an experiment's design, and the tests whose power is known."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from lampyris.statistics.power import means, nested, onsets, shares
from lampyris.statistics.power.pilot import Spread

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PowerQuestion:
    """A design with one of its numbers open.

    Parameters
    ----------
    kind : str
        Key of `KINDS`.
    n : tuple of int
        Units per group that are analysed; one number stands for all groups. Empty: asked for.
    power : float or None
        Wanted, or asked for where `n` and `effect` are given.
    effect : float or None
        In the terms of the kind; asked for where it is None.
    spread : Spread or None
        Within groups (of the differences for ``paired``; between animals for ``nested``).
    second_sd : float or None
        Spread of the second group, for Welch's test.
    alpha : float
        For all endpoints together.
    endpoints : int
        Among which alpha is divided evenly, the most cautious way.
    attrition : float
        Share of the units expected to be lost before they count.
    ratio : float
        Units of the second group over those of the first.
    means : tuple of float
        Pattern of the groups' means, for several groups.
    control : float
        What the first group is like: its share of events, or its median day of onset.
    days : tuple of float
        Of the sessions; the last is the end of follow-up.
    shape : float
        Of the Weibull law of an onset.
    sd_within : float
        Spread of the values within an animal, for ``nested``.
    inside : int
        Values per animal.
    difference : float
        True difference where equivalence is shown.
    test : str
        ``fisher`` or ``boschloo``, for shares.
    confidence : float
        A spread from a pilot is taken at this upper limit; 0.5 takes about its median.
    simulations, seed : int
        Of checks, and of what can only be simulated; 0 simulations leaves the check out.
    """

    kind: str
    n: Sizes = ()
    power: float | None = None
    effect: float | None = None
    spread: Spread | None = None
    second_sd: float | None = None
    alpha: float = 0.05
    endpoints: int = 1
    attrition: float = 0.0
    ratio: float = 1.0
    means: tuple[float, ...] = ()
    control: float = math.nan
    days: tuple[float, ...] = ()
    shape: float = 1.0
    sd_within: float = math.nan
    inside: int = 1
    difference: float = 0.0
    test: str = "fisher"
    confidence: float = 0.8
    simulations: int = 0
    seed: int = 1

    @property
    def test_alpha(self) -> float:
        """Alpha of one endpoint's test."""
        return self.alpha / self.endpoints

    @property
    def sd(self) -> float:
        """The spread that the answer is built on."""
        if self.spread is None:
            return math.nan
        return self.spread.sd if math.isinf(self.spread.df) else self.spread.upper(self.confidence)


@dataclass(frozen=True, slots=True)
class Kind:
    """A test whose power is known.

    Parameters
    ----------
    test : str
        Its name; ``{...}`` are filled from the question.
    effect : str
        What its effect is, for a reader.
    groups : int
        Numbers of units that it takes; 0 for as many as there are means.
    least : int
        Fewest units per group.
    needs : tuple of str
        Fields of the question that must be given.
    power : callable
        Of sizes, effect, spread and question.
    ends : (float, float)
        Between which a detectable effect is sought; the power rises from the first to the second.
    """

    test: str
    effect: str
    groups: int
    least: int
    needs: tuple[str, ...]
    power: Callable[[Sizes, float, float, PowerQuestion], float]
    ends: tuple[float, float]


def _two(n: Sizes, effect: float, sd: float, q: PowerQuestion) -> float:
    spread: float | tuple[float, float] = sd if q.second_sd is None else (sd, q.second_sd)
    return means.two_sample_power((n[0], n[1]), effect, spread, alpha=q.test_alpha)


def _paired(n: Sizes, effect: float, sd: float, q: PowerQuestion) -> float:
    return means.paired_power(n[0], effect, sd, alpha=q.test_alpha)


def pattern(q: PowerQuestion, effect: float, /) -> tuple[float, ...]:
    """Means of the groups whose largest difference is `effect`."""
    low, high = min(q.means), max(q.means)
    return tuple(effect * (one - low) / (high - low) for one in q.means)


def _anova(n: Sizes, effect: float, sd: float, q: PowerQuestion) -> float:
    return means.anova_power(n, pattern(q, effect), sd, alpha=q.test_alpha)


def _kruskal(n: Sizes, effect: float, sd: float, q: PowerQuestion) -> float:
    return means.kruskal_power(n, pattern(q, effect), sd, alpha=q.test_alpha)


def _correlation(n: Sizes, effect: float, sd: float, q: PowerQuestion) -> float:
    return means.correlation_power(n[0], effect, alpha=q.test_alpha)


def _equivalence(n: Sizes, effect: float, sd: float, q: PowerQuestion) -> float:
    return means.equivalence_power((n[0], n[1]), effect, sd, difference=q.difference, alpha=q.test_alpha)


def _shares(n: Sizes, effect: float, sd: float, q: PowerQuestion) -> float:
    return shares.shares_power((n[0], n[1]), (q.control, effect), alpha=q.test_alpha, test=q.test)


def _logrank(n: Sizes, effect: float, sd: float, q: PowerQuestion) -> float:
    end = max(q.days)
    events = tuple(onsets.event_share(q.control, end, hazard_ratio=ratio, shape=q.shape) for ratio in (1.0, effect))
    return onsets.logrank_power((n[0], n[1]), effect, (events[0], events[1]), alpha=q.test_alpha)


def _onset(n: Sizes, effect: float, sd: float, q: PowerQuestion) -> float:
    plan = onsets.OnsetPlan(q.control, q.days, q.shape)
    many = q.simulations or 400
    found = onsets.interval_onset_power((n[0], n[1]), effect, plan, alpha=q.test_alpha, simulations=many, seed=q.seed)
    return found.value


def _nested(n: Sizes, effect: float, sd: float, q: PowerQuestion) -> float:
    return nested.nested_power((n[0], n[1]), effect, sd, q.sd_within, q.inside, alpha=q.test_alpha)


def _auc(n: Sizes, effect: float, sd: float, q: PowerQuestion) -> float:
    return shares.auc_power((n[0], n[1]), effect, alpha=q.test_alpha)


_FAR = 1e6
KINDS: dict[str, Kind] = {
    "two-sample": Kind("two-sample t test", "difference of means", 2, 2, ("spread",), _two, (0.0, _FAR)),
    "paired": Kind("paired t test", "mean difference within pairs", 1, 2, ("spread",), _paired, (0.0, _FAR)),
    "anova": Kind("one-way analysis of variance", "largest difference of means", 0, 2, ("spread", "means"), _anova, (0.0, _FAR)),
    "kruskal": Kind("Kruskal-Wallis test", "largest difference of means", 0, 3, ("spread", "means"), _kruskal, (0.0, _FAR)),
    "correlation": Kind("test of a correlation", "correlation", 1, 4, (), _correlation, (0.0, 0.999999)),
    "equivalence": Kind("two one-sided t tests", "margin", 2, 2, ("spread",), _equivalence, (0.0, _FAR)),
    "shares": Kind("{test} exact test", "share in the second group", 2, 2, ("control",), _shares, (math.nan, math.nan)),
    "log-rank": Kind("log-rank test", "hazard ratio", 2, 2, ("control", "days"), _logrank, (1.0, 1e-4)),
    "onset": Kind("interval-censored log-rank test", "hazard ratio", 2, 3, ("control", "days"), _onset, (1.0, 0.01)),
    "nested": Kind("mixed model with a random animal", "difference of means", 2, 2, ("spread", "sd_within"), _nested, (0.0, _FAR)),
    "auc": Kind("test of an area under the ROC curve", "area under the curve", 2, 2, (), _auc, (0.5, 0.999999)),
}  # fmt: skip
