"""Lesions by name: which lesion an outline belongs to on every day and view, and what is known of it, in words."""

import math
from dataclasses import dataclass

from lampyris.core.estimate import Estimate
from lampyris.core.flags import TUMOUR_KINDS, DetectionKind
from lampyris.core.lesions import Lesion, Sighting
from lampyris.core.results import Detection
from lampyris.core.study import AnimalOutcome, StudyResults
from lampyris.report.levels import level_text
from lampyris.report.numbers import day_text, number, value_interval

# a call below this probability is said to be unsure
SURE = 0.8
CELLS_UNIT = "labelled-cell equivalents"


@dataclass(frozen=True, slots=True)
class Identity:
    """What an outline shows: its short name, kind, whether it counts as tumour, and the lesions it belongs to."""

    name: str
    kind: str
    tumour: bool
    lesions: tuple[Lesion, ...] = ()


@dataclass(frozen=True, slots=True)
class Identities:
    """Lesions by the detections that show them.

    Parameters
    ----------
    shown : dict of (animal, session, view, detection number) to tuple of Lesion
        More than one where their light is one spot.
    animals : dict of str to tuple of Lesion
        All lesions of each animal, by number.
    """

    shown: dict[tuple[str, str, str, int], tuple[Lesion, ...]]
    animals: dict[str, tuple[Lesion, ...]]

    def of(self, animal: str, session: str, view: str, detection: Detection, /) -> Identity:
        """Identity of a detection; one that belongs to no lesion keeps its own number and kind."""
        lesions = self.shown.get((animal, session, view, detection.number), ())
        if not lesions:
            return Identity(str(detection.number), detection.kind, is_tumour(detection.kind))
        first = min(lesions, key=lambda lesion: (not is_tumour(lesion.kind), lesion.number))
        return Identity("+".join(short_name(lesion) for lesion in lesions), first.kind, is_tumour(first.kind), lesions)


def is_tumour(kind: str, /) -> bool:
    """True for kinds that count as spread or as the tumour itself."""
    return kind in TUMOUR_KINDS


def short_name(lesion: Lesion, /) -> str:
    """Name of a lesion within its animal, the same on every day."""
    return f"L{lesion.number}"


def identities_of(results: StudyResults, /) -> Identities:
    """Which lesion each detection of the study shows.

    Parameters
    ----------
    results : StudyResults
        Its outcomes may hold no lesions at all.

    Returns
    -------
    Identities
    """
    shown: dict[tuple[str, str, str, int], tuple[Lesion, ...]] = {}
    animals: dict[str, tuple[Lesion, ...]] = {}
    for outcome in results.outcomes:
        animals[outcome.animal] = tuple(sorted(outcome.lesions, key=lambda lesion: lesion.number))
        for lesion in animals[outcome.animal]:
            for sighting in lesion.sightings:
                for view, detection in sighting.detections:
                    key = (outcome.animal, sighting.session, view, detection)
                    shown[key] = (*shown.get(key, ()), lesion)
    return Identities(shown, animals)


def share(probability: float, /) -> str:
    """A probability in two decimals that never reads as certain unless it is.

    Examples
    --------
    >>> share(0.934), share(0.9991), share(1.0), share(0.001)
    ('0.93', '>0.99', '1', '<0.01')
    """
    if not math.isfinite(probability):
        return "n/a"
    if probability in (0.0, 1.0):
        return f"{probability:.0f}"
    if probability > 0.99:
        return ">0.99"
    return "<0.01" if probability < 0.01 else f"{probability:.2f}"


def ranked(probabilities: dict[str, float], /) -> list[tuple[str, float]]:
    """Names by probability, the likeliest first; ties by name."""
    return sorted(probabilities.items(), key=lambda item: (-item[1], item[0]))


