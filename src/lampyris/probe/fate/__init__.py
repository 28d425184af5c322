"""Where a dose of dots goes: physiologically based kinetics in mouse, rat and human, with intervals and sources.

In the order of use: `FateQuestion` with its `Dosing` and `Uptake`, `predict_fate`, which gives a `Fate`; `calibrate` finds the
stored parameters again, and `compare_published` sets predictions beside published figures.
"""

from lampyris.probe.fate.calibration import calibrate, calibrated
from lampyris.probe.fate.dosing import Dosing
from lampyris.probe.fate.motion import Uptake
from lampyris.probe.fate.predict import Comparison, Fate, OrganCourse, compare_published, predict_fate
from lampyris.probe.fate.question import FateQuestion

__all__ = [
    "Comparison",
    "Dosing",
    "Fate",
    "FateQuestion",
    "OrganCourse",
    "Uptake",
    "calibrate",
    "calibrated",
    "compare_published",
    "predict_fate",
]
