"""What followed sources were taken for, against what their light truly was.

A followed source is explained by the true one whose noise-free light stands out most where its spots lie: inside their outlines
against the skin around them, over all its sessions and views. Where none stands out by a fair share of what was measured,
it is chance.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from lampyris.core.flags import TUMOUR_KINDS, DetectionKind
from lampyris.core.lesions import Lesion
from lampyris.core.study import AnimalOutcome, SessionResult, ViewResult
from lampyris.imaging.radiance.calibrate import lambertian_flux
from lampyris.trial.shares import (
    Case,
    Stated,
    confidence_gap,
    expected_calibration_error,
    resampled_interval,
    share,
    share_interval,
)
from lampyris.virtual.truth import TrueAnimal, Truth, seen_in, source_images

# a true source that stands out by less than this share of the measured flux does not explain it
EXPLAINS_SHARE = 0.2
CHANCE = "chance"
# by the first word of a source's name in the truth; a control has none but food and artefacts
KIND_OF_SOURCE: dict[str, DetectionKind] = {
    "halo": DetectionKind.HALO,
    "liver": DetectionKind.UPTAKE,
    "blood": DetectionKind.UPTAKE,
    "lungs": DetectionKind.TRAPPING,
    "injection": DetectionKind.INJECTION_SITE,
    "bladder": DetectionKind.BLADDER,
    "food": DetectionKind.GUT,
    "artefact": DetectionKind.ARTEFACT,
}
TRUE_KINDS = (*(kind.name.lower() for kind in DetectionKind), CHANCE)


@dataclass(frozen=True, slots=True)
class KindCase:
    """One followed source and what truly lit it.

    Parameters
    ----------
    study, animal : str
    number : int
        As followed.
    source : str
        Name of the true source; "" for chance.
    true : str
        Its kind, one of `TRUE_KINDS`.
    kinds : dict of kind to float
        As stated, the likeliest first.
    spots : int
        Detections that are its.
    sessions : int
        That show it.
    """

    study: str
    animal: str
    number: int
    source: str
    true: str
    kinds: dict[str, float]
    spots: int
    sessions: int

    @property
    def who(self) -> str:
        """Key by which cases are resampled."""
        return f"{self.study}/{self.animal}"

    @property
    def stated(self) -> str:
        """The likeliest kind, one of `TRUE_KINDS`."""
        return DetectionKind(max(self.kinds, key=lambda kind: self.kinds[kind])).name.lower()

    @property
    def right(self) -> bool:
        """Chance is rightly called an artefact, which stands for both."""
        return self.stated == ("artefact" if self.true == CHANCE else self.true)

    @property
    def is_tumour(self) -> bool:
        """Cells of the tumour lit it."""
        return self.true in _TUMOURS

    @property
    def called_tumour(self) -> bool:
        """It is called one."""
        return self.stated in _TUMOURS


_TUMOURS = frozenset(kind.name.lower() for kind in TUMOUR_KINDS)


def score_kinds(
    sessions: Iterable[SessionResult], truth: Truth, /, *, outcomes: Iterable[AnimalOutcome]
) -> tuple[KindCase, ...]:
    """Find what lit each followed source.

    Parameters
    ----------
    sessions : iterable of SessionResult
        Read one after the other; their images are let go.
    truth : Truth
    outcomes : iterable of AnimalOutcome
        Of the sessions' animals, with their lesions.

    Returns
    -------
    tuple of KindCase
        One per followed source of any kind, by animal and number.
    """
    animals = {one.animal: one for one in truth.animals}
    light: dict[str, dict[tuple[str, str, int], tuple[float, dict[str, float]]]] = {}
    for session in sessions:
        own = light.setdefault(session.animal, {})
        animals[session.animal] = seen_in(animals[session.animal], session)
        for view in session.views:
            for number, found in _standing_out(truth, animals[session.animal], session.session, view).items():
                own[session.session, view.view, number] = found
    return tuple(
        _case(f"{truth.study} {truth.seed}", animals[outcome.animal], lesion, light.get(outcome.animal, {}))
        for outcome in sorted(outcomes, key=lambda one: one.animal)
        for lesion in outcome.lesions
    )


def _standing_out(
    truth: Truth, animal: TrueAnimal, session: str, view: ViewResult
) -> dict[int, tuple[float, dict[str, float]]]:
    """Per detection its measured flux, and by how much each true source stands out inside its outline, ph s-1."""
    if not view.detections:
        return {}
    height, width = view.body.shape
    images = source_images(truth, animal, session, view.view, shape=(height, width))
    found = {}
    for spot in view.detections:
        outline = view.lesions == spot.number
        ring = _ring(outline, view.body)
        excess = {name: _excess(image, outline, ring, view.pixel_mm) for name, image in images.items()}
        found[spot.number] = (max(spot.flux.value, 0.0), excess)
    return found


def _ring(outline: NDArray[np.bool_], body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The body between one and two outline radii from the edge of the outline."""
    radius = max(math.sqrt(float(outline.sum()) / math.pi), 2.0)
    distance = distance_transform_edt(~outline)
    return body & (distance > radius) & (distance <= 2.0 * radius)


