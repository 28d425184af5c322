"""Power and sample size of every test of the package, from given numbers, a pilot, or an earlier study's spread."""

from lampyris.statistics.power.pilot import Spread, pooled_from_summary, pooled_spread
from lampyris.statistics.power.planning import plan_auc_width, plan_power, plan_share_width
from lampyris.statistics.power.question import KINDS, PowerQuestion

__all__ = [
    "KINDS",
    "PowerQuestion",
    "Spread",
    "plan_auc_width",
    "plan_power",
    "plan_share_width",
    "pooled_from_summary",
    "pooled_spread",
]
