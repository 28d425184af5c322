"""A linear mixed model fitted to columns: fixed effects with Kenward-Roger inference, and the random part."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.mixed.fixed import FixedPart
from lampyris.statistics.mixed.likelihood import NothingLeftError, Optimum, Problem, factors, optimum, problem, state
from lampyris.statistics.mixed.released import released_state
from lampyris.statistics.mixed.results import CoefficientTest, VarianceComponent
from lampyris.statistics.mixed.small_samples import (
    MANY,
    JointTest,
    SmallSamples,
    contrast_df,
    joint_test,
    small_samples,
)
from lampyris.statistics.mixed.structure import RandomPart, RandomTerm, random_part
from lampyris.statistics.mixed.threads import one_thread
from lampyris.statistics.thresholds import half_width

Array = NDArray[np.float64]

KENWARD_ROGER = "restricted likelihood, Kenward-Roger standard error and degrees of freedom"
WALD = "maximum likelihood, normal (no allowance for few subjects)"
# a correlation this close to one leaves no second direction
ONE = 1.0 - 1e-6
# a standard deviation below this share of the values' own is none
NONE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class MixedModel:
    """A fitted linear mixed model.

    Parameters
    ----------
    fixed : FixedPart
        Its fixed part.
    terms : tuple of RandomTerm
        Its random part.
    method : str
        "REML" or "ML".
    level : float
        Coverage of intervals.
    unit : str
        Unit of the values.
    log_likelihood : float
        (Restricted) log likelihood at the optimum.
    criterion : float
        -2 times that, as other programs print it.
    coefficients : tuple of CoefficientTest
        Per column of the fixed part; NaN for columns that depend on others.
    components : tuple of VarianceComponent
        Standard deviations and correlations; intervals are NaN (see `profile_intervals`).
    residual_variance : float
        Of a single value.
    covariances : tuple of ndarray, dims (effect, effect)
        Per random term (a term with an uncorrelated slope has two), of intercept and slope in the user's covariate.
    fitted, residuals : ndarray, dims (row,)
        With the subjects' own effects, and what is left.
    effects : tuple of dict of str to ndarray
        Per random term: predicted effects of each level.
    singular : bool
        Whether a variance is 0 or a correlation is 1: the data do not support that part of the model.
    converged : bool
        Whether the search ended where the slopes vanish.
    problem, best, inference
        Sums of products, optimum and Kenward-Roger quantities, for further tests.
    """

    fixed: FixedPart
    terms: tuple[RandomTerm, ...]
    method: str
    level: float
    unit: str
    log_likelihood: float
    criterion: float
    coefficients: tuple[CoefficientTest, ...]
    components: tuple[VarianceComponent, ...]
    residual_variance: float
    covariances: tuple[Array, ...]
    fitted: Array
    residuals: Array
    effects: tuple[dict[str, Array], ...]
    singular: bool
    converged: bool
    problem: Problem
    best: Optimum
    inference: SmallSamples

    def contrast(self, name: str, row: ArrayLike, /) -> CoefficientTest:
        """Test and interval of one combination of the coefficients.

        Parameters
        ----------
        name : str
            What it is called.
        row : array_like, dims (column,)
            As `FixedPart.row` gives.

        Returns
        -------
        CoefficientTest
            NaN where the data do not determine it.
        """
        full = np.asarray(row, dtype=np.float64)
        method = KENWARD_ROGER if self.method == "REML" else WALD
        if not self.fixed.estimable(full):
            nothing = Estimate.unknown(self.level, self.unit, "not determined by the data")
            return CoefficientTest(name, nothing, math.nan, math.nan, math.nan)
        kept = full[list(self.fixed.kept)]
        value = float(kept @ self.inference.coefficients)
        if not kept.any():
            return CoefficientTest(
                name, Estimate(value, 0.0, value, value, self.level, self.unit, method), 0.0, MANY, 1.0
            )
        covariance = self.inference.adjusted if self.method == "REML" else self.inference.plain
        square = float(kept @ covariance @ kept)
        # the adjustment of a nearly singular fit may outweigh what it adjusts
        error = math.sqrt(square if square > 0 else float(kept @ self.inference.plain @ kept))
        df = contrast_df(self.inference, kept) if self.method == "REML" else MANY
        half = error * float(special.stdtrit(df, 0.5 * (1 + self.level)))
        estimate = Estimate(value, error, value - half, value + half, self.level, self.unit, method)
        t = value / error
        return CoefficientTest(name, estimate, t, df, 2 * float(special.stdtr(df, -abs(t))))

    def joint(self, rows: ArrayLike, /) -> JointTest:
        """F test of several combinations at once; those that the data do not determine are left out.

        Parameters
        ----------
        rows : array_like, dims (contrast, column)

        Returns
        -------
        JointTest
        """
        able = self.fixed.estimable_part(np.atleast_2d(np.asarray(rows, dtype=np.float64)))
        kept = able.reshape(-1, len(self.fixed.names))[:, list(self.fixed.kept)]
        return joint_test(self.inference, kept)

    def term_test(self, term: Sequence[str], /) -> TestResult:
        """Test of a main effect or interaction on equally weighted marginal means.

        Parameters
        ----------
        term : sequence of str
            Names of its variables.

        Returns
        -------
        TestResult
        """
        rows = self.fixed.term_rows(term)
        found = self.joint(rows)
        note = (
            "" if found.df1 == len(rows) else f"{len(rows) - found.df1:g} of {len(rows)} contrasts are not in the data"
        )
        return TestResult(
            f"mixed model, {' x '.join(term)} (Kenward-Roger F)", "F", found.statistic, (found.df1, found.df2), found.p,
            f"no effect of {' x '.join(term)}", "primary", note,
        )  # fmt: skip


def fit_mixed_model(
    values: ArrayLike,
    fixed: FixedPart,
    terms: Sequence[RandomTerm],
    /,
    *,
    method: str = "REML",
    unit: str = "1",
    level: float = 0.95,
    released: bool = False,
) -> MixedModel:
    """Fit a linear mixed model.

    Parameters
    ----------
    values : array_like, dims (row,)
        Finite values.
    fixed : FixedPart
        Fixed part, of the same rows.
    terms : sequence of RandomTerm
        Random terms: subjects, what is nested in them, or crossed groupings.
    method : str
        "REML" for inference on fixed effects, "ML" to compare fixed parts by likelihood.
    unit : str
        Unit of the values.
    level : float
        Coverage of intervals.
    released : bool
        Whether, where a variance is estimated at 0, tests and intervals of the fixed effects rest on the optimum without that
        bound, as `released_state` gives it; False gives what other programs give.

    Returns
    -------
    MixedModel

    Raises
    ------
    NothingLeftError
        If the model fits the values exactly; a ValueError, as every other.
    ValueError
        If lengths differ, a value is not finite, or a random term has a level for every row, so that
        it cannot be told from the residual.

    References
    ----------
    Bates et al. 2015, J Stat Softw 67(1), doi:10.18637/jss.v067.i01; Kenward & Roger 1997, Biometrics 53:983,
    doi:10.2307/2533558.

    Examples
    --------
    >>> from lampyris.statistics.mixed import Factor, RandomTerm, fit_mixed_model, fixed_part
    >>> group = Factor("group", ("dye",) * 6 + ("dots",) * 6)
    >>> animal = RandomTerm("animal", tuple("AABBCCDDEEFF"))
    >>> values = [1.0, 1.4, 2.1, 2.0, 1.2, 1.8, 3.1, 2.7, 4.0, 4.4, 3.0, 3.8]
    >>> fit = fit_mixed_model(values, fixed_part([group], [("group",)]), [animal])
    >>> test = fit.coefficients[1]
    >>> f"{test.estimate.value:.3f}, t({test.df:.0f}) = {test.statistic:.2f}"
    '1.917, t(4) = 4.23'
    """
    y = np.asarray(values, dtype=np.float64)
    _check(y, fixed, terms, method)
    random = random_part(terms)
    with one_thread():
        given = problem(fixed.matrix[:, list(fixed.kept)], y, random, restricted=method == "REML")
        best = optimum(given)
        return _model(y, fixed, random, given, best, (method, unit, level, released))


def _check(y: Array, fixed: FixedPart, terms: Sequence[RandomTerm], method: str) -> None:
    faults = []
    if method not in ("REML", "ML"):
        faults.append(f"method is 'REML' or 'ML', got {method!r}")
    if y.ndim != 1 or len(y) != len(fixed.matrix):
        faults.append(f"{len(fixed.matrix)} rows of the fixed part need as many values, got shape {y.shape}")
    elif not np.isfinite(y).all():
        faults.append(f"values must be finite; row {int(np.flatnonzero(~np.isfinite(y))[0])} is not")
    if not terms:
        faults.append("a mixed model needs a random term")
    for term in terms:
        if len(term.labels) != len(y):
            faults.append(f"random term {term.name} has {len(term.labels)} labels for {len(y)} values")
        elif len(set(term.labels)) == len(y) and term.slope is None:
            faults.append(f"random term {term.name} has a level for every value and cannot be told from the residual")
        elif len(set(term.labels)) < 2:
            faults.append(f"random term {term.name} has one level only")
    if faults:
        raise ValueError("; ".join(faults))


def _model(
    y: Array, fixed: FixedPart, random: RandomPart, given: Problem, best: Optimum, options: tuple[str, str, float, bool]
) -> MixedModel:
    method, unit, level, released = options
    at = state(given, best.theta)
    without_bound = released_state(given, best.theta) if released and method == "REML" else None
    inference = small_samples(*(without_bound or (given, at)))
    variance = given.scale**2 * at.rest / given.free
    residual_effects = given.cross[..., -1] - given.cross[..., :-1] @ at.coefficients
    raw = given.scale * np.einsum("gij,gj->gi", at.weight, residual_effects)
    within = np.linalg.solve(given.triangle, given.least_squares + given.scale * at.coefficients)
    fitted = fixed.matrix[:, list(fixed.kept)] @ within + random.applied(raw)
    covariances = tuple(
        variance * piece.back @ factor @ factor.T @ piece.back.T
        for piece, factor in zip(random.pieces, factors(random, best.theta), strict=True)
    )
    components = _components(random, covariances, variance, float(np.std(y)), unit, level)
    model = MixedModel(
        fixed=fixed, terms=random.terms, method=method, level=level, unit=unit,
        log_likelihood=-0.5 * best.value, criterion=best.value, coefficients=(), components=components,
        residual_variance=variance, covariances=covariances, fitted=fitted, residuals=y - fitted,
        effects=_effects(random, raw), singular=any(component.at_boundary for component in components),
        converged=best.converged, problem=given, best=best, inference=inference,
    )  # fmt: skip
    tests = tuple(model.contrast(name, row) for name, row in zip(fixed.names, np.eye(len(fixed.names)), strict=True))
    object.__setattr__(model, "coefficients", tests)
    return model


def _components(
    random: RandomPart, covariances: Sequence[Array], variance: float, size: float, unit: str, level: float
) -> tuple[VarianceComponent, ...]:
    """Standard deviations and correlations, without intervals."""

    def component(term: str, name: str, value: float, of: str, edge: bool) -> VarianceComponent:
        nan = math.nan
        found = Estimate(value, nan, -math.inf, math.inf, level, of, "point estimate, no interval asked for")
        return VarianceComponent(term, name, found, nan if name == "correlation" else value**2, edge)

    found = []
    for piece, matrix in zip(random.pieces, covariances, strict=True):
        term = random.terms[piece.term]
        for k, name in enumerate(piece.names):
            sd = math.sqrt(max(float(matrix[k, k]), 0.0))
            of = unit if name == "intercept" else f"{unit}/{name}"
            # in the units of a value, so that one threshold serves intercepts and slopes
            spread = sd if name == "intercept" else sd / float(piece.back[1 if piece.back.shape[0] > 1 else 0, -1])
            found.append(component(term.name, name, sd, of, spread <= NONE * size))
        if len(piece.names) == 2:
            sds = np.sqrt(np.diag(matrix))
            rho = float(matrix[0, 1] / sds.prod()) if (sds > 0).all() else math.nan
            found.append(component(term.name, "correlation", rho, "1", not abs(rho) < ONE))
    found.append(component("residual", "residual", math.sqrt(variance), unit, False))
    return tuple(found)


def _effects(random: RandomPart, raw: Array) -> tuple[dict[str, Array], ...]:
    """Predicted effects per level, in the user's covariate."""
    found: list[dict[str, Array]] = []
    for piece, place in zip(random.pieces, random.places, strict=True):
        labels = random.terms[piece.term].labels
        _, first = np.unique(np.asarray(labels, dtype=object).astype(str), return_index=True)
        width = np.arange(len(piece.names))
        effects = {labels[k]: piece.back @ raw[random.block[k], place[k] + width] for k in sorted(first)}
        found.append(effects)
    return tuple(found)