def call_text(likeliest: str, probabilities: dict[str, float], /) -> str:
    """A call with its probability and the runner-up, said to be unsure below `SURE`.

    Examples
    --------
    >>> call_text("liver", {"liver": 0.6, "stomach": 0.3, "gut": 0.1})
    'not sure: liver 0.60, stomach 0.30'
    """
    order = ranked(probabilities)
    own = probabilities.get(likeliest, math.nan)
    text = f"{likeliest} {share(own)}"
    second = next(((name, p) for name, p in order if name != likeliest), None)
    if second is not None and second[1] >= 0.01:
        text += f", {second[0]} {share(second[1])}"
    return text if own >= SURE else f"not sure: {text}"


def arrival_text(after_day: float, by_day: float, /) -> str:
    """When something arrived, as the interval of days that bounds it.

    Examples
    --------
    >>> arrival_text(7.0, 14.0), arrival_text(float("-inf"), 7.0), arrival_text(14.0, float("inf"))
    ('after day 7, by day 14', 'by day 7', 'not by day 14')
    """
    if math.isinf(by_day):
        return f"not by day {day_text(after_day)}" if math.isfinite(after_day) else "not seen"
    return (
        f"by day {day_text(by_day)}"
        if math.isinf(after_day)
        else f"after day {day_text(after_day)}, by day {day_text(by_day)}"
    )


def interval_text(estimate: Estimate, unit: str = "", /) -> str:
    """An estimate with its interval and level in one breath; a lower bound where no more is known, else "unknown"."""
    if not math.isfinite(estimate.value):
        if not is_lower_bound(estimate):
            return "unknown"
        return f"at least {number(estimate.low)}{f' {unit}' if unit else ''} ({level_text([estimate])})"
    text = value_interval(estimate.value, estimate.low, estimate.high)
    # the level belongs inside the bracket with the ends
    return text.replace("(", f"({level_text([estimate])} ", 1) + (f" {unit}" if unit else "")


def is_lower_bound(estimate: Estimate, /) -> bool:
    """True where only a low end is known, as of a half-life over which nothing was seen to fall."""
    return math.isnan(estimate.value) and math.isfinite(estimate.low) and estimate.high == math.inf


def sighting_text(lesion: Lesion, sighting: Sighting, /) -> str:
    """How much of a lesion one session shows, or how much may be there unseen."""
    if not sighting.seen:
        value = sighting.cells.value
        return f"not seen; at most {number(value)} {CELLS_UNIT}" if math.isfinite(value) else "not seen; no limit known"
    if not math.isfinite(sighting.cells.value):
        return "seen; cells unknown"
    text = interval_text(sighting.cells, CELLS_UNIT)
    others = [f"L{number_}" for number_ in sighting.shared_with if number_ != lesion.number]
    return f"{text}, together with {' and '.join(others)}" if others else text


def lesion_lines(lesion: Lesion, /) -> list[str]:
    """What is known of a lesion over all days, a line per question: kind, organ, depth, arrival."""
    lines = [
        f"{short_name(lesion)} · {call_text(lesion.kind, lesion.kinds)}",
        f"organ: {call_text(lesion.organ, lesion.organs)}",
    ]
    if math.isfinite(lesion.depth_mm.value):
        lines.append(f"depth {interval_text(lesion.depth_mm, 'mm')}")
    lines.append(f"appeared {arrival_text(lesion.after_day, lesion.by_day)}")
    if math.isfinite(lesion.lost_by_day):
        lines.append(f"no longer seen by day {day_text(lesion.lost_by_day)}")
    return lines


def sighting_of(lesion: Lesion, session: str, /) -> Sighting | None:
    """The lesion's entry for a session; None where it has none."""
    return next((sighting for sighting in lesion.sightings if sighting.session == session), None)


def is_primary(lesion: Lesion, /) -> bool:
    """True for cells where they were inoculated."""
    return lesion.kind == DetectionKind.PRIMARY


def followed(results: StudyResults, /) -> bool:
    """True where any animal has lesions that were followed over its days."""
    return any(outcome.lesions for outcome in results.outcomes)


def animals_done(results: StudyResults, group: str, /) -> list[AnimalOutcome]:
    """Analysed animals of an arm."""
    return [o for o in results.outcomes if o.group == group and o.status == "done"]
