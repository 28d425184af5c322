"""Figures for the page: SVG without style attributes, so that the content policy holds, and in the page's own colours."""

import re
from xml.etree import ElementTree

from lampyris.report.figures import FAINT, INK, PAPER, Drawing, svg_bytes

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_FONT = re.compile(r"(?:(?:italic|oblique|bold|[1-9]00)\s+)*([0-9.]+)px\s")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
# what the page's style sheet colours by theme
_THEMED = {INK: "ink", PAPER: "paper", FAINT: "faint"}
FILE_FONTS = "Arial, Helvetica, &apos;DejaVu Sans&apos;, sans-serif"


def file_svg(drawing: Drawing, /) -> bytes:
    """The drawing as a stand-alone SVG file with a journal's fonts first."""
    text = svg_bytes(drawing).decode()
    text = re.sub(r"(font: [0-9.]+px) [^;\"]*", rf"\1 {FILE_FONTS}", text)
    return re.sub(r"font-family: [^;\"]*", f"font-family: {FILE_FONTS}", text).encode()


def _move_style(element: ElementTree.Element, style: str) -> None:
    """Turn a style attribute into presentation attributes and classes; the fonts are the page's."""
    classes = []
    for declaration in filter(None, (part.strip() for part in style.split(";"))):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key == "font":
            size = _FONT.match(value)
            if size:
                element.set("font-size", size.group(1))
        elif key in ("fill", "stroke") and value in _THEMED:
            classes.append(f"{key}-{_THEMED[value]}")
        elif not key.startswith("font-family"):
            element.set(key, value.removesuffix("px") if key == "font-size" else value)
    if classes:
        element.set("class", " ".join(classes))


def page_svg(drawing: Drawing, name: str, label: str, /) -> str:
    """The drawing as an inline SVG for the page.

    Parameters
    ----------
    drawing : Drawing
        A finished figure; its words become hover titles.
    name : str
        Prefix that keeps identities apart from other figures on the page.
    label : str
        What a screen reader says.

    Returns
    -------
    str
        Well-formed SVG that holds no style, script or outside reference.
    """
    # the document was written by our own renderer a moment ago; entities and document types cannot occur in it
    root = ElementTree.fromstring(re.sub(rb"<!DOCTYPE[^>]*>", b"", svg_bytes(drawing)))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    used = {ref.get(f"{{{_XLINK}}}href", "").removeprefix("#") for ref in root.iter()}
    for element in root.iter():
        used.update(match for value in element.attrib.values() for match in _REFERENCE.findall(value))
    used.discard("")
    for element in root.iter():
        _rewrite(element, drawing, used, name)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-label", label)
    root.set("class", "figure")
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _rewrite(element: ElementTree.Element, drawing: Drawing, used: set[str], name: str) -> None:
    words = drawing.words.get(element.get("id", ""))
    if words is not None:
        title = ElementTree.Element(f"{{{_SVG}}}title")
        title.text = words
        element.insert(0, title)
    identity = element.attrib.pop("id", "")
    if identity in used:
        element.set("id", f"{name}-{identity}")
    style = element.attrib.pop("style", "")
    for key, value in list(element.attrib.items()):
        if key == f"{{{_XLINK}}}href":
            del element.attrib[key]
            element.set("href", "#" + f"{name}-{value.removeprefix('#')}")
        else:
            element.set(key, _REFERENCE.sub(rf"url(#{name}-\1)", value))
    _move_style(element, _REFERENCE.sub(rf"url(#{name}-\1)", style))
