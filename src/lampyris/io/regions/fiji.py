"""Regions of ImageJ and Fiji: a ``.roi``, or a ``.zip`` of them as its manager saves.

Read from the published layout: rectangle, oval, polygon, freehand, traced, and ellipses and turned rectangles, which are stored as
polygons. ImageJ counts from the upper left corner of the first pixel. Numbers are big endian.

References
----------
Schneider, Rasband & Eliceiri 2012, Nat Methods 9:671, doi:10.1038/nmeth.2089 (ImageJ; the layout is that of its RoiDecoder).
"""

import io
import math
import struct
import zipfile
from pathlib import Path

from lampyris.core.regions import DrawnRegion, TiedRegion
from lampyris.io.regions.refusals import MOST_CORNERS, MOST_REGIONS, read_capped, refusal, unsafe

_MAGIC = b"Iout"
_HEADER = 64
_SUBPIXEL = 128
_SUBPIXEL_SINCE = 223
_LARGEST_ROI = 4_000_000
_POLYGON, _RECTANGLE, _OVAL, _FREEHAND, _TRACED = 0, 1, 2, 7, 8
_NO_AREA = {3: "line", 4: "freehand line", 5: "segmented line", 6: "no region", 9: "angle", 10: "point"}
_KINDS = {_POLYGON: "polygon", _RECTANGLE: "square", _OVAL: "ellipse", _FREEHAND: "freehand", _TRACED: "traced"}
# corners of an ellipse: the area of their polygon is 0.03 % small
_OVAL_CORNERS = 144
_SAVE = "Save it again with Fiji's ROI Manager (More, Save)."


def read_fiji(path: Path, /, *, file: str = "") -> tuple[TiedRegion, ...]:
    """Read the areas of a ``.roi`` or a ``.zip`` of them; points and lines of a zip are passed over.

    Parameters
    ----------
    path : Path
        The file.
    file : str
        Path inside the study, for messages; the file's name by default.

    Returns
    -------
    tuple of TiedRegion
        In the order of the file; tied to no view.

    Raises
    ------
    InputError
        If it is neither, is cut short or damaged, or holds no area.
    UnsafeFileError
        If it declares or expands to too much.
    """
    file = file or path.name
    data = read_capped(path, file)
    if data.startswith(_MAGIC):
        region = _region(data, path.stem, file)
        if region is None:
            raise _no_area(file)
        return (TiedRegion(region, file),)
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise refusal(
            file, "regions.no-roi", "is neither a region of ImageJ nor a zip of them, or is cut short.", _SAVE
        )
    regions = [_region(entry, name, f"{file}: {name}") for name, entry in _entries(data, file)]
    tied = tuple(TiedRegion(region, file) for region in regions if region is not None)
    if not tied:
        raise _no_area(file)
    return tied


def _no_area(file: str) -> Exception:
    return refusal(file, "regions.none", "holds no area.", "Draw areas; points and lines have no area to measure.")


def _entries(data: bytes, file: str) -> list[tuple[str, bytes]]:
    """Name and bytes of each region of a zip, none of them larger than a region may be."""
    found = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if member.filename.lower().endswith(".roi")]
            if len(members) > MOST_REGIONS:
                raise unsafe(file, f"holds {len(members)} regions; at most {MOST_REGIONS} are read.")
            left = 10 * _LARGEST_ROI
            for member in members:
                # what the archive says of a member's size is not believed: reading stops at the cap
                with archive.open(member) as stream:
                    entry = stream.read(min(_LARGEST_ROI, left) + 1)
                left -= len(entry)
                if len(entry) > _LARGEST_ROI or left < 0:
                    raise unsafe(file, f"{member.filename!r} expands to more than a region can need.")
                found.append((Path(member.filename).stem, entry))
    except (
        zipfile.BadZipFile,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
        struct.error,
    ) as error:
        seen = f"is a damaged or encrypted zip: {str(error)[:100]}."
        raise refusal(file, "regions.damaged", seen, _SAVE) from error
    except Exception as error:
        # a compressor's own error has no common base
        if type(error).__module__ in ("zlib", "lzma", "_lzma", "bz2"):
            raise refusal(file, "regions.damaged", f"is a damaged zip: {str(error)[:100]}.", _SAVE) from error
        raise
    return found


