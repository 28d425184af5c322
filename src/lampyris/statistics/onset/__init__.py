"""Time to an event: when metastasis reached an organ, as days, or as intervals between sessions."""

from lampyris.statistics.onset.analysis import OnsetOptions, onset_analysis
from lampyris.statistics.onset.organs import organ_onset
from lampyris.statistics.onset.times import OnsetTimes, times_of_events

__all__ = ["OnsetOptions", "OnsetTimes", "onset_analysis", "organ_onset", "times_of_events"]
