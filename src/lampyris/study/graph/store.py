"""Results to disk and back, exactly: a session as images and one JSON, an animal as one JSON.

::

    results/sub-A/animal.json                 AnimalOutcome with its lesions, and what is to be said of it
    results/sub-A/ses-S/session.json          all but the images
    results/sub-A/ses-S/dorsal.ome.zarr       image and labels of a view
    results/sub-A/ses-S/record.json           key and hashes, written last
    results/sub-A/curated/animal.json         the same outcome with a person's corrections
    results/sub-A/curated/ses-S/session.json  a session with them: its images are those of ses-S,
    results/sub-A/curated/ses-S/dorsal-lesions.ome.zarr  but for the outlines, where they changed

The image's channels are ``radiance:BAND`` per band, then `probe`, `probe_variance`, `total_variance`, `display`,
`autofluorescence`, `photo`; its labels `body`, `lesions` and `flags`. JSON spells NaN and infinity as strings
(`lampyris.study.graph.codec`).
"""

import json
import typing
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import LampyrisError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RADIANCE_UNIT
from lampyris.core.study import AnimalOutcome, Correction, SessionResult, ViewResult
from lampyris.io import durable
from lampyris.study.graph.codec import decode, encode

SESSION = "session.json"
ANIMAL = "animal.json"
CURATED = "curated"
FORMAT = "lampyris-results/3"
PLANES = ("probe", "probe_variance", "total_variance", "display", "autofluorescence", "photo")
LABELS = ("body", "lesions", "flags")
_IMAGES = ("radiance", *PLANES, *LABELS)
_BAND = "radiance:"
_UNITS = {**dict.fromkeys(("probe_variance", "total_variance"), f"({RADIANCE_UNIT})2"), "photo": "1"}


@dataclass(frozen=True, slots=True)
class StoredAnimal:
    """What animal.json holds: the outcome, the findings behind it, and the corrections that a person made."""

    outcome: AnimalOutcome
    findings: tuple[Finding, ...]
    corrections: tuple[Correction, ...] = ()


def view_folder(view: str, /) -> str:
    """Name of a view's image directory."""
    return f"{view}.ome.zarr"


def write_session(result: SessionResult, folder: Path, /) -> None:
    """Write one session: images first, then ``session.json``.

    Parameters
    ----------
    result : SessionResult
        What the analysis gave.
    folder : Path
        Where; it exists.

    Raises
    ------
    LampyrisError
        If the disk refuses.
    """
    for view in result.views:
        _write_images(view, folder / view_folder(view.view))
    write_noun(folder / SESSION, _without_images(result))


def automatic_folder(name: str, /) -> str:
    """Folder of the session as found automatically, for a folder of either kind.

    Examples
    --------
    >>> automatic_folder("results/sub-m01/curated/ses-d07"), automatic_folder("results/sub-m01/ses-d07")
    ('results/sub-m01/ses-d07', 'results/sub-m01/ses-d07')
    """
    folder = PurePath(name)
    # of an absolute path, some folder further up may be called so too
    return (folder.parent.parent / folder.name).as_posix() if folder.parent.name == CURATED else name


def outlines_folder(view: str, /) -> str:
    """Name of the directory with a corrected view's outlines."""
    return f"{view}-lesions.ome.zarr"


def write_corrected(result: SessionResult, folder: Path, outlined: Sequence[str], /) -> None:
    """Write a corrected session beside its automatic one, whose images it shares.

    Parameters
    ----------
    result : SessionResult
        With its corrections.
    folder : Path
        ``sub-A/curated/ses-S``; it exists, as does ``sub-A/ses-S``.
    outlined : sequence of str
        Views whose outlines changed.

    Raises
    ------
    LampyrisError
        If the disk refuses.
    """
    from lampyris.io.images.ome.zarr import ViewMetadata, write_view

    for view in result.views:
        if view.view in outlined:
            metadata = ViewMetadata(("lesions",), ("1",), view.pixel_mm, name=f"{view.view} lesions")
            labels = view.lesions.astype(np.uint16)
            with durable.durable_directory(folder / outlines_folder(view.view)) as beside:
                write_view(beside, labels[None].astype(np.float32), {"lesions": labels}, metadata)
    write_noun(folder / SESSION, _without_images(result))


def read_session(folder: Path, /, *, images: bool = True) -> SessionResult:
    """Read what `write_session` or `write_corrected` wrote.

    Parameters
    ----------
    folder : Path
        A session's folder; a corrected one takes its images from the automatic one.
    images : bool
        Read the images too; without them the views' arrays have no pixels.

    Returns
    -------
    SessionResult
        Equal to what was written, bit for bit.

    Raises
    ------
    LampyrisError
        If a file is missing or is not what was written.
    """
    data = _read_json(folder / SESSION)
    try:
        views = tuple(_view(folder, entry, images=images) for entry in data["views"])
        parts = {key: value for key, value in data.items() if key not in {"views", "format"}}
        hints = typing.get_type_hints(SessionResult)
        decoded = {key: decode(hints[key], value) for key, value in parts.items()}
        return SessionResult(**decoded, views=views)
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(folder / SESSION, str(error)) from error


