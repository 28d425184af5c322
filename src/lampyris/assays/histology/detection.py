"""Which share of labelled cells is called: from how the scores of labelled sections lie above those of controls, below the threshold too.

The threshold is set so that hardly an unlabelled cell reaches it; faint labelled cells then do not either. Below it cells cannot be
called one by one, but they can be counted: a score that so many cells of controls have and more of labelled sections do is a
labelled cell's as often as the difference says.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lampyris.assays.histology.nuclei import Floats
from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import DataSet, FitFlag, Parameter, fit_least_squares
from lampyris.statistics.thresholds import half_width

# scores from which labelled cells are looked for, and the bins' ends; below the first, cells without label are by far the most
EDGES = (2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.5, 9.0, 11.0, 13.5, 16.5, 20.0, 25.0, 32.0, math.inf)
# fewer labelled cells say nothing of how their scores spread
LEAST_CELLS = 30
# sections of controls differ among each other by more than counting
CONTROL_SCATTER = 2.0
# what the form of the scores and nuclei that were not found leave open, relative
FORM_SD = 0.03
# a share below this rests on the assumed form more than on what is seen
LEAST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Detection:
    """Share of labelled cells that is called.

    Parameters
    ----------
    share : Estimate
    cells : float
        Labelled cells behind it, called or not.
    """

    share: Estimate
    cells: float

    @property
    def log_sd(self) -> float:
        """Standard deviation of the share's logarithm."""
        return self.share.sd / self.share.value


def detection_share(
    labelled: Sequence[Floats], controls: Sequence[Floats], threshold: float, /, *, level: float = 0.95
) -> Detection | None:
    """Share of labelled cells whose score reaches the threshold.

    Parameters
    ----------
    labelled, controls : sequence of ndarray, dims (cell,)
        Scores of each section of labelled animals, and of each of controls.
    threshold : float
    level : float
        Coverage of its interval.

    Returns
    -------
    Detection or None
        None where there are no controls, too few labelled cells, or most of them lie where they cannot be told.

    Notes
    -----
    Scores of labelled cells are taken to be normal on a square root's scale; their number, mean and spread are fitted to the counts of
    scores in bins, with those of controls, scaled to the number of cells, beneath. Where the form does not fit, the error grows by what
    it misses.
    """
    here, there = (_counts(one) for one in (labelled, controls))
    if here[1] == 0 or there[1] == 0:
        return None
    counts, beneath = here[0], there[0] * (here[1] / there[1])
    found = float((counts - beneath).sum())
    if found < LEAST_CELLS:
        return None
    variance = np.maximum(counts, 1.0) + CONTROL_SCATTER * (here[1] / there[1]) ** 2 * np.maximum(there[0], 1.0)
    roots = np.sqrt(np.array(EDGES))

    def expected(p: Floats) -> Floats:
        above = special.ndtr((p[1] - roots) / math.exp(p[2]))
        return np.asarray(beneath + math.exp(p[0]) * (above[:-1] - above[1:]))

    start = [
        Parameter("log_cells", math.log(found), low=0.0, high=20.0),
        Parameter("mean", 3.5, low=0.5, high=12.0),
        Parameter("log_spread", 0.0, low=-1.5, high=1.2),
    ]
    fit = fit_least_squares(DataSet(expected, counts, sd=np.sqrt(variance)), start, scatter="known")
    if fit.at_bound or FitFlag.NOT_CONVERGED in fit.flags:
        return None
    return _judged(fit.values, fit.covariance, max(fit.goodness.reduced_chi2, 1.0), threshold, level)


def _judged(
    values: Sequence[float] | Floats, covariance: NDArray[np.float64], stretch: float, threshold: float, level: float
) -> Detection | None:
    cells, mean, log_spread = (float(one) for one in values)
    spread = math.exp(log_spread)
    z = (mean - math.sqrt(threshold)) / spread
    share = float(special.ndtr(z))
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    slope = np.array([0.0, density / spread, -density * z])
    variance = float(slope @ covariance @ slope) * stretch
    if share < LEAST_SHARE or not math.isfinite(variance):
        return None
    sd = math.hypot(math.sqrt(max(variance, 0.0)), FORM_SD * share)
    reach = half_width(level) * sd / share
    words = "scores of labelled cells, normal on a square root's scale, above those of controls"
    found = Estimate(share, sd, share * math.exp(-reach), min(share * math.exp(reach), 1.0), level, "1", words)
    return Detection(found, math.exp(cells))


def _counts(sections: Sequence[Floats]) -> tuple[Floats, int]:
    """Cells per bin, and all of them."""
    told = [score[np.isfinite(score)] for score in sections]
    values = np.concatenate(told) if told else np.zeros(0)
    return np.histogram(values, np.array(EDGES))[0].astype(np.float64), int(values.size)
