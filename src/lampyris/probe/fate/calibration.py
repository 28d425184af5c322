"""The parameters that published figures of dots set, by one fit; figures held out of it are only compared.

The starting point of what few figures tell is the lineage's own sets, which disagree by orders of magnitude: their mean and
their spread (of logarithms) enter the fit as observations. So does the weight of each study's animals, known by strain only.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lampyris.probe.fate.body import body
from lampyris.probe.fate.dosing import Dosing, time_grid
from lampyris.probe.fate.figures import content_percent_per_g, excreted_percent, half_life_h, organ_share
from lampyris.probe.fate.motion import courses
from lampyris.probe.fate.rates import rates
from lampyris.probe.fate.tables import Published, kinetics, physiology, published, rows_of

if TYPE_CHECKING:
    from lampyris.statistics.fitting import Fit

Array = NDArray[np.float64]
CALIBRATED_HOURS = 32.0
RATIO_TO_HOURS = 4.0
UNITS = {
    "clearance": "ml/h/g",
    "uptake": "1",
    "tumour exchange": "ml/h/g",
    "tissue exchange": "1",
    "sieving": "nm",
    "weight": "kg",
}
# each coat's clearance is a parameter; all lie about their mean with the spread of the printed half-lives
COATS = ("PEG", "short PEG", "mPEG5000", "QD705", "zwitterion")
# the least standard deviation of a logarithm that sets of other particles leave to a dot
LEAST_PRIOR_SD = 0.7
# samples lie within a factor 400 of the best fit: beyond, rates are faster than any plasma flow
LARGEST_STEP = 6.0
STARTS = {
    "clearance PEG": 0.33, "clearance short PEG": 1.1, "clearance mPEG5000": 0.13, "clearance QD705": 0.008,
    "clearance zwitterion": 0.15, "uptake lung": 0.4, "uptake spleen": 0.25, "uptake gut": 0.03, "uptake kidney": 0.24,
    "uptake bone": 0.2, "uptake rest": 0.05, "tissue exchange": 0.7, "tumour exchange": 0.15, "tumour trapping": 1.5,
    "RAD binding": 0.8, "RGD binding": 15.0, "sieving half": 3.3, "sieving width": 0.6,
}  # fmt: skip
NAMES = tuple(STARTS)


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """Stored outcome of the fit, in natural logarithms.

    Parameters
    ----------
    names : tuple of str
        `NAMES` and `weight_names`.
    logs : ndarray, dims (parameter,)
        Best fit.
    drawn : ndarray, dims (sample, parameter)
        What else the figures and priors leave open, sampled in proportion to its likelihood.
    """

    names: tuple[str, ...]
    logs: Array
    drawn: Array

    def values(self, draws: int = 1, rng: np.random.Generator | None = None) -> dict[str, Array]:
        """Parameters by name, dims (draw,): the best fit, or samples of what else is possible."""
        logs = np.tile(self.logs, (draws, 1)) if rng is None else self.drawn[rng.integers(len(self.drawn), size=draws)]
        return dict(zip(self.names, np.exp(logs).T, strict=True))


@dataclass(frozen=True, slots=True)
class Prior:
    """What other particles tell of a parameter: mean and standard deviation of its logarithm, and from where."""

    name: str
    mean: float
    sd: float
    source: str


@lru_cache(maxsize=1)
def calibrated() -> Calibrated:
    """The fit's outcome as the package holds it; `calibrate` finds it again."""
    rows = rows_of("calibrated")
    names = tuple(row["parameter"] for row in rows)
    drawn = np.array([[float(one) for one in row["log_samples"].split()] for row in rows]).T
    return Calibrated(names, np.array([float(row["log_value"]) for row in rows]), drawn)


def unit_of(name: str, /) -> str:
    """Unit of a parameter's value."""
    return next((unit for start, unit in UNITS.items() if name.startswith(start)), "1/h")


