"""Mixed model: 40 animals on 10 days with 6 organs, beside statsmodels' fit of a smaller random part."""

import statistics
import warnings

import numpy as np

from lampyris.statistics.mixed import RandomTerm, compare_over_time, fit_mixed_model, nested_labels
from lampyris.statistics.mixed.fixed import Factor, fixed_part
from speed.measurement import Measurement, alternate, compared, core_seconds, one_core

ROW = "mixed-model"
PEER = "statsmodels MixedLM"
ANIMALS, DAYS, ORGANS = 40, 10, 6
GOAL_S = 5.0
PART = f"{ANIMALS} animals x {DAYS} days x {ORGANS} organs, with intervals and tests"
FIT = "the fit alone, animal and organ within animal"
# statsmodels stops at a gradient that leaves some five digits
AGREEMENT = 1e-4


def measure() -> list[Measurement]:
    """The whole comparison against its time; the fit alone against the peer's."""
    columns = _table()

    def whole() -> object:
        y, group, animal, day, organ = columns
        return compare_over_time(y, group, animal, day, nested=organ)

    whole()
    with one_core():
        took = statistics.median(core_seconds(whole) for _ in range(3))
    found = [Measurement(ROW, PART, "", f"{GOAL_S:g} s", ours_s=took, held=took <= GOAL_S)]
    return [*found, _beside_peer(columns)]


def _beside_peer(columns: tuple[np.ndarray, list[str], list[str], np.ndarray, list[str]]) -> Measurement:
    try:
        from statsmodels.regression.mixed_linear_model import MixedLM
    except ImportError:
        return Measurement(ROW, FIT, PEER, "1 x", note="the peer statsmodels is not installed; `make test` installs it")
    y, group, animal, day, organ = columns
    labels = tuple(str(d) for d in day)
    terms = [("group",), ("day",), ("group", "day"), ("organ",)]
    part = fixed_part([Factor("group", tuple(group)), Factor("day", labels), Factor("organ", tuple(organ))], terms)
    random = [RandomTerm("animal", tuple(animal)), RandomTerm("animal:organ", nested_labels(animal, organ))]
    member = np.array([[name == f"organ {k}" for k in range(ORGANS)] for name in organ], dtype=np.float64)

    def ours() -> float:
        return fit_mixed_model(y, part, random).log_likelihood

    def peer() -> float:
        from statsmodels.regression.mixed_linear_model import VCSpec

        names = sorted(set(animal))
        rows = {name: [k for k, other in enumerate(animal) if other == name] for name in names}
        organs = VCSpec(
            ["organ"], [[[f"{k}" for k in range(ORGANS)] for _ in names]], [[member[rows[n]] for n in names]]
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = MixedLM(y, part.matrix, animal, exog_re=np.ones((len(y), 1)), exog_vc=organs)
            return float(model.fit(reml=True).llf)

    agree = abs(ours() - peer()) < AGREEMENT * abs(peer())
    return compared(ROW, FIT, PEER, alternate(ours, peer, rounds=3), goal_ratio=1.0, agree=agree)


def _table() -> tuple[np.ndarray, list[str], list[str], np.ndarray, list[str]]:
    """Two arms; animals, organs and sessions each with effects of their own."""
    rng = np.random.default_rng(1)
    rows = []
    for k in range(ANIMALS):
        own, tilt, organs = rng.standard_normal(), 0.05 * rng.standard_normal(), 0.5 * rng.standard_normal(ORGANS)
        for day in 2.0 * np.arange(DAYS):
            session = 0.3 * rng.standard_normal()
            for organ in range(ORGANS):
                value = (
                    own + organs[organ] + organ + (tilt + 0.1 * (k % 2)) * day + session + 0.5 * rng.standard_normal()
                )
                rows.append((value, ("dye", "dots")[k % 2], f"animal {k:02d}", day, f"organ {organ}"))
    y, group, animal, days, organ = zip(*rows, strict=True)
    return np.array(y), list(group), list(animal), np.array(days), list(organ)
