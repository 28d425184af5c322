"""Gatan DigitalMicrograph files, versions 3 and 4: a tree of tags, of which only what a picture needs is kept.

Nothing is allocated that the file's own length does not cover, and the tree's depth and number of tags are capped.

References
----------
The format was worked out from its files by several people: https://personal.ntu.edu.sg/cbb/info/dmformat/ (Boothroyd).
"""

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Micrograph
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.lengths import length_nm, plausible_pixel
from lampyris.io.instruments.microscopes.pixels import MAX_PIXELS, chosen_page, number_pixels

_SIMPLE = {
    2: "h", 3: "i", 4: "H", 5: "I", 6: "f", 7: "d", 8: "B", 9: "b", 10: "B", 11: "q", 12: "Q",
}  # fmt: skip
_STRUCT, _STRING, _ARRAY = 15, 18, 20
_MOST_TAGS, _DEEPEST, _LONGEST_TEXT = 200_000, 64, 4096
_PIXELS = {1: "i2", 2: "f4", 6: "u1", 7: "i4", 9: "i1", 10: "u2", 11: "u4", 12: "f8"}
_COPY = "Copy the file anew from the microscope's computer; its copy was cut short or damaged."


class _Damaged(Exception):  # noqa: N818
    """What is wrong, in words."""


@dataclass(frozen=True, slots=True)
class _Bulk:
    """An array in the file: letter of its numbers, count and place."""

    letter: str
    count: int
    place: int


@dataclass(slots=True)
class _Tree:
    """The file while its tags are read."""

    data: bytes
    place: int
    order: Literal["<", ">"]
    large: bool
    tags: int = 0
    found: dict[str, Any] = field(default_factory=dict)

    def take(self, letter: str, order: str = ">") -> Any:
        size = struct.calcsize(letter)
        if self.place + size > len(self.data):
            raise _Damaged(f"ends within its tags, at byte {len(self.data)}")
        (value,) = struct.unpack_from(order + letter, self.data, self.place)
        self.place += size
        return value

    def count(self) -> int:
        value = int(self.take("q" if self.large else "i"))
        if not 0 <= value <= len(self.data):
            raise _Damaged(f"declares {value} of something at byte {self.place}, more than the file has bytes")
        return value

    def skip(self, size: int) -> int:
        place = self.place
        if size < 0 or place + size > len(self.data):
            raise _Damaged(f"ends at byte {len(self.data)}, within a value of {size} bytes")
        self.place += size
        return place


def read(path: Path, /, *, max_bytes: int, file: str, page: int | None = None) -> Micrograph:
    """Read the picture of a file, its thumbnail left out.

    Raises
    ------
    ImageError
        If it is damaged, holds no grey picture, or several and none was named.
    """
    data = content(path, max_bytes=max_bytes, file=file)
    try:
        tree = _tree(data)
    except _Damaged as error:
        refuse(file, "micrograph.damaged", f"{error}.", _COPY)
    images = _images(tree)
    if not images:
        refuse(file, "micrograph.none", "holds no picture.", _COPY)
    root = images[chosen_page(len(images), page, file=file)]
    pixels = number_pixels(_pixels(tree, root, file), file=file)
    pixel_nm, source = _scale(tree, root)
    words = {}
    name = tree.found.get(f"{root}.Name", "")
    if isinstance(name, str) and name:
        words["name"] = name
    return Micrograph(pixels, pixel_nm, source, None, Path(file).stem, file, words)


def _tree(data: bytes) -> _Tree:
    if len(data) < 16:
        raise _Damaged(f"ends within its header, after {len(data)} bytes")
    (version,) = struct.unpack_from(">i", data, 0)
    if version not in (3, 4):
        raise _Damaged(f"is of version {version}; 3 and 4 are read")
    large = version == 4
    place = 12 if large else 8
    (little,) = struct.unpack_from(">i", data, place)
    tree = _Tree(data, place + 4, "<" if little == 1 else ">", large)
    _group(tree, "", 0)
    return tree


