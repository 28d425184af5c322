"""Princeton Instruments ``.spe``: WinSpec's SPE 2.x with all in its header, LightField's SPE 3.0 with XML at the end.

One region of the chip is read. Rows are given as they are stored.

References
----------
Princeton Instruments, "SPE 3.0 File Format Specification", issue 1.A (2014), with the SPE 2.x header in its appendix.
"""

import math
import re
import struct
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path

import numpy as np

from lampyris.core.errors import UnsafeFileError
from lampyris.core.frames import FrameStream
from lampyris.core.images import RawImage
from lampyris.io.images.cameras.files import (
    MEND_COPY,
    MEND_EXPORT,
    MEND_SERIES,
    CameraFile,
    camera_image,
    camera_stream,
)
from lampyris.io.images.tiff import FileBytes, opened_file, refuse
from lampyris.io.safe_xml import DeclarationError, xml_root

HEADER_BYTES = 4100
_MAX_XML = 8_000_000
_TYPES = {0: "<f4", 1: "<i4", 2: "<i2", 3: "<u2", 5: "<f8", 6: "<u1", 8: "<u4"}
_FORMATS = {"MonochromeUnsigned16": "<u2", "MonochromeUnsigned32": "<u4", "MonochromeFloating32": "<f4"}
_META_BYTES = 8
_LONGEST_S = 1e6


def read_princeton_spe(path: Path, /, *, max_pixels: int, max_pages: int, max_bytes: int, file: str = "") -> RawImage:
    """Read the only frame of a ``.spe`` that nobody vouches for.

    Parameters
    ----------
    path : Path
        The file, SPE 2.x or 3.0.
    max_pixels, max_pages, max_bytes : int
        Caps: pixels of a frame, frames, and bytes of the file.
    file : str
        The image as the user knows it, for messages; the bare file name by default.

    Returns
    -------
    RawImage
        Counts as stored, signed ones as unsigned; one channel "0".

    Raises
    ------
    ImageError
        If the file is missing, cut short, damaged, or holds several frames or regions, negative counts, NaN or infinity.
    UnsafeFileError
        If it declares more than the caps.
    """
    path = Path(path)
    file = file or path.name
    return camera_image(
        path, spe_layout(path, max_pixels=max_pixels, max_pages=max_pages, file=file), file, max_bytes=max_bytes
    )


def spe_frames(path: Path, /, *, max_pixels: int, max_pages: int, file: str) -> FrameStream:
    """Open the frames of a ``.spe``; caps and errors as `read_princeton_spe`."""
    return camera_stream(path, spe_layout(path, max_pixels=max_pixels, max_pages=max_pages, file=file), file)


def spe_layout(path: Path, /, *, max_pixels: int, max_pages: int, file: str) -> CameraFile:
    """Where the frames of a ``.spe`` stand; caps and errors as `read_princeton_spe`."""
    with opened_file(path, file) as data:
        if len(data) < HEADER_BYTES:
            refuse(file, "image.truncated", f"has {len(data)} bytes, fewer than its header.", MEND_COPY)
        head = data.read(0, HEADER_BYTES)
        version = struct.unpack_from("<f", head, 1992)[0]
        footer = struct.unpack_from("<Q", head, 678)[0]
        if not 1.0 <= version < 4.0:
            refuse(file, "image.header", f"is no SPE file: it tells version {version:g}.", "Give a .spe file.")
        if version < 3.0:
            found = _version_2(head, file)
            found.check(data, max_pixels=max_pixels, max_pages=max_pages, file=file)
            return found
        root = _footer(data, footer, file)
        found = _version_3(root, file)
        found.check(data, max_pixels=max_pixels, max_pages=max_pages, file=file)
        if found.offset + found.count * found.stride > footer:
            refuse(file, "image.header", "has frames that reach into its description.", MEND_COPY)
        return _tracked(data, root, found, file)


def _version_2(head: bytes, file: str) -> CameraFile:
    """What the header of SPE 2.x says."""
    (code,) = struct.unpack_from("<h", head, 108)
    if code not in _TYPES:
        refuse(file, "image.dtype", f"stores numbers of type {code}, which is not read.", MEND_EXPORT)
    (width,), (height,) = (struct.unpack_from("<H", head, place) for place in (42, 656))
    (count,) = struct.unpack_from("<i", head, 1446)
    (regions,) = struct.unpack_from("<h", head, 1510)
    if regions > 1:
        refuse(file, "image.axes", f"holds {regions} regions of the chip; an image has one.", MEND_EXPORT)
    (accumulated,) = struct.unpack_from("<i", head, 668)
    if accumulated > 1:
        refuse(file, "image.accumulated", f"sums {accumulated} accumulated exposures into each frame.", MEND_SERIES)
    (exposure_s,) = struct.unpack_from("<f", head, 10)
    dtype = np.dtype(_TYPES[code])
    return CameraFile(
        size=(height, width),
        dtype=dtype,
        count=count,
        offset=HEADER_BYTES,
        stride=width * height * dtype.itemsize,
        # single precision in the file: as many digits as it holds
        exposure_s=float(f"{exposure_s:.7g}") if 0 < exposure_s < _LONGEST_S else math.nan,
        acquired=_when(head[20:30], head[172:179]),
    )


