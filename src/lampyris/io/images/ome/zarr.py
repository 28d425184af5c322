"""One view of a session as an OME-Zarr 0.5 image: channels of results, and regions as labels.

Every array is one chunk, so that a view is few files, and every chunk carries a checksum. Zarr reads a missing chunk as its
fill value; here that is an error, as a file lost is a wrong number gained.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import LampyrisError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.durable import canonical_json
from lampyris.io.images.zarr.array import DOCUMENT, read_array, read_group, write_array, write_group

MAX_PIXELS = 256_000_000
"""Largest array that `read_view` opens."""

_COLOURS = ("FFFFFF", "00FF88", "FF8800", "3399FF", "FF44CC", "FFEE33")


@dataclass(frozen=True, slots=True)
class ViewMetadata:
    """What stands beside the pixels of a view.

    Parameters
    ----------
    channels : tuple of str
        Name of each channel.
    units : tuple of str
        Unit of each channel; "1" for a pure number.
    pixel_mm : float
        Pixel pitch in mm.
    name : str
        Of the image, for viewers.
    windows : tuple of (float, float)
        Display range of each channel; by default from its least to its largest finite value.
    attributes : mapping
        Anything else that JSON holds, kept as it is.
    """

    channels: tuple[str, ...]
    units: tuple[str, ...]
    pixel_mm: float
    name: str = ""
    windows: tuple[tuple[float, float], ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelDescription:
    """What a label's numbers are, for viewers.

    Parameters
    ----------
    colours : mapping of int to tuple of int
        Red, green, blue and opacity, 0 to 255, of each number.
    properties : mapping of int to mapping
        What is known of each number: keys with what JSON holds.
    """

    colours: Mapping[int, tuple[int, int, int, int]] = field(default_factory=dict)
    properties: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


def write_view(
    directory: Path,
    image: NDArray[np.float32],
    labels: Mapping[str, NDArray[np.uint16]],
    metadata: ViewMetadata,
    /,
    *,
    described: Mapping[str, LabelDescription] | None = None,
) -> None:
    """Write a view into a directory that is new or empty; the same bytes for the same view.

    Files are not synced: call it inside `lampyris.io.durable.durable_directory`.

    Parameters
    ----------
    directory : Path
        The image group, by custom ending ``.ome.zarr``.
    image : ndarray, dims (channel, y, x), float32
        Results, a channel each.
    labels : mapping of str to ndarray, dims (y, x), uint16
        Regions by number, 0 outside, such as ``body`` and ``lesions``.
    metadata : ViewMetadata
        Names, units and scale.
    described : mapping of str to LabelDescription, optional
        Colours and properties of labels.

    Raises
    ------
    ValueError
        If shapes, types, or numbers of channels do not fit together.
    FileExistsError
        If the directory holds anything.

    Examples
    --------
    >>> import tempfile
    >>> probe, body = np.ones((1, 4, 5), np.float32), np.ones((4, 5), np.uint16)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_view(Path(folder) / "v.ome.zarr", probe, {"body": body}, ViewMetadata(("probe",), ("1",), 0.2))
    ...     arrays, metadata = read_view(Path(folder) / "v.ome.zarr")
    >>> arrays["image"].shape, arrays["body"].dtype.name, metadata.pixel_mm
    ((1, 4, 5), 'uint16', 0.2)
    """
    _check(image, labels, metadata)
    directory = Path(directory)
    if directory.is_dir() and any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty")
    write_group(directory, _image_attributes(image, metadata) | {"lampyris": _own_attributes(labels, metadata)})
    write_array(directory / "0", image, ("c", "y", "x"))
    if labels:
        write_group(directory / "labels", {"ome": {"version": "0.5", "labels": sorted(labels)}})
        for name in sorted(labels):
            ome = _multiscales(name, "yx", metadata.pixel_mm)
            ome["image-label"] = _image_label((described or {}).get(name, LabelDescription()))
            write_group(directory / "labels" / name, {"ome": ome})
            write_array(directory / "labels" / name / "0", labels[name], ("y", "x"))


def read_view(directory: Path, /) -> tuple[dict[str, NDArray[Any]], ViewMetadata]:
    """Read what `write_view` wrote.

    Parameters
    ----------
    directory : Path
        The image group.

    Returns
    -------
    arrays : dict of str to ndarray
        ``image``, dims (channel, y, x), float32; and each label by its name, dims (y, x), uint16.
    metadata : ViewMetadata
        As written.

    Raises
    ------
    LampyrisError
        If a file is missing or damaged, or the group is of another kind.
    """
    directory = Path(directory)
    part = DOCUMENT
    try:
        attributes = read_group(directory)
        metadata = _metadata(attributes)
        part = "0"
        arrays = {"image": read_array(directory / part, np.dtype("float32"), 3, max_pixels=MAX_PIXELS)}
        for name in attributes["lampyris"]["labels"]:
            part = f"labels/{name}/0"
            arrays[name] = read_array(directory / part, np.dtype("uint16"), 2, max_pixels=MAX_PIXELS)
    except Exception as error:
        # damaged documents and frames raise what they like
        _refuse(directory, part, f"is missing or damaged ({type(error).__name__}: {error}).", error)
    shapes = {array.shape[-2:] for array in arrays.values()}
    if len(shapes) > 1 or arrays["image"].shape[0] != len(metadata.channels):
        _refuse(directory, "", "holds arrays that do not fit together.", None)
    return arrays, metadata


def read_plane(directory: Path, channel: str, /) -> NDArray[np.float32]:
    """Read one channel of what `write_view` wrote; labels are not opened.

    Parameters
    ----------
    directory : Path
        The image group.
    channel : str
        Name of the channel.

    Returns
    -------
    ndarray, dims (y, x), float32

    Raises
    ------
    LampyrisError
        If the image is missing or damaged, or has no such channel.
    """
    directory = Path(directory)
    part = DOCUMENT
    try:
        channels = _metadata(read_group(directory)).channels
        part = "0"
        image = read_array(directory / part, np.dtype("float32"), 3, max_pixels=MAX_PIXELS)
    except Exception as error:
        # damaged documents and frames raise what they like
        _refuse(directory, part, f"is missing or damaged ({type(error).__name__}: {error}).", error)
    if channel not in channels or len(channels) != image.shape[0]:
        _refuse(directory, "", f"has the channels {', '.join(channels)}, not {channel}.", None)
    return image[channels.index(channel)]


def _check(image: NDArray[Any], labels: Mapping[str, NDArray[Any]], metadata: ViewMetadata) -> None:
    """Refuse what does not fit together, all faults in one message."""
    faults = []
    if image.dtype != np.float32 or image.ndim != 3 or 0 in image.shape:
        faults.append(f"image needs float32 of dims (channel, y, x), has {image.dtype} of shape {image.shape}")
    for name, label in labels.items():
        if label.dtype != np.uint16 or label.shape != image.shape[1:]:
            faults.append(f"label {name!r} needs uint16 of shape {image.shape[1:]}, has {label.dtype} of {label.shape}")
        if not name.isidentifier() or name == "image":
            faults.append(f"label {name!r} needs a name of letters, digits and _, other than 'image'")
    for what, entries in (("channels", metadata.channels), ("units", metadata.units), ("windows", metadata.windows)):
        if len(entries) != image.shape[0] and (what != "windows" or entries):
            faults.append(f"{what} has {len(entries)} entries for {image.shape[0]} channels")
    if not 0 < metadata.pixel_mm < math.inf:
        faults.append(f"pixel_mm is {metadata.pixel_mm}")
    if faults:
        raise ValueError("; ".join(faults))


def _image_attributes(image: NDArray[np.float32], metadata: ViewMetadata) -> dict[str, Any]:
    """What OME-Zarr says of the image."""
    windows = metadata.windows or tuple(_range(channel) for channel in image)
    channels = [
        {
            "label": name,
            "color": _COLOURS[number % len(_COLOURS)],
            "active": number == 0,
            "window": {"min": low, "start": low, "max": high, "end": high},
        }
        for number, (name, (low, high)) in enumerate(zip(metadata.channels, windows, strict=True))
    ]
    return {"ome": _multiscales(metadata.name, "cyx", metadata.pixel_mm) | {"omero": {"channels": channels}}}


def _range(channel: NDArray[np.float32]) -> tuple[float, float]:
    """Least and largest finite value; 0 and 1 where they do not span a range."""
    finite = channel[np.isfinite(channel)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return (low, high) if high > low else (0.0, 1.0)


def _multiscales(name: str, axes: str, pixel_mm: float) -> dict[str, Any]:
    """OME-Zarr 0.5 description of one full-resolution array."""
    described = [
        {"name": axis, "type": "channel"} if axis == "c" else {"name": axis, "type": "space", "unit": "millimeter"}
        for axis in axes
    ]
    scale = [1.0 if axis == "c" else float(pixel_mm) for axis in axes]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
    return {"version": "0.5", "multiscales": [{"name": name, "axes": described, "datasets": [level]}]}


def _image_label(described: LabelDescription) -> dict[str, Any]:
    """OME-Zarr 0.5 description of a label's numbers; empty lists are not allowed there."""
    colours = [{"label-value": value, "rgba": list(rgba)} for value, rgba in sorted(described.colours.items())]
    known = [{"label-value": value, **entry} for value, entry in sorted(described.properties.items())]
    label: dict[str, Any] = {"source": {"image": "../../"}}
    if colours:
        label["colors"] = colours
    if known:
        label["properties"] = json.loads(canonical_json(known, not_finite="null"))
    return label


