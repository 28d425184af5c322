"""Opens the files of one session and hands them to the analysis as `SessionInput`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RawImage
from lampyris.core.schemas import VIEWS, AnimalRow, LandmarkRow, SampleRow
from lampyris.core.settings import StudySettings
from lampyris.imaging.inputs import SessionInput, ViewInput
from lampyris.io.images.readers import read_image
from lampyris.io.paths import inside

SHEET = "samplesheet.csv"
Reader = Callable[[SampleRow, str], RawImage]


@dataclass(frozen=True, slots=True)
class SessionRows:
    """The sheet's rows of one animal in one session.

    Parameters
    ----------
    rows : tuple of SampleRow
        One per view and channel.
    animal : AnimalRow or None
        The animal's row, where there is one.
    landmarks : tuple of LandmarkRow
        What a person named in this session's images.
    """

    rows: tuple[SampleRow, ...]
    animal: AnimalRow | None
    landmarks: tuple[LandmarkRow, ...] = ()

    @property
    def name(self) -> tuple[str, str]:
        """Animal and session."""
        return self.rows[0].animal, self.rows[0].session

    @property
    def folder(self) -> str:
        """Where its results go, relative to the study."""
        return f"results/sub-{self.rows[0].animal}/ses-{self.rows[0].session}"


def session_files(session: SessionRows, settings: StudySettings, /) -> tuple[str, ...]:
    """Every file that the session's analysis reads, relative to the study, sorted."""
    files = {path for row in session.rows for path in (row.image, row.photo, row.background) if path}
    used = {row.channel for row in session.rows}
    files.update(band.flat for band in settings.instrument.bands if band.flat and band.channel in used)
    return tuple(sorted(files))


def open_session(study: Path, session: SessionRows, settings: StudySettings, /) -> SessionInput:
    """Read the files of one session.

    Parameters
    ----------
    study : Path
        The study's directory.
    session : SessionRows
        What the sheets say, already checked.
    settings : StudySettings
        Bands in their order, flats, caps.

    Returns
    -------
    SessionInput
        Dorsal view first, channels in the order of the bands.

    Raises
    ------
    ImageError
        If a file cannot be read, lacks a channel, is constant or does not fit the others.
    """
    read = _reader(study, settings)
    first = session.rows[0]
    views = [view for view in VIEWS if any(row.view == view for row in session.rows)]
    return SessionInput(
        animal=first.animal,
        session=first.session,
        day=first.day,
        date=next((row.date for row in session.rows if row.date), ""),
        group=first.group,
        probe=first.probe,
        inoculation=session.animal.inoculation if session.animal else "",
        injection=session.animal.injection if session.animal else "",
        views=tuple(
            replace(
                _view(read, [row for row in session.rows if row.view == view], settings),
                landmarks=named_in(session, view),
            )
            for view in views
        ),
    )


def named_in(session: SessionRows, view: str, /) -> tuple[tuple[str, float, float], ...]:
    """The landmarks of a view by name: moving a row in the sheet changes no result."""
    return tuple(sorted((mark.landmark, mark.y_mm, mark.x_mm) for mark in session.landmarks if mark.view == view))


def channel_index(image: RawImage, channel: str, /) -> int | None:
    """Which of the image's channels is the one called `channel`; an image of one channel needs no name."""
    if channel in image.channels:
        return image.channels.index(channel)
    return 0 if len(image.channels) == 1 else None


def _reader(study: Path, settings: StudySettings) -> Reader:
    opened: dict[str, RawImage] = {}

    def read(row: SampleRow, path: str) -> RawImage:
        if path not in opened:
            opened[path] = read_image(inside(study, path, place=Place(SHEET, row.row)), settings.limits, file=path)
        return opened[path]

    return read


