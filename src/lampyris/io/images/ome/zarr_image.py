"""OME-Zarr 0.4 and 0.5 as raw input, both ways: one view of one animal, dims (channel, y, x).

Read is what other programs write: any grid of chunks, the usual compressors, shards, both byte orders, the layout of
bioformats2raw. Nothing outside the folder is opened and no symbolic link below it is followed. What OME-Zarr has no place for
(exposures, wavelengths, that the data are simulated) stands in the group's attributes under ``lampyris``, key ``raw``.

References
----------
OME-Zarr 0.5, https://ngff.openmicroscopy.org/0.5/, doi:10.1038/s41592-021-01326-w.
"""

import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import UnsafeFileError
from lampyris.core.images import LABELS, RawImage
from lampyris.io.durable import durable_directory
from lampyris.io.images.counts import counts_of
from lampyris.io.images.ome.xml import MAX_BYTES, OmeMetadata, ome_metadata
from lampyris.io.images.zarr.chunks import ZarrArray, open_array, read_region, understood
from lampyris.io.images.zarr.codecs import ChunkError
from lampyris.io.images.zarr.folder import MEND_COPY, MEND_EXPORT, MEND_LIMITS, ZarrFolder

SYNTHETIC_NOTE = "These data are synthetic: simulated, not measured."
_VERSIONS = ("0.4", "0.5")
_AXES = "tczyx"
# of the units that OME-Zarr names, those of a bench, and the short forms that programs write
_MM = {
    "meter": 1e3, "decimeter": 100.0, "centimeter": 10.0, "millimeter": 1.0, "micrometer": 1e-3, "nanometer": 1e-6,
    "inch": 25.4, "m": 1e3, "cm": 10.0, "mm": 1.0, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3, "nm": 1e-6,
}  # fmt: skip
_SECONDS = {
    "second": 1.0, "millisecond": 1e-3, "microsecond": 1e-6, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "s": 1.0,
    "ms": 1e-3, "us": 1e-6, "min": 60.0, "h": 3600.0,
}  # fmt: skip
_COLOURS = ("FFFFFF", "00FF88", "FF8800", "3399FF", "FF44CC", "FFEE33")


@dataclass(frozen=True, slots=True)
class ZarrImage:
    """An image whose documents are read and checked; its pixels are not.

    Parameters
    ----------
    folder : ZarrFolder
    array : ZarrArray
        Full resolution.
    axes : str
        Letters of ``tczyx``, in this order.
    metadata : OmeMetadata
        Of its channels; `planes` says nothing.
    interval_s : float
        Time between frames; NaN where the folder does not say.
    radiance_per_count_rate : tuple of float
    labels : dict of str to str
    """

    folder: ZarrFolder
    array: ZarrArray
    axes: str
    metadata: OmeMetadata
    interval_s: float = math.nan
    radiance_per_count_rate: tuple[float, ...] = ()
    labels: dict[str, str] | None = None

    def size(self, axis: str) -> int:
        """Length along an axis; 1 where there is none."""
        return self.array.shape[self.axes.index(axis)] if axis in self.axes else 1

    def frames(self, first: int, last: int, /) -> NDArray[Any]:
        """Pixels of some frames, dims (time, channel, y, x), unsigned or float.

        Raises
        ------
        ImageError
            If a chunk is missing or damaged, or holds what no camera counts.
        """
        region = tuple((first, last) if axis == "t" else (0, self.size(axis)) for axis in self.axes)
        found = read_region(self.folder, self.array, region)
        found = found.reshape(last - first, self.size("c"), self.size("y"), self.size("x"))
        return counts_of(self.folder.file, found)


