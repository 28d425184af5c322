"""Who lies with whom on the virtual stage, and where."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.virtual.design import Design
from lampyris.virtual.individual import arm_of

# black paper left and right of the outer lanes
SIDE_MM = 8.0
CONE_RADIUS_MM, CONE_GAP_MM, CONE_REFLECTANCE = 6.0, 3.0, 0.8


@dataclass(frozen=True, slots=True)
class StageGroup:
    """Animals of one arm that are imaged together.

    Parameters
    ----------
    name : str
        Of the folder of its images: the animal's own where each is imaged by itself.
    arm : str
        Key of the design's arms.
    animals : tuple of str
        From left to right when seen from above.
    shared : bool
        Whether images are made for several animals: then lanes are named, even where one lies alone.
    """

    name: str
    arm: str
    animals: tuple[str, ...]
    shared: bool

    def lane(self, animal: str, view: str, /) -> int:
        """Lane from 1; in the ventral view the tray was turned over, and the order with it."""
        place = self.animals.index(animal)
        return len(self.animals) - place if view == "ventral" else place + 1


def stage_groups(design: Design, /) -> list[StageGroup]:
    """Groups of a design, arm by arm; the last of an arm leaves lanes empty where the animals do not fill them.

    Examples
    --------
    >>> from lampyris.virtual.design import default_design
    >>> [group.name for group in stage_groups(default_design())][:2]
    ['m01', 'm02']
    """
    most = design.camera.animals_per_image
    by_arm: dict[str, list[str]] = {}
    for animal, arm, _ in arm_of(design):
        by_arm.setdefault(arm, []).append(animal)
    groups = []
    for arm, animals in by_arm.items():
        for number, start in enumerate(range(0, len(animals), most), start=1):
            members = tuple(animals[start : start + most])
            groups.append(StageGroup(members[0] if most == 1 else f"{arm}-{number}", arm, members, most > 1))
    return groups


def on_wide_stage(design: Design, /) -> Design:
    """The design with its camera as wide as its animals need; itself where each is imaged alone."""
    camera = design.camera
    if camera.animals_per_image == 1:
        return design
    width = 2.0 * SIDE_MM + camera.animals_per_image * camera.lane_pitch_mm
    pixels = (camera.pixels[0], 2 * int(np.ceil(width / design.instrument.pixel_mm / 2.0)))
    return design.model_copy(update={"camera": camera.model_copy(update={"pixels": pixels})})


def lane_middle_mm(design: Design, lane: int, /) -> float:
    """How far from the left edge the middle of a lane lies."""
    return SIDE_MM + design.camera.lane_pitch_mm * (lane - 0.5)


def with_nose_cones(
    reflectance: NDArray[np.float64], noses_mm: list[tuple[float, float]], /, *, pixel_mm: float
) -> NDArray[np.float64]:
    """Bright discs ahead of the animals' noses, dims (y, x).

    Parameters
    ----------
    reflectance : ndarray, dims (y, x)
        Of animals and stage.
    noses_mm : list of (y, x)
    pixel_mm : float
    """
    y, x = (np.arange(count) * pixel_mm for count in reflectance.shape)
    out = reflectance.copy()
    for nose_y, nose_x in noses_mm:
        middle = nose_y - CONE_RADIUS_MM - CONE_GAP_MM
        disc = (y[:, None] - middle) ** 2 + (x[None, :] - nose_x) ** 2 <= CONE_RADIUS_MM**2
        out[disc] = np.maximum(out[disc], CONE_REFLECTANCE)
    return out