@lru_cache(maxsize=1)
def priors() -> tuple[Prior, ...]:
    """Priors from the sets of the lineage.

    Examples
    --------
    >>> [prior.name for prior in priors()][:3]
    ['uptake spleen', 'uptake kidney', 'uptake lung']
    """
    mouse, rat, fat = kinetics("mouse gold"), kinetics("rat gold"), kinetics("mouse liposomes")
    blood = {
        "mouse gold": {organ: physiology("mouse")[organ, "vascular_fraction"].value for organ in _LUNGED},
        "rat gold": {organ: physiology("rat")[organ, "vascular_fraction"].value for organ in _LUNGED},
    }

    def gold(name: str, organ: str) -> float:
        table = mouse if name == "mouse gold" else rat
        per_g = {one: table[one, "uptake_max"].value * blood[name][one] for one in (organ, "liver")}
        return math.log(per_g[organ] / per_g["liver"])

    def liposomes(organ: str) -> float:
        per_g = {one: fat[one, "uptake_clearance"].value / fat[one, "mass"].value for one in (organ, "liver")}
        return math.log(per_g[organ] / per_g["liver"])

    both = ("mouse gold", "rat gold")
    told = {
        "uptake spleen": [*(gold(name, "spleen") for name in both), liposomes("spleen")],
        "uptake kidney": [gold(name, "kidney") for name in both],
        "uptake lung": [gold("mouse gold", "lung")],
        "uptake gut": [gold("rat gold", "gut"), liposomes("gut")],
        "uptake rest": [*(gold(name, "rest") for name in both), liposomes("rest")],
    }
    found = [
        Prior(name, float(np.mean(logs)), _sd(logs), f"{len(logs)} sets of the lineage") for name, logs in told.items()
    ]
    output = 1000.0 * physiology("mouse")["body", "cardiac_output"].value * 0.02**0.75
    flow = output * (1.0 - physiology("mouse")["body", "hematocrit"].value)
    per_g = mouse["tumour", "exchange"].value * physiology("mouse")["tumour", "flow_per_g"].value * flow
    found.append(
        Prior("tissue exchange", 0.0, LEAST_PRIOR_SD, "the lineage's exchange with tissues, times this factor")
    )
    found.append(Prior("tumour exchange", math.log(per_g), 1.0, "the lineage's fit to tumours of mice"))
    found.append(Prior("RGD binding", math.log(10.0), 1.0, "assumed: receptors catch faster than dots wash out"))
    return tuple(found)


_LUNGED = ("liver", "spleen", "kidney", "lung", "gut", "muscle", "rest")


def _sd(logs: list[float]) -> float:
    # one set alone says nothing of the spread
    return max(float(np.std(logs, ddof=1)), LEAST_PRIOR_SD) if len(logs) > 1 else 1.0


def predicted(rows: Sequence[Published], logs: Array, /, *, hours: float = CALIBRATED_HOURS) -> Array:
    """What the model gives for published figures, dims (row,): one run of the mean animal for each study and kind of dot.

    Parameters
    ----------
    rows : sequence of Published
        All of the mouse; contents at times beyond `hours` are read at its end.
    logs : ndarray, dims (parameter,)
        In the order of `NAMES` and `weight_names`.
    hours : float
        Length of the run.
    """
    values = dict(zip((*NAMES, *weight_names()), np.exp(logs), strict=True))
    kinds = sorted({_kind(row) for row in rows})
    count = len(kinds)
    many = {name: np.full(count, value) for name, value in values.items()}
    # all kinds run side by side, as draws of one body do
    many["clearance any"] = np.array([values[f"clearance {kind[0]}"] for kind in kinds])
    many["any binding"] = np.array([values[f"{kind[1]} binding"] if kind[1] else 0.0 for kind in kinds])
    bears = np.array([kind[3] for kind in kinds])
    usual = {row.study: row.weight_kg for row in rows}
    weights = np.array([values.get(f"weight {kind[4]}", usual[kind[4]]) for kind in kinds])
    tumours = np.where(bears, physiology("mouse")["tumour", "mass"].value, 0.0)
    mouse = body("mouse", weight_kg=weights, draws=count, tumour_g=tumours)
    sizes = np.array([kind[2] for kind in kinds])
    dosing = Dosing()
    grid = time_grid(dosing, hours)
    amounts = courses(rates(mouse, many, "any", sizes, ligand="any"), dosing, grid)
    found = []
    for row in rows:
        kind = kinds.index(_kind(row))
        if row.quantity == "half-life":
            found.append(half_life_h(amounts, mouse, grid, dosing)[kind])
            continue
        if row.quantity == "excreted":
            table = excreted_percent(amounts, row.organ, dosing)
        elif row.quantity == "delivered":
            table = 100.0 * organ_share(amounts, row.organ)
        else:
            table = content_percent_per_g(amounts, mouse, row.organ, dosing)
        value = float(np.interp(row.hours, grid, table[:, kind]))
        if row.quantity == "ratio":
            value /= float(np.interp(RATIO_TO_HOURS, grid, table[:, kind]))
        found.append(value)
    return np.array(found)