def _when(day: bytes, clock: bytes) -> str:
    """Local date (09Mar2026) and time (hhmmss) as ISO 8601; "" where they are none."""
    try:
        text = (day.split(b"\0")[0] + clock.split(b"\0")[0]).decode("ascii")
        return datetime.strptime(text, "%d%b%Y%H%M%S").isoformat()
    except ValueError:
        return ""


def _footer(data: FileBytes, start: int, file: str) -> ET.Element:
    """The XML at the end of SPE 3.0, namespaces taken off."""
    if not HEADER_BYTES <= start < len(data):
        refuse(file, "image.truncated", f"ends before its description at byte {start}.", MEND_COPY)
    if len(data) - start > _MAX_XML:
        seen = f"has a description of {len(data) - start} bytes."
        refuse(file, "image.metadata", seen, MEND_EXPORT, UnsafeFileError)
    try:
        return xml_root(data.read(start, len(data) - start).rstrip(b"\0").decode("utf-8-sig"))
    except DeclarationError:
        seen = "declares a document type or entity in its description."
        refuse(file, "image.doctype", seen, MEND_EXPORT, UnsafeFileError)
    except ValueError as error:
        refuse(file, "image.metadata", f"has a description that cannot be read ({error}).", MEND_COPY)


def _version_3(root: ET.Element, file: str) -> CameraFile:
    """What the description of SPE 3.0 says."""
    frames = root.findall("DataFormat/DataBlock")
    regions = frames[0].findall("DataBlock") if frames else []
    if len(frames) != 1 or len(regions) != 1:
        seen = f"describes {len(regions)} regions of the chip; an image has one."
        refuse(file, "image.axes", seen, MEND_EXPORT)
    kind = frames[0].get("pixelFormat", "")
    if kind not in _FORMATS:
        refuse(file, "image.dtype", f"stores pixels as {kind[:40]!r}, which is not read.", MEND_EXPORT)
    width, height = (_whole(regions[0], name, file) for name in ("width", "height"))
    dtype = np.dtype(_FORMATS[kind])
    size = width * height * dtype.itemsize
    if _whole(frames[0], "size", file) != size or _whole(frames[0], "stride", file) < size:
        refuse(file, "image.metadata", "describes frames whose size does not fit their pixels.", MEND_COPY)
    return CameraFile(
        size=(height, width),
        dtype=dtype,
        count=_whole(frames[0], "count", file),
        offset=HEADER_BYTES,
        stride=_whole(frames[0], "stride", file),
        exposure_s=_exposure_s(root),
        acquired=_created(root),
    )


def _whole(element: ET.Element, name: str, file: str) -> int:
    text = element.get(name, "")
    if not re.fullmatch(r"\d{1,12}", text, re.ASCII):
        refuse(file, "image.metadata", f"has {name}={text[:40]!r}, which is no count.", MEND_COPY)
    return int(text)


def _exposure_s(root: ET.Element) -> float:
    """The camera's exposure, in ms there; NaN where it is not told, or told twice otherwise."""
    told = {(element.text or "").strip() for element in root.iter("ExposureTime")}
    try:
        (milliseconds,) = {float(text) for text in told if text}
    except ValueError:
        return math.nan
    return milliseconds / 1e3 if 0 < milliseconds < 1e3 * _LONGEST_S else math.nan


def _created(root: ET.Element) -> str:
    """When the file was made."""
    text = next((found for element in root.iter() if (found := element.get("created"))), "")
    match = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?", text, re.ASCII)
    return match[1] + (match[2] or "") if match else ""


def _tracked(data: FileBytes, root: ET.Element, found: CameraFile, file: str) -> CameraFile:
    """Add the time and number that stand behind the pixels of each frame."""
    fields = [element for element in root.findall("MetaFormat/MetaBlock/*") if element.get("type")]
    names = [element.get("event", element.tag) for element in fields]
    size = math.prod(found.size) * found.dtype.itemsize
    if not names or found.stride < size + _META_BYTES * len(names):
        return found
    columns = {}
    for name in ("ExposureStarted", "FrameTrackingNumber"):
        if name in names and fields[names.index(name)].get("type") == "Int64":
            place = found.offset + size + _META_BYTES * names.index(name)
            stored = (data.read(place + number * found.stride, _META_BYTES) for number in range(found.count))
            columns[name] = tuple(struct.unpack("<q", one)[0] for one in stored)
    times: tuple[float, ...] = ()
    if "ExposureStarted" in columns:
        ticks = fields[names.index("ExposureStarted")].get("resolution", "")
        per_second = float(ticks) if re.fullmatch(r"\d{1,12}", ticks, re.ASCII) else 0.0
        times = tuple(stamp / per_second for stamp in columns["ExposureStarted"]) if per_second else ()
    return CameraFile(
        size=found.size,
        dtype=found.dtype,
        count=found.count,
        offset=found.offset,
        stride=found.stride,
        exposure_s=found.exposure_s,
        acquired=found.acquired,
        times_s=times,
        numbers=columns.get("FrameTrackingNumber", ()),
    )
