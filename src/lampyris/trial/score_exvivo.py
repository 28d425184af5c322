"""Excised organs against their truth: outlines, names, light, and how often the intervals of %ID/g hold what was drawn."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lampyris.core.assays import ExVivo, OrganFlag, OrganResult
from lampyris.core.estimate import Estimate
from lampyris.imaging.drawn import polygon_mask
from lampyris.statistics.intervals import wilson_interval
from lampyris.statistics.relations.calls import clustered_share
from lampyris.virtual.truth import TrueOrgan, Truth

# of the drawn outlines that an organ must share with the found one
GOOD_OVERLAP = 0.9


@dataclass(frozen=True, slots=True)
class OrganCase:
    """One organ, measured and drawn.

    Parameters
    ----------
    animal, organ : str
    overlap : float
        Intersection over union of its outline with the drawn one of the same animal and organ.
    named : bool
        The drawn organ that its outline holds most of is the one of its name.
    touching, labelled, uneven, faint : bool
    flux_ratio : float
        Measured over drawn probe light; NaN where there is none.
    percent, per_gram : Estimate
        %ID and %ID/g.
    true_percent, true_per_gram : float
    surface_per_gram : float
        %ID/g as if nothing were absorbed.
    study : int
        Which of several studies: organs of one share the error of its wells.
    """

    animal: str
    organ: str
    overlap: float
    named: bool
    touching: bool
    labelled: bool
    uneven: bool
    faint: bool
    flux_ratio: float
    percent: Estimate
    per_gram: Estimate
    true_percent: float
    true_per_gram: float
    surface_per_gram: float
    study: int = 0


def score_exvivo(found: ExVivo, truth: Truth, /, *, study: int = 0) -> tuple[OrganCase, ...]:
    """Lay every measured organ beside the drawn one of its name.

    Parameters
    ----------
    found : ExVivo
    truth : Truth
    study : int
        Number by which the cases of several studies are told apart.

    Returns
    -------
    tuple of OrganCase
        Trays that were refused have none.
    """
    cases = []
    for tray in found.trays:
        true = next(one for one in truth.trays if one.file == tray.file)
        drawn = {(one.animal, one.organ): one for one in true.organs}
        for organ in tray.organs:
            mine = drawn[organ.animal, organ.organ]
            outline = tuple((y / tray.pixel_mm, x / tray.pixel_mm) for y, x in organ.outline_mm)
            mask = polygon_mask(outline, true.labels.shape)
            cases.append(replace(_case(organ, mine, mask, true.labels), study=study))
    return tuple(cases)


def _case(organ: OrganResult, true: TrueOrgan, mask: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> OrganCase:
    own = labels == true.place
    joint = int((mask | own).sum())
    held = np.bincount(labels[mask], minlength=int(labels.max()) + 1)
    held[0] = 0
    return OrganCase(
        animal=organ.animal,
        organ=organ.organ,
        overlap=float((mask & own).sum()) / joint if joint else 0.0,
        named=int(np.argmax(held)) == true.place,
        touching=true.touching,
        labelled=true.amount > 0,
        uneven=OrganFlag.UNEVEN in organ.flags,
        faint=OrganFlag.FAINT in organ.flags,
        flux_ratio=organ.flux.value / true.flux if true.flux > 0 else math.nan,
        percent=organ.percent_dose,
        per_gram=organ.percent_dose_per_gram,
        true_percent=true.percent_dose,
        true_per_gram=true.percent_dose_per_gram,
        surface_per_gram=organ.surface_percent_dose_per_gram.value,
    )


def exvivo_figures(cases: Iterable[OrganCase], /) -> dict[str, Any]:
    """Figures of a score table, each with ``_interval`` and ``_n``.

    Parameters
    ----------
    cases : iterable of OrganCase
    """
    every = tuple(cases)
    free = [one for one in every if not one.touching]
    touching = [one for one in every if one.touching]
    known = [one for one in every if one.labelled and math.isfinite(one.per_gram.low)]
    even = [one for one in known if not one.uneven]
    out: dict[str, Any] = {}
    _share(out, "outline_share", [one.overlap >= GOOD_OVERLAP for one in free])
    _share(out, "outline_share_touching", [one.overlap >= GOOD_OVERLAP for one in touching])
    _number(out, "outline_least", [one.overlap for one in every], min)
    _number(out, "outline_mean", [one.overlap for one in every], np.mean)
    _share(out, "named", [one.named for one in every])
    _covered(out, "coverage", [(_holds(one.per_gram, one.true_per_gram), one.study) for one in known])
    _covered(out, "coverage_percent", [(_holds(one.percent, one.true_percent), one.study) for one in known])
    _covered(out, "coverage_even", [(_holds(one.per_gram, one.true_per_gram), one.study) for one in even])
    ratios = [one.flux_ratio for one in known if not one.faint and math.isfinite(one.flux_ratio)]
    _number(out, "flux_ratio", ratios, np.median)
    logs = [math.log(one.per_gram.value / one.true_per_gram) for one in known if one.per_gram.value > 0]
    _number(out, "per_gram_ratio", [math.exp(one) for one in logs], np.median)
    _number(out, "per_gram_error", [abs(math.expm1(one)) for one in logs], np.median)
    plain = [one.surface_per_gram / one.true_per_gram for one in known if one.surface_per_gram > 0]
    _number(out, "uncorrected_ratio", plain, np.median)
    return out


def _holds(estimate: Estimate, true: float) -> bool:
    return estimate.low <= true <= estimate.high


def _share(out: dict[str, Any], name: str, held: Sequence[bool]) -> None:
    out[f"{name}_n"] = len(held)
    found = wilson_interval(sum(held), len(held)) if held else None
    out[name] = found.value if found else None
    out[f"{name}_interval"] = (found.low, found.high) if found else None


def _covered(out: dict[str, Any], name: str, held: Sequence[tuple[bool, int]]) -> None:
    """A share of intervals that hold, with an interval that knows that those of one study err together."""
    _share(out, name, [one for one, _ in held])
    if len({study for _, study in held}) > 1:
        found = clustered_share(*zip(*held, strict=True))
        out[f"{name}_interval"] = (found.low, found.high)


def _number(out: dict[str, Any], name: str, values: Sequence[float], reduce: Any) -> None:
    out[f"{name}_n"] = len(values)
    out[name] = float(reduce(values)) if values else None
    out[f"{name}_interval"] = None
