"""Amounts over time: matrix exponentials where rates are constant, the exponential midpoint rule where they are not.

Each dose has amounts of its own, on a clock that starts with it; what doses share (the room in phagocytes, free receptors) they
share through their sum. Every step multiplies by the exponential of a matrix whose columns sum to 0, so that nothing is lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lampyris.probe.fate.dosing import Dosing
from lampyris.probe.fate.matrix import ONE, PHAGOCYTES, PLACE, STATES, rate_matrix
from lampyris.probe.fate.rates import Rates, lineage
from lampyris.probe.fate.tables import ORGANS

Array = NDArray[np.float64]
# of the midpoint rule, per step of the grid; error falls with its square
_SUBSTEPS = 2


@dataclass(frozen=True, slots=True)
class Uptake:
    """How uptake departs from a constant clearance.

    Parameters
    ----------
    clock : str
        Empty for a constant rate, or the set (``mouse gold``, ``rat gold``) whose Hill curve in time multiplies it. The time is
        that since the dot's own dose.
    capacity_per_g : float
        Amount that the phagocytes of 1 g of an organ can hold, in the unit of the dose; infinite where uptake is linear.
    receptors_per_g : float
        Amount that the receptors of 1 g of tumour bind.
    """

    clock: str = ""
    capacity_per_g: float = np.inf
    receptors_per_g: float = np.inf

    @property
    def linear(self) -> bool:
        """Doses do not know of each other."""
        return bool(np.isinf(self.capacity_per_g) and np.isinf(self.receptors_per_g))

    def hill(self, hours: float, /) -> dict[str, float]:
        """Factor on each organ's uptake at a time after the dose.

        Examples
        --------
        >>> Uptake("mouse gold").hill(48.0)["liver"]
        0.5
        """
        return {organ: _hill(self.clock, organ, hours) for organ in ORGANS}


def _hill(clock: str, organ: str, hours: float) -> float:
    if not clock:
        return 1.0
    power = lineage(organ, "uptake_hill", of=clock) if clock == "mouse gold" or organ != "gut" else 0.5
    half = lineage(organ, "uptake_half_time", of=clock) if clock == "mouse gold" or organ != "gut" else 24.0
    risen = max(hours, 0.0) ** power
    return risen / (risen + half**power)


@dataclass(slots=True)
class _Exponentials:
    """Exponentials of one matrix times steps, kept; a step twice as long is the square."""

    matrix: Array
    kept: dict[float, Array] = field(default_factory=dict)

    def of(self, step: float) -> Array:
        from scipy.linalg import expm

        key = float(f"{step:.11e}")
        if key not in self.kept:
            half = float(f"{step / 2:.11e}")
            self.kept[key] = self.kept[half] @ self.kept[half] if half in self.kept else expm(self.matrix * step)
        return self.kept[key]


def courses(
    rates: Rates, dosing: Dosing, grid: Array, /, *, uptake: Uptake | None = None, substeps: int = _SUBSTEPS
) -> Array:
    """Amounts of all doses together, in units of one dose.

    Parameters
    ----------
    rates : Rates
    dosing : Dosing
    grid : ndarray, dims (time,)
        From 0 on, with every beginning and end of a dose in it; see `time_grid`.
    uptake : Uptake, optional
        Constant clearance otherwise.
    substeps : int
        Of the midpoint rule between two times.

    Returns
    -------
    ndarray, dims (time, draw, state)
        A dose that begins at a time is in it.
    """
    law = uptake or Uptake()
    starts = np.array(dosing.starts)
    draws = rates.body.central_ml.size
    amounts = np.zeros((starts.size, draws, len(STATES)))
    found = np.zeros((grid.size, draws, len(STATES)))
    plain = law.linear and not law.clock
    constant = {busy: _Exponentials(_matrix(rates, dosing, busy)) for busy in {False, dosing.infusion_h > 0}}
    parts = None if plain else _parts(rates, dosing)
    if plain:
        # the shortest first, so that longer ones can be squares of them
        for one in constant.values():
            for step in sorted({float(f"{step:.11e}") for step in np.diff(grid)}):
                one.of(step)
    given = 0
    for place, now in enumerate(grid):
        while given < starts.size and starts[given] <= now + 1e-9:
            amounts[given] = _given(dosing, draws)
            given += 1
        found[place] = amounts[:given].sum(axis=0)
        if place + 1 == grid.size:
            break
        step = grid[place + 1] - now
        clocks = [now - start for start in starts[:given]]
        if parts is None:
            for number, clock in enumerate(clocks):
                busy = clock < dosing.infusion_h - 1e-9
                amounts[number] = _times(constant[busy].of(step), amounts[number])
        else:
            amounts[:given] = _midpoint(parts, rates, dosing, law, amounts[:given], clocks, step, substeps)
    found[:, :, ONE] = 0.0
    return found


def _given(dosing: Dosing, draws: int) -> Array:
    where = "cells" if dosing.cells_in else "syringe" if dosing.infusion_h > 0 else "veins"
    amounts = np.zeros((draws, len(STATES)))
    amounts[:, PLACE[where]] = 1.0
    amounts[:, ONE] = 1.0
    return amounts


def _times(exponential: Array, amounts: Array) -> Array:
    return np.asarray((exponential @ amounts[:, :, None])[:, :, 0])


def _matrix(
    rates: Rates, dosing: Dosing, busy: bool, uptake: Mapping[str, Array] | None = None, binding: Array | float = 1.0
) -> Array:
    return rate_matrix(
        rates,
        uptake=uptake,
        binding=binding,
        infusion_per_h=1.0 / dosing.infusion_h if busy else 0.0,
        death_per_h=np.log(2.0) / dosing.cell_half_life_h if dosing.cells_in else 0.0,
        cells_in=dosing.cells_in or "blood",
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """A matrix in parts: what is constant, what an organ's uptake adds, and what binding adds."""

    constant: dict[bool, Array]
    uptake: dict[str, Array]
    binding: Array

    def at(self, busy: bool, uptake: Mapping[str, Array], binding: Array) -> Array:
        matrix = self.constant[busy] + binding[:, None, None] * self.binding
        for organ, part in self.uptake.items():
            matrix += np.asarray(uptake[organ])[:, None, None] * part
        return np.asarray(matrix)


