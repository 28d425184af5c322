"""Fits of release models to one curve: which model holds, how sure that is, and its parameters with honest intervals."""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from lampyris.core.design import Design
from lampyris.core.estimate import Estimate
from lampyris.probe.release.models import (
    EARLY_PERCENT,
    MODELS,
    Array,
    ReleaseModel,
    Shape,
    exponent_meaning,
    model_named,
    starting_parameters,
)
from lampyris.probe.release.profile import (
    ReleaseProfile,
    TimeMean,
    early_part,
    half_release_time,
    mean_dissolution_time,
    release_efficiency,
    time_means,
)
from lampyris.statistics.fitting import DataSet, Fit, Parameter, fit_least_squares, with_profiles
from lampyris.statistics.intervals import t_interval

Weights = Literal["constant", "replicates"]

CLUSTER_P = 0.2
"""Vessels count as differing below this p: a lenient limit, since taking them as equal makes intervals too narrow."""

CLEAR_DELTA = 2.0
"""Models whose AICc lies within this of the best one's are not told apart (Burnham & Anderson 2002, doi:10.1007/b97636, 2.6)."""

_LEVELS_OFF = 90.0
# of a percent: a fit that is nearer than this is exact, and its likelihood would be infinite
_EXACT = 1e-6
_UNDETERMINED = "the data do not determine it"
_COMPANIONS = ("zero-order", "first-order", "higuchi")
# which the power law holds as exponents of 1 and 1/2
_POWER_LAWS = ("zero-order", "higuchi")


@dataclass(frozen=True, slots=True, eq=False)
class ModelFit:
    """One model fitted to a curve, or why it was not.

    Parameters
    ----------
    model : ReleaseModel
    parameters : tuple of (str, Estimate)
        Those that were fitted and those that were held.
    delta, weight : float
        AICc above the best model's, and Akaike weight among the models of the same points; NaN where it was not fitted.
    aicc, residual_sd : float
        Residual standard deviation in percent.
    points : int
    notes : tuple of str
        Flags of the fit in words.
    skipped : str
        Why it was not fitted; "" where it was.
    """

    model: ReleaseModel
    parameters: tuple[tuple[str, Estimate], ...]
    delta: float
    weight: float
    aicc: float
    residual_sd: float
    points: int
    notes: tuple[str, ...] = ()
    skipped: str = ""

    def __getitem__(self, name: str) -> Estimate:
        """Estimate of the parameter of that name."""
        return dict(self.parameters)[name]

    def curve(self, time_h: Array, /) -> Array:
        """Percent released at some times, dims (point,)."""
        values = np.array([one.value for _, one in self.parameters])
        return self.model.curve(np.asarray(time_h, dtype=np.float64), values)


@dataclass(frozen=True, slots=True, eq=False)
class ReleaseFits:
    """What one release curve says.

    Parameters
    ----------
    profile : ReleaseProfile
    design : Design
        Vessels are the unit.
    course : tuple of TimeMean
    whole, early : tuple of ModelFit
        Models of the whole curve, and of its first 60 %, each best first.
    clustered : bool
        Vessels differ by more than the scatter of their points, so each was fitted on its own and intervals are over vessels.
    cluster_p, lack_of_fit_p : float
        Chance of such differences between equal vessels; chance of such a misfit if the best model holds, against the scatter of
        vessels. NaN where there are no replicates for it.
    mechanism : str
        What the exponent of Korsmeyer-Peppas says; "" where it could not be fitted.
    mean_time_h, half_time_h, efficiency : Estimate
        Mean dissolution time, time of half the release, and efficiency.
    warnings, notes : tuple of str
    """

    profile: ReleaseProfile
    design: Design
    course: tuple[TimeMean, ...]
    whole: tuple[ModelFit, ...]
    early: tuple[ModelFit, ...]
    clustered: bool
    cluster_p: float
    lack_of_fit_p: float
    mechanism: str
    mean_time_h: Estimate
    half_time_h: Estimate
    efficiency: Estimate
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def best(self) -> ModelFit:
        """Model of the whole curve with the lowest AICc."""
        return self.whole[0]


