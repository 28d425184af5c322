"""Micrographs as TIFF, with the scale that the microscope's or ImageJ's own tags give.

A resolution in dots per inch is that of a printer and is never taken for a scale.
"""

import math
import re
import struct
from pathlib import Path

import numpy as np

from lampyris.core.instruments import Micrograph
from lampyris.io.images.tiff import Caps, page_pixels, tiff_pages
from lampyris.io.instruments.files import content
from lampyris.io.instruments.lengths import length_nm, plausible_pixel
from lampyris.io.instruments.microscopes.pixels import MAX_PIXELS, chosen_page, grey_plane, number_pixels

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_MOST_PAGES, _MOST_TAGS, _LONGEST = 1000, 256, 1 << 20
_SIDECAR_BYTES = 1 << 16


def read(path: Path, /, *, max_bytes: int, file: str, page: int | None = None) -> Micrograph:
    """Read a micrograph.

    Raises
    ------
    ImageError
        If it is damaged, coloured, of a kind that is not read, or holds several pictures and none was named.
    """
    data = content(path, max_bytes=max_bytes, file=file)
    directories = _directories(data)
    data, inverted, signed = _as_counts(data, directories)
    tiff, pages = tiff_pages(data, caps=Caps(MAX_PIXELS, _MOST_PAGES, signed=signed), file=file)
    place = chosen_page(len(pages), page, file=file)
    pixels = grey_plane(page_pixels(tiff, pages[place]), file=file)
    if signed:
        pixels = pixels.view(np.int16)
    pixels = number_pixels(pixels, file=file)
    tags = directories[place] if place < len(directories) else {}
    if place and not _scale(tags, data)[0]:
        tags = directories[0]
    pixel_nm, source, words = _scale(tags, data)
    if not pixel_nm:
        pixel_nm, source, words = _beside(path, words)
    if inverted:
        pixels = (int(np.iinfo(pixels.dtype.name).max) if pixels.dtype.kind == "u" else pixels.max()) - pixels
    return Micrograph(np.ascontiguousarray(pixels), pixel_nm or math.nan, source, None, Path(file).stem, file, words)


Tag = tuple[int, int, int, int]
"""Type, count, place of the values, place of the entry."""


def _directories(data: bytes) -> list[dict[int, Tag]]:
    """Tags of each page as far as they can be read; the reader of pixels says what is wrong with a file."""
    if data[:2] not in (b"II", b"MM") or len(data) < 16:
        return []
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    head, entry, word = ("Q", 20, "Q") if big else ("H", 12, "I")
    (offset,) = struct.unpack_from(order + word, data, 8 if big else 4)
    found: list[dict[int, Tag]] = []
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < _MOST_PAGES and offset + 8 <= len(data):
        seen.add(offset)
        (count,) = struct.unpack_from(order + head, data, offset)
        start = offset + struct.calcsize(head)
        if count > _MOST_TAGS or start + count * entry + struct.calcsize(word) > len(data):
            break
        tags: dict[int, Tag] = {}
        for at in range(start, start + count * entry, entry):
            code, kind, number = struct.unpack_from(order + "HH" + word, data, at)
            size = _SIZES.get(kind, 0) * number
            inline = struct.calcsize(word)
            value = at + 4 + inline
            place = value if size <= inline else struct.unpack_from(order + word, data, value)[0]
            if size and size <= _LONGEST and place + size <= len(data):
                tags[code] = (kind, number, place, at)
        if not _whole(tags, data, 254, 0) & 1:
            found.append(tags)
        (offset,) = struct.unpack_from(order + word, data, start + count * entry)
    return found


def _whole(tags: dict[int, Tag], data: bytes, code: int, default: int) -> int:
    order = "<" if data[:2] == b"II" else ">"
    kind, _, place, _ = tags.get(code, (0, 0, 0, 0))
    letter = {1: "B", 3: "H", 4: "I"}.get(kind)
    return int(struct.unpack_from(order + letter, data, place)[0]) if letter else default


def _real(tags: dict[int, Tag], data: bytes, code: int) -> float:
    """First value of a tag as a number; NaN where it is absent or none."""
    order = "<" if data[:2] == b"II" else ">"
    kind, _, place, _ = tags.get(code, (0, 0, 0, 0))
    if kind == 5:
        over, under = struct.unpack_from(order + "II", data, place)
        return over / under if under else math.nan
    letter = {3: "H", 4: "I", 11: "f", 12: "d"}.get(kind)
    return float(struct.unpack_from(order + letter, data, place)[0]) if letter else math.nan


def _text(tags: dict[int, Tag], data: bytes, code: int) -> str:
    kind, count, place, _ = tags.get(code, (0, 0, 0, 0))
    return data[place : place + count].decode("latin-1").split("\0")[0] if kind in (1, 2, 7) else ""


