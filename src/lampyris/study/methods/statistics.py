"""The methods text of the statistics: units, endpoints, every test, every correction, and how limits were treated."""

from collections.abc import Sequence
from dataclasses import dataclass

from lampyris.core.analyses import Analyses
from lampyris.core.comparison import Comparison
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


@dataclass(frozen=True, slots=True)
class StatisticsDone:
    """What of the statistics was done, so that nothing else is described.

    Parameters
    ----------
    compared : tuple of str
        Keys of the endpoints that were compared or described.
    tests : tuple of str
        Kinds of the answers: ``measured``, ``likelihood``, ``ranks``.
    limits : bool
        Some value was a detection limit.
    course, onset : str
        ``tested``, ``described``, or empty where there was nothing.
    day_0 : bool
        An onset was seen on day 0.
    relations : tuple of str
        ``within`` arms together, ``alone`` a single arm that answers, ``beside`` arms described.
    families : tuple of str
        Families of tests that hold any.
    """

    compared: tuple[str, ...] = ("flux", "ratio", "burden", "persistence")
    tests: tuple[str, ...] = ("measured", "likelihood", "ranks")
    limits: bool = True
    course: str = "tested"
    onset: str = "tested"
    day_0: bool = True
    relations: tuple[str, ...] = ("within", "beside")
    families: tuple[str, ...] = ("endpoints", "organs", "relations")


def statistics_done(comparisons: Sequence[Comparison], analyses: Analyses, /) -> StatisticsDone:
    """What was done, as the results say.

    Parameters
    ----------
    comparisons : sequence of Comparison
    analyses : Analyses

    Returns
    -------
    StatisticsDone
    """
    tests = {_kind(one.test) for one in comparisons if one.test}
    relations = {
        ("beside" if one.tests[0].role != "primary" else "alone" if one.group else "within")
        for one in analyses.relations
    }
    limits = any(any(group.censored) for one in comparisons for group in one.groups)
    return StatisticsDone(
        tuple(key for key, opening in _OPENINGS.items() if any(opening in one.endpoint for one in comparisons)),
        tuple(sorted(tests)),
        limits or any(any(one.below) for course in analyses.over_time for one in course.courses),
        _how_far([bool(one.tests) for one in analyses.over_time]),
        _how_far([bool(one.tests) for one in analyses.onsets]),
        any("Seen on day 0" in note for one in analyses.onsets for note in one.notes),
        tuple(sorted(relations)),
        tuple(dict.fromkeys(one.family for one in analyses.family)),
    )


# words of an endpoint's name that tell which it is
_OPENINGS = {
    "flux": "total lesion flux on",
    "ratio": "ratio of total lesion flux",
    "burden": "labelled cells outside the primary",
    "persistence": "share of the primary's first signal",
}


def _kind(test: str) -> str:
    return "measured" if "Welch" in test else "likelihood" if "likelihood" in test else "ranks"


def _how_far(tested: Sequence[bool]) -> str:
    return "" if not tested else "tested" if any(tested) else "described"


def statistics_methods(
    options: AnalysisOptions, /, *, views: int, done: StatisticsDone | None = None
) -> tuple[str, ...]:
    """Describe how arms were compared.

    Parameters
    ----------
    options : AnalysisOptions
        Every setting used.
    views : int
        Most views that a session has.
    done : StatisticsDone, optional
        What was done; everything that a study may hold by default.

    Returns
    -------
    tuple of str
        Paragraphs: endpoints and comparison, limits, courses, onsets, relations, multiplicity; those of what was done.
    """
    made, level = done or StatisticsDone(), _percent(options.interval_level)
    parts = (
        _comparison(level, views, made) if made.compared or made.course or made.onset else "",
        _limits(views, made) if made.limits else "",
        _courses(level, made) if made.course else "",
        _onsets(level, made) if made.onset else "",
        _relations(level, made) if made.relations else "",
        _multiplicity(options, made) if made.families else "",
    )
    return tuple(part for part in parts if part)