def read_ome_zarr_image(path: Path, /, *, max_pixels: int, max_pages: int, max_bytes: int, file: str = "") -> RawImage:
    """Read an image folder that nobody vouches for.

    Parameters
    ----------
    path : Path
        The folder, by custom ending ``.ome.zarr``.
    max_pixels, max_pages, max_bytes : int
        Caps: pixels of all channels together, channels, and bytes of all files that are read.
    file : str
        The image as the user knows it, for messages; the bare name of the folder by default.

    Returns
    -------
    RawImage
        Counts of full resolution, in the machine's byte order.

    Raises
    ------
    ImageError
        If the folder is no OME-Zarr image of one depth and time, a chunk is missing (though Zarr would read it as blank) or
        damaged, or it holds NaN or infinity.
    UnsafeFileError
        If it declares more than the caps, or points out of itself.

    Examples
    --------
    >>> import tempfile
    >>> image = RawImage(np.ones((1, 2, 3), np.uint16), ("800",), 0.1, (5.0,), (660.0,), (800.0,))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_ome_zarr_image(Path(folder) / "m01.ome.zarr", image)
    ...     back = read_ome_zarr_image(Path(folder) / "m01.ome.zarr", max_pixels=100, max_pages=9, max_bytes=10_000)
    >>> back.channels, back.exposure_s, back.counts.shape
    (('800',), (5.0,), (1, 2, 3))
    """
    image = open_ome_zarr(path, max_pixels=max_pixels, max_bytes=max_bytes, file=file)
    if (times := image.size("t")) > 1:
        mend = "Give it as a sequence in time, or export one time."
        image.folder.refuse("image.axes", f"holds {times} times; an image has one.", mend)
    if (count := image.size("c")) > max_pages:
        image.folder.refuse("image.pages", f"has more than {max_pages} channels.", MEND_LIMITS, UnsafeFileError)
    (counts,) = image.frames(0, 1)
    metadata = image.metadata
    return RawImage(
        counts=counts.reshape(count, *counts.shape[1:]),
        channels=metadata.channels,
        pixel_mm=metadata.pixel_mm,
        exposure_s=metadata.exposure_s,
        excitation_nm=metadata.excitation_nm,
        emission_nm=metadata.emission_nm,
        acquired=metadata.acquired,
        synthetic=metadata.synthetic,
        radiance_per_count_rate=image.radiance_per_count_rate,
        labels=dict(image.labels or {}),
    )


def open_ome_zarr(path: Path, /, *, max_pixels: int, max_bytes: int, file: str = "") -> ZarrImage:
    """Read the documents of an image folder and check what they declare.

    Parameters
    ----------
    path : Path
        The folder.
    max_pixels : int
        Cap on the pixels of one time, all channels together.
    max_bytes : int
        Cap on what is read.
    file : str
        The image as the user knows it.

    Returns
    -------
    ZarrImage

    Raises
    ------
    ImageError, UnsafeFileError
        As `read_ome_zarr_image`.
    """
    path = Path(path)
    folder = ZarrFolder(path, file or path.name, max_bytes)
    group, attributes, name = _image_group(folder)
    with understood(folder, name):
        ome = attributes.get("ome", attributes)
        scales = ome["multiscales"]
        if len(scales) != 1:
            raise ChunkError(f"describes {len(scales)} images")
        version = ome.get("version", scales[0].get("version", "0.4"))
        if str(version) not in _VERSIONS:
            raise ChunkError(f"is of OME-Zarr {version!r:.20}")
        level = scales[0]["datasets"][0]
        target = folder.named(group, level["path"])
    array = open_array(folder, target, max_pixels=max_pixels, sparse=_own(attributes).get("sparse") is True)
    with understood(folder, name):
        axes = _axes(scales[0]["axes"], array)
        _check_sizes(folder, axes, array, max_pixels)
        units = {axis["name"]: axis.get("unit") for axis in scales[0]["axes"]}
        scale = _scale(
            [*level.get("coordinateTransformations", []), *scales[0].get("coordinateTransformations", [])], axes
        )
        count = array.shape[axes.index("c")] if "c" in axes else 1
        metadata = _metadata(folder, ome, count, _pixel_mm(folder, axes, scale, units))
    image = ZarrImage(folder, array, axes, metadata, _interval_s(axes, scale, units))
    if folder.holds("OME/METADATA.ome.xml") and image.size("t") == 1:
        image = replace(image, metadata=_described(folder, image))
    return _with_own(image, _own(attributes).get("raw"), name)


def _image_group(folder: ZarrFolder) -> tuple[str, dict[str, Any], str]:
    """Path of the one image inside the folder, its attributes, and the name of their document."""
    attributes, name = _group(folder, "")
    ome = attributes.get("ome", attributes)
    if not isinstance(ome, dict):
        folder.refuse("image.metadata", f"has a {name} of another form.", MEND_COPY)
    if "multiscales" in ome:
        return "", attributes, name
    if "bioformats2raw.layout" not in ome:
        _refuse_group(folder, ome)
    if folder.holds("1"):
        seen = "holds several images; one is read."
        folder.refuse("image.metadata", seen, "Name the folder of one image, such as its subfolder 0.")
    return "0", *_group(folder, "0")


