"""The page's script: modules of our own, joined in one text so that a single hash in the content policy names it."""

import functools
import re
from importlib.resources import files

# in the order in which they build on one another; a local viewer may serve the same files as modules
PARTS = (
    "numbers.js",
    "elements.js",
    "tables.js",
    "bodymap.js",
    "links.js",
    "paper.js",
    "viewer/pixels.js",
    "viewer/looking.js",
    "viewer/zoom.js",
    "viewer/gestures.js",
    "viewer/overlay.js",
    "viewer/readout.js",
    "viewer/corrections.js",
    "viewer/viewer.js",
    "start.js",
)
_IMPORT = re.compile(r"^import .*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const |let |function |async function |class )", re.MULTILINE)


def asset(name: str, /) -> str:
    """Text of a file of the page."""
    return files("lampyris.report").joinpath("assets", *name.split("/")).read_text(encoding="utf-8")


def imports(text: str, /) -> dict[str, tuple[str, ...]]:
    """Names that a module takes from others, by the file they come from.

    Examples
    --------
    >>> imports('import { $, say } from "../elements.js";\\n')
    {'../elements.js': ('$', 'say')}
    """
    found = re.findall(r'^import \{ (.+) \} from "(.+)";$', text, re.MULTILINE)
    return {source: tuple(name.strip() for name in names.split(",")) for names, source in found}


@functools.cache
def page_script() -> str:
    """The whole script: every part without its imports and exports, inside one function.

    Names are shared by all parts, as they are by modules that import each other; a name declared twice is a syntax
    error that the tests in the browser would show.
    """
    parts = [_EXPORT.sub("", _IMPORT.sub("", asset(name))).strip() for name in PARTS]
    return '"use strict";\n(() => {\n' + "\n\n".join(parts) + "\n})();\n"
