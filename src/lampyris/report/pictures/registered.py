"""Pictures in the animal's own frame: where each place of the nominal animal lies in a picture, and outlines carried back.

Nothing is resampled here. The page gets a coarse mesh per picture, a few hundred bytes, and looks every pixel up through
it, so that what is read out are the picture's own pixels.
"""

from collections.abc import Sequence

import numpy as np

from lampyris.core.images import Pose
from lampyris.core.study import StudyResults
from lampyris.imaging.body.animal import animal_from_stage, stage_from_animal
from lampyris.report.pictures.packing import Frame, sessions_by_animal

# the registered picture: along the nominal animal from its nose, and to either side of its midline, mm
FIRST_MM, LAST_MM, HALF_WIDTH_MM = -4.0, 100.0, 18.0
# a pose is straight across and smooth along: 4 mm stations follow a bend of 5 cm radius within 0.05 mm
STATION_MM = 4.0


def stations_mm() -> tuple[float, ...]:
    """Stations of the mesh along the nominal animal, in mm from the nose."""
    return tuple(float(y) for y in np.arange(FIRST_MM, LAST_MM + 0.5 * STATION_MM, STATION_MM))


def study_poses(results: StudyResults, /) -> dict[tuple[int, int], Pose]:
    """How the animal lies in every picture: as used for following, else as found in the picture alone.

    Parameters
    ----------
    results : StudyResults
        The study.

    Returns
    -------
    dict of (session index, view index) to Pose
    """
    following = {outcome.animal: outcome.registrations for outcome in results.outcomes}
    poses = {}
    for animal, own in sessions_by_animal(results).items():
        registrations = following.get(animal, ())
        for k, (s, session) in enumerate(own):
            known = registrations[k] if len(registrations) == len(own) else ()
            for v, view in enumerate(session.views):
                poses[s, v] = known[v].pose if len(known) == len(session.views) else view.registration.pose
    return poses


def _across(pose: Pose, right_mm: np.ndarray) -> np.ndarray:
    """Places to the right of the picture from places to the animal's right, and back."""
    return -right_mm if pose.mirrored else right_mm


def mesh(pose: Pose, frame: Frame, pixel_mm: float, /) -> list[int]:
    """Where the mesh's nodes lie in a picture.

    Parameters
    ----------
    pose : Pose
        How the animal lies.
    frame : Frame
        Part of the image that is shown.
    pixel_mm : float
        Pixel pitch.

    Returns
    -------
    list of int
        Tenths of a pixel from the frame's upper left corner: for each station, x and y of its left and of its right end.
    """
    along = np.repeat(np.array(stations_mm()), 2)
    across = np.tile([-HALF_WIDTH_MM, HALF_WIDTH_MM], along.size // 2)
    y_mm, x_mm = stage_from_animal(pose, along, _across(pose, across))
    x, y = x_mm / pixel_mm - frame.x + 0.5, y_mm / pixel_mm - frame.y + 0.5
    nodes = np.stack([x, y], axis=1).ravel()
    return [int(value) for value in np.round(10 * nodes)]


def nominal_pixels(
    pose: Pose, outline_mm: Sequence[tuple[float, float]], pixel_mm: float, /
) -> list[tuple[float, float]]:
    """Places of the stage, as (y, x) in mm, in pixels (x, y) of the registered picture."""
    if not outline_mm:
        return []
    y_mm, x_mm = np.array(outline_mm, dtype=float).T
    along, right = animal_from_stage(pose, y_mm, x_mm)
    x, y = (_across(pose, right) + HALF_WIDTH_MM) / pixel_mm, (along - FIRST_MM) / pixel_mm
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