def _comparison(level: str, views: int, done: StatisticsDone) -> str:
    brighter = " in the brighter of its views" if views == 2 else ""
    text = (
        "Statistics. The animal was the experimental unit; lesions, views and days of one animal were not counted as replicates. Its "
        f"value per session was the sum of the fluxes of primary and lesions{brighter}; own uncertainties were added in quadrature and "
        "shared ones linearly."
    )
    if not done.compared:
        return text
    return f"{text} {_endpoints(views, done)} {_tests(level, done)} Control arms were described, not tested."


def _endpoints(views: int, done: StatisticsDone) -> str:
    within = (
        ", taken within one view per animal, the one brightest on the first day (on the last, where nothing was found on the first), "
        "on both days"
        if views == 2
        else ""
    )
    words = {
        "flux": "of the flux on the last day shared by the labelled arms",
        "ratio": f"of its ratio to the first such day{within}",
        "burden": "of the labelled-cell equivalents outside the primary on that last day",
        "persistence": "of the share of the primary's first signal that was left in the last session",
    }
    named = [words[key] for key in done.compared]
    listed = named[0] if len(named) == 1 else f"{'; '.join(named[:-1])}; and {named[-1]}"
    if len(named) == 1:
        return f"The endpoint was the decimal logarithm {listed}."
    return f"Endpoints were the decimal logarithms {listed}."


def _tests(level: str, done: StatisticsDone) -> str:
    left = (
        f"Arms with fewer than {endpoints.LEAST_ANIMALS} values, or with measured values that do not differ, were left out of the test "
        "and are named."
    )
    mean = "Means are given with Student's t interval."
    if not done.tests:
        return (
            f"Arms were described and no test between them was made: it needs two labelled arms of {endpoints.LEAST_ANIMALS} animals "
            f"with values that differ. {mean}"
        )
    if "measured" not in done.tests:
        return f"{mean} {left}"
    return (
        "Where every value of the arms compared was measured, they were "
        "compared by Welch's analysis of variance (Welch 1951), which does not assume equal variances (Delacre 2019), and all pairs by "
        f"the Games-Howell procedure (Games & Howell 1976), with simultaneous {level} intervals, Hedges' g (Hedges 1981), and omega "
        "squared with the interval of the noncentral F distribution (Steiger 2004). Checks of normality and of equal spread are given "
        f"beside the answer; none of them changed which test was made. {mean} {left}"
    )


def _limits(views: int, done: StatisticsDone) -> str:
    regional = "the largest over regions of the smaller over views" if views == 2 else "the largest over regions"
    ratio = "; a ratio to a limit on the first day lies above what stands there" if "ratio" in done.compared else ""
    text = (
        "Values below the detection limit. Where nothing was found, or what was found summed to no flux above 0, the animal's value is "
        f"only known to lie below its limit ({regional}){ratio}. Such values "
        "were censored: they entered as zero nowhere, nor as the limit."
    )
    if "likelihood" in done.tests:
        text += (
            " As soon as one value of the arms compared was a limit, means and "
            "their differences came from the likelihood of censored normal distributions, each arm with its own spread (Tobin 1958; "
            "Helsel 2012), with profile-likelihood intervals; the answer was their likelihood ratio test, referred to F, and pairs were "
            "adjusted by Holm's method."
        )
    if "ranks" in done.tests:
        text += (
            " Where an arm had no spread of its own (one animal, or values that are all one), the answer was the rank test of Peto "
            "and Peto (1972), exact or by permutation."
        )
    if "ratio" in done.compared:
        text += " Values of which some lie below and others above a limit were described, not tested."
    return text