def _excess(image: NDArray[np.float64], outline: NDArray[np.bool_], ring: NDArray[np.bool_], pixel_mm: float) -> float:
    around = float(image[ring].mean()) if ring.any() else 0.0
    return lambertian_flux(float((image[outline] - around).sum()), pixel_mm)


def _case(
    study: str,
    animal: TrueAnimal,
    lesion: Lesion,
    light: Mapping[tuple[str, str, int], tuple[float, dict[str, float]]],
) -> KindCase:
    keys = [(one.session, view, number) for one in lesion.sightings for view, number in one.detections]
    known = [light[key] for key in keys if key in light]
    flux = sum(measured for measured, _ in known)
    total: Counter[str] = Counter()
    for _, excess in known:
        total.update(excess)
    source = max(sorted(total), key=lambda name: total[name], default="")
    if not source or not total[source] > EXPLAINS_SHARE * flux:
        source = ""
    return KindCase(
        study=study,
        animal=animal.animal,
        number=lesion.number,
        source=source,
        true=_true_kind(source),
        kinds=lesion.kinds,
        spots=len(keys),
        sessions=sum(one.seen for one in lesion.sightings),
    )


def _true_kind(source: str) -> str:
    if not source:
        return CHANCE
    first, *rest = source.split()
    if first == "lesion":
        return (DetectionKind.PRIMARY if rest == ["1"] else DetectionKind.LESION).name.lower()
    return KIND_OF_SOURCE[first].name.lower()


def confusion(cases: Sequence[KindCase], /) -> dict[tuple[str, str], int]:
    """Followed sources by (true kind, stated kind)."""
    return dict(sorted(Counter((one.true, one.stated) for one in cases).items()))


def kind_figures(cases: Sequence[KindCase], /) -> dict[str, Any]:
    """Figures of what sources were taken for; a figure without cases is None.

    Parameters
    ----------
    cases : sequence of KindCase

    Returns
    -------
    dict
        Each with ``..._interval`` (95 %, animals resampled) and ``..._n``: ``kind_accuracy``; ``tumour_precision`` and
        ``tumour_recall`` of calling a followed source a tumour (primary or lesion), and ``tumour_precision_of_spots``, by
        detections; ``kind_confidence_gap`` and ``kind_calibration_error`` of the stated kind's probability,
        ``tumour_confidence_gap`` of the probability that it is a tumour; per true kind ``named_KIND`` (so called),
        ``tumour_KIND`` (called a tumour) and ``spots_KIND`` (its share of all detections).
    """
    shares: dict[str, list[Case]] = {
        "kind_accuracy": [(one.who, one.right) for one in cases],
        "tumour_precision": [(one.who, one.is_tumour) for one in cases if one.called_tumour],
        "tumour_recall": [(one.who, one.called_tumour) for one in cases if one.is_tumour],
        "tumour_precision_of_spots": [
            (one.who, one.is_tumour) for one in cases if one.called_tumour for _ in range(one.spots)
        ],
    }
    for kind in TRUE_KINDS:
        own = [one for one in cases if one.true == kind]
        shares[f"named_{kind}"] = [(one.who, one.right) for one in own]
        shares[f"tumour_{kind}"] = [(one.who, one.called_tumour) for one in own]
        shares[f"spots_{kind}"] = [(one.who, one.true == kind) for one in cases for _ in range(one.spots)]
    figures: dict[str, Any] = {}
    for name, held in shares.items():
        figures |= {name: share(held), f"{name}_interval": share_interval(held), f"{name}_n": len(held)}
    likeliest: list[Stated] = [(one.who, max(one.kinds.values()), one.right) for one in cases]
    tumour: list[Stated] = [
        (one.who, sum(one.kinds.get(kind, 0.0) for kind in TUMOUR_KINDS), one.is_tumour) for one in cases
    ]
    for name, stated in (("kind", likeliest), ("tumour", tumour)):
        pairs = [(who, (probability, hit)) for who, probability, hit in stated]
        gap = f"{name}_confidence_gap"
        interval = resampled_interval(pairs, confidence_gap)
        figures |= {
            gap: confidence_gap([pair for _, pair in pairs]) if pairs else None,
            f"{gap}_interval": list(interval) if interval is not None else None,
            f"{gap}_n": len(pairs),
        }
    figures |= {
        "kind_calibration_error": expected_calibration_error(likeliest),
        "kind_calibration_error_interval": None,
        "kind_calibration_error_n": len(likeliest),
    }
    return figures