def _view(read: Reader, rows: Sequence[SampleRow], settings: StudySettings) -> ViewInput:
    bands = [band for band in settings.instrument.bands if any(row.channel == band.channel for row in rows)]
    ordered = [next(row for row in rows if row.channel == band.channel) for band in bands]
    planes = [(row, *_plane(read, row, row.image, "image")) for row in ordered]
    shape = planes[0][2].shape
    for row, _, plane in planes:
        _refuse_constant(row, plane)
        _refuse_shape(row, row.image, plane.shape, shape, "the other bands")
    counts = np.stack([plane for _, _, plane in planes])
    dark = [_fitting(read, row, row.background, "background", shape) for row in ordered]
    flat = [
        _fitting(read, row, band.flat, "image", shape) if band.flat else np.ones(shape)
        for row, band in zip(ordered, bands, strict=True)
    ]
    pixel_mm = next((image.pixel_mm for _, image, _ in planes if image.pixel_mm > 0), settings.instrument.pixel_mm)
    return ViewInput(
        view=ordered[0].view,
        image=RawImage(
            counts=counts,
            channels=tuple(row.channel for row in ordered),
            pixel_mm=pixel_mm,
            exposure_s=tuple(row.exposure_s for row in ordered),
            excitation_nm=tuple(row.excitation_nm for row in ordered),
            emission_nm=tuple(row.emission_nm for row in ordered),
            acquired=planes[0][1].acquired,
            synthetic=any(image.synthetic for _, image, _ in planes),
        ),
        exposure_s=tuple(row.exposure_s for row in ordered),
        photo=_photo(read, ordered, counts),
        dark=np.stack(dark),
        flat=np.stack(flat),
        file=ordered[0].image,
    )


def _plane(read: Reader, row: SampleRow, path: str, column: str) -> tuple[RawImage, NDArray[np.generic]]:
    image = read(row, path)
    index = channel_index(image, row.channel)
    if index is None:
        finding = Finding(
            "image.channel",
            Severity.ERROR,
            Place(SHEET, row.row, column),
            f"{path} has the channels {', '.join(image.channels)}, not {row.channel}.",
            "Correct the column channel or name the right file.",
        )
        raise ImageError(f"{path} has no channel {row.channel}", [finding])
    return image, image.counts[index]


def _fitting(read: Reader, row: SampleRow, path: str, column: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    plane = _plane(read, row, path, column)[1]
    _refuse_shape(row, path, plane.shape, shape, row.image)
    return np.asarray(plane, np.float64)


def _photo(read: Reader, rows: Sequence[SampleRow], counts: NDArray[np.generic]) -> NDArray[np.float64] | None:
    """Photograph of the view, None where no row names one."""
    row = next((row for row in rows if row.photo), None)
    if row is None:
        return None
    photo = np.asarray(read(row, row.photo).counts, np.float64)
    photo = np.asarray(photo.mean(axis=0))
    _refuse_shape(row, row.photo, photo.shape, counts.shape[1:], row.image)
    return photo


def _refuse_shape(row: SampleRow, path: str, shape: tuple[int, ...], expected: tuple[int, ...], other: str) -> None:
    if shape == expected:
        return
    finding = Finding(
        "image.shape",
        Severity.ERROR,
        Place(path),
        f"{path} has {shape[0]} x {shape[1]} pixels, {other} has {expected[0]} x {expected[1]}.",
        "Use files of the same binning and field of view.",
    )
    raise ImageError(f"{path} does not fit {other} (row {row.row} of {SHEET})", [finding])


def _refuse_constant(row: SampleRow, plane: NDArray[np.generic]) -> None:
    if plane.size and plane.min() < plane.max():
        return
    value = f"every pixel is {plane.flat[0]:g}" if plane.size else "it has no pixel"
    finding = Finding(
        "image.constant",
        Severity.ERROR,
        Place(row.image, column=row.channel),
        f"the channel {row.channel} is empty: {value}.",
        "Export it again; if the camera failed, take the rows of this session out of the sheet.",
    )
    raise ImageError(f"{row.image} is empty", [finding])
