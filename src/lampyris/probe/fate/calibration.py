"""The parameters that published figures of dots set, by one fit; figures held out of it are only compared.

The starting point of what few figures tell is the lineage's own sets, which disagree by orders of magnitude: their mean and
their spread (of logarithms) enter the fit as observations.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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
UNITS = {"clearance": "ml/h/g", "uptake": "1", "tumour exchange": "ml/h/g", "tissue exchange": "1", "sieving": "nm"}
# each coat's clearance is a parameter; all lie about their mean with the spread of the printed half-lives
COATS = ("PEG", "short PEG", "mPEG5000", "QD705", "zwitterion")
# the least standard deviation of a logarithm that sets of other particles leave to a dot
LEAST_PRIOR_SD = 0.7
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
    logs : ndarray, dims (parameter,)
    covariance : ndarray, dims (parameter, parameter)
    """

    names: tuple[str, ...]
    logs: Array
    covariance: Array

    def values(self, draws: int = 1, rng: np.random.Generator | None = None) -> dict[str, Array]:
        """Parameters by name, dims (draw,): the estimates, or draws about them."""
        logs = np.tile(self.logs, (draws, 1))
        if rng is not None:
            size, axes = np.linalg.eigh(self.covariance)
            normal = rng.standard_normal((draws, size.size))
            logs = logs + (normal * np.sqrt(np.maximum(size, 0.0))) @ axes.T
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
    covariance = np.array([[float(row[f"covariance {name}"]) for name in names] for row in rows])
    return Calibrated(names, np.array([float(row["log_value"]) for row in rows]), covariance)


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
    found.append(Prior("tissue exchange", 0.0, LEAST_PRIOR_SD, "the lineage's exchange with tissues, times this factor"))
    found.append(Prior("tumour exchange", math.log(per_g), 1.0, "the lineage's fit to tumours of mice"))
    return tuple(found)


_LUNGED = ("liver", "spleen", "kidney", "lung", "gut", "muscle", "rest")


def _sd(logs: list[float]) -> float:
    # one set alone says nothing of the spread
    return max(float(np.std(logs, ddof=1)), LEAST_PRIOR_SD) if len(logs) > 1 else 1.0


def predicted(rows: Sequence[Published], logs: Array, /, *, hours: float = CALIBRATED_HOURS) -> Array:
    """What the model gives for published figures, dims (row,): one run of the mean animal for each kind of dot.

    Parameters
    ----------
    rows : sequence of Published
        All of the mouse; contents at times beyond `hours` are read at its end.
    logs : ndarray, dims (parameter,)
        In the order of `NAMES`.
    hours : float
        Length of the run.
    """
    values = dict(zip(NAMES, np.exp(logs), strict=True))
    kinds = sorted({(row.coat, row.ligand, row.diameter_nm, row.tumour) for row in rows})
    count = len(kinds)
    many = {name: np.full(count, value) for name, value in values.items()}
    # all kinds run side by side, as draws of one body do
    many["clearance any"] = np.array([values[f"clearance {kind[0]}"] for kind in kinds])
    many["any binding"] = np.array([values[f"{kind[1]} binding"] if kind[1] else 0.0 for kind in kinds])
    bears = np.array([kind[3] for kind in kinds])
    mouse = body("mouse", draws=count, tumour_g=np.where(bears, physiology("mouse")["tumour", "mass"].value, 0.0))
    sizes = np.array([kind[2] for kind in kinds])
    dosing = Dosing()
    grid = time_grid(dosing, hours)
    amounts = courses(rates(mouse, many, "any", sizes, ligand="any"), dosing, grid)
    found = []
    for row in rows:
        kind = kinds.index((row.coat, row.ligand, row.diameter_nm, row.tumour))
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


def calibrated_rows(*, leave_out: Sequence[str] = ()) -> tuple[Published, ...]:
    """Published figures that the fit sees."""
    return tuple(row for row in published() if row.role == "calibrated" and row.name not in leave_out)


def calibrate(*, leave_out: Sequence[str] = (), factors: dict[str, float] | None = None, start: Array | None = None) -> "Fit":
    """Fit all parameters to the calibrated rows and the priors, in logarithms.

    Parameters
    ----------
    leave_out : sequence of str
        Names of calibrated rows that the fit does not see: to ask what hangs on them.
    factors : dict of str to float, optional
        Printed values are multiplied by, by name: to ask what another reading of them gives.
    start : ndarray, dims (parameter,), optional
        Logarithms that the search starts at.

    Returns
    -------
    Fit
        Of `lampyris.statistics.fitting`; its parameters are the logarithms of `NAMES`.
    """
    from lampyris.statistics.fitting import DataSet, Parameter, fit_least_squares

    rows = calibrated_rows(leave_out=leave_out)
    scale = factors or {}
    seen = np.array([math.log(row.value * scale.get(row.name, 1.0)) for row in rows])
    told = priors()
    half_lives = [math.log(row.value) for row in published() if row.quantity == "half-life"]
    coats = [NAMES.index(f"clearance {coat}") for coat in COATS]

    def beside(logs: Array) -> Array:
        return np.array([*(logs[NAMES.index(one.name)] for one in told), *(logs[coats] - logs[coats].mean())])

    begin = np.log(list(STARTS.values())) if start is None else start
    return fit_least_squares(
        [
            DataSet(lambda logs: np.log(predicted(rows, logs)), seen, [row.log_sd for row in rows], NAMES, name="figures"),
            DataSet(
                beside,
                [*(one.mean for one in told), *(0.0 for _ in coats)],
                [*(one.sd for one in told), *(float(np.std(half_lives, ddof=1)) for _ in coats)],
                NAMES,
                name="priors",
            ),
        ],
        [
            Parameter(name, float(value), low=float(value) - 8.0, high=float(value) + 8.0, scale=0.2)
            for name, value in zip(NAMES, begin, strict=True)
        ],
        scatter="known",
    )
