"""How spread goes on in an arm: the share of its animals in which an organ was reached, by day."""

from collections.abc import Mapping, Sequence

from lampyris.core.lesions import Endpoints, OrganOnset, Reach
from lampyris.core.study import AnimalOutcome
from lampyris.statistics.intervals import clopper_pearson_interval

ANY = "any"
# last day of follow-up, and the interval of arrival
_Course = tuple[float, float, float]


def reach(
    outcomes: Sequence[AnimalOutcome], groups: Mapping[str, Mapping[str, str]], /, *, level: float = 0.95
) -> tuple[Reach, ...]:
    """Share of each arm's animals in which each organ was reached, by day.

    A day's share is taken over the animals that were followed up to that day at least. An animal whose sessions end earlier
    leaves both counts then, also where it had been reached: to keep only those that were would favour spread, and to carry on
    the others would hide it. The share is therefore that of the animals which are left, may fall where follow-up ends early,
    and holds for the arm where the end of follow-up has nothing to do with spread.

    Parameters
    ----------
    outcomes : sequence of AnimalOutcome
        Of all arms; those that are not done, or have no endpoints, are left out.
    groups : mapping of arm to its settings
        In the order wanted; arms without such an animal are left out.
    level : float
        Coverage of the intervals.

    Returns
    -------
    tuple of Reach
        By arm, ``any`` first, then by organ. `n` counts the arm's animals, the method of each share those of its day. An organ
        that an animal does not list was never looked at, and the animal is not counted there.

    Examples
    --------
    >>> reach((), {"targeted": {}})
    ()
    """
    rows = []
    for group in groups:
        animals = [one.endpoints for one in outcomes if one.group == group and one.status == "done" and one.endpoints]
        followed = [one for one in animals if one.days]
        organs = sorted({onset.organ for one in followed for onset in one.onsets})
        for organ in (ANY, *organs) if followed else ():
            courses = [course for one in followed if (course := _course(one, organ)) is not None]
            days = tuple(sorted({day for one in followed for day in one.days if day <= max(c[0] for c in courses)}))
            left = [[course for course in courses if course[0] >= day] for day in days]
            rows.append(
                Reach(
                    group=group,
                    organ=organ,
                    n=len(courses),
                    days=days,
                    reached=tuple(
                        clopper_pearson_interval(sum(by <= day for _, _, by in some), len(some), level=level)
                        for day, some in zip(days, left, strict=True)
                    ),
                    possible=tuple(
                        sum(after < day for _, after, _ in some) / len(some)
                        for day, some in zip(days, left, strict=True)
                    ),
                )
            )
    return tuple(rows)


def _course(animal: Endpoints, organ: str) -> _Course | None:
    if organ == ANY:
        return (max(animal.days), *animal.first_spread)
    onset: OrganOnset | None = next((one for one in animal.onsets if one.organ == organ), None)
    return None if onset is None else (max(animal.days), onset.after_day, onset.by_day)
