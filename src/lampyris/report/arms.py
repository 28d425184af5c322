"""Arms and their colours: one colour per arm, the same in every figure, table and picture frame."""

from dataclasses import dataclass

from lampyris.core.study import StudyResults

# Okabe & Ito (2008), colour-blind safe; ordered so that neighbours differ in lightness as well. The neutral is kept
# for the first control arm. The style sheet holds the same list as classes arm-0, arm-1, ...
ARM_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
NEUTRAL = "#7A7A7A"
NEUTRAL_INDEX = len(ARM_COLOURS)


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm as the page shows it.

    Parameters
    ----------
    key, title, role : str
        From the study's groups; the title falls back to the key.
    index : int
        Number of its colour, which is also its style class.
    colour : str
        Hexadecimal colour.
    """

    key: str
    title: str
    role: str
    index: int
    colour: str


def arms_of(results: StudyResults, /) -> dict[str, Arm]:
    """Arms in the order of the study's settings; arms seen only in the data follow.

    Parameters
    ----------
    results : StudyResults
        The study.

    Returns
    -------
    dict of str to Arm
        By key.
    """
    seen = [*(outcome.group for outcome in results.outcomes), *(session.group for session in results.sessions)]
    seen += [group.group for comparison in results.comparisons for group in comparison.groups]
    keys = list(dict.fromkeys([*results.groups, *seen]))
    arms: dict[str, Arm] = {}
    coloured, neutral_free = 0, True
    for key in keys:
        settings = results.groups.get(key, {})
        role = settings.get("role", "labelled")
        if role == "control" and neutral_free:
            index, colour, neutral_free = NEUTRAL_INDEX, NEUTRAL, False
        else:
            index = coloured % len(ARM_COLOURS)
            colour, coloured = ARM_COLOURS[index], coloured + 1
        arms[key] = Arm(key, settings.get("title") or key, role, index, colour)
    return arms
