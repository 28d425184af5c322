"""A section laid on the image of its organ by places that a person named in both.

In the order of use: `register_section`, `place_on_organ`, `suspects`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lampyris.core.histology import SectionRegistration

MODELS = ("similarity", "affine")
LEAST = 3
# landmarks on a line: the second extent against the first
FLAT = 0.05
# chance that a right landmark of the section is suspected
SUSPECT_LEVEL = 0.01

Floats = NDArray[np.float64]
Places = Mapping[str, tuple[float, float]]


class LandmarkError(ValueError):
    """Landmarks that fix no position; its message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    matrix: Floats
    shift: Floats
    mirrored: bool
    squares: float
    terms: int
    inverse: Floats


def register_section(
    section_mm: Places,
    organ_mm: Places,
    /,
    *,
    middle_mm: tuple[float, float],
    model: str = "similarity",
    organ_file: str = "",
) -> SectionRegistration:
    """Fit the position of a section on its organ's image by least squares.

    Parameters
    ----------
    section_mm, organ_mm : mapping of name to (y, x)
        Landmarks in each image, from its first pixel's centre. Names in only one of them are left out.
    middle_mm : (y, x)
        Of the section, whose place on the organ is told.
    model : str
        ``similarity`` (turn, shift, one scale) or ``affine`` (stretch and shear as well: cutting presses tissue). A section that lies
        with its other side up is found by the better fit.
    organ_file : str

    Returns
    -------
    SectionRegistration

    Raises
    ------
    LandmarkError
        With fewer than three common landmarks, or landmarks that coincide or lie on a line.

    References
    ----------
    Umeyama 1991, IEEE Trans Pattern Anal Mach Intell 13:376, doi:10.1109/34.88573; error at other places: Fitzpatrick & West 2001,
    IEEE Trans Med Imaging 20:917, doi:10.1109/42.952729.

    Examples
    --------
    >>> square = {"a": (0.0, 0.0), "b": (0.0, 1.0), "c": (1.0, 0.0), "d": (1.0, 1.0)}
    >>> found = register_section(square, {k: (3 + 2 * y, 5 + 2 * x) for k, (y, x) in square.items()}, middle_mm=(0.5, 0.5))
    >>> [round(one, 6) for one in found.middle_mm], round(found.residual_mm, 6)
    ([4.0, 6.0], 0.0)
    """
    if model not in MODELS:
        raise LandmarkError(f"the model is one of {', '.join(MODELS)}, got {model!r}")
    names = [name for name in section_mm if name in organ_mm]
    if len(names) < LEAST:
        raise LandmarkError(
            f"{len(names)} landmarks stand in both images ({', '.join(names) or 'none'}); {LEAST} are needed"
        )
    a = np.array([section_mm[name] for name in names], float)
    b = np.array([organ_mm[name] for name in names], float)
    for what, places in (("the section", a), ("the organ", b)):
        _check_spread(places, what)
    fit = _best(a, b, model)
    spare = 2 * len(names) - fit.terms
    variance = fit.squares / spare if spare > 0 else math.nan
    middle = np.array(middle_mm)
    sd = math.sqrt(variance * _leverage(fit, middle)) if spare > 0 else math.nan
    there = fit.matrix @ middle + fit.shift
    (yy, yx), (xy, xx) = fit.matrix.tolist()
    return SectionRegistration(
        model=model,
        matrix=((yy, yx), (xy, xx)),
        shift_mm=(float(fit.shift[0]), float(fit.shift[1])),
        mirrored=fit.mirrored,
        residual_mm=math.sqrt(fit.squares / len(names)) if spare > 0 else math.nan,
        sd_mm=sd,
        middle_mm=(float(there[0]), float(there[1])),
        landmarks=tuple(names),
        organ_file=organ_file,
    )


def place_on_organ(registration: SectionRegistration, place_mm: tuple[float, float], /) -> tuple[float, float]:
    """Where a place of the section lies on the organ's image, y and x in mm."""
    y, x = np.array(registration.matrix) @ np.array(place_mm) + np.array(registration.shift_mm)
    return float(y), float(x)