def read_plane(folder: Path, view: str, plane: str, /) -> NDArray[np.float32]:
    """Read one plane of a stored view, such as its photograph.

    Parameters
    ----------
    folder : Path
        A session's folder.
    view : str
        ``dorsal`` or ``ventral``.
    plane : str
        Channel of the image, e.g. ``photo``.

    Returns
    -------
    ndarray, dims (y, x), float32

    Raises
    ------
    LampyrisError
        If it is missing or damaged.
    """
    from lampyris.io.images.ome import zarr as ome_zarr

    return ome_zarr.read_plane(folder / view_folder(view), plane)


def write_noun(path: Path, noun: Any, /) -> None:
    """Write a dataclass, or what `encode` gave, as durable JSON that says its format."""
    data = noun if isinstance(noun, dict) else encode(noun)
    durable.write_json(path, {"format": FORMAT, **data})


def read_noun(path: Path, kind: Any, /) -> Any:
    """Read a dataclass that `write_noun` wrote.

    Raises
    ------
    LampyrisError
        If the file is missing or is not what was written.
    """
    data = _read_json(path)
    try:
        return decode(kind, {key: value for key, value in data.items() if key != "format"})
    except ValueError as error:
        raise _unreadable(path, str(error)) from error


def _without_images(result: SessionResult) -> dict[str, Any]:
    data = {field.name: encode(getattr(result, field.name)) for field in fields(result) if field.name != "views"}
    data["views"] = [
        {field.name: encode(getattr(view, field.name)) for field in fields(view) if field.name not in _IMAGES}
        for view in result.views
    ]
    return data


def _view(folder: Path, data: dict[str, Any], *, images: bool) -> ViewResult:
    hints = _view_hints()
    rest: dict[str, Any] = {name: decode(hints[name], value) for name, value in data.items()}
    channels = rest["channels"]
    if not images:
        rest |= _no_images(channels)
        return ViewResult(**rest)
    return ViewResult(**rest | _stored_images(folder, rest["view"], channels))


def _stored_images(folder: Path, view: str, channels: tuple[str, ...]) -> dict[str, Any]:
    """Images of a view, with a person's corrections of its labels."""
    images = _images(Path(automatic_folder(folder.as_posix())) / view_folder(view), channels)
    return images | corrected_labels(folder, view)


def corrected_labels(folder: Path, view: str, /) -> dict[str, NDArray[np.uint16]]:
    """Labels of a view that were corrected by hand: ``lesions`` where its outlines changed, else nothing.

    Parameters
    ----------
    folder : Path
        A session's folder; only that of a corrected one holds any.
    view : str
        ``dorsal`` or ``ventral``.

    Returns
    -------
    dict of str to ndarray, dims (y, x), uint16

    Raises
    ------
    LampyrisError
        If they are damaged.
    """
    outlines = folder / outlines_folder(view)
    if not outlines.is_dir():
        return {}
    from lampyris.io.images.ome.zarr import read_view

    return {"lesions": read_view(outlines)[0]["lesions"]}


def _write_images(view: ViewResult, path: Path) -> None:
    # zarr takes a moment to import, which a look at sheets or records alone does not need
    from lampyris.io.images.ome.zarr import ViewMetadata, write_view

    image = np.concatenate([view.radiance, np.stack([getattr(view, name) for name in PLANES])])
    channels = (*(_BAND + channel for channel in view.channels), *PLANES)
    units = tuple(_UNITS.get(name, RADIANCE_UNIT) for name in channels)
    labels = {name: getattr(view, name).astype(np.uint16) for name in LABELS}
    with durable.durable_directory(path) as beside:
        write_view(beside, image, labels, ViewMetadata(channels, units, view.pixel_mm, name=view.view))


def _images(path: Path, channels: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    from lampyris.io.images.ome.zarr import read_view

    arrays, metadata = read_view(path)
    expected = (*(_BAND + channel for channel in channels), *PLANES)
    if metadata.channels != expected or not set(LABELS) <= set(arrays):
        raise ValueError(f"{path.name} holds {metadata.channels}, expected {expected}")
    image, bands = arrays["image"], len(channels)
    planes = dict(zip(PLANES, image[bands:], strict=True))
    return {"radiance": image[:bands], **planes, **{name: arrays[name] for name in LABELS}}


def _no_images(channels: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    empty = {name: np.zeros((0, 0), np.float32) for name in (*PLANES, *LABELS)}
    return {**empty, "radiance": np.zeros((len(channels), 0, 0), np.float32)}


@cache
def _view_hints() -> dict[str, Any]:
    return typing.get_type_hints(ViewResult)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _unreadable(path, f"its format is not {FORMAT}")
    return data


def _unreadable(path: Path, why: str) -> LampyrisError:
    finding = Finding("results.unreadable", Severity.ERROR, Place(path.name), why + ".", "Run the analysis again.")
    return LampyrisError(f"stored results cannot be read: {path.parent.name}/{path.name}", [finding])