def _own_attributes(labels: Mapping[str, Any], metadata: ViewMetadata) -> dict[str, Any]:
    """What OME-Zarr has no place for; the labels are listed because a lost one must not pass unseen."""
    return {
        "units": list(metadata.units),
        "labels": sorted(labels),
        "attributes": json.loads(canonical_json(metadata.attributes)),
    }


def _metadata(attributes: Mapping[str, Any]) -> ViewMetadata:
    """Metadata from a group's attributes."""
    image, own = attributes["ome"]["multiscales"][0], attributes["lampyris"]
    channels = attributes["ome"]["omero"]["channels"]
    return ViewMetadata(
        channels=tuple(channel["label"] for channel in channels),
        units=tuple(own["units"]),
        pixel_mm=image["datasets"][0]["coordinateTransformations"][0]["scale"][-1],
        name=image["name"],
        windows=tuple((channel["window"]["start"], channel["window"]["end"]) for channel in channels),
        attributes=own["attributes"],
    )


def _refuse(directory: Path, part: str, seen: str, cause: Exception | None) -> NoReturn:
    """Raise an error about a file of the view."""
    place = Place(f"{directory.name}/{part}".rstrip("/"))
    mend = "Run the analysis again: it makes what is missing or damaged anew."
    raise LampyrisError(
        f"The view {directory.name} cannot be read.", [Finding("view.damaged", Severity.ERROR, place, seen, mend)]
    ) from cause
