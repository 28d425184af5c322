"""Drawings in millimetres, written as SVG for the page, as SVG for a journal, and as PNG.

A scene is a list of marks. Our own writer keeps figures cheap and small: no layout engine runs, no style attribute is
written (the page's content policy refuses them), and the same scene gives the same bytes.
"""

import base64
import html
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lampyris.report.drawing.png import colour_png

# marks in these colours follow the page's light and dark faces
INK, PAPER, FAINT, SOFT = "#010101", "#fefefe", "#c1c1c1", "#5b6470"
THEMED = {INK: "ink", PAPER: "paper", FAINT: "faint", SOFT: "soft"}
NONE = "none"
POINT_MM = 25.4 / 72
FILE_FONTS = "Arial, Helvetica, 'DejaVu Sans', sans-serif"
PNG_DPI = 300
# mean width of a character over the height of its type, on the wide side so that labels find room
_CHARACTER = 0.56
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

Point = tuple[float, float]


def figure_text(text: str, /, *, longest: int = 60) -> str:
    """Text that any font file and XML can take: no control characters, shortened."""
    clean = _CONTROL.sub("\ufffd", text.replace("\n", " ").replace("\t", " "))
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def wrapped(text: str, /, *, width: int, longest: int = 120) -> list[str]:
    """Lines of a label, at most `width` characters each."""
    return textwrap.wrap(figure_text(text, longest=longest), width) or [""]


def text_width_mm(text: str, size_pt: float, /) -> float:
    """Room that a label needs, in mm: a generous guess, since the page's font is not known here."""
    return len(text) * _CHARACTER * size_pt * POINT_MM


@dataclass(frozen=True, slots=True)
class Pen:
    """How a mark is inked: stroke and its width in points, dashes in points, fill, and opacity of both."""

    stroke: str = NONE
    width: float = 0.6
    fill: str = NONE
    opacity: float = 1.0
    dashes: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """What a mark says: hover words, and attributes by which the page's script finds it (no colon or blank in a key)."""

    words: str = ""
    data: tuple[tuple[str, str], ...] = ()
    style: str = ""
    focus: bool = False


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line or an area through points in mm."""

    points: tuple[Point, ...]
    closed: bool
    pen: Pen
    note: Note


@dataclass(frozen=True, slots=True)
class Disc:
    """A circle."""

    x: float
    y: float
    radius: float
    pen: Pen
    note: Note


@dataclass(frozen=True, slots=True)
class Type:
    """How a label is set: size in points, anchor, weight, colour, and whether it reads upwards."""

    size: float = 7.0
    anchor: str = "start"
    bold: bool = False
    colour: str = INK
    upwards: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text; (x, y) is on its baseline."""

    x: float
    y: float
    text: str
    type: Type


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A picture of whole pixels: its place in mm, and its colours, dims (y, x, rgb)."""

    x: float
    y: float
    width: float
    height: float
    pixels: NDArray[np.uint8]


@dataclass(slots=True)
class Scene:
    """A drawing of a given size in mm, y downwards; title and description are for readers who hear a file of it."""

    width: float
    height: float
    marks: list[Stroke | Disc | Label | Raster] = field(default_factory=list)
    title: str = ""
    description: str = ""

    def line(self, points: Sequence[Point], pen: Pen, note: Note | None = None) -> None:
        """Add an open line."""
        self.marks.append(Stroke(tuple(points), False, pen, note or Note()))

    def area(self, points: Sequence[Point], pen: Pen, note: Note | None = None) -> None:
        """Add a closed outline."""
        self.marks.append(Stroke(tuple(points), True, pen, note or Note()))

    def box(self, corner: Point, size: Point, pen: Pen, note: Note | None = None) -> None:
        """Add a rectangle by its upper left corner and size."""
        (x, y), (w, h) = corner, size
        self.area([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], pen, note)

    def disc(self, place: Point, radius: float, pen: Pen, note: Note | None = None) -> None:
        """Add a circle."""
        self.marks.append(Disc(*place, radius, pen, note or Note()))

    def triangle(self, place: Point, radius: float, pen: Pen, note: Note | None = None, *, up: bool = False) -> None:
        """Add a triangle that points to where a value lies: down where it lies below, `up` where above."""
        (x, y), r = place, -radius if up else radius
        self.area([(x - r, y - 0.8 * r), (x + r, y - 0.8 * r), (x, y + r)], pen, note)

    def diamond(self, place: Point, radius: float, pen: Pen, note: Note | None = None) -> None:
        """Add a diamond."""
        (x, y), r = place, radius
        self.area([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], pen, note)

    def text(self, place: Point, text: str, type: Type | None = None) -> None:
        """Add a line of text, cleaned."""
        self.marks.append(Label(*place, figure_text(text, longest=160), type or Type()))

    def paste(self, other: "Scene", place: Point) -> None:
        """Add another scene's marks with its upper left corner at `place`."""
        self.marks += [_moved(mark, *place) for mark in other.marks]


def _moved(mark: Stroke | Disc | Label | Raster, dx: float, dy: float) -> Stroke | Disc | Label | Raster:
    if isinstance(mark, Stroke):
        return Stroke(tuple((x + dx, y + dy) for x, y in mark.points), mark.closed, mark.pen, mark.note)
    if isinstance(mark, Disc):
        return Disc(mark.x + dx, mark.y + dy, mark.radius, mark.pen, mark.note)
    if isinstance(mark, Label):
        return Label(mark.x + dx, mark.y + dy, mark.text, mark.type)
    return Raster(mark.x + dx, mark.y + dy, mark.width, mark.height, mark.pixels)