def _region(data: bytes, name: str, file: str) -> DrawnRegion | None:
    """One region; None where it has no area."""
    if len(data) < _HEADER or not data.startswith(_MAGIC):
        raise refusal(file, "regions.damaged", "is no region of ImageJ, or is cut short.", _SAVE)
    version, kind = struct.unpack_from(">hB", data, 4)
    top, left, bottom, right = struct.unpack_from(">4h", data, 8)
    options = struct.unpack_from(">H", data, 50)[0]
    finer = bool(options & _SUBPIXEL) and version >= _SUBPIXEL_SINCE
    name = _name(data) or name
    if kind in _NO_AREA:
        return None
    if kind not in _KINDS:
        raise refusal(file, "regions.damaged", f"has the unknown type {kind}.", _SAVE)
    if struct.unpack_from(">i", data, 36)[0] > 0:
        seen = f"{name!r} is composed of several shapes."
        raise refusal(
            file, "regions.composite", seen, "Split it in Fiji (Edit, Selection; or ROI Manager, More, Split)."
        )
    if kind in (_RECTANGLE, _OVAL):
        box: tuple[float, ...] = (left, top, right - left, bottom - top)
        if finer:
            box = struct.unpack_from(">4f", data, 18)
        corners = _rectangle(box) if kind == _RECTANGLE else _oval(box)
    else:
        corners = _polygon(data, top, left, finer, file)
    if len(corners) < 3 or not all(math.isfinite(value) and abs(value) < 1e9 for pair in corners for value in pair):
        raise refusal(file, "regions.corner", f"{name!r} has no three finite corners.", "Draw it anew or remove it.")
    # from the corner of the first pixel to its centre
    outline = tuple((y - 0.5, x - 0.5) for x, y in corners)
    return DrawnRegion(name, "", "", outline, _KINDS[kind])


def _rectangle(box: tuple[float, ...]) -> list[tuple[float, float]]:
    x, y, width, height = box
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def _oval(box: tuple[float, ...]) -> list[tuple[float, float]]:
    x, y, width, height = box
    turns = [2.0 * math.pi * step / _OVAL_CORNERS for step in range(_OVAL_CORNERS)]
    return [(x + width * (1 + math.cos(turn)) / 2, y + height * (1 + math.sin(turn)) / 2) for turn in turns]


def _polygon(data: bytes, top: int, left: int, finer: bool, file: str) -> list[tuple[float, float]]:
    count = struct.unpack_from(">H", data, 16)[0] or struct.unpack_from(">i", data, 18)[0]
    if count > MOST_CORNERS:
        raise unsafe(file, f"has {count} corners; at most {MOST_CORNERS} are read.")
    start, size, form = (_HEADER + 4 * count, 8, "f") if finer else (_HEADER, 4, "h")
    if count < 0 or len(data) < start + size * count:
        raise refusal(file, "regions.damaged", f"declares {count} corners and is cut short.", _SAVE)
    x = struct.unpack_from(f">{count}{form}", data, start)
    y = struct.unpack_from(f">{count}{form}", data, start + size // 2 * count)
    if finer:
        return list(zip(x, y, strict=True))
    return [(left + max(a, 0), top + max(b, 0)) for a, b in zip(x, y, strict=True)]


def _name(data: bytes) -> str:
    """Name in the second header; "" where there is none."""
    second = struct.unpack_from(">i", data, 60)[0]
    if not _HEADER <= second <= len(data) - 24:
        return ""
    place, length = struct.unpack_from(">2i", data, second + 16)
    if not 0 < length <= 255 or not 0 < place <= len(data) - 2 * length:
        return ""
    text = data[place : place + 2 * length].decode("utf-16-be", errors="replace")
    return "".join(letter for letter in text if letter.isprintable())