def _as_counts(data: bytes, directories: list[dict[int, Tag]]) -> tuple[bytes, bool, bool]:
    """The file with grey palettes told as grey; whether white is zero; and whether samples are signed."""
    if not directories:
        return data, False, False
    order = "<" if data[:2] == b"II" else ">"
    kinds = {_whole(tags, data, 262, 1) for tags in directories}
    signed = {_whole(tags, data, 339, 1) for tags in directories} == {2}
    changed = kinds == {0} or (kinds == {3} and all(_grey_palette(tags, data) for tags in directories))
    if changed:
        copy = bytearray(data)
        for tags in directories:
            kind, _, place, _ = tags[262]
            if kind == 3:
                struct.pack_into(order + "H", copy, place, 1)
        data = bytes(copy)
    return data, kinds == {0}, signed


def _grey_palette(tags: dict[int, Tag], data: bytes) -> bool:
    """Whether the palette is a rising ramp of grey."""
    kind, count, place, _ = tags.get(320, (0, 0, 0, 0))
    if kind != 3 or count % 3 or not count:
        return False
    order = "<" if data[:2] == b"II" else ">"
    ramp = np.frombuffer(data, order + "u2", count, place).reshape(3, -1).astype(np.int64)
    return bool((ramp == ramp[0]).all() and (np.diff(ramp[0]) > 0).all())


def _scale(tags: dict[int, Tag], data: bytes) -> tuple[float, str, dict[str, str]]:
    """Side of a pixel in nm (0 where not said), where it comes from, and what else the tags say."""
    words: dict[str, str] = {}
    description = _text(tags, data, 270)
    if "synthetic" in description[:2000].lower():
        words["synthetic"] = "yes"
    for one in (_fei, _zeiss, _digital_micrograph, _imagej):
        found, source = one(tags, data, words)
        if plausible_pixel(found):
            return found, source, words
    return 0.0, "", words


def _fei(tags: dict[int, Tag], data: bytes, words: dict[str, str]) -> tuple[float, str]:
    for code in (34682, 34680):
        text = _text(tags, data, code)
        if rows := re.search(r"^ResolutionY\s*=\s*(\d{1,6})\s*$", text, re.MULTILINE):
            words["image rows"] = rows[1]
        if told := re.search(r"^PixelWidth\s*=\s*([0-9.eE+-]{1,30})\s*$", text, re.MULTILINE):
            return _number(told[1]) * 1e9, f"tag {code} (FEI)"
    return 0.0, ""


def _zeiss(tags: dict[int, Tag], data: bytes, _words: dict[str, str]) -> tuple[float, str]:
    text = _text(tags, data, 34118) or ""
    kind, count, place, _ = tags.get(34118, (0, 0, 0, 0))
    if kind:
        text = data[place : place + count].decode("latin-1")
    for name in ("Image Pixel Size", "Pixel Size"):
        if told := re.search(rf"^{name}\s*=\s*([0-9.eE+-]{{1,30}})\s*(\S{{1,3}})", text, re.MULTILINE):
            return _number(told[1]) * length_nm(told[2]), "tag 34118 (Zeiss)"
    return 0.0, ""


def _digital_micrograph(tags: dict[int, Tag], data: bytes, _words: dict[str, str]) -> tuple[float, str]:
    scale = _real(tags, data, 65009)
    kind, count, place, _ = tags.get(65003, (0, 0, 0, 0))
    raw = data[place : place + count] if kind else b""
    unit = raw.replace(b"\0", b"").decode("latin-1")
    # UTF-8 and UTF-16 write the micro sign in different bytes
    unit = unit.replace("\xc2\xb5", "µ").strip()
    return (scale * length_nm(unit), "tag 65009 (DigitalMicrograph)") if scale > 0 else (0.0, "")


def _imagej(tags: dict[int, Tag], data: bytes, _words: dict[str, str]) -> tuple[float, str]:
    description = _text(tags, data, 270)
    told = re.search(r"^unit=(.{1,20})$", description, re.MULTILINE)
    per_unit = _real(tags, data, 282)
    if not (description.startswith("ImageJ=") and told and per_unit > 0):
        return 0.0, ""
    return length_nm(told[1].strip()) / per_unit, "ImageJ's unit and resolution"


def _beside(path: Path, words: dict[str, str]) -> tuple[float, str, dict[str, str]]:
    """Scale of the text file that Hitachi and JEOL microscopes write beside the picture."""
    for suffix in (".txt", ".TXT"):
        beside = path.with_suffix(suffix)
        if not beside.is_file() or beside.stat().st_size > _SIDECAR_BYTES:
            continue
        try:
            text = beside.read_bytes().decode("latin-1")
        except OSError:
            continue
        if told := re.search(r"^PixelSize\s*=\s*([0-9.eE+-]{1,30})\s*$", text, re.MULTILINE):
            found, source = _number(told[1]), f"PixelSize of {beside.name} (Hitachi)"
        else:
            bar = re.search(r"^\$+SM_MICRON_BAR\s+([0-9.]{1,20})", text, re.MULTILINE)
            marker = re.search(r"^\$+SM_MICRON_MARKER\s+([0-9.]{1,20})\s*(\S{1,3})", text, re.MULTILINE)
            if not (bar and marker and _number(bar[1]) > 0):
                continue
            found = _number(marker[1]) * length_nm(marker[2]) / _number(bar[1])
            source = f"micron marker of {beside.name} (JEOL)"
        if plausible_pixel(found):
            return found, source, words
    return 0.0, "", words


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
