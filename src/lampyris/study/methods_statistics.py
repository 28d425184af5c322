"""The methods text of the statistics: units, endpoints, every test, every correction, and how limits were treated."""

from lampyris.core.settings import AnalysisOptions

# the numbers themselves, so that the text cannot say another
from lampyris.study.statistics import courses, endpoints, onsets, relating

STATISTICS_REFERENCES = (
    "Delacre M, Leys C, Mora YL, Lakens D (2019) Int Rev Soc Psychol 32:13. doi:10.5334/irsp.198",
    "Fay MP, Shaw PA (2010) J Stat Softw 36:i02. doi:10.18637/jss.v036.i02",
    "Finkelstein DM (1986) Biometrics 42:845. doi:10.2307/2530698",
    "Fisher RA (1921) Metron 1:3",
    "Games PA, Howell JF (1976) J Educ Stat 1:113. doi:10.3102/10769986001002113",
    "Hedges LV (1981) J Educ Stat 6:107. doi:10.3102/10769986006002107",
    "Helsel DR (2012) Statistics for Censored Environmental Data. doi:10.1002/9781118162729",
    "Holm S (1979) Scand J Stat 6:65",
    "Kenward MG, Roger JH (1997) Biometrics 53:983. doi:10.2307/2533558",
    "Peto R, Peto J (1972) J R Stat Soc A 135:185. doi:10.2307/2344317",
    "Steiger JH (2004) Psychol Methods 9:164. doi:10.1037/1082-989X.9.2.164",
    "Tobin J (1958) Econometrica 26:24. doi:10.2307/1907382",
    "Turnbull BW (1976) J R Stat Soc B 38:290. doi:10.1111/j.2517-6161.1976.tb01597.x",
    "Welch BL (1951) Biometrika 38:330. doi:10.1093/biomet/38.3-4.330",
)
ENDPOINTS = {
    "flux": "the total lesion flux on the last shared day",
    "ratio": "its ratio to the first shared day",
    "burden": "the labelled cells outside the primary",
    "persistence": "the share of the primary's signal that is left",
    "course": "the course of the total lesion flux over days",
    "onset": "the onset of metastasis in any organ",
}
"""Endpoints in words, by their keys in ``[analysis] primary_endpoint``."""


def statistics_methods(options: AnalysisOptions, /, *, views: int) -> tuple[str, ...]:
    """Describe how arms were compared.

    Parameters
    ----------
    options : AnalysisOptions
        Every setting used.
    views : int
        Most views that a session has.

    Returns
    -------
    tuple of str
        Paragraphs: endpoints and comparison, limits, courses, onsets, relations, multiplicity.
    """
    level = _percent(options.interval_level)
    return (
        _comparison(level, views),
        _limits(views),
        _courses(level),
        _onsets(level),
        _relations(level),
        _multiplicity(options),
    )


def _comparison(level: str, views: int) -> str:
    brighter = " in the brighter of its views" if views == 2 else ""
    within = (
        ", taken within one view per animal, the one brightest on the first day (on the last, where nothing was found on the first), "
        "on both days"
        if views == 2
        else ""
    )
    return (
        "Statistics. The animal was the experimental unit; lesions, views and days of one animal were not counted as replicates. Its "
        f"value per session was the sum of the fluxes of primary and lesions{brighter}; own uncertainties were added in quadrature and "
        "shared ones linearly. Endpoints were the decimal logarithms of the flux on the last day shared by the labelled arms; of its "
        f"ratio to the first such day{within}; of the labelled-cell equivalents outside the primary on that last day; and of the share "
        "of the primary's first signal that was left in the last session. Where every value of the arms compared was measured, they were "
        "compared by Welch's analysis of variance (Welch 1951), which does not assume equal variances (Delacre 2019), and all pairs by "
        f"the Games-Howell procedure (Games & Howell 1976), with simultaneous {level} intervals, Hedges' g (Hedges 1981), and omega "
        "squared with the interval of the noncentral F distribution (Steiger 2004). Checks of normality and of equal spread are given "
        "beside the answer; none of them changed which test was made. Means are given with Student's t interval. Arms with fewer than "
        f"{endpoints.LEAST_ANIMALS} values, or with measured values that do not differ, were left out of the test and are named. "
        "Control arms were described, not tested."
    )


