"""What every result's design says beside its own numbers: animals that were lost before, and lots of the probe."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from lampyris.core.analyses import OverTime, Relation
from lampyris.core.comparison import Comparison
from lampyris.core.design import Design, Exclusion
from lampyris.core.onset import OnsetResult
from lampyris.core.study import AnimalOutcome

Result = TypeVar("Result", Comparison, OverTime, OnsetResult, Relation)


def lost_animals(outcomes: Sequence[AnimalOutcome], /) -> tuple[Exclusion, ...]:
    """Animals that were excluded or could not be analysed, with the reason."""
    return tuple(
        Exclusion(one.animal, one.group, one.reason or one.status)
        for one in sorted(outcomes, key=lambda one: (one.group, one.animal))
        if one.status != "done"
    )


def lots_by_arm(outcomes: Sequence[AnimalOutcome], lots: Mapping[str, Sequence[str]], /) -> dict[str, set[str]]:
    """Lots of the probe that the analysed animals of each arm were given."""
    found: dict[str, set[str]] = {}
    for one in outcomes:
        if one.status == "done":
            found.setdefault(one.group, set()).update(lot for lot in lots.get(one.animal, ()) if lot)
    return found


def told_in_full(result: Result, lost: Sequence[Exclusion], lots: Mapping[str, set[str]], /) -> Result:
    """A result whose design names the lost animals and the lots of its arms.

    Parameters
    ----------
    result : Comparison, OverTime, OnsetResult or Relation
    lost : sequence of Exclusion
        From `lost_animals`; those of other arms are no matter of this result.
    lots : mapping of str to set of str
        From `lots_by_arm`.

    Returns
    -------
    As `result`
    """
    if result.design is None:
        return result
    return replace(result, design=_full(result.design, lost, lots))


def _full(design: Design, lost: Sequence[Exclusion], lots: Mapping[str, set[str]]) -> Design:
    known = {one.unit for one in design.exclusions}
    before = tuple(one for one in lost if one.group in design.groups and one.unit not in known)
    own = sorted({lot for arm in design.groups for lot in lots.get(arm, ())})
    return replace(design, lots=tuple(own), exclusions=(*before, *design.exclusions))