def _refuse_group(folder: ZarrFolder, ome: dict[str, Any]) -> NoReturn:
    seen = "is no OME-Zarr image: its attributes describe no multiscales."
    if "plate" in ome or "well" in ome:
        seen = "is a plate, not an image."
    folder.refuse("image.metadata", seen, "Name the folder of one image, or export it as OME-Zarr 0.4 or 0.5.")


def _group(folder: ZarrFolder, path: str) -> tuple[dict[str, Any], str]:
    """Attributes of a group of either version."""
    where = f"{path}/" if path else ""
    name = f"{where}zarr.json"
    document = folder.document(name)
    if document is not None:
        attributes = document.get("attributes", {})
        if document.get("node_type") != "group" or not isinstance(attributes, dict):
            folder.refuse("image.metadata", f"has a {name} that describes no group.", MEND_EXPORT)
        return attributes, name
    found = folder.document(f"{where}.zattrs")
    if found is None:
        seen = f"lacks {name} and {where}.zattrs: it is no OME-Zarr image, or was not copied whole."
        folder.refuse("image.header", seen, MEND_COPY)
    return found, f"{where}.zattrs"


def _own(attributes: dict[str, Any]) -> dict[str, Any]:
    own = attributes.get("lampyris")
    return own if isinstance(own, dict) else {}


def _axes(listed: Sequence[dict[str, Any]], array: ZarrArray) -> str:
    """Letters of the axes."""
    names = [axis["name"] for axis in listed]
    if len(names) != len(array.shape):
        raise ChunkError(f"names {len(names)} axes for {len(array.shape)} dimensions")
    if (
        any(name not in _AXES for name in names)
        or names != sorted(set(names), key=_AXES.index)
        or names[-2:] != ["y", "x"]
    ):
        raise ChunkError(f"has the axes {', '.join(map(str, names))!r:.80}")
    return "".join(names)


def _check_sizes(folder: ZarrFolder, axes: str, array: ZarrArray, max_pixels: int) -> None:
    """One depth, and no more pixels at one time than the cap."""
    sizes = dict(zip(axes, array.shape, strict=True))
    if sizes.get("z", 1) != 1:
        seen = f"holds {sizes['z']} depths; one is read."
        folder.refuse("image.axes", seen, "Export one animal's view as a single plane.")
    pixels = sizes.get("c", 1) * sizes["y"] * sizes["x"]
    if pixels > max_pixels:
        seen = f"declares {pixels} pixels, above the cap of {max_pixels}."
        folder.refuse("image.pixels", seen, MEND_LIMITS, UnsafeFileError)


def _scale(steps: Sequence[dict[str, Any]], axes: str) -> dict[str, float]:
    """Size of a step along each axis, in its unit: what all scalings together make."""
    factors = dict.fromkeys(axes, 1.0)
    for step in steps:
        if step["type"] == "scale":
            for axis, factor in zip(axes, step["scale"], strict=True):
                factors[axis] *= float(factor)
        elif step["type"] not in ("translation", "identity"):
            raise ChunkError(f"is laid out by {step['type']!r:.40}")
    if not all(0 < factor < math.inf for factor in factors.values()):
        raise ChunkError("has a scale that is no positive number")
    return factors


def _pixel_mm(folder: ZarrFolder, axes: str, scale: dict[str, float], units: dict[str, Any]) -> float:
    """Pixel pitch; NaN where no unit is given."""
    down, across = (scale[axis] * _MM.get(units[axis] or "", math.nan) for axis in "yx")
    # a pitch stored with seven digits differs by rounding only
    if not math.isnan(down - across) and not math.isclose(down, across, rel_tol=1e-6):
        seen = f"has pixels of {across:g} x {down:g} mm; square ones are read."
        folder.refuse("image.pixel-size", seen, MEND_EXPORT)
    return across if not math.isnan(down) else math.nan


def _interval_s(axes: str, scale: dict[str, float], units: dict[str, Any]) -> float:
    return scale["t"] * _SECONDS.get(units["t"] or "", math.nan) if "t" in axes else math.nan