def intraclass_correlations(model: MixedModel, /) -> tuple[tuple[str, Estimate], ...]:
    """Share of the variance that lies between the levels of each random term.

    Parameters
    ----------
    model : MixedModel
        Fitted by REML.

    Returns
    -------
    tuple of (str, Estimate)
        Per random term; a term with a slope is taken at the mean of its covariate. The interval is that of the delta method
        on the log odds with the expected information, NaN where the share is 0 or 1.
    """
    random = model.problem.random
    # tests may rest on variances without their bound, and on effects in units of their own
    bounded = model.best.theta.min() > 0
    at = model.inference if bounded else small_samples(model.problem, state(model.problem, model.best.theta))
    weights, named = [], []
    for piece in random.pieces:
        d = len(piece.names)
        # the mean of the squared multiplier of each effect; the scaled covariate has mean square 1, the centred one mean 0
        own = np.zeros((d, d))
        if d == 2:
            own[0, 0] = 1.0
        else:
            own[0, 0] = float(np.mean(piece.columns[:, 0] ** 2))
        weights.append([own[a, b] for a in range(d) for b in range(a + 1)])
        named.append(random.terms[piece.term].name)
    scaled = [model.residual_variance * factor @ factor.T for factor in factors(random, model.best.theta)]
    parts = [float(sum(np.array(w) * m[np.tril_indices(len(m))])) for w, m in zip(weights, scaled, strict=True)]
    total = sum(parts) + model.residual_variance
    found: dict[str, Estimate] = {}
    for name in dict.fromkeys(named):
        gradient = [w * (name == own) for own, row in zip(named, weights, strict=True) for w in row] + [0.0]
        every = [w for row in weights for w in row] + [1.0]
        share = sum(part for own, part in zip(named, parts, strict=True) if own == name) / total
        slope = (np.array(gradient) - share * np.array(every)) / total
        error = math.sqrt(max(float(slope @ at.parameters @ slope), 0.0))
        found[name] = _share(share, error, model.level)
    return tuple(found.items())


