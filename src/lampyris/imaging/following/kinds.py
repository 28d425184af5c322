"""What a source of light is: hypotheses with a place, a time course and a prior, weighed against each other.

Each hypothesis says where in the nominal animal its light may come from and how it comes and goes over the sessions. The
likelihood of the windows is averaged over the hypothesis' places; what the sessions show of its coming and going multiplies
it; and priors say how many of each an animal has. All figures of the priors stand below as constants: they are assumptions,
chosen for prelabelled cells in mice, and the controls of a study change the one for artefacts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr

from lampyris.core.flags import DetectionKind
from lampyris.imaging.following.localise import Likelihood
from lampyris.imaging.light.light_table import ELSEWHERE, LightTable
from lampyris.metastasis.seeding import Tropism, tropism
from lampyris.tissue.anatomy import surface_point_mm

# expected number of each kind in an animal
PRIMARIES = 1.0
METASTASES = 1.5
HALOS = 0.1
UPTAKES = 0.05
TRAPPINGS = 0.3
GUT_SPOTS = 0.05
BLADDERS = 0.1
# where the probe itself was injected: spots of uptake in liver or spleen, and excretion against cells labelled before
INJECTED_UPTAKES = 3.0
INJECTED_MORE = 10.0
# chance or lint, per session, before the study's controls are counted
ARTEFACTS_PER_SESSION = 0.02
# share of metastases that lie in no organ of the animal model
ELSEWHERE_SHARE = 0.06
# chance that a source that was seen and would still be seen is seen in a next session
STAYS = {
    DetectionKind.LESION: 0.97,
    DetectionKind.PRIMARY: 0.99,
    DetectionKind.HALO: 0.8,
    DetectionKind.UPTAKE: 0.9,
    DetectionKind.TRAPPING: 0.01,
    DetectionKind.GUT: 0.3,
    DetectionKind.BLADDER: 0.5,
    DetectionKind.ARTEFACT: 0.03,
}
# a primary's cells spread by injection and growth about the place of the needle
PRIMARY_SD_MM = 2.5
HALO_SD_MM = 5.0
SKIN_DEPTH_MM = 2.0
TRAPPED_UNTIL_DAY = 1.0
# chance that what is there from the start first shows later
LATE = 0.03
# an arrival that the table of tropism holds for impossible may still happen
LEAST_ARRIVAL = 0.03
# where no site of inoculation is given, metastases may lie in any organ
KNOWN_PRIMARIES = ("mammary fat pad",)


@dataclass(frozen=True, slots=True)
class TimeCourse:
    """What the sessions say of a source's coming and going.

    Parameters
    ----------
    after_day, by_day : float
        It came in (after_day, by_day].
    first_session : bool
        The first session of the animal shows it.
    seen, missed : int
        Of the sessions after its first in which it would have been seen: those that show it, and those that do not.
    days_seen : tuple of float
    sessions : int
        Of the animal.
    """

    after_day: float
    by_day: float
    first_session: bool
    seen: int
    missed: int
    days_seen: tuple[float, ...]
    sessions: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of the animal and the study besides its light.

    Parameters
    ----------
    inoculation : str
        Site of the primary, "" or "none" where there is none.
    artefacts_per_session : float
        As expected, or as counted in the study's unlabelled controls.
    control_spots_near : int
        Spots of unlabelled controls at this place of the animal.
    injected : bool
        The probe itself was injected: uptake is the rule, and signals may rise.
    """

    inoculation: str
    artefacts_per_session: float = ARTEFACTS_PER_SESSION
    control_spots_near: int = 0
    injected: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Probabilities of a source.

    Parameters
    ----------
    kinds : dict of kind to float
    organs : dict of organ to float
        If it is a tumour of either kind; most likely first.
    place_weight : ndarray, dims (place,)
        Posterior of each place of the likelihood, over the tumour kinds.
    reasons : tuple of str
    """

    kinds: dict[str, float]
    organs: dict[str, float]
    place_weight: NDArray[np.float64]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Hypothesis:
    kind: DetectionKind
    organ: str
    log_prior: float
    log_places: NDArray[np.float64]


def weigh_kinds(table: LightTable, found: Likelihood, course: TimeCourse, setting: Setting, /) -> Verdict:
    """Weigh what a source may be.

    Parameters
    ----------
    table : LightTable
    found : Likelihood
        Of the source's windows.
    course : TimeCourse
    setting : Setting

    Returns
    -------
    Verdict
    """
    hypotheses = [
        *_tumours(table, found, course, setting),
        *_other_signals(table, found, course, setting),
    ]
    joint = np.stack([h.log_prior + h.log_places + found.log_likelihood for h in hypotheses])
    joint = joint - joint.max()
    evidence = logsumexp(joint, axis=1)
    probability = np.exp(evidence - logsumexp(evidence))
    kinds: dict[str, float] = {}
    organs: dict[str, float] = {}
    for hypothesis, share in zip(hypotheses, probability, strict=True):
        kinds[hypothesis.kind] = kinds.get(hypothesis.kind, 0.0) + float(share)
    tumour = [number for number, h in enumerate(hypotheses) if h.kind in _TUMOUR]
    within = np.exp(evidence[tumour] - logsumexp(evidence[tumour]))
    for number, share in zip(tumour, within, strict=True):
        organ = hypotheses[number].organ
        organs[organ] = organs.get(organ, 0.0) + float(share)
    places = np.exp(logsumexp(joint[tumour], axis=0))
    return Verdict(
        kinds=_sorted(kinds),
        organs=_sorted(organs),
        place_weight=places / places.sum(),
        reasons=_reasons(_sorted(kinds), _sorted(organs), course, setting),
    )


_TUMOUR = (DetectionKind.LESION, DetectionKind.PRIMARY)


def _tumours(table: LightTable, found: Likelihood, course: TimeCourse, setting: Setting) -> list[_Hypothesis]:
    hypotheses = []
    site = setting.inoculation
    if site not in ("", "none"):
        # a primary is there from the start
        late = 0.0 if course.first_session else float(np.log(LATE))
        near = _around(table, site, PRIMARY_SD_MM)
        prior = np.log(PRIMARIES) + late + _coming_and_going(DetectionKind.PRIMARY, course)
        hypotheses.append(_hypothesis(DetectionKind.PRIMARY, site, prior, near, found))
    stays = _coming_and_going(DetectionKind.LESION, course)
    targets = _targets(table, site)
    for target in targets:
        number = np.log(METASTASES * (1.0 - ELSEWHERE_SHARE) * target.weight)
        prior = number + stays + _arrival(target, course, setting)
        belongs = table.organ_probability[table.organs.index(target.organ)]
        hypotheses.append(_hypothesis(DetectionKind.LESION, target.organ, prior, belongs, found))
    spread = np.mean([np.exp(_arrival(target, course, setting)) for target in targets])
    prior = float(np.log(METASTASES * ELSEWHERE_SHARE * spread)) + stays
    known = [table.organs.index(target.organ) for target in targets]
    rest = 1.0 - table.organ_probability[known].sum(axis=0)
    for index, organ in enumerate(table.organs):
        if index in known:
            continue
        belongs = table.organ_probability[index]
        share = float(belongs.sum() / rest.sum())
        if share > 0:
            hypotheses.append(_hypothesis(DetectionKind.LESION, organ, prior + float(np.log(share)), belongs, found))
    return hypotheses


def _other_signals(table: LightTable, found: Likelihood, course: TimeCourse, setting: Setting) -> list[_Hypothesis]:
    def organ(name: str) -> NDArray[np.float64]:
        return table.organ_probability[table.organs.index(name)]

    def made(kind: DetectionKind, name: str, number: float, places: NDArray[np.float64]) -> _Hypothesis:
        # when such a signal first shows is a matter of chance
        log_prior = np.log(number / max(course.sessions, 1)) + _coming_and_going(kind, course)
        return _hypothesis(kind, name, log_prior, places, found)

    hypotheses = []
    if setting.inoculation not in ("", "none"):
        halo = _around(table, setting.inoculation, HALO_SD_MM)
        # label is freed from the start on
        number = HALOS * course.sessions * (1.0 if course.first_session else LATE)
        hypotheses.append(made(DetectionKind.HALO, ELSEWHERE, number, halo))
    if setting.injected:
        # uptake is the rule then, in each organ by itself
        for name in ("liver", "spleen"):
            prior = float(np.log(INJECTED_UPTAKES)) + _coming_and_going(DetectionKind.UPTAKE, course)
            hypotheses.append(_hypothesis(DetectionKind.UPTAKE, name, prior, organ(name), found))
    else:
        hypotheses.append(made(DetectionKind.UPTAKE, "liver", UPTAKES, organ("liver") + organ("spleen")))
    if course.days_seen and min(course.days_seen) < TRAPPED_UNTIL_DAY:
        trapped = TRAPPINGS * course.sessions * (0.01 if max(course.days_seen) >= TRAPPED_UNTIL_DAY else 1.0)
        hypotheses.append(made(DetectionKind.TRAPPING, "lungs", trapped, organ("lungs")))
    # what controls show at this place is no label: in the gut it may be food, as on the skin it may be lint
    near = 1.0 + 5.0 * setting.control_spots_near
    hypotheses.append(made(DetectionKind.GUT, "gut", near * GUT_SPOTS, organ("gut") + organ("stomach")))
    more = INJECTED_MORE if setting.injected else 1.0
    hypotheses.append(made(DetectionKind.BLADDER, "bladder", more * BLADDERS, organ("bladder")))
    rate = setting.artefacts_per_session * course.sessions * near
    shallow = np.minimum(*table.depth_mm.values()) <= SKIN_DEPTH_MM
    # half of what is no signal lies on the skin, the rest is chance and lies anywhere
    anywhere = 0.5 * shallow / shallow.sum() + 0.5 / shallow.size
    hypotheses.append(made(DetectionKind.ARTEFACT, ELSEWHERE, rate, anywhere))
    return hypotheses


def _hypothesis(
    kind: DetectionKind, organ: str, log_prior: float, density: NDArray[np.float64], found: Likelihood
) -> _Hypothesis:
    with np.errstate(divide="ignore"):
        places = np.log(density[found.voxel] / density.sum())
    return _Hypothesis(kind, organ, float(log_prior), places)


def _around(table: LightTable, site: str, sd_mm: float) -> NDArray[np.float64]:
    squared = ((table.points_mm - np.array(surface_point_mm(site))) ** 2).sum(axis=1)
    # the needle's point may lie on the skin beside the grid: the nearest voxel still counts in full
    return np.asarray(np.exp(-0.5 * (squared - squared.min()) / sd_mm**2))


def _targets(table: LightTable, site: str) -> tuple[Tropism, ...]:
    """Organs that may be seeded; every organ alike where nothing is known of the primary."""
    for primary in KNOWN_PRIMARIES:
        if primary in site:
            return tropism(primary)
    organs = [organ for organ in table.organs if organ != ELSEWHERE]
    return tuple(Tropism(organ, 1.0 / len(organs), float("nan"), float("nan")) for organ in organs)


def _arrival(target: Tropism, course: TimeCourse, setting: Setting) -> float:
    """Logarithm of the chance that cells come to the organ in the interval that the sessions leave."""
    if setting.injected:
        return 0.0
    if not np.isfinite(target.arrival_day):
        # nothing is known of its days: a matter of chance, as for the signals that are no tumour
        return -float(np.log(max(course.sessions, 1)))

    def by(day: float) -> float:
        if not day > 0:
            return 0.0
        return float(ndtr(np.log(day / target.arrival_day) / np.log(target.arrival_spread)))

    chance = by(course.by_day) - by(course.after_day)
    return float(np.log(max(chance, LEAST_ARRIVAL)))


def _coming_and_going(kind: DetectionKind, course: TimeCourse) -> float:
    stays = STAYS[kind]
    return float(course.seen * np.log(stays) + course.missed * np.log(1.0 - stays))


def _sorted(shares: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(((str(name), share) for name, share in shares.items()), key=lambda item: (-item[1], item[0])))


def _reasons(
    kinds: Mapping[str, float], organs: Mapping[str, float], course: TimeCourse, setting: Setting
) -> tuple[str, ...]:
    kind, organ = next(iter(kinds)), next(iter(organs))
    said = []
    if kind in _TUMOUR:
        said.append(f"its light fits {organ} ({100 * organs[organ]:.0f} %)")
    if kind == DetectionKind.PRIMARY:
        said.append(f"it lies where the cells were put ({setting.inoculation})")
    later = course.seen + course.missed
    if later:
        said.append(f"seen in {course.seen} of {later} later sessions that would show it")
    elif course.sessions > 1:
        said.append("no later session says whether it stays")
    if np.isfinite(course.after_day):
        said.append(f"would have been seen on day {course.after_day:g} and was not")
    if setting.control_spots_near:
        said.append(f"{setting.control_spots_near} spots of unlabelled controls lie at this place")
    second = list(kinds.items())[1:2]
    said += [f"may be {name} ({100 * share:.0f} %)" for name, share in second if share > 0.05]
    return tuple(said)


def control_rate(spots: Sequence[tuple[float, float]], sessions: int, /) -> float:
    """Artefacts per session as counted in unlabelled controls, the expectation counting as one session.

    Examples
    --------
    >>> control_rate([], 0)
    0.02
    """
    return (len(spots) + ARTEFACTS_PER_SESSION) / (sessions + 1.0)
