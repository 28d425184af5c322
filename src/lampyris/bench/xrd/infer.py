"""Size, strain and lattice of a phase: all its lines at once, over a background, with what is known of instrument and sample."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.xrd.crystals import Reflections, extent_of, inverse_lengths, phases, reflections
from lampyris.bench.xrd.dot_lines import SPHERE, DotLines, DotShape, predict_dot_lines
from lampyris.bench.xrd.facets import cubic_terms, cut_columns, uniaxial_terms
from lampyris.bench.xrd.match import Match, envelope_of
from lampyris.bench.xrd.pattern import (
    Beam,
    Resolution,
    breadth_over_width,
    chebyshev,
    line_widths,
    predict_lines,
    q_of,
)
from lampyris.core.constants import FWHM_PER_SD
from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import DataSet, Fit, FitFlag, Parameter, fit_least_squares
from lampyris.statistics.intervals import NORMAL_95, bounded_interval

Array = NDArray[np.float64]

SPHERE_SHARE = 0.36
"""Lorentzian share of a sphere's line: that of the pseudo-Voigt with its breadth and its width."""
SPHERE_FITTED = 1.07
"""Column of a dot's lines by pseudo-Voigts of that share over the true one: least squares weigh a line's middle, which is blunter
than a pseudo-Voigt's, and its feet go to neighbours and background. Of whole patterns without noise of zinc blende, wurtzite and rock
salt, in the mean; taken off of small crystals of other kinds, whose lines are not modelled as those of dots."""
SPHERE_BELOW_A = 60.0
"""Columns below give lines whose feet overlap: a background cannot be told from them, so their lines are those of a law of dots."""
SPREAD, SPREAD_SD = 0.12, 0.06
"""Standard deviation of the logarithm of diameters in a batch of dots, and how far batches differ; assumed."""
SHIFT_SD_DEG = 0.05
"""How far lines may be moved by a sample beside the axis, as a standard deviation; assumed."""
FORM_SD, MOST_FORM = 0.2, 0.8
"""Logarithm of a dot's length over its width along a single axis, as a standard deviation and at most; assumed: 1.5 lies within
two of them."""
STRAIN_UNIT = 1e-4
"""Of squared strains in a fit."""
FACETS_SD = 0.3
"""Facets, of `cut_sphere_overlaps`, as a standard deviation; assumed: sharp truncated octahedra and cubes with their edges well
rounded lie at about one of them, sharp cubes at three."""
MISFIT_CHANCE = 0.01
"""How often noise alone may be taken for a misfit."""
_MOST_LARGER, _FARTHEST = 2.0, 2.2
"""Column of dots over that of the best match, at most; and distance over that match's diameter up to which dots overlap with themselves."""
_LEAST_GAIN = 1e-6
"""Of some hundred degrees of freedom: a fiftieth of a standard error."""
_POINTS_A_LINE = 6.0
_FEWEST_POINTS = 400


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """A pattern with its noise and what is known of its instrument.

    Parameters
    ----------
    two_theta_deg, signal, sd : numpy.ndarray, dims (point,)
    beam : Beam
    resolution : Resolution
    resolution_sd : float
        Relative standard deviation of its widths.
    shift_sd_deg : float
        Of the shift by a sample beside the axis.
    """

    two_theta_deg: Array
    signal: Array
    sd: Array
    beam: Beam
    resolution: Resolution
    resolution_sd: float = 0.5
    shift_sd_deg: float = SHIFT_SD_DEG


