"""Raw files of a virtual study, in each of the formats in which labs have theirs; the counts are the same in all."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lampyris.core.images import RawImage
from lampyris.io.durable import write_bytes
from lampyris.io.images.ome.tiff import ome_tiff_bytes
from lampyris.virtual.design import Design

SYNTHETIC_NOTE = "Synthetic image, simulated by Lampyris; no animal was imaged."
RawFormat = Literal["ome-tiff", "ivis", "ome-zarr"]
FORMATS: tuple[RawFormat, ...] = get_args(RawFormat)
# clicks hold photographs of more pixels than the images
PHOTO_FACTOR = 4
PHOTO_EXPOSURE_S = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One view of one session as the camera gave it.

    Parameters
    ----------
    folder : str
        Of its files inside the study.
    session, view : str
    acquired : str
        ISO 8601 time.
    counts : ndarray of uint16, dims (channel, y, x)
    exposure_s : ndarray, dims (channel,)
    picture : ndarray of uint16, dims (y, x)
        The photograph.
    darks : ndarray of uint16, dims (channel, y, x)
        A dark frame of each channel's exposure.
    labels : dict of str to str
        What the user typed at the instrument.
    """

    folder: str
    session: str
    view: str
    acquired: str
    counts: NDArray[np.uint16]
    exposure_s: NDArray[np.float64]
    picture: NDArray[np.uint16]
    darks: NDArray[np.uint16]
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class ShotFiles:
    """Where a shot was written.

    Parameters
    ----------
    image, photo : str
        As the sheet names them; `photo` is "" where the image brings its own.
    backgrounds : tuple of str
        Dark frame per channel; "" where the image brings its own.
    written : tuple of str
        Every file of its own, relative to the study.
    """

    image: str
    photo: str
    backgrounds: tuple[str, ...]
    written: tuple[str, ...]


def write_shot(directory: Path, plan: Design, shot: Shot, raw_format: RawFormat, /) -> ShotFiles:
    """Write one view in a raw format.

    Parameters
    ----------
    directory : Path
        The study.
    plan : Design
        Instrument and bands.
    shot : Shot
    raw_format : str
        ``ome-tiff``, ``ivis`` (a sequence folder, a click per band) or ``ome-zarr``.

    Returns
    -------
    ShotFiles
    """
    if raw_format == "ivis":
        return _write_sequence(directory, plan, shot)
    stem = f"{shot.folder}/{shot.session}_{shot.view}"
    darks = tuple(dark_path(seconds) for seconds in shot.exposure_s)
    if raw_format == "ome-zarr":
        files = _zarr(f"{stem}.ome.zarr", _image(plan, shot)) | _zarr(f"{stem}_photo.ome.zarr", _photograph(plan, shot))
        names = f"{stem}.ome.zarr", f"{stem}_photo.ome.zarr"
    else:
        names = f"{stem}.ome.tiff", f"{stem}_photo.ome.tiff"
        files = dict(zip(names, (tiff(_image(plan, shot)), tiff(_photograph(plan, shot))), strict=True))
    for name, data in files.items():
        write_bytes(directory / name, data)
    return ShotFiles(*names, darks, tuple(files))


def dark_path(exposure_s: float, /) -> str:
    """Where the dark frame of an exposure lies."""
    return f"raw/calibration/dark_{exposure_s:g}s.ome.tiff"


def tiff(image: RawImage, /) -> bytes:
    """Bytes of an OME-TIFF that says that it was simulated."""
    return ome_tiff_bytes(replace(image, synthetic=True), description=SYNTHETIC_NOTE)


def finer(picture: NDArray[np.uint16], /, *, factor: int = PHOTO_FACTOR) -> NDArray[np.uint16]:
    """A photograph of more pixels, smooth between those of `picture`, whose blocks have exactly its values as means.

    Examples
    --------
    >>> picture = np.array([[100, 900], [50, 50]], np.uint16)
    >>> finer(picture, factor=2).reshape(2, 2, 2, 2).mean(axis=(1, 3)).tolist()
    [[100.0, 900.0], [50.0, 50.0]]
    """
    from scipy.ndimage import zoom

    height, width = picture.shape
    values = picture.astype(np.float64)
    smooth = zoom(values, factor, order=1, mode="nearest", grid_mode=True)
    blocks = smooth.reshape(height, factor, width, factor).transpose(0, 2, 1, 3).reshape(height, width, -1)
    # full and empty pixels leave no room for a slope
    room = np.minimum(values, 65535.0 - values)[..., None]
    apart = blocks - blocks.mean(axis=-1, keepdims=True)
    share = np.minimum(1.0, room / np.maximum(np.abs(apart).max(axis=-1, keepdims=True), 1e-12))
    whole = np.floor(values[..., None] + 0.9 * share * apart).astype(np.int64)
    left = picture.astype(np.int64) * factor**2 - whole.sum(axis=-1)
    # of what rounding down took, one count each to the first pixels
    whole += np.arange(factor**2) < left[..., None]
    whole += np.maximum(left - factor**2, 0)[..., None] * (np.arange(factor**2) == 0)
    fine = whole.reshape(height, width, factor, factor).transpose(0, 2, 1, 3)
    return fine.reshape(height * factor, width * factor).astype(np.uint16)


def _image(plan: Design, shot: Shot) -> RawImage:
    bands = plan.instrument.bands
    return RawImage(
        counts=shot.counts,
        channels=tuple(band.channel for band in bands),
        pixel_mm=plan.instrument.pixel_mm,
        exposure_s=tuple(shot.exposure_s.tolist()),
        excitation_nm=(plan.instrument.excitation_nm,) * len(bands),
        emission_nm=tuple(band.centre_nm for band in bands),
        acquired=shot.acquired,
        synthetic=True,
    )


def _photograph(plan: Design, shot: Shot) -> RawImage:
    instrument = plan.instrument
    return RawImage(
        counts=shot.picture[None],
        channels=("photo",),
        pixel_mm=instrument.pixel_mm,
        exposure_s=(PHOTO_EXPOSURE_S,),
        excitation_nm=(instrument.excitation_nm,),
        emission_nm=(float("nan"),),
        acquired=shot.acquired,
        synthetic=True,
    )


def _zarr(name: str, image: RawImage) -> dict[str, bytes]:
    from lampyris.io.images.ome.zarr_image import ome_zarr_files

    return {f"{name}/{inner}": data for inner, data in ome_zarr_files(image).items()}


def _write_sequence(directory: Path, plan: Design, shot: Shot) -> ShotFiles:
    """A sequence folder of clicks that bring dark frames, photograph and the instrument's nominal coefficients along."""
    from dataclasses import replace

    from lampyris.io.images.ivis.writer import sequence_files

    instrument = plan.instrument
    image = replace(
        _image(plan, shot),
        dark=shot.darks,
        photo=finer(shot.picture),
        photo_pixel_mm=instrument.pixel_mm / PHOTO_FACTOR,
        radiance_per_count_rate=tuple(
            instrument.radiance_per_rate * instrument.gain_e_per_count / band.transmission for band in instrument.bands
        ),
        labels=shot.labels,
    )
    name = f"{shot.session}_{shot.view}"
    files = {f"{shot.folder}/{inner}": data for inner, data in sequence_files(image, name=name).items()}
    for path, data in files.items():
        write_bytes(directory / path, data)
    return ShotFiles(f"{shot.folder}/{name}_SEQ", "", ("",) * len(instrument.bands), tuple(files))