def _parts(rates: Rates, dosing: Dosing) -> _Parts:
    none = {organ: np.zeros(1) for organ in ORGANS}
    still = {
        busy: _matrix(rates, dosing, busy, none, 0.0) for busy in (False, True) if not busy or dosing.infusion_h > 0
    }
    uptake = {organ: _matrix(rates, dosing, False, none | {organ: np.ones(1)}, 0.0) - still[False] for organ in ORGANS}
    return _Parts(still, uptake, _matrix(rates, dosing, False, none, 1.0) - still[False])


def _midpoint(
    parts: _Parts, rates: Rates, dosing: Dosing, law: Uptake, amounts: Array, clocks: list[float], step: float,
    substeps: int,
) -> Array:  # fmt: skip
    """One step of the exponential midpoint rule in `substeps` parts: second order, and exact in what it conserves."""
    length = step / substeps
    for number in range(substeps):
        now = [clock + number * length for clock in clocks]
        middle = amounts
        if not law.linear:
            # what fills up is first carried half a step with how full it was
            middle = _moved(parts, rates, dosing, law, amounts, amounts, now, 0.5 * length)
        amounts = _moved(parts, rates, dosing, law, amounts, middle, now, length)
    return amounts


def _moved(
    parts: _Parts, rates: Rates, dosing: Dosing, law: Uptake, amounts: Array, seen: Array, clocks: list[float],
    length: float,
) -> Array:  # fmt: skip
    """Amounts after a time, with rates as in its middle and with as much room as `seen` leaves."""
    from scipy.linalg import expm

    room, free = _room(rates, dosing, law, seen.sum(axis=0))
    kept: dict[tuple[float, bool], Array] = {}
    moved = []
    for own, clock in zip(amounts, clocks, strict=True):
        busy = clock + 0.5 * length < dosing.infusion_h
        key = (clock if law.clock else 0.0, busy)
        if key not in kept:
            hill = law.hill(clock + 0.5 * length)
            kept[key] = expm(parts.at(busy, {organ: hill[organ] * room[organ] for organ in ORGANS}, free) * length)
        moved.append(_times(kept[key], own))
    return np.array(moved)


def _room(rates: Rates, dosing: Dosing, law: Uptake, together: Array) -> tuple[dict[str, Array], Array]:
    """Share of the phagocytes' capacity and of the receptors that is free."""
    mass = rates.body.mass_g
    held = dict(zip(ORGANS, together[:, PHAGOCYTES].T, strict=True))
    room = {
        organ: np.clip(1.0 - dosing.amount * held[organ] / (law.capacity_per_g * mass[organ]), 0.0, 1.0)
        for organ in ORGANS
    }
    bound = together[:, PLACE["tumour receptors"]]
    free = np.clip(1.0 - dosing.amount * bound / (law.receptors_per_g * mass["tumour"]), 0.0, 1.0)
    return room, np.asarray(free)
