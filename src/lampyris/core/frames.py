"""A sequence of frames in time that is longer than memory: what is known of it, and one frame after the other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class FrameStream:
    """Frames of one view, read when they are asked for.

    Iterating opens the files, gives the frames in the order of the file, each of dims (channel, y, x), and closes the files; it
    may be done again.

    Parameters
    ----------
    file : str
        As the user knows it.
    shape : tuple of int
        Channels, height and width of a frame.
    dtype : numpy.dtype
        Of the counts.
    count : int
        Frames.
    channels : tuple of str
        Name of each channel.
    pixel_mm : float
        Pixel pitch at the stage in mm; NaN where the file does not say.
    exposure_s, excitation_nm, emission_nm : tuple of float
        Per channel, of every frame; NaN where the file does not say.
    opened : callable
        Opens the files and gives an iterator over the frames.
    acquired : str
        ISO 8601 time of the first frame, or "".
    synthetic : bool
        True where the file says that it was simulated.
    times_s : ndarray, dims (frame,)
        Seconds since the file's own zero; empty where it does not say.
    numbers : ndarray of int64, dims (frame,)
        The camera's number of each frame; 0, 1, ... where the file does not say (give an empty array).
    radiance_per_count_rate : tuple of float
        Per channel as in `RawImage`; empty where the file does not say.
    """

    file: str
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    count: int
    channels: tuple[str, ...]
    pixel_mm: float
    exposure_s: tuple[float, ...]
    excitation_nm: tuple[float, ...]
    emission_nm: tuple[float, ...]
    opened: Callable[[], Iterator[NDArray[Any]]]
    acquired: str = ""
    synthetic: bool = False
    times_s: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    radiance_per_count_rate: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        faults = []
        for name in ("channels", "exposure_s", "excitation_nm", "emission_nm"):
            if len(getattr(self, name)) != self.shape[0]:
                faults.append(f"{name} has {len(getattr(self, name))} entries for {self.shape[0]} channels")
        times = np.array(self.times_s, np.float64)
        numbers = np.array(self.numbers if len(self.numbers) else range(self.count), np.int64)
        if times.size not in (0, self.count) or numbers.size != self.count:
            faults.append(f"{times.size} times and {numbers.size} numbers for {self.count} frames")
        if faults:
            raise ValueError("; ".join(faults))
        for name, array in (("times_s", times), ("numbers", numbers)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return self.opened()

    def __len__(self) -> int:
        return self.count