def _share(share: float, error: float, level: float) -> Estimate:
    method = "of the variance components; interval by the delta method on the log odds"
    if not 1e-9 < share < 1 - 1e-9:
        return Estimate(share, math.nan, 0.0, 1.0, level, "1", "at the edge of what is possible; no interval")
    half = half_width(level) * error / (share * (1 - share))
    centre = math.log(share / (1 - share))
    ends = [1 / (1 + math.exp(-min(max(centre + sign * half, -700.0), 700.0))) for sign in (-1, 1)]
    return Estimate(share, error, min(ends[0], share), max(ends[1], share), level, "1", method)


def random_term_tests(values: ArrayLike, model: MixedModel, /) -> tuple[TestResult, ...]:
    """Likelihood-ratio test of each random term, against the model without it.

    Parameters
    ----------
    values : array_like, dims (row,)
        The values the model was fitted to.
    model : MixedModel
        The model; one with a single intercept is compared with the fixed part alone.

    Returns
    -------
    tuple of TestResult
        A variance cannot be below 0, so the null hypothesis lies on the edge; p is that of the even mixture of chi-squares
        with r - 1 and r degrees of freedom [1]_, r the parameters left out.

    References
    ----------
    .. [1] Self & Liang 1987, J Am Stat Assoc 82:605, doi:10.1080/01621459.1987.10478472; Stram & Lee 1994,
       Biometrics 50:1171, doi:10.2307/2533455.
    """
    y = np.asarray(values, dtype=np.float64)
    found = []
    for place, term in enumerate(model.terms):
        without = [other for k, other in enumerate(model.terms) if k != place]
        name = term.name
        steps = 1
        if term.slope is not None and term.intercept:
            without.insert(place, RandomTerm(term.name, term.labels))
            name = f"slope in {term.slope_name} of {term.name}"
            steps = 2 if term.correlated else 1
        if without:
            with one_thread():
                given = problem(_kept(model), y, random_part(without), restricted=model.method == "REML")
                try:
                    other = optimum(given).value
                except NothingLeftError:
                    continue
        else:
            other = _without_random(model)
        ratio = max(other - model.criterion, 0.0)
        p = 0.5 * (_chi2_tail(ratio, steps - 1) + _chi2_tail(ratio, steps))
        found.append(
            TestResult(
                f"likelihood ratio, random {name}",
                "chi2",
                ratio,
                (float(steps),),
                p,
                f"no variance of {name}",
                "beside",
                f"on the edge of what is possible: even mixture of {steps - 1} and {steps} degrees of freedom",
            )
        )
    return tuple(found)


def _kept(model: MixedModel) -> Array:
    return model.fixed.matrix[:, list(model.fixed.kept)]


def _without_random(model: MixedModel) -> float:
    """-2 log likelihood of the fixed part alone."""
    given = model.problem
    return given.constant + given.free * math.log(float(given.square[-1, -1]))


def _chi2_tail(x: float, df: int) -> float:
    if df == 0:
        return 1.0 if x <= 0 else 0.0
    return float(special.chdtrc(df, x))