@dataclass(frozen=True, slots=True, eq=False)
class LineFit:
    """Lines of a phase fitted to a pattern.

    Parameters
    ----------
    phase : str
    fit : Fit
    expected, background : numpy.ndarray, dims (point,)
    parts : mapping of str to numpy.ndarray
        Each phase's lines.
    lattice_a, lattice_c : Estimate
        In A; the second NaN of a cubic cell and where the cell keeps its shape.
    column_nm : Estimate
        Volume-weighted column that the fitted breadth stands for.
    true_column_nm : Estimate
        The same; of small crystals that are neither cubic nor uniaxial less what pseudo-Voigts make of them, `SPHERE_FITTED`.
    strain : Estimate
    share : float
        Lorentzian share of the line that size alone gives.
    shift_deg : Estimate
    groups : tuple of tuple of int
        Reflections that have a strength in common, since they overlap.
    lines : Reflections
    widening : float
        By which standard errors were stretched for what the model does not explain.
    settled : bool
        The search ended where it began again.
    noise : mapping of str to float
        Of `Fitted`.
    misfit : float
        Of `misfit_of`.
    of_dots : bool
        Lines are those of dots, not pseudo-Voigts.
    """

    phase: str
    fit: Fit
    expected: Array
    background: Array
    parts: dict[str, Array]
    lattice_a: Estimate
    lattice_c: Estimate
    column_nm: Estimate
    true_column_nm: Estimate
    strain: Estimate
    share: float
    shift_deg: Estimate
    groups: tuple[tuple[int, ...], ...]
    lines: Reflections
    widening: float
    settled: bool
    noise: dict[str, float]
    misfit: float
    of_dots: bool
    second: str = ""
    strengths: Array = field(default_factory=lambda: np.zeros(0))

    def columns_a(self) -> Array:
        """Column in A along each reflection, dims (reflection,)."""
        return (
            10.0
            * self.column_nm.value
            * reach_along(self.phase, self.lines.hkl, self.fit["form"].value, self.fit["facets"].value)
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """The lines' columns, linear in their strengths, and the place of each parameter."""

    recorded: Recorded
    phase: str
    lines: Reflections
    groups: tuple[tuple[int, ...], ...]
    start: Match
    terms: int
    second: Match | None
    ends: tuple[float, float]

    def names(self) -> list[str]:
        axes = ["a", "c"][: phases()[self.phase].free_axes]
        own = [*axes, "breadth", "share", "strain2", "shift", "instrument", "form", "facets", "spread"]
        own += ["second_a", "second_breadth"] if self.second else []
        linear = [f"strength_{k}" for k in range(len(self.groups))]
        linear += ["second_strength"] if self.second else []
        return own + linear + [f"background_{k}" for k in range(self.terms)]

    @property
    def bent(self) -> int:
        """Number of parameters that are not linear."""
        return phases()[self.phase].free_axes + 8 + (2 if self.second else 0)

    def columns(self, p: Array) -> Array:
        """Curves of unit strength, dims (point, group)."""
        names = self.names()
        value = dict(zip(names[: self.bent], p[: self.bent].tolist(), strict=True))
        r = self.recorded
        cell = phases()[self.phase].cell(value["a"], value.get("c", math.nan))
        inverse = inverse_lengths(self.lines.hkl, cell)
        x, beam = r.two_theta_deg, r.beam
        resolution = r.resolution.scaled(value["instrument"])
        reach = farthest_q(self.recorded)
        curves = list(self._own(value, inverse, resolution).T)
        if self.second is not None:
            other = reflections(self.second.phase, reach)
            inverse = other.inverse * phases()[self.second.phase].lengths_a[0] / value["second_a"]
            widths = _widths(inverse, beam, resolution, np.array(value["second_breadth"]), 0.4, 0.0)
            each = predict_lines(
                x, beam, inverse, widths, shift_deg=value["shift"], envelope=envelope_of(self.second.phase, reach)
            )
            curves.append(each @ other.strength)
        return np.column_stack(curves)

    def _own(self, value: dict[str, float], inverse: Array, resolution: Resolution) -> Array:
        """Curves of the phase's groups, of dots or, of larger crystals, of pseudo-Voigts."""
        r, envelope, lines = self.recorded, envelope_of(self.phase, farthest_q(self.recorded)), self.lines
        if of_dots(self.phase, self.start.column_a):
            own = dot_lines_of(self.phase, lines, self.groups, envelope, self.start.column_a)
            shape = shape_of(value)
            return predict_dot_lines(r.two_theta_deg, r.beam, resolution, inverse, own, shape, shift_deg=value["shift"])
        breadth = value["breadth"] / reach_along(self.phase, lines.hkl, value["form"], value["facets"])
        widths = _widths(inverse, r.beam, resolution, breadth, value["share"], value["strain2"])
        each = predict_lines(r.two_theta_deg, r.beam, inverse, widths, shift_deg=value["shift"], envelope=envelope)
        return np.column_stack([each[:, list(group)] @ lines.strength[list(group)] for group in self.groups])

    def background(self) -> Array:
        return chebyshev(self.recorded.two_theta_deg, self.terms, ends=self.ends)

    def expected(self, p: Array) -> Array:
        return np.asarray(self.columns(p) @ p[self.bent : -self.terms] + self.background() @ p[-self.terms :])

    def jacobian(self, p: Array, steps: Array) -> Array:
        slopes = np.empty((self.recorded.signal.size, p.size))
        strengths = p[self.bent : -self.terms]
        for k in range(self.bent):
            up, down = p.copy(), p.copy()
            up[k] += steps[k]
            down[k] -= steps[k]
            slopes[:, k] = (self.columns(up) @ strengths - self.columns(down) @ strengths) / (2.0 * steps[k])
        slopes[:, self.bent : -self.terms] = self.columns(p)
        slopes[:, -self.terms :] = self.background()
        return slopes


def of_dots(phase: str, column_a: float, /) -> bool:
    """Lines are taken for those of dots, whose shape is fitted along."""
    return column_a < SPHERE_BELOW_A and (phases()[phase].cubic or phases()[phase].uniaxial)


def dot_lines_of(
    phase: str, lines: Reflections, groups: Sequence[Sequence[int]], envelope: tuple[Array, Array], column_a: float, /
) -> DotLines:
    """Lines of dots of about a column, each group a curve."""
    weights = np.zeros((lines.strength.size, len(groups)))
    for k, group in enumerate(groups):
        weights[list(group), k] = lines.strength[list(group)]
    return DotLines(phase, lines.hkl, weights, envelope, _FARTHEST * SPHERE * column_a + 10.0)


def shape_of(value: Mapping[str, float], /) -> DotShape:
    """What dots' lines follow, from the parameters of a fit."""
    return DotShape(
        2.0 * math.pi / max(value["breadth"], 1e-6),
        value["spread"],
        value["form"],
        value["facets"],
        value["strain2"] * STRAIN_UNIT,
    )


def farthest_q(recorded: Recorded, /) -> float:
    """Place in q, in 1/A, to which lines of a pattern may reach: a little beyond its end."""
    return round(1.03 * float(q_of(recorded.two_theta_deg[-1:], min(recorded.beam.wavelengths_a))[0]), 1)


def reach_along(phase: str, hkl: NDArray[np.int64], form: float, facets: float = 0.0, /) -> Array:
    """Columns along reflections over their mean over all directions, dims (reflection,).

    Parameters
    ----------
    phase : str
    hkl : numpy.ndarray of int, dims (reflection, 3)
    form : float
        Of `extent_of`.
    facets : float
        Of `cut_sphere_overlaps`.
    """
    crystal = phases()[phase]
    directions = hkl @ np.linalg.inv(crystal.cell()).T
    harmonic = crystal.harmonic(directions)
    reach = extent_of(harmonic, form)
    if facets == 0.0:
        return reach
    terms = cubic_terms(directions) if crystal.cubic else uniaxial_terms(harmonic)
    return reach * cut_columns(terms, facets, cubic=crystal.cubic)


def _widths(
    inverse: Array, beam: Beam, resolution: Resolution, breadth: Array, share: float, strain2: float
) -> tuple[Array, Array]:
    column = 2.0 * math.pi / np.maximum(breadth, 1e-6)
    return line_widths(inverse, beam, resolution, column_a=column, share=share, strain2=strain2 * STRAIN_UNIT)


def infer_lines(recorded: Recorded, start: Match, /, *, second: Match | None = None, terms: int = 8) -> LineFit:
    """Fit all lines of a phase.

    Parameters
    ----------
    recorded : Recorded
    start : Match
        Where the search begins.
    second : Match, optional
        A further phase, with the strengths of the table.
    terms : int
        Of the background, a Chebyshev polynomial.

    Returns
    -------
    LineFit

    Raises
    ------
    ValueError
        If no line of the phase lies in the pattern, or points are too few.
    """
    whole = _model(recorded, start, second, terms)
    model = replace(whole, recorded=joined_points(recorded, start))
    recorded = model.recorded
    names = model.names()
    parameters = _parameters(model)
    scales = np.array([one.scale for one in parameters])
    if recorded.signal.size < 2 * len(names):
        raise ValueError(f"{recorded.signal.size} points are too few for {len(names)} parameters")
    known = _known(recorded, model)
    data = DataSet(model.expected, recorded.signal, sd=recorded.sd, jacobian=lambda p: model.jacobian(p, 0.02 * scales))
    found = fitted_twice(
        replace(data, parameters=tuple(names)), known, parameters, told=("a", "c", "breadth", "strain2")
    )
    height = float((model.columns(found.fit.values) @ found.fit.values[model.bent : -terms]).max())
    return _told(whole, found, misfit_of(found.fit.residuals[0], recorded.sd, max(height, 1e-300)))


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A pattern fitted with its noise widened by what the model does not explain.

    Parameters
    ----------
    fit : Fit
    widening : float
        Factor of the noise.
    settled : bool
        What is reported ended within a third of a standard error of where it began, or the search said itself that it converged, or
        it ended there again from the other side.
    noise : mapping of str to float
        Standard deviation of each number by noise as it was recorded, without the widening.
    """

    fit: Fit
    widening: float
    settled: bool
    noise: dict[str, float]


def fitted_twice(
    data: DataSet, known: Sequence[DataSet], parameters: Sequence[Parameter], /, *, told: Sequence[str]
) -> Fitted:
    """Fit a pattern, and again with its noise widened by what the model does not explain.

    Parameters
    ----------
    data : DataSet
        The pattern, with all parameters in their order.
    known : sequence of DataSet
        What is known besides.
    parameters : sequence of Parameter
    told : sequence of str
        Parameters that are reported: by them it is judged whether a search is settled.

    Returns
    -------
    Fitted

    Notes
    -----
    Wider noise weighs what is known besides more, and moves the best fit of dots that are not quite the model's. That alone says
    nothing against it: a search is then begun from the other side.
    """
    # of the first fit only what it leaves is used
    first = fit_least_squares([data, *known], parameters, scatter="known", least_gain=1e-4)
    sd = np.asarray(data.sd, np.float64)
    widening = widening_of(first.residuals[0] / sd)
    wide = [replace(data, sd=sd * widening), *known]

    def from_places(places: Array) -> Fit:
        starts = [
            replace(one, start=min(max(at, one.low), one.high)) for one, at in zip(parameters, places, strict=True)
        ]
        return fit_least_squares(wide, starts, scatter="known", least_gain=_LEAST_GAIN)

    fit = from_places(first.values)
    settled = FitFlag.NOT_CONVERGED not in fit.flags or _near(first, fit, told)
    if not settled:
        other = from_places(2.0 * fit.values - first.values)
        fit, beside = sorted((fit, other), key=lambda one: one.goodness.chi2)
        settled = _near(beside, fit, told)
    return Fitted(fit, widening, settled, _noise(fit, known, widening))


def _noise(fit: Fit, known: Sequence[DataSet], widening: float) -> dict[str, float]:
    """Standard deviations of a fit's numbers by noise as it is, and by what is known besides, not widened.

    With H the information of the pattern under widened noise and P that of what is known, C = 1 / (H + P), the estimates vary by
    C (H / widening^2 + P) C.
    """
    sds = {one.parameters[0]: float(np.asarray(one.sd)[0]) for one in known if one.parameters}
    place = [fit.names.index(name) for name in sds]
    seen = fit.covariance[:, place] / np.array(list(sds.values()))
    variance = np.diag(fit.covariance) / widening**2 + (1.0 - 1.0 / widening**2) * np.sum(seen**2, axis=1)
    return dict(zip(fit.names, np.sqrt(np.maximum(variance, 0.0)).tolist(), strict=True))


def _near(one: Fit, best: Fit, told: Sequence[str]) -> bool:
    """Numbers lie within a third of a standard error of the best fit's."""
    places = [best.names.index(name) for name in told if name in best.names]
    off, sds = np.abs(one.values - best.values)[places], best.sds[places]
    return bool((off < np.where(sds > 0, sds, np.inf) / 3.0).all())


def joined_points(recorded: Recorded, start: Match, /) -> Recorded:
    """The pattern with neighbouring points averaged where lines are much wider than they lie apart."""
    x = recorded.two_theta_deg
    step = float(np.median(np.diff(x)))
    size = math.degrees(recorded.beam.mean_a / start.column_a)
    width = math.hypot(size, float(recorded.resolution.width_deg(0.5 * (x[0] + x[-1]))))
    count = max(1, min(int(width / _POINTS_A_LINE / step), x.size // _FEWEST_POINTS))
    if count == 1:
        return recorded
    size_kept = x.size // count * count
    x, y, v = (one[:size_kept].reshape(-1, count).mean(axis=1) for one in (x, recorded.signal, recorded.sd**2))
    resolution = replace(recorded.resolution, window_deg=count * step)
    return replace(recorded, two_theta_deg=x, signal=y, sd=np.sqrt(v / count), resolution=resolution)


def _known(recorded: Recorded, model: _Model) -> list[DataSet]:
    """What is known besides the pattern: how the sample lies, how wide the instrument's lines are, how round dots are."""
    return [
        DataSet(lambda p: p, [0.0], sd=[recorded.shift_sd_deg], parameters=("shift",), name="shift"),
        DataSet(lambda p: p, [1.0], sd=[recorded.resolution_sd], parameters=("instrument",), name="instrument"),
        DataSet(lambda p: p, [0.0], sd=[FORM_SD], parameters=("form",), name="form"),
        DataSet(lambda p: p, [0.0], sd=[FACETS_SD], parameters=("facets",), name="facets"),
        DataSet(lambda p: p, [SPREAD], sd=[SPREAD_SD], parameters=("spread",), name="spread"),
    ]


def _model(recorded: Recorded, start: Match, second: Match | None, terms: int) -> _Model:
    x, reach = recorded.two_theta_deg, farthest_q(recorded)
    lines = reflections(start.phase, reach)
    breadth = 2.0 * math.pi / start.column_a
    inverse = lines.inverse / start.scale
    ends = float(q_of(x[:1], recorded.beam.mean_a)[0]), float(q_of(x[-1:], recorded.beam.mean_a)[0])
    if not ((inverse > ends[0]) & (inverse < ends[1])).any():
        raise ValueError(f"no line of {start.phase} lies in the pattern")
    sharp = float(recorded.resolution.width_deg(0.5 * (x[0] + x[-1])))
    least = 0.8 * math.hypot(breadth, 2.0 * math.pi / recorded.beam.mean_a * math.radians(sharp))
    groups: list[list[int]] = []
    for k, q in enumerate(inverse.tolist()):
        near = groups and q - inverse[groups[-1][0]] < least
        outside = not ends[0] < q < ends[1]
        if near or (groups and outside):
            groups[-1].append(k)
        else:
            groups.append([k])
    # lines below the first point share the strength of the first that is seen
    while len(groups) > 1 and inverse[groups[0][-1]] < ends[0]:
        groups[1] = groups[0] + groups[1]
        groups = groups[1:]
    return _Model(
        recorded,
        start.phase,
        lines,
        tuple(tuple(group) for group in groups),
        start,
        terms,
        second,
        (float(x[0]), float(x[-1])),
    )


def _parameters(model: _Model) -> list[Parameter]:
    phase, start, r = phases()[model.phase], model.start, model.recorded
    breadth = 2.0 * math.pi / start.column_a
    known_shape = start.column_a < SPHERE_BELOW_A
    dots = of_dots(model.phase, start.column_a)
    a, _, c = phase.lengths_a
    bent = [Parameter("a", a * start.scale, 0.94 * a, 1.06 * a, unit="A", scale=1e-3 * a)]
    if phase.free_axes == 2:
        bent.append(Parameter("c", c * start.scale, 0.94 * c, 1.06 * c, unit="A", scale=1e-3 * c))
    bent += [
        # lines of dots far larger than those that match best are not of dots
        Parameter("breadth", breadth, breadth / _MOST_LARGER if dots else 1e-5, 3.0, unit="1/A", scale=0.02 * breadth),
        Parameter("share", SPHERE_SHARE if known_shape else 0.4, 0.0, 1.0, fixed=known_shape, scale=0.05),
        Parameter("strain2", 0.2, -60.0, 60.0, scale=0.3),
        Parameter("shift", 0.0, -1.0, 1.0, unit="deg", scale=0.01),
        Parameter("instrument", 1.0, 0.05, 4.0, scale=0.05),
        Parameter("form", 0.0, -MOST_FORM, MOST_FORM, fixed=not phase.uniaxial, scale=0.05),
        # of large crystals nothing is known of how they are cut
        Parameter("facets", 0.0, -1.0, 1.0, fixed=not dots, scale=0.02),
        Parameter("spread", SPREAD, 0.0, 0.5, fixed=not dots, scale=0.02),
    ]
    if model.second is not None:
        own = phases()[model.second.phase].lengths_a[0]
        other = 2.0 * math.pi / model.second.column_a
        bent += [
            Parameter("second_a", own * model.second.scale, 0.97 * own, 1.03 * own, unit="A", scale=1e-3 * own),
            Parameter("second_breadth", other, 1e-4, 3.0, unit="1/A", scale=0.05 * other),
        ]
    curves = np.column_stack([model.columns(np.array([one.start for one in bent])), model.background()])
    linear = least_curves(curves, r.signal, r.sd, curves.shape[1] - model.terms)
    names = model.names()[len(bent) :]
    size = np.maximum(np.abs(linear), 1e-3 * np.abs(linear).max(initial=1e-300))
    parameters = bent
    for k, name in enumerate(names):
        low = 0.0 if not name.startswith("background") else -math.inf
        parameters.append(Parameter(name, max(float(linear[k]), low), low, scale=0.05 * float(size[k])))
    return parameters


def least_curves(curves: Array, signal: Array, sd: Array, positive: int, /) -> Array:
    """Strengths of curves by least squares, the first `positive` of them from 0."""
    from scipy.optimize import lsq_linear

    norm = np.linalg.norm(curves / sd[:, None], axis=0)
    norm = np.where(norm > 0, norm, 1.0)
    low = np.where(np.arange(curves.shape[1]) < positive, 0.0, -np.inf)
    found = lsq_linear(curves / sd[:, None] / norm, signal / sd, bounds=(low, np.inf))
    return np.asarray(found.x / norm)


def widening_of(standard: Array, /) -> float:
    """How much larger a misfit as long as a line is than noise would make it, at least 1."""
    size = int(_POINTS_A_LINE)
    blocks = standard[: standard.size // size * size].reshape(-1, size).sum(axis=1) / math.sqrt(size)
    return math.sqrt(max(float(np.mean(blocks**2)), float(np.mean(standard**2)), 1.0))


def misfit_of(left: Array, sd: Array, height: float, /) -> float:
    """What a fit leaves beyond noise at the length of a line, root mean square over the strongest line; 0 where noise may be all.

    Parameters
    ----------
    left : numpy.ndarray, dims (point,)
        Recorded less fitted.
    sd : numpy.ndarray, dims (point,)
        Noise as it was recorded.
    height : float
        Of the strongest line.

    Notes
    -----
    Means of neighbouring points, squared over their variance, add up to a chi-squared of as many degrees as there are means where the
    model holds (of less, as parameters are fitted): noise alone is taken for a misfit in no more than `MISFIT_CHANCE` of patterns.
    """
    from scipy.special import chdtri

    size = int(_POINTS_A_LINE)
    whole = left.size // size * size
    means = left[:whole].reshape(-1, size).mean(axis=1)
    variance = (sd[:whole] ** 2).reshape(-1, size).sum(axis=1) / size**2
    if float(np.sum(means**2 / variance)) <= float(chdtri(means.size, MISFIT_CHANCE)):
        return 0.0
    return math.sqrt(max(float(np.mean(means**2 - variance)), 0.0)) / height


def _told(model: _Model, found: Fitted, misfit: float) -> LineFit:
    fit = found.fit
    values, bent, terms = fit.values, model.bent, model.terms
    columns, background = model.columns(values), model.background() @ values[-terms:]
    own = len(model.groups)
    parts = {model.phase: columns[:, :own] @ values[bent : bent + own]}
    if model.second is not None:
        parts[model.second.phase] = columns[:, own] * values[bent + own]
    none = Estimate.unknown(fit.level, "A", "")
    column, size_a = column_of(fit["breadth"]), model.start.column_a
    dots = of_dots(model.phase, size_a)
    return LineFit(
        model.phase,
        fit,
        model.expected(values),
        background,
        parts,
        fit["a"],
        fit["c"] if "c" in fit.names else none,
        column,
        column if dots or size_a >= SPHERE_BELOW_A else sphere_nm(column, 1.0 / SPHERE_FITTED),
        strain_of(fit["strain2"]),
        fit["share"].value,
        fit["shift"],
        model.groups,
        model.lines,
        found.widening,
        found.settled,
        found.noise,
        misfit,
        dots,
        model.second.phase if model.second else "",
        values[bent : bent + own],
    )


def column_of(breadth: Estimate, /) -> Estimate:
    """Column in nm of a breadth in q in 1/A; without an upper end where the breadth may be none."""
    turn = 0.2 * math.pi
    low, high = turn / breadth.high, turn / breadth.low if breadth.low > 0 else math.inf
    value = turn / breadth.value
    sd = value * breadth.sd / breadth.value
    return Estimate(value, sd, low, high, breadth.level, "nm", f"{breadth.method}, of the breadth")


def strain_of(square: Estimate, /) -> Estimate:
    """Root-mean-square strain of its square in units of 1e-4; where noise makes the square negative, 0 with a limit.

    Its interval is that of `bounded_interval`: the limit is that of a square of 0, however far below none noise fell.
    """
    method = f"{square.method}, of its square"
    held = bounded_interval(square)
    low, value, high = (math.sqrt(one * STRAIN_UNIT) for one in (held.low, held.value, held.high))
    if value == 0.0:
        return Estimate(0.0, high / NORMAL_95, 0.0, high, square.level, "1", f"{method}, none is likeliest: a limit")
    return Estimate(value, (high - low) / (2.0 * NORMAL_95), low, high, square.level, "1", method)


def line_over_place(column_nm: float, two_theta_deg: Array, wavelength_a: float, /) -> float:
    """Width of a line of size over its place, both in q, in the middle of a pattern.

    What the shape of dots that are no spheres does to a fit goes with that: nothing in a large crystal, much in a small dot.

    Parameters
    ----------
    column_nm : float
        Volume-weighted column.
    two_theta_deg : numpy.ndarray
        Recorded angles.
    wavelength_a : float
    """
    return _width_in_q(column_nm) / float(q_of(0.5 * (two_theta_deg[0] + two_theta_deg[-1]), wavelength_a))


def line_width_deg(column_nm: float, wavelength_a: float, /) -> float:
    """Full width in two theta of a line of size at small angles; what dots' shape does to a pattern's shift goes with that.

    Parameters
    ----------
    column_nm : float
        Volume-weighted column.
    wavelength_a : float
    """
    return math.degrees(_width_in_q(column_nm) * wavelength_a / (2.0 * math.pi))


def _width_in_q(column_nm: float) -> float:
    """Full width in 1/A of a sphere's line."""
    return 0.2 * math.pi / column_nm / float(breadth_over_width(SPHERE_SHARE))


def shape_error(ratio: float, /, *, relative_sd: float) -> float:
    """Standard deviation of a squared strain, in `STRAIN_UNIT`, where dots are no spheres.

    Facets move the widths of single lines by some per cent against each other. A width w in q that changes by a share is taken for a
    squared strain of 2 share w^2 / (8 ln 2 q^2).

    Parameters
    ----------
    ratio : float
        w / q, of `line_over_place`.
    relative_sd : float
        Of the widths.
    """
    return 2.0 * relative_sd * (ratio / FWHM_PER_SD) ** 2 / STRAIN_UNIT


def sphere_nm(column: Estimate, factor: float = SPHERE, /, *, relative_sd: float = 0.0) -> Estimate:
    """Size as a factor times the column, with a relative standard uncertainty of the model joined."""
    sd = math.hypot(column.sd, relative_sd * column.value)
    up, down = (
        math.hypot(end - column.value, NORMAL_95 * relative_sd * column.value) for end in (column.high, column.low)
    )
    value = factor * column.value
    return Estimate(
        value,
        factor * sd,
        max(value - factor * down, 0.0),
        value + factor * up,
        column.level,
        "nm",
        f"{factor:.4g} times the volume-weighted column, {column.method}",
    )