def _limits(views: int) -> str:
    regional = "the largest over regions of the smaller over views" if views == 2 else "the largest over regions"
    return (
        "Values below the detection limit. Where nothing was found, or what was found summed to no flux above 0, the animal's value is "
        f"only known to lie below its limit ({regional}); a ratio to a limit on the first day lies above what stands there. Such values "
        "were censored: they entered as zero nowhere, nor as the limit. As soon as one value of the arms compared was a limit, means and "
        "their differences came from the likelihood of censored normal distributions, each arm with its own spread (Tobin 1958; Helsel "
        "2012), with profile-likelihood intervals; the answer was their likelihood ratio test, referred to F, and pairs were adjusted by "
        "Holm's method. Where an arm showed fewer than three values above the limit that differ, the answer was the rank test of Peto "
        "and Peto (1972), exact or by permutation. Values of which some lie below and others above a limit were described, not tested."
    )


def _courses(level: str) -> str:
    return (
        "Courses over days. The logarithm of the total lesion flux of all days was compared by a linear mixed model with arm, day and "
        "their interaction as fixed effects and the animal as random effect, with a slope in time of its own where animals were seen on "
        "three days or more; F and degrees of freedom of Kenward and Roger (1997). Days were a factor where the arms share them, else a "
        f"straight line in time. Differences of arms by day are given with their {level} intervals and p adjusted by Holm's method over "
        "all of them. Days on which an animal's flux was a limit are not in the model and are counted; arms with fewer than "
        f"{endpoints.LEAST_ANIMALS} animals seen, or with more than {_percent(courses.MOST_LIMITS)} of their values below the limit, were "
        "not fitted."
    )


def _onsets(level: str) -> str:
    return (
        "Onset of metastasis. The day on which an organ was reached is known to lie between two sessions, and was analysed as that "
        "interval; an animal in which it was not seen counts as free of it up to its last session. Shares per arm are Turnbull's estimate "
        f"(Turnbull 1976) with {level} likelihood-ratio intervals, and labelled arms compared by the log-rank score test of intervals "
        "(Finkelstein 1986) by permutation of the animals (Fay & Shaw 2010), with permutations drawn from the study's name. What was seen "
        f"on day 0 was taken to have come within {onsets.ON_DAY_0:g} d. p of the organs were adjusted by Holm's method."
    )


def _relations(level: str) -> str:
    return (
        "Relations. Pearson's r between endpoints of the same animals is given over the labelled arms with the arms' means removed, with "
        f"{level} interval by Fisher's z (Fisher 1921), p adjusted over the relations by Holm's method, and r without the animal whose "
        f"leaving moves it most; single arms of {relating.LEAST_PAIRS} animals or more are described. Animals of which either value is a "
        "limit were left out and counted."
    )


def _multiplicity(options: AnalysisOptions) -> str:
    primary = options.primary_endpoint
    if primary:
        how = (
            f"The primary endpoint, {ENDPOINTS.get(primary, primary)}, was stated in advance: its p is not adjusted, those of the other "
            "endpoints were adjusted by Holm's method (Holm 1979) and are never below it; had no test of it been possible, Holm's method "
            "would be over all, and a note would say so"
        )
    else:
        how = "Over the endpoints (comparisons, course, and onset in any organ) p was adjusted by Holm's method (Holm 1979)"
    return (
        f"Multiplicity. {how}; organs and relations are families of their own. The list of all answers gives, beside these, p adjusted by "
        "Holm's method over every test of the list."
    )


def _percent(level: float) -> str:
    return f"{100 * level:g} %"