def _group(tree: _Tree, path: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise _Damaged(f"nests its tags more than {_DEEPEST} deep")
    tree.skip(2)
    nameless = 0
    for _ in range(tree.count()):
        tree.tags += 1
        if tree.tags > _MOST_TAGS:
            raise _Damaged(f"declares more than {_MOST_TAGS} tags")
        kind = tree.take("B")
        place = tree.skip(tree.take("H"))
        name = tree.data[place : tree.place].decode("latin-1")
        if not name:
            name, nameless = str(nameless), nameless + 1
        if tree.large:
            tree.skip(8)
        own = f"{path}.{name}" if path else name
        if kind == 20:
            _group(tree, own, depth + 1)
        elif kind == 21:
            _value(tree, own)
        else:
            raise _Damaged(f"has a tag of kind {kind} at byte {tree.place}")


def _value(tree: _Tree, path: str) -> None:
    mark = tree.data[tree.skip(4) : tree.place]
    if mark != b"%%%%":
        raise _Damaged(f"lacks the mark of a value at byte {tree.place}")
    count = tree.count()
    if not 0 < count <= 1000:
        raise _Damaged(f"describes a value by {count} numbers at byte {tree.place}")
    described = [int(tree.take("q" if tree.large else "i")) for _ in range(count)]
    kind = described[0]
    if kind in _SIMPLE and count == 1:
        tree.found[path] = tree.take(_SIMPLE[kind], tree.order)
    elif kind == _STRUCT:
        size, _ = _struct_size(described)
        tree.skip(size)
    elif kind == _STRING and count == 2:
        tree.skip(2 * described[1])
    elif kind == _ARRAY and count >= 3:
        _array(tree, path, described)
    else:
        raise _Damaged(f"has a value of kind {kind} at byte {tree.place}")


def _struct_size(described: list[int]) -> tuple[int, int]:
    """Bytes of a structure, and how many numbers describe it."""
    if len(described) < 3 or not 0 <= described[2] <= (len(described) - 3) // 2:
        raise _Damaged("describes a structure by too few numbers")
    kinds = described[4 : 4 + 2 * described[2] : 2]
    if any(kind not in _SIMPLE for kind in kinds):
        raise _Damaged("has a structure of structures")
    return sum(struct.calcsize("<" + _SIMPLE[kind]) for kind in kinds), 3 + 2 * described[2]


def _array(tree: _Tree, path: str, described: list[int]) -> None:
    length, kind = described[-1], described[1]
    if kind == _STRUCT:
        size, _ = _struct_size(described[1:-1])
        tree.skip(size * max(length, 0))
        return
    if kind not in _SIMPLE or length < 0:
        raise _Damaged(f"has an array of kind {kind} and length {length}")
    letter = _SIMPLE[kind]
    place = tree.skip(struct.calcsize("<" + letter) * length)
    if letter == "H" and length <= _LONGEST_TEXT and not path.endswith(".Data"):
        raw = tree.data[place : tree.place]
        tree.found[path] = raw.decode("utf-16-le" if tree.order == "<" else "utf-16-be", "replace").rstrip("\0")
    else:
        tree.found[path] = _Bulk(letter, length, place)


def _images(tree: _Tree) -> list[str]:
    """Paths of the pictures that are no thumbnails."""
    roots = []
    number = 0
    while any((f"ImageList.{number}.ImageData.{one}") in tree.found for one in ("DataType", "Data", "PixelDepth")):
        roots.append(f"ImageList.{number}")
        number += 1
    thumbnails = {
        f"ImageList.{value}"
        for path, value in tree.found.items()
        if path.startswith("Thumbnails.") and path.endswith(".ImageIndex")
    }
    kept = [root for root in roots if root not in thumbnails]
    # a thumbnail is coloured whether it is told as one or not
    grey = [root for root in kept if tree.found.get(f"{root}.ImageData.DataType") != 23]
    return grey or kept


def _pixels(tree: _Tree, root: str, file: str) -> NDArray[np.generic]:
    kind = tree.found.get(f"{root}.ImageData.DataType")
    if kind not in _PIXELS:
        seen = f"stores pixels of kind {kind}, which is coloured, complex or unknown."
        refuse(file, "micrograph.kind", seen, "Export the picture in grey.")
    sides: list[int] = []
    while isinstance(side := tree.found.get(f"{root}.ImageData.Dimensions.{len(sides)}"), int) and len(sides) < 5:
        sides.append(side)
    if len(sides) < 2 or any(side != 1 for side in sides[2:]):
        shown = " x ".join(map(str, sides))
        refuse(file, "micrograph.pages", f"is no single picture: {shown}.", "Export one frame of it.")
    width, height = sides[:2]
    bulk = tree.found.get(f"{root}.ImageData.Data")
    dtype = np.dtype(tree.order + _PIXELS[kind])
    if not isinstance(bulk, _Bulk) or not (0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS):
        refuse(file, "micrograph.damaged", f"declares {width} x {height} pixels without them.", _COPY)
    stored = bulk.count * struct.calcsize("<" + bulk.letter)
    if width * height * dtype.itemsize != stored:
        seen = f"declares {width} x {height} pixels and holds {stored // dtype.itemsize}."
        refuse(file, "micrograph.damaged", seen, _COPY)
    return np.frombuffer(tree.data, dtype, width * height, bulk.place).reshape(height, width)


def _scale(tree: _Tree, root: str) -> tuple[float, str]:
    base = f"{root}.ImageData.Calibrations.Dimension.0"
    scale, unit = tree.found.get(f"{base}.Scale"), tree.found.get(f"{base}.Units", "")
    if isinstance(scale, float) and isinstance(unit, str) and plausible_pixel(abs(scale) * length_nm(unit)):
        return abs(scale) * length_nm(unit), "calibration of the file"
    return math.nan, ""
