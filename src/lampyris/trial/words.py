"""The figures of accuracy that a reader asks for first, in plain words with interval and number of cases.

All others stay in `lampyris.trial.score.accuracy`, under their stable keys.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lampyris.trial.score_lesions import CONFIDENT

NONE = "none to count"
PERCENT, MM = "%", "mm"


@dataclass(frozen=True, slots=True)
class _Figure:
    """How a figure is said: its key, its words, its unit and the key that counts its cases ("" where none does)."""

    key: str
    words: str
    unit: str
    cases: str = ""


SURE = f"above {100 * CONFIDENT:g} %"
FIGURES = (
    _Figure("recall_above_limit", "lesions above the limit that were found", PERCENT, "lesions_above_limit"),
    _Figure("precision", "spots called lesions that are lesions", PERCENT, "detections"),
    _Figure("spot_rmse_mm", "place of a spot on the skin off by, root mean square", MM),
    _Figure("position_median_mm", "place of a lesion in the animal off by, sideways, median", MM, "lesions_matched"),
    _Figure("organ_accuracy_forced", "lesions whose likeliest organ is the right one", PERCENT, "organs_stated"),
    _Figure("organ_confident_share", f"lesions whose organ is stated {SURE}", PERCENT, "organs_stated"),
    _Figure("organ_accuracy_confident", "of those, organ right", PERCENT),
    _Figure("organ_confidence_gap", "mean stated probability of the organ and share right differ by", PERCENT),
    _Figure("flux_relative_error_median", "flux off by, median", PERCENT, "fluxes"),
    _Figure("interval_coverage", "intervals of flux that hold the truth", PERCENT, "fluxes"),
    _Figure("appearance_coverage", "intervals of arrival that hold the true day", PERCENT, "appearance_coverage_n"),
    _Figure("track_link_recall", "true links from session to session that were made", PERCENT, "track_link_recall_n"),
    _Figure("track_link_precision", "links made that are true", PERCENT, "track_link_precision_n"),
)


def accuracy_in_words(figures: Mapping[str, Any], /) -> list[tuple[str, str]]:
    """Say the figures that matter most.

    Parameters
    ----------
    figures : mapping of str to number, pair or None
        From `lampyris.trial.score.accuracy`. A figure that is left out or None is said to have nothing to count.

    Returns
    -------
    list of (what, value)
        First how many lesions there were; then per figure its value with the 95 % interval and n, its cases, where they
        are known.

    Examples
    --------
    >>> figures = {"precision": 0.9, "precision_interval": [0.75, 1.0], "detections": 20}
    >>> dict(accuracy_in_words(figures))["spots called lesions that are lesions"]
    '90 % (75 to 100 %), n 20'
    """
    true, above = (_whole(figures.get(key)) for key in ("lesions_true", "lesions_above_limit"))
    rows = [("lesions, counted in each session; above the detection limit", f"{true}; {above}")]
    return rows + [(one.words, _said(one, figures)) for one in FIGURES]


def _said(one: _Figure, figures: Mapping[str, Any]) -> str:
    value: Any = figures.get(one.key)
    if not _known(value):
        return NONE
    text = f"{_number(value, one.unit)} {one.unit}"
    interval = figures.get(f"{one.key}_interval")
    if interval is not None and all(map(_known, interval)):
        text += f" ({' to '.join(_number(end, one.unit) for end in interval)} {one.unit})"
    cases = figures.get(one.cases)
    return text if cases is None else f"{text}, n {cases}"


def _known(value: Any) -> bool:
    return value is not None and math.isfinite(value)


def _number(value: float, unit: str) -> str:
    if unit != PERCENT:
        return f"{value:.2f}"
    # a share just short of all must not be rounded to all
    return f"{min(round(100 * value, 1), 99.9 if value < 1 else math.inf):g}"


def _whole(count: Any) -> str:
    return NONE if count is None else str(count)
