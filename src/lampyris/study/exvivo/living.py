"""The signal of each organ in the living animal's last session, to lay beside the same organ on a tray."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT
from lampyris.core.study import AnimalOutcome, SessionResult
from lampyris.statistics.intervals import normal_interval

TABLE_OF_GLOW, TABLE_OF_SIGHTINGS = "results/tables/organ_signals.csv", "results/tables/sightings.csv"
PRIMARY, TUMOUR = "primary", "tumour"


@dataclass(frozen=True, slots=True)
class LivingSignal:
    """One signal of a living animal.

    Parameters
    ----------
    animal, organ : str
        A primary tumour is called tumour.
    day : float
    flux : Estimate
        ph s-1; None where it was not measured or not seen.
    lesion : bool
        Of a lesion: lesions of an organ add up. Of an organ's glow the brighter view counts.
    """

    animal: str
    organ: str
    day: float
    flux: Estimate | None
    lesion: bool


def last_signals(signals: Iterable[LivingSignal], /) -> tuple[tuple[str, str, Estimate], ...]:
    """Each animal's signal of every organ on its last day: the organ's glow in the brighter view and the lesions in it together.

    Parameters
    ----------
    signals : iterable of LivingSignal

    Returns
    -------
    tuple of (animal, organ, Estimate)
        ph s-1, by animal and organ.
    """
    every = list(signals)
    last: dict[str, float] = {}
    for one in every:
        last[one.animal] = max(last.get(one.animal, -math.inf), one.day)
    now = [one for one in every if one.day == last[one.animal] and one.flux is not None]
    best: dict[tuple[str, str], Estimate] = {}
    for one in now:
        key = (one.animal, one.organ)
        if one.flux is not None and not one.lesion and (key not in best or one.flux.value > best[key].value):
            best[key] = one.flux
    parts = {key: [flux] for key, flux in best.items()}
    for one in now:
        if one.flux is not None and one.lesion:
            parts.setdefault((one.animal, one.organ), []).append(one.flux)
    return tuple((animal, organ, sum_of(parts[animal, organ])) for animal, organ in sorted(parts))


def signals_of(sessions: Sequence[SessionResult], outcomes: Sequence[AnimalOutcome], /) -> list[LivingSignal]:
    """Signals of analysed sessions, and of lesions followed over them.

    Parameters
    ----------
    sessions : sequence of SessionResult
        The last one of each animal is enough.
    outcomes : sequence of AnimalOutcome
    """
    found = [
        LivingSignal(session.animal, signal.organ, session.day, signal.flux, False)
        for session in sessions
        for view in session.views
        for signal in view.organ_signals
    ]
    for outcome in outcomes:
        for lesion in outcome.lesions:
            organ = TUMOUR if lesion.kind == PRIMARY else lesion.organ
            found += [
                LivingSignal(outcome.animal, organ, one.day, one.flux if one.seen else None, True)
                for one in lesion.sightings
            ]
    return found


def stored_signals(study: Path, /, *, level: float = 0.95) -> list[LivingSignal]:
    """Signals in the tables of a study that has been run, their intervals of its level; none where it has not."""
    found = [
        LivingSignal(row["animal"], row["organ"], float(row["day"]), _read(row, level), False)
        for row in _rows(study / TABLE_OF_GLOW)
    ]
    for row in _rows(study / TABLE_OF_SIGHTINGS):
        organ = TUMOUR if row["kind"] == PRIMARY else row["organ"]
        flux = _read(row, level) if row["seen"] == "true" else None
        found.append(LivingSignal(row["animal"], organ, float(row["day"]), flux, True))
    return found


def sum_of(fluxes: Sequence[Estimate], /) -> Estimate:
    """Sum of fluxes whose errors are independent; where any is a bound, a bound."""
    if any(math.isnan(one.value) for one in fluxes):
        high = math.fsum(one.high for one in fluxes)
        return Estimate(math.nan, math.nan, 0.0, high, fluxes[0].level, FLUX_UNIT, "sum of bounds")
    value, sd = math.fsum(one.value for one in fluxes), math.hypot(*(one.sd for one in fluxes))
    return normal_interval(value, sd, unit=FLUX_UNIT, method="sum of its parts", level=fluxes[0].level)


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.is_file() else []


def _read(row: Mapping[str, str], level: float) -> Estimate | None:
    try:
        value, sd, low, high = (float(row[name]) for name in ("flux", "flux_sd", "flux_low", "flux_high"))
    except ValueError:
        # an empty cell: not measured
        return None
    return Estimate(value, sd, low, high, level, FLUX_UNIT, "in the living animal")
