"""What is fitted to what: parameters with bounds, data sets with their models, and likelihoods that are neither squares nor counts.

Parameters are known by name. Data sets that name the same parameter share it, which makes a global fit.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Curve = Callable[[NDArray[np.float64]], ArrayLike]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: where its search starts and what it may be.

    Parameters
    ----------
    name : str
    start : float
        Within the bounds.
    low, high : float
        Bounds; both belong to what is allowed.
    fixed : bool
        It stays at `start`.
    unit : str
    scale : float
        A change that alters the model a little, about as large as the parameter's uncertainty: steps of numeric derivatives are
        a thousandth of it. 0 stands for the size of the parameter itself (1 where that is 0).
    grid : tuple of float
        Other starts; all combinations with those of the other parameters are tried and the best is kept.

    Raises
    ------
    ValueError
        If the start is not finite or outside the bounds, or the bounds are reversed.

    Examples
    --------
    >>> Parameter("lifetime", 20.0, low=0.0, unit="ns").high
    inf
    """

    name: str
    start: float
    low: float = -math.inf
    high: float = math.inf
    fixed: bool = False
    unit: str = "1"
    scale: float = 0.0
    grid: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        starts = (self.start, *self.grid)
        if not self.low < self.high and not (self.fixed and self.low == self.high):
            raise ValueError(f"{self.name}: its lower bound {self.low} is not below its upper bound {self.high}")
        if not all(math.isfinite(one) and self.low <= one <= self.high for one in starts):
            raise ValueError(
                f"{self.name}: starts must be finite and within [{self.low}, {self.high}], got {list(starts)}"
            )
        if not (self.scale >= 0 and math.isfinite(self.scale)):
            raise ValueError(f"{self.name}: scale must be finite and not negative, got {self.scale}")


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """Observed values and the model that expects them.

    Parameters
    ----------
    model : callable
        Takes the data set's parameters, dims (parameter,), in the order of `parameters`, and gives what is expected,
        dims (point,). The independent variable is the caller's: bind it in the function.
    observed : array_like, dims (point,)
        Values, or counts. Integers are taken as numbers.
    sd : array_like, dims (point,), optional
        Standard deviation of each value, known or up to a common factor (weights w are ``w ** -0.5``); of least squares only.
    parameters : tuple of str
        Names of the parameters that the model takes; empty for all of the fit, in their order.
    jacobian : callable, optional
        Derivatives of `model`, dims (point, parameter); numeric where it is not given.
    name : str
        For messages.

    Raises
    ------
    ValueError
        With every fault of the data: dimensions, values that are not finite, standard deviations that are not positive.
    """

    model: Curve
    observed: ArrayLike
    sd: ArrayLike | None = None
    parameters: tuple[str, ...] = ()
    jacobian: Curve | None = None
    name: str = "data"

    def __post_init__(self) -> None:
        observed = np.array(self.observed, dtype=np.float64)
        faults = []
        if observed.ndim != 1 or not observed.size:
            faults.append(f"observed values must lie in one dimension and be there, got shape {observed.shape}")
        elif not np.isfinite(observed).all():
            places = np.flatnonzero(~np.isfinite(observed))[:5].tolist()
            faults.append(f"observed values at places {places} are not finite: leave these points out")
        if self.sd is not None:
            sd = np.array(np.broadcast_to(np.asarray(self.sd, dtype=np.float64), observed.shape))
            if not (np.isfinite(sd) & (sd > 0)).all():
                places = np.flatnonzero(~(np.isfinite(sd) & (sd > 0)))[:5].tolist()
                faults.append(f"standard deviations at places {places} are not positive and finite")
            sd.flags.writeable = False
            object.__setattr__(self, "sd", sd)
        if faults:
            raise ValueError(f"{self.name}: {'; '.join(faults)}")
        observed.flags.writeable = False
        object.__setattr__(self, "observed", observed)


@dataclass(frozen=True, slots=True, eq=False)
class LogLikelihood:
    """Units whose log likelihood is given as it is: censored values, mixtures, whatever is neither squares nor counts.

    Parameters
    ----------
    of : callable
        Takes the parameters, dims (parameter,), and gives the logarithm of each unit's likelihood, dims (unit,).
    parameters : tuple of str
        Names of the parameters that it takes; empty for all of the fit.
    name : str
        For messages.
    """

    of: Curve
    parameters: tuple[str, ...] = ()
    name: str = "units"


def layout(
    parameters: Sequence[Parameter], sets: Sequence[DataSet] | Sequence[LogLikelihood], /
) -> tuple[NDArray[np.intp], ...]:
    """Places of each set's parameters among all of the fit.

    Raises
    ------
    ValueError
        With every fault: no parameter, names twice, unknown or unused.
    """
    names = [one.name for one in parameters]
    faults = [] if names else ["there is no parameter"]
    faults += [] if sets else ["there are no data"]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        faults.append(f"parameters named twice: {', '.join(twice)}")
    used: set[str] = set()
    for one in sets:
        unknown = [name for name in one.parameters if name not in names]
        if unknown:
            faults.append(f"{one.name} takes {', '.join(unknown)}, and the parameters are {', '.join(names)}")
        used.update(one.parameters or names)
    idle = [name for name in names if name not in used]
    if idle and sets:
        faults.append(f"no data set takes {', '.join(idle)}")
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(np.array([names.index(name) for name in one.parameters or names], dtype=np.intp) for one in sets)
