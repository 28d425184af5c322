"""Opens the files of one session and hands them to the analysis as `SessionInput`.

Images are turned head up before anything else. Of an image that shows several animals, each session is given its own piece. What
an image brings along (dark frame, photograph, coefficients) serves where the sheet names none.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RawImage
from lampyris.core.schemas import VIEWS, AnimalRow, LandmarkRow, SampleRow
from lampyris.core.settings import StudySettings
from lampyris.imaging.body.animal import light_photograph
from lampyris.imaging.body.lanes import Lane, cut_view, find_lanes
from lampyris.imaging.inputs import SessionInput, ViewInput
from lampyris.imaging.radiance.calibrate import SATURATED_SHARE, radiance_from_counts
from lampyris.imaging.radiance.photographs import photograph_on_grid
from lampyris.imaging.radiance.turning import head_up
from lampyris.io.images.frames import mean_image
from lampyris.io.images.readers import image_files
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
    lanes : tuple of (str, tuple of int)
        Of each of its images that several may share, every lane that the whole sheet names: other animals' too.
    """

    rows: tuple[SampleRow, ...]
    animal: AnimalRow | None
    landmarks: tuple[LandmarkRow, ...] = ()
    lanes: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def name(self) -> tuple[str, str]:
        """Animal and session."""
        return self.rows[0].animal, self.rows[0].session

    @property
    def folder(self) -> str:
        """Where its results go, relative to the study."""
        return f"results/sub-{self.rows[0].animal}/ses-{self.rows[0].session}"


def lanes_named(samples: Iterable[SampleRow], /) -> dict[str, tuple[int, ...]]:
    """Every lane that the sheet names of each image, sorted; images without lanes are left out."""
    found: dict[str, set[int]] = {}
    for row in samples:
        if math.isfinite(row.lane):
            found.setdefault(row.image, set()).add(int(row.lane))
    return {image: tuple(sorted(lanes)) for image, lanes in found.items()}


def session_files(study: Path, session: SessionRows, settings: StudySettings, /) -> tuple[str, ...]:
    """Every file that the session's analysis reads, relative to the study, sorted; of a folder, all files in it."""
    named = {path: row.row for row in session.rows for path in (row.image, row.photo, row.background) if path}
    used = {row.channel for row in session.rows}
    named |= {
        band.flat: session.rows[0].row for band in settings.instrument.bands if band.flat and band.channel in used
    }
    files: set[str] = set()
    for path, line in named.items():
        if not (study / path).is_dir():
            files.add(path)
            continue
        place = Place(SHEET, line, "image")
        home = inside(study, path, place=place)
        try:
            files.update(f"{path}/{one.relative_to(home).as_posix()}" for one in image_files(home, file=path))
        except ImageError:
            # told when the session is opened, which stops its animal only
            files.add(path)
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
    read = file_reader(study, settings)
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
        views=tuple(_animal_view(read, session, view, settings) for view in views),
    )


def _animal_view(read: Reader, session: SessionRows, view: str, settings: StudySettings) -> ViewInput:
    """The view of one animal, cut out where its image shows several."""
    rows = [row for row in session.rows if row.view == view]
    whole = replace(open_view(read, rows, settings), landmarks=named_in(session, view))
    own, named = rows[0].lane, dict(session.lanes).get(whole.file, ())
    if not named or not math.isfinite(own):
        if not settings.stage.nose_cones_mm:
            return whole
        # an animal alone, behind its nose cone
        own, named, settings = 1, (1,), _without_borders(settings)
    lane = find_view_lanes(whole, named, settings)[int(own)]
    return cut_view(whole, lane, pixel_mm=settings.instrument.pixel_mm)


def _without_borders(settings: StudySettings) -> StudySettings:
    return settings.model_copy(update={"stage": settings.stage.model_copy(update={"lane_edges_mm": ()})})


def find_view_lanes(view: ViewInput, lanes: Sequence[int], settings: StudySettings, /) -> dict[int, Lane]:
    """Where the animals of a view lie, by its photograph or, without one, by their own glow.

    Raises
    ------
    ImageError
        If there are more or fewer than the sheet names.
    """
    return find_lanes(
        stage_photograph(view, settings),
        settings.stage,
        pixel_mm=settings.instrument.pixel_mm,
        lanes=lanes,
        file=view.file,
        photographed=view.photo is not None,
    )


def stage_photograph(view: ViewInput, settings: StudySettings, /) -> NDArray[np.floating]:
    """A view's photograph, or what stands in for it, dims (y, x)."""
    if view.photo is not None:
        return view.photo
    return light_photograph(radiance_from_counts(view, settings.instrument))


def named_in(session: SessionRows, view: str, /) -> tuple[tuple[str, float, float], ...]:
    """The landmarks of a view by name: moving a row in the sheet changes no result."""
    return tuple(sorted((mark.landmark, mark.y_mm, mark.x_mm) for mark in session.landmarks if mark.view == view))


def channel_index(image: RawImage, channel: str, /) -> int | None:
    """Which of the image's channels is the one called `channel`; an image of one channel needs no name."""
    if channel in image.channels:
        return image.channels.index(channel)
    return 0 if len(image.channels) == 1 else None


