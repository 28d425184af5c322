"""The page's script and style: parts that fit together, and colours that can be read."""

import posixpath
import re

import pytest

from lampyris.report.drawing.colours import PALETTES, palette
from lampyris.report.script import PARTS, asset, imports, page_script

EXPORT = re.compile(r"^export (?:async )?(?:const|let|function|class) ([\w$]+)", re.MULTILINE)
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:const|let|function|class) ([\w$]+)", re.MULTILINE)
DECLARED_TOGETHER = re.compile(r"^(?:export )?(?:const|let) \[(.+?)\]", re.MULTILINE)


@pytest.mark.parametrize("name", PARTS)
def test_every_import_is_exported_by_an_earlier_part(name: str) -> None:
    for source, names in imports(asset(name)).items():
        other = posixpath.normpath(posixpath.join(posixpath.dirname(name), source))
        assert PARTS.index(other) < PARTS.index(name)
        assert set(names) <= set(EXPORT.findall(asset(other))), (name, other)


def test_no_name_is_declared_by_two_parts() -> None:
    names = [found for name in PARTS for found in DECLARED.findall(asset(name))]
    assert len(names) > 40 and len(names) == len(set(names))


def test_joined_script_has_neither_imports_nor_exports() -> None:
    script = page_script()
    assert not re.search(r"^(import|export) ", script, re.MULTILINE)
    assert all(f"function {name}(" in script for name in ("number", "startTables", "startLinks", "paint"))


def luminance(colour: str) -> float:
    """Relative luminance of a hexadecimal colour (WCAG 2.2)."""
    shares = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("face", ["light", "dark", "paper"])
def test_text_has_the_contrast_of_level_aa(face: str) -> None:
    faces = re.findall(r":root \{ ?\n? *(--page:[^}]*)\}", asset("report.css"))
    assert len(faces) == 3
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", faces[["light", "dark", "paper"].index(face)]))
    for text in ("ink", "soft", "accent", "alert"):
        for ground in ("page", "raised"):
            # 4.5 is what level AA asks of small type
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("name", PALETTES)
def test_palettes_have_256_colours_and_only_the_rainbow_turns_back(name: str) -> None:
    colours = palette(name)
    assert colours.shape == (256, 3)
    light = [luminance("#" + bytes(colour).hex()) for colour in colours[::16]]
    assert (sorted(light) == light) == (name != "rainbow")