def fit_release(
    profile: ReleaseProfile,
    /,
    *,
    plateau: bool = False,
    shape: Shape = "sphere",
    weights: Weights = "constant",
    level: float = 0.95,
) -> ReleaseFits:
    """Fit every model to a release curve and say which holds.

    Parameters
    ----------
    profile : ReleaseProfile
    plateau : bool
        Fit the total in place of holding it at 100 %: for drug that stays bound.
    shape : str
        ``sphere``, ``cylinder`` or ``film``: gives the exponent its meaning.
    weights : str
        ``constant``: every point scatters alike. ``replicates``: as the vessels at its time do, drawn towards the mean scatter.
    level : float
        Coverage of the intervals.

    Returns
    -------
    ReleaseFits

    Raises
    ------
    ValueError
        If there are fewer than 4 times above 0, or the released share does not vary.

    Notes
    -----
    Points at time 0 are left out: every model passes through the origin, so that they would only make the scatter look small.
    Where vessels differ (see `CLUSTER_P`) points of one vessel are no replicates: each vessel is fitted on its own, models are
    chosen by the sum of their likelihoods, and intervals are Student's over the vessels. Else intervals are by profile likelihood.

    Examples
    --------
    >>> hours = np.array([0.5, 1, 2, 4, 8, 12, 24])
    >>> seen = 100 * (1 - np.exp(-0.2 * hours)) + np.array([0.5, -0.4, 0.3, -0.6, 0.4, -0.2, 0.3])
    >>> found = fit_release(ReleaseProfile("dots", hours, seen, ("1",) * 7))
    >>> found.best.model.name, round(found.best["k"].value, 3)
    ('first-order', 0.2)
    """
    later = profile.kept(profile.time_h > 0) if (profile.time_h > 0).any() else None
    if later is None or np.unique(later.time_h).size < 4:
        raise ValueError(f"{profile.name}: a release curve needs at least 4 times after 0")
    if np.ptp(later.released) == 0:
        raise ValueError(f"{profile.name}: the released share is {later.released[0]:g} % throughout: there is no curve")
    asked = _Asked(plateau, shape, weights, level)
    whole = _compared(later, [one for one in MODELS if not one.early], asked)
    early, notes = _early(later, asked)
    power = _power_law(early)
    mechanism = exponent_meaning(power["n"].low, power["n"].high, shape=shape) if power else ""
    half = half_release_time(profile, level=level)
    vessels = profile.vessels
    design = Design("vessel", (profile.name,), (len(vessels) or 1,), rows=len(profile.vessel), within=("time",))
    return ReleaseFits(
        profile=profile,
        design=design,
        course=time_means(profile),
        whole=whole.fits,
        early=early.fits if early else (),
        clustered=whole.clustered,
        cluster_p=whole.cluster_p,
        lack_of_fit_p=whole.lack_of_fit_p,
        mechanism=mechanism,
        mean_time_h=mean_dissolution_time(profile, level=level),
        half_time_h=half,
        efficiency=release_efficiency(profile, level=level),
        warnings=tuple([*_doubts(whole, early), *_misfits(later, whole, early, plateau)]),
        notes=tuple([*_notes(profile, whole, half), *notes]),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """How curves are fitted: the options of `fit_release`."""

    plateau: bool
    shape: Shape
    weights: Weights
    level: float


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Models on the same points, best first; see `ReleaseFits` for the rest."""

    fits: tuple[ModelFit, ...]
    clustered: bool
    cluster_p: float
    lack_of_fit_p: float
    last_h: float


def _compared(points: ReleaseProfile, models: Sequence[ReleaseModel], asked: _Asked) -> _Comparison:
    """Every model on the same points, and whether vessels differ."""
    sds = _relative_sd(points, asked.weights)
    pooled, skipped = _together(points, models, sds, asked)
    if not pooled:
        raise ValueError(f"{points.name}: {skipped[0].skipped}")
    scores = {name: _aicc(fit.goodness.chi2, points.time_h.size, _free(fit)) for name, fit in pooled.items()}
    leading = min(scores, key=lambda name: scores[name])
    cluster_p = math.nan
    if _vessels_can_be_fitted(points, _free(pooled[leading])):
        # an exotic vessel may leave the model undetermined: then there is no test, and the note says so
        with contextlib.suppress(np.linalg.LinAlgError):
            own = _by_vessel(model_named(leading), points, pooled[leading], sds, asked.level)
            cluster_p = _cluster_p(pooled[leading], own)
    last = float(points.time_h.max())
    if cluster_p < CLUSTER_P:
        apart = [_apart(model_named(name), points, fit, sds, asked.level) for name, fit in pooled.items()]
        return _Comparison(_ranked([*apart, *skipped]), True, cluster_p, math.nan, last)
    ranked = _ranked([*(_pooled_fit(model_named(name), fit, scores[name]) for name, fit in pooled.items()), *skipped])
    ranked = tuple(_profiled(one, pooled, best=one is ranked[0]) for one in ranked)
    misfit = _lack_of_fit_p(points, pooled[ranked[0].model.name], sds)
    return _Comparison(ranked, False, cluster_p, misfit, last)


def _vessels_can_be_fitted(points: ReleaseProfile, free: int) -> bool:
    """Several named vessels, each with more times than parameters, and points enough for all of them."""
    vessels = points.vessels
    if len(vessels) < 2 or not all(points.vessel):
        return False
    fewest = min(points.vessel.count(one) for one in vessels)
    return fewest > free and math.isfinite(_aicc(1.0, points.time_h.size, free * len(vessels)))


def _apart(model: ReleaseModel, points: ReleaseProfile, pooled: Fit, sds: Array, level: float) -> ModelFit:
    """A model fitted to each vessel, or why it cannot be."""
    free = _free(pooled)
    if not _vessels_can_be_fitted(points, free):
        return _skipped(model, f"{free} parameters for each vessel need more points")
    try:
        return _vessel_fit(model, _by_vessel(model, points, pooled, sds, level), points, level)
    except np.linalg.LinAlgError:
        return _skipped(model, _UNDETERMINED)


def _skipped(model: ReleaseModel, why: str) -> ModelFit:
    return ModelFit(model, (), math.nan, math.nan, math.inf, math.nan, 0, skipped=why)


def _together(
    points: ReleaseProfile, models: Sequence[ReleaseModel], sds: Array, asked: _Asked
) -> tuple[dict[str, Fit], list[ModelFit]]:
    """Every model fitted to all points, and those that have too many parameters for the times."""
    pooled: dict[str, Fit] = {}
    skipped = []
    times, count = np.unique(points.time_h).size, points.time_h.size
    for model in models:
        start = starting_parameters(
            model, points.time_h, points.released, plateau=asked.plateau and not model.early, shape=asked.shape
        )
        free = sum(not one.fixed for one in start)
        if times > free and math.isfinite(_aicc(1.0, count, free)):
            try:
                fit = _fitted(model, points, start, sds, asked.level)
                pooled[model.name] = _ordered(model, points, fit, sds, asked.level)
            except np.linalg.LinAlgError:
                skipped.append(_skipped(model, _UNDETERMINED))
        else:
            told = f"{free} parameters need {free + 1} times and {free + 3} points, and there are {times} and {count}"
            skipped.append(_skipped(model, told))
    return pooled, skipped


def _profiled(one: ModelFit, pooled: dict[str, Fit], *, best: bool) -> ModelFit:
    """The best model with intervals by profile likelihood, and so the exponent that a mechanism is read from."""
    names = () if best else ("n",)
    if one.skipped or not (best or one.model.name == "korsmeyer-peppas"):
        return one
    with np.errstate(invalid="ignore"):
        try:
            return _pooled_fit(one.model, with_profiles(pooled[one.model.name], *names), one.aicc, one)
        except np.linalg.LinAlgError:
            return replace(one, notes=(*one.notes, "intervals are symmetric: the profile cannot be followed."))


def _fitted(model: ReleaseModel, points: ReleaseProfile, start: Sequence[Parameter], sds: Array, level: float) -> Fit:
    time = points.time_h
    data = DataSet(lambda p: model.curve(time, np.asarray(p)), points.released, sd=sds, name=points.name)
    # what such data do not determine is infinite or NaN, and the fit's flags say so
    with np.errstate(invalid="ignore"):
        return fit_least_squares(data, start, scatter="residual", level=level)


def _ordered(model: ReleaseModel, points: ReleaseProfile, fit: Fit, sds: Array, level: float) -> Fit:
    """The burst is the quicker of the two parts: they are exchanged where the search came out the other way."""
    if model.name != "burst-sustained" or fit["k_burst"].value >= fit["k_sustained"].value:
        return fit
    swapped = [1.0 - fit["burst"].value, fit["k_sustained"].value, fit["k_burst"].value, fit["total"].value]
    return _fitted(model, points, _restarted(fit, swapped), sds, level)


def _restarted(fit: Fit, values: Sequence[float]) -> list[Parameter]:
    parameters = fit.objective.frame.parameters
    return [
        replace(one, start=min(max(value, one.low), one.high), grid=())
        for one, value in zip(parameters, values, strict=True)
    ]


def _by_vessel(model: ReleaseModel, points: ReleaseProfile, pooled: Fit, sds: Array, level: float) -> list[Fit]:
    """Each vessel fitted on its own, from where all together ended."""
    found = []
    for name in points.vessels:
        mine = np.array([one == name for one in points.vessel])
        own = points.kept(mine)
        values = [one.value for one in pooled.estimates]
        fit = _fitted(model, own, _restarted(pooled, values), sds[mine], level)
        found.append(_ordered(model, own, fit, sds[mine], level))
    return found


def _relative_sd(points: ReleaseProfile, weights: Weights) -> Array:
    """Scatter of each point up to a common factor."""
    if weights == "constant":
        return np.ones(points.time_h.size)
    if weights != "replicates":
        raise ValueError(f"weights are 'constant' or 'replicates', got {weights!r}")
    means = [one for one in time_means(points) if one.n > 1]
    degrees = sum(one.n - 1 for one in means)
    if not degrees:
        return np.ones(points.time_h.size)
    common = sum((one.n - 1) * one.sd**2 for one in means) / degrees
    # as if the common scatter had been seen with four degrees of freedom more: a spread of three vessels alone is mostly chance
    prior = 4.0
    by_time = {one.time_h: (prior * common + (one.n - 1) * one.sd**2) / (prior + one.n - 1) for one in means}
    variance = np.array([by_time.get(float(time), common) for time in points.time_h])
    return np.sqrt(variance / common) if common > 0 else np.ones(points.time_h.size)


def _free(fit: Fit) -> int:
    return int(fit.goodness.free)


def _aicc(chi2: float, points: int, free: int) -> float:
    """Least squares with a scatter that is estimated and counts as a parameter (Hurvich & Tsai 1989, doi:10.1093/biomet/76.2.297)."""
    count = free + 1
    if points - count - 1 <= 0:
        return math.inf
    variance = max(chi2 / points, _EXACT**2)
    return points * math.log(variance) + 2.0 * count * points / (points - count - 1)


def _cluster_p(pooled: Fit, own: Sequence[Fit]) -> float:
    """F test of a curve per vessel against one for all."""
    apart = sum(fit.goodness.chi2 for fit in own)
    degrees = sum(fit.goodness.points - _free(fit) for fit in own)
    more = sum(_free(fit) for fit in own) - _free(pooled)
    gain = pooled.goodness.chi2 - apart
    if degrees <= 0 or more <= 0:
        return math.nan
    if apart <= _EXACT**2 * pooled.goodness.points:
        return 0.0 if gain > _EXACT**2 * pooled.goodness.points else math.nan
    return float(special.fdtrc(more, degrees, max(gain, 0.0) / more / (apart / degrees)))


def _lack_of_fit_p(points: ReleaseProfile, fit: Fit, sds: Array) -> float:
    """F test of the model against a mean per time."""
    pure, degrees = 0.0, 0
    times = np.unique(points.time_h)
    for time in times:
        here = points.time_h == time
        values, scale = points.released[here], sds[here]
        pure += float((((values - values.mean()) / scale) ** 2).sum())
        degrees += int(values.size) - 1
    more = times.size - _free(fit)
    if degrees <= 0 or more <= 0 or pure <= 0:
        return math.nan
    excess = max(fit.goodness.chi2 - pure, 0.0)
    return float(special.fdtrc(more, degrees, excess / more / (pure / degrees)))


def _pooled_fit(model: ReleaseModel, fit: Fit, aicc: float, ranked: ModelFit | None = None) -> ModelFit:
    return ModelFit(
        model=model,
        parameters=tuple(zip(fit.names, fit.estimates, strict=True)),
        delta=ranked.delta if ranked else math.nan,
        weight=ranked.weight if ranked else math.nan,
        aicc=aicc,
        residual_sd=fit.goodness.residual_sd,
        points=fit.goodness.points,
        notes=fit.notes(),
    )


def _vessel_fit(model: ReleaseModel, own: Sequence[Fit], points: ReleaseProfile, level: float) -> ModelFit:
    """Means of the vessels' parameters with Student's interval over the vessels."""
    chi2 = sum(fit.goodness.chi2 for fit in own)
    free = sum(_free(fit) for fit in own)
    degrees = points.time_h.size - free
    estimates = []
    for name in own[0].names:
        parameter = own[0].objective.frame.parameters[own[0].names.index(name)]
        if parameter.fixed:
            estimates.append((name, own[0][name]))
            continue
        found = t_interval([fit[name].value for fit in own], unit=parameter.unit, level=level)
        words = f"mean of {len(own)} vessels, each fitted on its own, Student's t interval"
        low, high = max(found.low, parameter.low), min(found.high, parameter.high)
        estimates.append((name, replace(found, low=low, high=high, method=words)))
    notes = dict.fromkeys(note for fit in own for note in fit.notes())
    return ModelFit(
        model=model,
        parameters=tuple(estimates),
        delta=math.nan,
        weight=math.nan,
        aicc=_aicc(chi2, points.time_h.size, free),
        residual_sd=math.sqrt(chi2 / degrees) if degrees > 0 else math.nan,
        points=int(points.time_h.size),
        notes=tuple(f"in one vessel at least, {note}" for note in notes),
    )


def _ranked(found: Sequence[ModelFit]) -> tuple[ModelFit, ...]:
    """Best first, with differences and Akaike weights; models that were not fitted come last."""
    order = sorted(range(len(found)), key=lambda k: (bool(found[k].skipped), found[k].aicc, k))
    least = found[order[0]].aicc
    weights = [math.exp(-0.5 * (one.aicc - least)) for one in found if not one.skipped]
    ranked = []
    for k in order:
        delta = math.nan if found[k].skipped else found[k].aicc - least
        ranked.append(replace(found[k], delta=delta, weight=math.exp(-0.5 * delta) / sum(weights)))
    return tuple(ranked)


def _early(later: ReleaseProfile, asked: _Asked) -> tuple[_Comparison | None, list[str]]:
    """The power laws and their companions on the first 60 %."""
    first = early_part(later, EARLY_PERCENT)
    times = np.unique(first.time_h).size if first else 0
    # two parameters and the scatter
    if first is None or times < 3 or first.time_h.size < 5 or np.ptp(first.released) == 0:
        few = f"the first {EARLY_PERCENT:g} % hold {times} time{'s' if times != 1 else ''}"
        return None, [f"{few}: Korsmeyer-Peppas and Peppas-Sahlin need 3 that differ, and 5 points."]
    models = [one for one in MODELS if one.early or one.name in _COMPANIONS]
    return _compared(first, models, replace(asked, plateau=False)), []


def _power_law(early: _Comparison | None) -> ModelFit | None:
    fits = early.fits if early else ()
    return next((one for one in fits if one.model.name == "korsmeyer-peppas" and not one.skipped), None)


def _doubts(whole: _Comparison, early: _Comparison | None) -> list[str]:
    """Which models are not told apart."""
    found = []
    for part, compared in (("the whole curve", whole), (f"the first {EARLY_PERCENT:g} %", early)):
        rivals = [one for one in compared.fits[1:] if one.delta < CLEAR_DELTA] if compared else []
        if not compared or not rivals:
            continue
        best, times = compared.fits[0], np.linspace(0.0, compared.last_h, 200)[1:]
        told = [
            f"{one.model.title} (weight {one.weight:.2f}, curves at most "
            f"{np.abs(best.curve(times) - one.curve(times)).max():.1f} % apart)"
            for one in rivals
        ]
        found.append(
            f"{part}: {best.model.title} (weight {best.weight:.2f}) is not told apart from {', '.join(told)}; "
            "do not name a mechanism from this choice alone."
        )
    return found


def _misfits(later: ReleaseProfile, whole: _Comparison, early: _Comparison | None, plateau: bool) -> list[str]:
    """Where models do not describe the curve."""
    found = []
    if whole.lack_of_fit_p < 0.01:
        found.append(
            f"no model describes the curve: the best one, {whole.fits[0].model.title}, misses the vessels' means by more than their "
            f"scatter (p = {whole.lack_of_fit_p:.2g})."
        )
    power = _power_law(early)
    if early and power and power.delta > CLEAR_DELTA and early.fits[0].model.name not in _POWER_LAWS:
        found.append(
            f"the power law is not the best model of the first {EARLY_PERCENT:g} % (AICc {power.delta:.1f} above it): its exponent says "
            "little about the mechanism."
        )
    last = time_means(later)[-2:]
    if not plateau and all(one.mean < _LEVELS_OFF for one in last) and abs(last[1].mean - last[0].mean) < 3.0:
        found.append(
            f"release levels off at {last[1].mean:.0f} %, and models end at 100 %: fit the total with --plateau if the rest stays bound."
        )
    return found


def _notes(profile: ReleaseProfile, whole: _Comparison, half: Estimate) -> list[str]:
    found = []
    vessels = len(profile.vessels)
    if (profile.time_h == 0).any():
        found.append("points at time 0 are not fitted: every model begins at 0.")
    if vessels == 0:
        found.append("no vessels are named: values at one time are taken as independent.")
    elif vessels == 1:
        found.append("one vessel: intervals say how its points scatter, not how vessels differ.")
    elif math.isnan(whole.cluster_p):
        found.append(
            "too few points to tell whether vessels differ: they are fitted together, and intervals may be too narrow."
        )
    elif whole.clustered:
        found.append(
            f"vessels differ by more than their points scatter (p = {whole.cluster_p:.2g}): each was fitted on its own, and intervals "
            "are over vessels."
        )
    else:
        found.append(f"vessels do not differ clearly (p = {whole.cluster_p:.2g}): their points are fitted together.")
    if math.isnan(half.value):
        found.append("half of the drug was not out in every vessel while it was measured: t50 is not extrapolated.")
    return found