def _courses(level: str, done: StatisticsDone) -> str:
    most = _percent(courses.MOST_LIMITS)
    if done.course == "described":
        return (
            "Courses over days. The total lesion flux of each animal is shown over days; no model was fitted, for which two labelled arms "
            f"of {endpoints.LEAST_ANIMALS} animals are needed with at most {most} of their values below the limit."
        )
    return (
        "Courses over days. The logarithm of the total lesion flux of all days was compared by a linear mixed model with arm, day and "
        "their interaction as fixed effects and the animal as random effect, with a slope in time of its own where animals were seen on "
        "three days or more; F and degrees of freedom of Kenward and Roger (1997). Days were a factor where the arms share them, else a "
        f"straight line in time. Differences of arms by day are given with their {level} intervals and p adjusted by Holm's method over "
        "all of them. Days on which an animal's flux was a limit are not in the model and are counted; arms with fewer than "
        f"{endpoints.LEAST_ANIMALS} animals seen, or with more than {most} of their values below the limit, were not fitted."
    )


def _onsets(level: str, done: StatisticsDone) -> str:
    text = (
        "Onset of metastasis. The day on which an organ was reached is known to lie between two sessions, and was analysed as that "
        "interval; an animal in which it was not seen counts as free of it up to its last session. Shares per arm are Turnbull's estimate "
        f"(Turnbull 1976) with {level} likelihood-ratio intervals."
    )
    if done.onset == "tested":
        text += (
            f" Labelled arms of {endpoints.LEAST_ANIMALS} animals or more were compared by the log-rank score test of intervals "
            "(Finkelstein 1986) by permutation of the animals (Fay & Shaw 2010), with permutations drawn from the study's name; smaller "
            "arms were described, not tested."
        )
    else:
        text += (
            f" Arms were not tested: two labelled arms of {endpoints.LEAST_ANIMALS} animals with an onset are needed."
        )
    if done.day_0:
        text += f" What was seen on day 0 was taken to have come within {onsets.ON_DAY_0:g} d."
    if "organs" in done.families:
        text += " p of the organs were adjusted by Holm's method."
    return text


def _relations(level: str, done: StatisticsDone) -> str:
    over = " over the labelled arms with the arms' means removed" if "within" in done.relations else ""
    if "alone" in done.relations:
        over += f"{', or' if over else ''} in the one labelled arm that has animals enough"
    text = (
        f"Relations. Pearson's r between endpoints of the same animals is given{over}, with "
        f"{level} interval by Fisher's z (Fisher 1921), p adjusted over the relations by Holm's method, and r without the animal whose "
        "leaving moves it most"
    )
    if "beside" in done.relations:
        text += f"; single arms of {relating.LEAST_PAIRS} animals or more are described"
    return f"{text}. Animals of which either value is a limit were left out and counted."


def _multiplicity(options: AnalysisOptions, done: StatisticsDone) -> str:
    primary = options.primary_endpoint
    asked = {
        "comparisons": bool(done.tests),
        "course": done.course == "tested",
        "onset in any organ": done.onset == "tested",
    }
    over = [words for words, made in asked.items() if made]
    named = over[0] if len(over) == 1 else f"{', '.join(over[:-1])}, and {over[-1]}" if over else ""
    how = []
    if primary:
        how.append(
            f"The primary endpoint, {ENDPOINTS.get(primary, primary)}, was stated in advance: its p is not adjusted, those of the other "
            "endpoints were adjusted by Holm's method (Holm 1979) and are never below it; had no test of it been possible, Holm's method "
            "would be over all, and a note would say so"
        )
    elif named:
        how.append(f"Over the endpoints ({named}) p was adjusted by Holm's method (Holm 1979)")
    own = [words for words in ("organs", "relations") if words in done.families]
    if own:
        kind = "families of tests of their own" if len(own) > 1 else "a family of tests of their own"
        how.append(f"{' and '.join(own)} are {kind}, adjusted by Holm's method (Holm 1979)")
    text = "; ".join(how)
    return (
        f"Multiplicity. {text[:1].upper()}{text[1:]}. The list of all answers gives, beside these, p adjusted by Holm's method over every "
        "test of the list."
    )


def _percent(level: float) -> str:
    return f"{100 * level:g} %"
