"""Two hundred dots predicted in full: colour with its uncertainty, width, light yield, size in water; on one core."""

import statistics

from lampyris.probe.design import Conditions, Targets, design, families, predict
from lampyris.probe.design.calibration import Calibrated
from lampyris.probe.structure import Structure
from speed.measurement import Measurement, core_seconds, one_core

ROW = "probe-design"
STRUCTURES, ROUNDS = 200, 3
GOAL_S = 10.0


def measure() -> list[Measurement]:
    """Core-seconds of 200 full predictions, and of the whole search for one dot."""
    made = structures()
    around = Conditions(excitation_nm=640.0)
    with one_core():
        full = statistics.median(core_seconds(lambda: predicted(made, around)) for _ in range(ROUNDS))
        search = statistics.median(core_seconds(lambda: design(Targets(810.0, core_nm=6.8))) for _ in range(ROUNDS))
    evaluated = design(Targets(810.0, core_nm=6.8)).evaluated
    return [
        Measurement(ROW, f"{STRUCTURES} dots", "", f"{GOAL_S:g} s", ours_s=full, held=full <= GOAL_S),
        Measurement(ROW, f"search over {evaluated} dots", "", f"{GOAL_S:g} s", ours_s=search, held=search <= GOAL_S),
    ]


def structures() -> tuple[Structure, ...]:
    """Dots of all families at several sizes, none twice."""
    found: dict[Structure, None] = {}
    for size in (4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5):
        for family in families():
            for share in (0.6, 0.9):
                made = family.structure(size, share, reading="particle")
                if made is not None:
                    found[made] = None
    return tuple(found)[:STRUCTURES]


def predicted(made: tuple[Structure, ...], around: Conditions, /) -> int:
    """How many dots were predicted."""
    solved = Calibrated(around)
    return len([predict(one, around, size_sd_nm=0.5, scaled=True, calibrated=solved) for one in made])