def _metadata(folder: ZarrFolder, ome: dict[str, Any], count: int, pixel_mm: float) -> OmeMetadata:
    """Names of the channels from ``omero``; their numbers where it is absent."""
    names = [str(number) for number in range(count)]
    if "omero" in ome and ome["omero"].get("channels"):
        listed = ome["omero"]["channels"]
        if len(listed) != count:
            raise ChunkError(f"describes {len(listed)} channels where the array has {count}")
        names = [str(channel.get("label") or number) for number, channel in enumerate(listed)]
    if len(set(names)) != count:
        seen = f"has two channels of one name ({', '.join(names)[:120]})."
        folder.refuse("image.channels", seen, MEND_EXPORT)
    unknown = (math.nan,) * count
    return OmeMetadata((), tuple(names), pixel_mm, unknown, unknown, unknown)


def _described(folder: ZarrFolder, image: ZarrImage) -> OmeMetadata:
    """What the OME-XML of bioformats2raw says; names and scale of the Zarr metadata win where they are given."""
    with folder.opened("OME/METADATA.ome.xml") as stored:
        xml = b"" if stored is None else stored.read(0, min(stored.size, MAX_BYTES + 1))
    shape = image.size("c"), image.size("y"), image.size("x")
    found, known = ome_metadata(xml, shape=shape, file=folder.file), image.metadata
    named = known.channels != tuple(map(str, range(len(known.channels))))
    pixel_mm = found.pixel_mm if math.isnan(known.pixel_mm) else known.pixel_mm
    return replace(found, channels=known.channels if named else found.channels, pixel_mm=pixel_mm)


def _with_own(image: ZarrImage, raw: Any, name: str) -> ZarrImage:
    """Add what Lampyris' own writer put beside the pixels."""
    if raw is None:
        return image
    count = image.size("c")
    with understood(image.folder, name):
        per_channel: dict[str, Any] = {
            key: tuple(_positive(value) for value in raw[key])
            for key in ("exposure_s", "excitation_nm", "emission_nm", "radiance_per_count_rate")
            if raw.get(key)
        }
        if any(len(values) != count for values in per_channel.values()):
            raise ChunkError(f"has exposures or wavelengths for other than {count} channels")
        labels = {str(key): str(value) for key, value in (raw.get("labels") or {}).items()}
        if unknown := sorted(set(labels) - set(LABELS)):
            raise ChunkError(f"has unknown labels {', '.join(unknown)!r:.80}")
        coefficients = per_channel.pop("radiance_per_count_rate", ())
        metadata = replace(
            image.metadata, acquired=str(raw.get("acquired", "")), synthetic=raw.get("synthetic") is True, **per_channel
        )
    return replace(image, metadata=metadata, radiance_per_count_rate=coefficients, labels=labels)


def _positive(value: Any) -> float:
    """A positive number, NaN where it is null."""
    if value is None:
        return math.nan
    if type(value) not in (int, float) or not 0 < value < math.inf:
        raise ChunkError(f"holds {value!r:.40} where a positive number belongs")
    return float(value)


def ome_zarr_files(image: RawImage, /, *, version: Literal["0.4", "0.5"] = "0.5") -> dict[str, bytes]:
    """Return an image as the files of an OME-Zarr folder: the same bytes for the same image, always.

    Dark frame and photograph stay images of their own.

    Parameters
    ----------
    image : RawImage
        What `read_ome_zarr_image` shall return.
    version : str
        "0.5" on Zarr 3, or "0.4" on Zarr 2.

    Returns
    -------
    dict of str to bytes
        Content by path inside the folder.

    Raises
    ------
    ValueError
        If the version is unknown, or the format cannot hold the image's type or numbers.
    """
    counts = np.asarray(image.counts)
    if version not in _VERSIONS:
        raise ValueError(f"version is {version!r}, known are {', '.join(_VERSIONS)}")
    if counts.dtype.str[1:] not in ("u1", "u2", "u4", "f4", "f8") or not counts.size:
        raise ValueError(f"counts of type {counts.dtype} and shape {counts.shape} are not in the format")
    return (_files_2 if version == "0.4" else _files_3)(image, np.ascontiguousarray(counts))