def _kind(row: Published) -> tuple[str, str, float, bool, str]:
    return row.coat, row.ligand, row.diameter_nm, row.tumour, row.study


@lru_cache(maxsize=1)
def weight_names() -> tuple[str, ...]:
    """Names of the weights of the animals of each study that the fit sees.

    Examples
    --------
    >>> weight_names()[0]
    'weight gao'
    """
    return tuple(dict.fromkeys(f"weight {row.study}" for row in published() if row.role == "calibrated"))


def _weights(other_kg: Mapping[str, float] = MappingProxyType({})) -> tuple[Array, Array]:
    """Logarithms of the weights of `weight_names`, and their standard deviations."""
    told = {
        f"weight {row.study}": (math.log(other_kg.get(row.study, row.weight_kg)), row.weight_log_sd)
        for row in published()
    }
    means, sds = np.array([told[name] for name in weight_names()]).T
    return means, sds


def start_logs() -> Array:
    """Where the search for `NAMES` and `weight_names` starts."""
    return np.concatenate([np.log(list(STARTS.values())), _weights()[0]])


def prior_values(logs: Array, /) -> Array:
    """What the priors are about, as logarithms: parameters, each coat's clearance against the mean of all, and weights."""
    coats = logs[[NAMES.index(f"clearance {coat}") for coat in COATS]]
    return np.array([*(logs[NAMES.index(one.name)] for one in priors()), *(coats - coats.mean()), *logs[len(NAMES) :]])


def prior_aims(other_kg: Mapping[str, float] = MappingProxyType({}), /) -> tuple[Array, Array]:
    """Means and standard deviations of `prior_values`; coats scatter as the printed half-lives do.

    Parameters
    ----------
    other_kg : mapping of str to float
        Weights by study, in place of those of the table.
    """
    half_lives = [math.log(row.value) for row in published() if row.quantity == "half-life"]
    scatter = float(np.std(half_lives, ddof=1))
    weights, unsure = _weights(other_kg)
    means = [*(one.mean for one in priors()), *(0.0 for _ in COATS), *weights]
    return np.array(means), np.array([*(one.sd for one in priors()), *(scatter for _ in COATS), *unsure])


def calibrated_rows(*, leave_out: Sequence[str] = ()) -> tuple[Published, ...]:
    """Published figures that the fit sees."""
    return tuple(row for row in published() if row.role == "calibrated" and row.name not in leave_out)


def calibrate(
    *, leave_out: Sequence[str] = (), factors: Mapping[str, float] = MappingProxyType({}),
    weights_kg: Mapping[str, float] = MappingProxyType({}), start: Array | None = None,
) -> "Fit":  # fmt: skip
    """Fit all parameters to the calibrated rows and the priors, in logarithms.

    Parameters
    ----------
    leave_out : sequence of str
        Names of calibrated rows that the fit does not see: to ask what hangs on them.
    factors : mapping of str to float
        Printed values are multiplied by, by name: to ask what another reading of them gives.
    weights_kg : mapping of str to float
        Weights of animals by study, in place of those of the table: to ask what hangs on them.
    start : ndarray, dims (parameter,), optional
        Logarithms that the search starts at.

    Returns
    -------
    Fit
        Of `lampyris.statistics.fitting`; its parameters are the logarithms of `NAMES` and `weight_names`.
    """
    from lampyris.statistics.fitting import DataSet, Parameter, fit_least_squares
    from lampyris.statistics.mixed.threads import one_thread

    rows = calibrated_rows(leave_out=leave_out)
    seen = np.array([math.log(row.value * factors.get(row.name, 1.0)) for row in rows])
    aims, widths = prior_aims(weights_kg)
    begin = start_logs() if start is None else start
    names = (*NAMES, *weight_names())
    with one_thread():
        return fit_least_squares(
            [
                DataSet(
                    lambda logs: np.log(predicted(rows, logs)),
                    seen,
                    [row.log_sd for row in rows],
                    names,
                    name="figures",
                ),
                DataSet(prior_values, aims, widths, names, name="priors"),
            ],
            [
                Parameter(name, float(value), low=float(value) - 8.0, high=float(value) + 8.0, scale=0.2)
                for name, value in zip(names, begin, strict=True)
            ],
            scatter="known",
        )