def suspects(section_mm: Places, organ_mm: Places, /, *, model: str = "similarity") -> dict[str, float]:
    """Landmarks that lie elsewhere than all others say: slips of typing, or two names exchanged.

    Parameters
    ----------
    section_mm, organ_mm, model
        As of `register_section`.

    Returns
    -------
    dict of name to float
        How far, in mm. Each is told by a fit to the others, by Student's t with their spread, over all landmarks together.
    """
    names = [name for name in section_mm if name in organ_mm]
    found: dict[str, float] = {}
    for name in names:
        rest = [other for other in names if other != name]
        a, b = (np.array([places[other] for other in rest], float) for places in (section_mm, organ_mm))
        terms = 4 if model == "similarity" else 6
        spare = 2 * len(rest) - terms
        if len(rest) < LEAST or spare < 1 or not (_spread(a) and _spread(b)):
            continue
        fit = _best(a, b, model)
        at = np.array(section_mm[name], float)
        miss = float(np.linalg.norm(fit.matrix @ at + fit.shift - np.array(organ_mm[name])))
        # two axes: an F ratio of the miss to what the others leave
        variance = fit.squares / spare * (1.0 + _leverage(fit, at)) + 1e-12
        p = float(special.fdtrc(2, spare, 0.5 * miss**2 / variance))
        if p < SUSPECT_LEVEL / len(names):
            found[name] = miss
    return found


def _spread(places: Floats) -> bool:
    values = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)
    return bool(values[0] > 0 and values[1] > FLAT * values[0])


def _check_spread(places: Floats, what: str) -> None:
    if np.unique(places, axis=0).shape[0] < LEAST:
        raise LandmarkError(f"fewer than {LEAST} landmarks of {what} lie at different places")
    if not _spread(places):
        raise LandmarkError(f"the landmarks of {what} lie on a line, which leaves its other direction open")


def _best(a: Floats, b: Floats, model: str) -> _Fit:
    if model == "affine":
        return _affine(a, b)
    return min((_similarity(a, b, mirrored) for mirrored in (False, True)), key=lambda fit: fit.squares)


def _design(a: Floats, mirrored: bool) -> Floats:
    """Rows (y then x of each landmark) by terms (scale cos, scale sin, shift y, shift x)."""
    y, x = a[:, 0], (-a[:, 1] if mirrored else a[:, 1])
    one, none = np.ones_like(y), np.zeros_like(y)
    return np.concatenate([np.stack([y, -x, one, none], 1), np.stack([x, y, none, one], 1)])


def _similarity(a: Floats, b: Floats, mirrored: bool) -> _Fit:
    rows = _design(a, mirrored)
    target = b.T.ravel()
    terms, _, _, _ = np.linalg.lstsq(rows, target, rcond=None)
    cos, sin = float(terms[0]), float(terms[1])
    matrix = np.array([[cos, -sin], [sin, cos]]) * np.array([1.0, -1.0 if mirrored else 1.0])
    squares = float(((rows @ terms - target) ** 2).sum())
    return _Fit(
        np.asarray(matrix, np.float64),
        np.asarray(terms[2:], np.float64),
        mirrored,
        squares,
        4,
        np.asarray(np.linalg.pinv(rows.T @ rows), np.float64),
    )


def _affine(a: Floats, b: Floats) -> _Fit:
    rows = np.c_[a, np.ones(len(a))]
    terms, _, _, _ = np.linalg.lstsq(rows, b, rcond=None)
    squares = float(((rows @ terms - b) ** 2).sum())
    matrix = np.asarray(terms[:2].T, np.float64)
    return _Fit(
        matrix,
        terms[2],
        bool(np.linalg.det(matrix) < 0),
        squares,
        6,
        np.asarray(np.linalg.pinv(rows.T @ rows), np.float64),
    )


def _leverage(fit: _Fit, place: Floats) -> float:
    """Variance of a place on the organ per axis, over that of a landmark."""
    if fit.terms == 6:
        row = np.r_[place, 1.0]
        return float(row @ fit.inverse @ row)
    rows = _design(place[None], fit.mirrored)
    return float(np.trace(rows @ fit.inverse @ rows.T)) / 2.0
