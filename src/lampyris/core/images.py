"""Images that cross borders: raw frames, calibrated radiance, unmixed abundance, regions.

Pixel arrays are numpy with fixed dimension order ``(channel, y, x)``; row 0 is the animal's head side.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lampyris.core.arrays import frozen_array

RADIANCE_UNIT = "ph s-1 cm-2 sr-1"
FLUX_UNIT = "ph s-1"
# what a file may say of the animal and the session, in its own words
LABELS = (
    "animal", "group", "experiment", "time_point", "view", "strain", "sex", "cell_line", "reporter", "treatment",
    "comment", "instrument", "user", "saturated",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class RawImage:
    """What a reader returns: counts and what the file says of them.

    Parameters
    ----------
    counts : ndarray, dims (channel, y, x), unsigned integer or float
        Raw counts as stored.
    channels : tuple of str
        Name of each channel, as in the sheet.
    pixel_mm : float
        Pixel pitch at the stage in mm; NaN where the file does not say.
    exposure_s : tuple of float
        Exposure per channel in seconds; NaN where the file does not say.
    excitation_nm, emission_nm : tuple of float
        Per channel; NaN where the file does not say.
    acquired : str
        ISO 8601 time of acquisition, or "".
    synthetic : bool
        True where the file says that it was simulated.
    dark : ndarray, dims (channel, y, x), or None
        Dark or read-bias frame that the file brings along, counts on the same grid; None where it brings none.
    photo : ndarray, dims (y, x), or None
        Photograph of the same pose that the file brings along, any scale and grid; None where it brings none.
    photo_pixel_mm : float
        Pixel pitch of that photograph at the stage in mm; NaN where not known: then it covers the image's own field.
    radiance_per_count_rate : tuple of float
        Per channel the radiance, ph s-1 cm-2 sr-1, that one count per second above the dark stands for, as the file's own
        coefficients give it for its binning, field of view and stop; empty where the file has none.
    labels : dict of str to str
        What the file says of the animal and the session, for drafting sheets only: keys among `LABELS`.
    frames : int
        Of how many frames of this exposure the counts are the mean; their noise variance is a frame's divided by it.
    """

    counts: NDArray[np.generic]
    channels: tuple[str, ...]
    pixel_mm: float
    exposure_s: tuple[float, ...]
    excitation_nm: tuple[float, ...]
    emission_nm: tuple[float, ...]
    acquired: str = ""
    synthetic: bool = False
    dark: NDArray[np.generic] | None = None
    photo: NDArray[np.generic] | None = None
    photo_pixel_mm: float = math.nan
    radiance_per_count_rate: tuple[float, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    frames: int = 1

    def __post_init__(self) -> None:
        array = frozen_array("counts", self.counts, ("channel", "y", "x"), np.asarray(self.counts).dtype)
        object.__setattr__(self, "counts", array)
        for name in ("channels", "exposure_s", "excitation_nm", "emission_nm"):
            if len(getattr(self, name)) != array.shape[0]:
                raise ValueError(f"{name} has {len(getattr(self, name))} entries for {array.shape[0]} channels")
        if self.dark is not None:
            dark = frozen_array("dark", self.dark, ("channel", "y", "x"), np.asarray(self.dark).dtype, array.shape)
            object.__setattr__(self, "dark", dark)
        if self.photo is not None:
            photo = frozen_array("photo", self.photo, ("y", "x"), np.asarray(self.photo).dtype)
            object.__setattr__(self, "photo", photo)
        if self.radiance_per_count_rate and len(self.radiance_per_count_rate) != array.shape[0]:
            count = len(self.radiance_per_count_rate)
            raise ValueError(f"radiance_per_count_rate has {count} entries for {array.shape[0]} channels")
        if self.frames < 1:
            raise ValueError(f"frames is {self.frames}, it must be at least 1")
        if unknown := sorted(set(self.labels) - set(LABELS)):
            raise ValueError(f"labels has unknown keys {', '.join(unknown)}; known are {', '.join(LABELS)}")


@dataclass(frozen=True, slots=True, eq=False)
class Radiance:
    """Calibrated image in photons per second, cm2 and steradian.

    Parameters
    ----------
    values, variance : ndarray, dims (channel, y, x), float64
        Radiance and its variance (unit squared).
    flags : ndarray, dims (channel, y, x), uint16
        `PixelFlag` bits.
    channels : tuple of str
        Name of each band.
    pixel_mm : float
        Pixel pitch at the stage in mm.
    """

    values: NDArray[np.float64]
    variance: NDArray[np.float64]
    flags: NDArray[np.uint16]
    channels: tuple[str, ...]
    pixel_mm: float

    def __post_init__(self) -> None:
        dims = ("channel", "y", "x")
        values = frozen_array("values", self.values, dims, np.float64)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "variance", frozen_array("variance", self.variance, dims, np.float64, values.shape))
        object.__setattr__(self, "flags", frozen_array("flags", self.flags, dims, np.uint16, values.shape))


@dataclass(frozen=True, slots=True, eq=False)
class AbundanceMap:
    """Unmixed image: how much of each component every pixel holds.

    Parameters
    ----------
    values : ndarray, dims (component, y, x), float64
        Unbiased least-squares abundance, which may be negative, in radiance summed over the recorded bands.
    variance : ndarray, dims (component, y, x), float64
        Its variance from the frames' noise.
    display : ndarray, dims (component, y, x), float64
        Non-negative abundance, for showing only.
    flags : ndarray, dims (y, x), uint16
        Union of the bands' `PixelFlag` bits.
    components : tuple of str
        The probe first, then autofluorescence, then leakage.
    pixel_mm : float
        Pixel pitch at the stage in mm.
    """

    values: NDArray[np.float64]
    variance: NDArray[np.float64]
    display: NDArray[np.float64]
    flags: NDArray[np.uint16]
    components: tuple[str, ...]
    pixel_mm: float

    def __post_init__(self) -> None:
        dims = ("component", "y", "x")
        values = frozen_array("values", self.values, dims, np.float64)
        object.__setattr__(self, "values", values)
        for name in ("variance", "display"):
            object.__setattr__(self, name, frozen_array(name, getattr(self, name), dims, np.float64, values.shape))
        object.__setattr__(self, "flags", frozen_array("flags", self.flags, ("y", "x"), np.uint16, values.shape[1:]))


# from the nose of the nominal animal to its rump: the stations of a pose's bend and girth are spread evenly over it
POSE_REACH_MM = 92.0


@dataclass(frozen=True, slots=True)
class Pose:
    """How an animal lies: a bent and girthed nominal animal, then a similarity onto the stage.

    A point (y from the nose, x to the animal's right) of the nominal animal first goes to ``scale_x * girth(y) * x`` along
    the normal of the midline ``v = bend(y)``, ``u = scale_y * y``; then ``stage = centre + rotation(angle) @ (u, v)``.

    Parameters
    ----------
    y_mm, x_mm : float
        Where the nominal animal's origin lies on the stage, from the image's first pixel centre.
    angle_rad : float
        Turn of the long axis, positive from +y towards +x.
    scale_y, scale_x : float
        Length and width relative to the nominal animal.
    mirrored : bool
        True in the ventral view, where the animal's left is on the other side.
    bend_mm : tuple of float
        Offset of the midline towards +x of the unturned stage, at stations spread evenly from 0 to `POSE_REACH_MM`,
        cubic in between, straight on beyond; empty for a straight animal.
    girth : tuple of float
        Width relative to ``scale_x`` at the same kind of stations; empty for 1 throughout.
    """

    y_mm: float
    x_mm: float
    angle_rad: float = 0.0
    scale_y: float = 1.0
    scale_x: float = 1.0
    mirrored: bool = False
    bend_mm: tuple[float, ...] = ()
    girth: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Registration:
    """How the nominal animal was laid on the one in the image, and how well.

    Parameters
    ----------
    pose : Pose
    sd_mm : float
        Standard uncertainty, per axis on the stage, of where a place of the nominal animal lies.
    overlap : float
        Dice coefficient of the two outlines; NaN where no outline was used.
    method : str
        ``silhouette``, ``silhouette and photographs`` or ``landmarks``.
    """

    pose: Pose
    sd_mm: float
    overlap: float
    method: str