# ---- SVG ---------------------------------------------------------------------------------------------------------


def _escaped(text: str) -> str:
    """Text for an element or an attribute: nothing that markup or XML could take for its own."""
    return html.escape(_CONTROL.sub("\ufffd", text))


def _short(value: float) -> str:
    """A length in points, to a hundredth, without needless zeros."""
    text = f"{value / POINT_MM:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _ink(key: str, colour: str, themed: bool, classes: list[str]) -> str:
    if themed and colour in THEMED:
        classes.append(f"{key}-{THEMED[colour]}")
        return ""
    return f' {key}="{colour}"'


def _pen_attributes(pen: Pen, note: Note, themed: bool) -> str:
    classes = [note.style] if note.style and themed else []
    text = _ink("fill", pen.fill, themed, classes)
    if pen.stroke != NONE:
        text += _ink("stroke", pen.stroke, themed, classes) + f' stroke-width="{pen.width:g}"'
        if pen.dashes:
            text += f' stroke-dasharray="{" ".join(f"{dash:g}" for dash in pen.dashes)}"'
    if pen.opacity < 1:
        text += f' opacity="{round(pen.opacity, 3):g}"'
    return text + (f' class="{" ".join(classes)}"' if classes else "")


def _note_attributes(note: Note) -> str:
    text = "".join(f' data-{key}="{_escaped(value)}"' for key, value in note.data)
    if note.focus:
        text += f' tabindex="0" role="img" aria-label="{_escaped(note.words)}"'
    return text


def _title(note: Note) -> str:
    return f"<title>{_escaped(note.words)}</title>" if note.words else ""


def _svg_mark(mark: Stroke | Disc | Label | Raster, themed: bool) -> str:
    if isinstance(mark, Label):
        return _svg_label(mark, themed)
    if isinstance(mark, Raster):
        data = base64.b64encode(colour_png(mark.pixels)).decode()
        place = "".join(
            f' {key}="{_short(value)}"'
            for key, value in (("x", mark.x), ("y", mark.y), ("width", mark.width), ("height", mark.height))
        )
        return f'<image{place} preserveAspectRatio="none" image-rendering="pixelated" href="data:image/png;base64,{data}"/>'
    # what follows a mark's note is for the page alone
    ink = _pen_attributes(mark.pen, mark.note, themed) + (_note_attributes(mark.note) if themed else "")
    if isinstance(mark, Disc):
        name, shape = "circle", f' cx="{_short(mark.x)}" cy="{_short(mark.y)}" r="{_short(mark.radius)}"'
    else:
        path = "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in mark.points) + ("Z" if mark.closed else "")
        name, shape = "path", f' d="{path}"'
    title = _title(mark.note) if themed else ""
    return f"<{name}{shape}{ink}>{title}</{name}>" if title else f"<{name}{shape}{ink}/>"


def _svg_label(mark: Label, themed: bool) -> str:
    classes: list[str] = []
    ink = _ink("fill", mark.type.colour, themed, classes)
    x, y = _short(mark.x), _short(mark.y)
    ink += f' font-size="{mark.type.size:g}"'
    ink += f' text-anchor="{mark.type.anchor}"' if mark.type.anchor != "start" else ""
    ink += ' font-weight="600"' if mark.type.bold else ""
    ink += f' transform="rotate(-90 {x} {y})"' if mark.type.upwards else ""
    ink += f' class="{" ".join(classes)}"' if classes else ""
    return f'<text x="{x}" y="{y}"{ink}>{_escaped(mark.text)}</text>'


def _size(scene: Scene) -> str:
    return f'viewBox="0 0 {_short(scene.width)} {_short(scene.height)}"'


def page_svg(scene: Scene, label: str, /, *, style: str = "figure") -> str:
    """The scene as inline SVG: no style attribute, no identity, no outside reference; colours follow the page's theme.

    Parameters
    ----------
    scene : Scene
        Hover words become titles.
    label : str
        What a screen reader says.
    style : str
        Class of the element.

    Returns
    -------
    str
        Well-formed SVG with every text escaped.
    """
    marks = "".join(_svg_mark(mark, True) for mark in scene.marks)
    # marks that take the focus must not be hidden behind one picture's label
    role = "group" if any(isinstance(m, Stroke | Disc) and m.note.focus for m in scene.marks) else "img"
    name = _escaped(label)
    return f'<svg {_size(scene)} class="{style}" role="{role}" aria-label="{name}">{marks}</svg>'


def file_svg(scene: Scene, /) -> bytes:
    """The scene as a stand-alone SVG file in millimetres, with a journal's fonts first."""
    marks = "\n".join(_svg_mark(mark, False) for mark in scene.marks)
    head = f'width="{scene.width:g}mm" height="{scene.height:g}mm" {_size(scene)} font-family="{FILE_FONTS}"'
    said = ""
    if scene.title:
        head += ' role="img" aria-labelledby="title description"'
        said = f'<title id="title">{_escaped(scene.title)}</title>\n'
        said += f'<desc id="description">{_escaped(scene.description)}</desc>\n'
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" {head}>\n{said}{marks}\n</svg>\n'
    ).encode()
