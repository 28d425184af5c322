"""Which dot to make: families, sizes and coats against targets, ranked with uncertainty, and why the rest fail.

`design` answers `Targets`; `dot_sheet` predicts one dot beside what was measured of it; `calibration_of` and
`core_calibration` take in samples of the user's own.
"""

from lampyris.probe.design.answer import Candidate, DesignResult, Rejected
from lampyris.probe.design.calibration import calibration_of, core_calibration
from lampyris.probe.design.conditions import Calibration, Conditions
from lampyris.probe.design.families import Family, families
from lampyris.probe.design.prediction import Prediction, predict
from lampyris.probe.design.ranking import design
from lampyris.probe.design.sheet import DotSheet, SheetRow, dot_sheet
from lampyris.probe.design.targets import Targets, check_targets

__all__ = [
    "Calibration",
    "Candidate",
    "Conditions",
    "DesignResult",
    "DotSheet",
    "Family",
    "Prediction",
    "Rejected",
    "SheetRow",
    "Targets",
    "calibration_of",
    "check_targets",
    "core_calibration",
    "design",
    "dot_sheet",
    "families",
    "predict",
]