def sample(fit: "Fit", /, *, chains: int = 60, sweeps: int = 1500, kept: int = 400, rng: np.random.Generator) -> Array:
    """Sample what figures and priors leave open, dims (sample, parameter): the fit's own errors would be symmetric.

    A parameter that only a wide prior holds may be as small as it likes, but not as large: there it would take up what is known
    to go elsewhere. Differential-evolution Markov chains find that out; the first half of each is thrown away.

    Parameters
    ----------
    fit : Fit
        Of `calibrate`, with all rows.
    chains, sweeps, kept : int
        Chains side by side, moves of each, and samples in the end.
    rng : numpy.random.Generator

    References
    ----------
    ter Braak 2006, Stat. Comput. 16:239, doi:10.1007/s11222-006-8769-1.
    """
    from lampyris.statistics.mixed.threads import one_thread

    rows = calibrated_rows()
    seen = np.log([row.value for row in rows])
    sds = np.array([row.log_sd for row in rows])
    aims, widths = prior_aims()

    def misfit(logs: Array) -> float:
        if np.abs(logs - fit.values).max() > LARGEST_STEP:
            return math.inf
        with np.errstate(all="ignore"):
            off = (np.log(predicted(rows, logs)) - seen) / sds
        beside = (prior_values(logs) - aims) / widths
        total = float(off @ off + beside @ beside)
        return total if math.isfinite(total) else math.inf

    width = np.minimum(np.where(np.isfinite(fit.sds), fit.sds, 1.0), 1.0)
    places = fit.values + 0.4 * width * rng.standard_normal((chains, width.size))
    gathered = []
    with one_thread():
        worst = np.array([misfit(place) for place in places])
        for sweep in range(sweeps):
            # now and then a whole step, which carries a chain from one region to another
            length = 1.0 if sweep % 10 == 9 else 2.38 / math.sqrt(2.0 * width.size)
            for chain in range(chains):
                first, second = rng.choice(chains - 1, size=2, replace=False)
                first, second = first + (first >= chain), second + (second >= chain)
                trial = (
                    places[chain]
                    + length * (places[first] - places[second])
                    + 1e-3 * width * rng.standard_normal(width.size)
                )
                found = misfit(trial)
                if math.log(rng.random()) < 0.5 * (worst[chain] - found):
                    places[chain], worst[chain] = trial, found
            if sweep >= sweeps // 2:
                gathered.append(places.copy())
    everything = np.concatenate(gathered)
    return everything[np.linspace(0, len(everything) - 1, kept).astype(int)]


def stored_rows(fit: "Fit", samples: Array, /) -> tuple[dict[str, str], ...]:
    """Rows of the table ``calibrated``, from a fit and its samples."""
    told = {prior.name: prior.source for prior in priors()}
    rows = []
    for name, one, drawn in zip(fit.names, fit.estimates, samples.T, strict=True):
        source = "fit of all calibrated rows of validation.csv"
        if name in told:
            source += f", with a prior from {told[name]}"
        elif name.startswith("clearance"):
            source += ", with a prior about the mean of all coats"
        elif name.startswith("weight"):
            source += ", with a prior from the strain"
        low, high = np.exp(np.quantile(drawn, [0.025, 0.975]))
        rows.append(
            {
                "parameter": name,
                "value": f"{math.exp(one.value):.5g}",
                "low": f"{low:.3g}",
                "high": f"{high:.3g}",
                "unit": unit_of(name),
                "log_value": f"{one.value:.8f}",
                "source": source,
                "mark": "computed",
                "log_samples": " ".join(f"{value:.4f}" for value in drawn),
            }
        )
    return tuple(rows)