def write_ome_zarr_image(path: Path, image: RawImage, /, *, version: Literal["0.4", "0.5"] = "0.5") -> None:
    """Write an image as an OME-Zarr folder, durably; a folder of this name is replaced.

    Parameters
    ----------
    path : Path
        Final name, by custom ending ``.ome.zarr``.
    image : RawImage
    version : str
        As in `ome_zarr_files`.

    Raises
    ------
    ValueError
        As `ome_zarr_files`.
    LampyrisError
        If the disk refuses.
    """
    files = ome_zarr_files(image, version=version)
    with durable_directory(Path(path)) as folder:
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)


def _attributes(image: RawImage, version: str) -> dict[str, Any]:
    """OME-Zarr's description, and our own beside it."""
    known = not math.isnan(image.pixel_mm)
    space = {"type": "space", "unit": "millimeter"} if known else {"type": "space"}
    axes = [{"name": "c", "type": "channel"}, {"name": "y", **space}, {"name": "x", **space}]
    pitch = float(image.pixel_mm) if known else 1.0
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, pitch, pitch]}]}
    channels = []
    for number, (name, plane) in enumerate(zip(image.channels, np.asarray(image.counts), strict=True)):
        low, high = float(plane.min()), float(plane.max())
        window = {"min": low, "start": low, "max": max(high, low + 1.0), "end": max(high, low + 1.0)}
        channels.append({"label": name, "color": _COLOURS[number % len(_COLOURS)], "active": True, "window": window})
    scales: dict[str, Any] = {"name": "raw", "axes": axes, "datasets": [level]}
    raw: dict[str, Any] = {
        key: [None if math.isnan(value) else float(value) for value in getattr(image, key)]
        for key in ("exposure_s", "excitation_nm", "emission_nm", "radiance_per_count_rate")
        if not all(map(math.isnan, getattr(image, key)))
    }
    raw |= {key: value for key, value in (("acquired", image.acquired), ("labels", image.labels)) if value}
    if image.synthetic:
        raw |= {"synthetic": True, "note": SYNTHETIC_NOTE}
    own = {"lampyris": {"raw": raw}}
    if version == "0.4":
        return {"multiscales": [{"version": "0.4", **scales}], "omero": {"channels": channels}, **own}
    return {"ome": {"version": "0.5", "multiscales": [scales], "omero": {"channels": channels}}, **own}


def _files_3(image: RawImage, counts: NDArray[Any]) -> dict[str, bytes]:
    from numcodecs.zstd import compress

    shape = counts.shape
    group = {"attributes": _attributes(image, "0.5"), "zarr_format": 3, "node_type": "group"}
    array = {
        "shape": list(shape),
        "data_type": counts.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, *shape[1:]]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0 if counts.dtype.kind == "u" else 0.0,
        "codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "zstd", "configuration": {"level": 1, "checksum": True}},
        ],
        "attributes": {},
        "dimension_names": ["c", "y", "x"],
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }
    files = {"zarr.json": _json(group), "0/zarr.json": _json(array)}
    little = counts.astype(counts.dtype.newbyteorder("<"), copy=False)
    return files | {f"0/c/{number}/0/0": bytes(compress(plane, 1, True)) for number, plane in enumerate(little)}


def _files_2(image: RawImage, counts: NDArray[Any]) -> dict[str, bytes]:
    shape = counts.shape
    array = {
        "shape": list(shape),
        "chunks": [1, *shape[1:]],
        "dtype": counts.dtype.newbyteorder("<").str,
        "fill_value": 0 if counts.dtype.kind == "u" else 0.0,
        "order": "C",
        "filters": None,
        "dimension_separator": "/",
        # its checksum tells a damaged chunk, which most compressors of Zarr 2 cannot
        "compressor": {"id": "zlib", "level": 1},
        "zarr_format": 2,
    }
    files = {
        ".zgroup": _json({"zarr_format": 2}),
        ".zattrs": _json(_attributes(image, "0.4")),
        "0/.zarray": _json(array),
    }
    little = counts.astype(counts.dtype.newbyteorder("<"), copy=False)
    return files | {f"0/{number}/0/0": zlib.compress(plane.tobytes(), 1) for number, plane in enumerate(little)}


def _json(document: dict[str, Any]) -> bytes:
    return cast(bytes, json.dumps(document, indent=2, allow_nan=False).encode("ascii"))