def file_reader(study: Path, settings: StudySettings, /) -> Reader:
    """Reader of the study's images that decodes each once."""
    opened: dict[str, RawImage] = {}

    def read(row: SampleRow, path: str) -> RawImage:
        if path not in opened:
            opened[path] = mean_image(
                inside(study, path, place=Place(SHEET, row.row)),
                settings.limits,
                file=path,
                saturation_counts=SATURATED_SHARE * settings.instrument.full_scale_counts,
            )
        return opened[path]

    return read


def open_view(read: Reader, rows: Sequence[SampleRow], settings: StudySettings, /) -> ViewInput:
    """Open one view as its image shows it, turned head up, all animals in it.

    Parameters
    ----------
    read : callable
        From `file_reader`.
    rows : sequence of SampleRow
        One animal's, a row per band.
    settings : StudySettings
        Bands in their order, flats, side of the heads.

    Returns
    -------
    ViewInput
        Without landmarks.

    Raises
    ------
    ImageError
        If a file cannot be read, lacks a channel, is constant or does not fit the others.
    """
    bands = [band for band in settings.instrument.bands if any(row.channel == band.channel for row in rows)]
    ordered = [next(row for row in rows if row.channel == band.channel) for band in bands]
    head = settings.stage.head
    planes = [(row, *_plane(read, row, row.image, "image")) for row in ordered]
    shape = planes[0][2].shape
    for row, _, plane in planes:
        _refuse_constant(row, plane)
        _refuse_shape(row, row.image, plane.shape, shape, "the other bands")
    counts = np.stack([plane for _, _, plane in planes])
    dark = [_dark(read, row, shape) for row in ordered]
    flat = [
        _fitting(read, row, band.flat, "image", shape) if band.flat else np.ones(shape)
        for row, band in zip(ordered, bands, strict=True)
    ]
    pixel_mm = next((image.pixel_mm for _, image, _ in planes if image.pixel_mm > 0), settings.instrument.pixel_mm)
    photo = _photo(read, ordered, shape, settings.instrument.pixel_mm)
    return ViewInput(
        view=ordered[0].view,
        image=RawImage(
            counts=head_up(counts, head),
            channels=tuple(row.channel for row in ordered),
            pixel_mm=pixel_mm,
            exposure_s=tuple(row.exposure_s for row in ordered),
            excitation_nm=tuple(row.excitation_nm for row in ordered),
            emission_nm=tuple(row.emission_nm for row in ordered),
            acquired=planes[0][1].acquired,
            synthetic=any(image.synthetic for _, image, _ in planes),
            frames=min(image.frames for _, image, _ in planes),
        ),
        exposure_s=tuple(row.exposure_s for row in ordered),
        photo=None if photo is None else head_up(photo, head),
        dark=head_up(np.stack(dark), head),
        flat=head_up(np.stack(flat), head),
        file=ordered[0].image,
        radiance_per_count_rate=_coefficients([(row, image) for row, image, _ in planes]),
        file_shape=(shape[0], shape[1]),
    )


def _coefficients(images: Sequence[tuple[SampleRow, RawImage]]) -> tuple[float, ...]:
    """The files' own coefficient per band; empty where they have none."""
    found = [
        image.radiance_per_count_rate[channel_index(image, row.channel) or 0]
        if image.radiance_per_count_rate
        else math.nan
        for row, image in images
    ]
    if not any(map(math.isfinite, found)):
        return ()
    if all(value > 0 and math.isfinite(value) for value in found):
        return tuple(found)
    row = next(row for (row, _), value in zip(images, found, strict=True) if not value > 0)
    seen = f"{row.image} brings no coefficient for {row.channel}, and other bands of this view bring theirs."
    mend = "Export all bands in one way, with or without their coefficients."
    finding = Finding("image.coefficient", Severity.ERROR, Place(row.image, column=row.channel), seen, mend)
    raise ImageError(f"{row.image} lacks a coefficient", [finding])


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


def _dark(read: Reader, row: SampleRow, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The dark frame that the sheet names, else the one that the image brings along."""
    if row.background:
        return _fitting(read, row, row.background, "background", shape)
    image = read(row, row.image)
    if image.dark is None:
        finding = Finding("image.no-dark", Severity.ERROR, Place(SHEET, row.row, "background"), *no_dark(row))
        raise ImageError(f"{row.image} has no dark frame", [finding])
    return np.asarray(image.dark[channel_index(image, row.channel) or 0], np.float64)


def no_dark(row: SampleRow, /) -> tuple[str, str]:
    """What is said of a row without a dark frame, and its mend."""
    return (
        f"no dark frame is named, and {row.image} brings none along.",
        "Name a dark frame of the same exposure and binning: without, bias would count as light.",
    )


def _photo(
    read: Reader, rows: Sequence[SampleRow], shape: tuple[int, ...], pixel_mm: float
) -> NDArray[np.float64] | None:
    """Photograph of the view on the image's grid, None where no row names one and no image brings one."""
    row = next((row for row in rows if row.photo), rows[0])
    image = read(row, row.photo or row.image)
    photo, photo_pixel_mm = image.photo, image.photo_pixel_mm
    if photo is None and row.photo:
        photo, photo_pixel_mm = np.asarray(image.counts, np.float64).mean(axis=0), image.pixel_mm
    if photo is None:
        return None
    return photograph_on_grid(
        photo,
        (shape[0], shape[1]),
        pixel_mm=pixel_mm,
        photo_pixel_mm=photo_pixel_mm,
        file=row.photo or row.image,
    )


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
