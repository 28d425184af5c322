"""Draw the documentation's tables from the code, so that they cannot drift from it.

A page holds lines ``<!-- table: NAME -->`` and ``<!-- end -->``; what stands between them is drawn again.

    python docs/generate.py            write the pages
    python docs/generate.py --check    exit 1 where a page differs from the code
"""

import ast
import inspect
import re
import sys
import tomllib
import typing
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lampyris.core import flags, schemas, settings
from lampyris.core.results import Detection, DetectionLimit, OrganSignal
from lampyris.core.study import AnimalOutcome, Comparison, RunRecord, StudyResults
from lampyris.study.tables import study_tables

PAGES = Path(__file__).parent
PACKAGE = PAGES.parent / "src" / "lampyris"
SECTION = re.compile(r"(<!-- table: (?P<name>[\w -]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, a line per row."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def sheet_table(columns: Sequence[schemas.Column]) -> str:
    """Columns of a sheet: name, what stands there, whether it must, meaning."""
    rows = [
        (f"`{column.name}`", allowed_in(column), "yes" if column.required else "", column.meaning) for column in columns
    ]
    return markdown_table(("column", "holds", "required", "meaning"), rows)


def allowed_in(column: schemas.Column) -> str:
    """What a cell of the column may hold."""
    kinds = {
        "date": "ISO 8601 date",
        "flag": "yes or no",
        "name": "name",
        "path": "path inside the study",
        "choice": ", ".join(f"`{choice}`" for choice in column.choices),
    }
    text = kinds.get(column.kind, column.kind)
    return text if column.low is None else f"{text}, {column.low:g} to {column.high:g}"


def settings_table(model: type[BaseModel]) -> str:
    """Keys of a table of study.toml: name, what stands there, default, meaning."""
    rows = []
    for name, field in model.model_fields.items():
        if not field.description:
            raise ValueError(f"{model.__name__}.{name} has no description in core/settings.py")
        default = "required" if field.is_required() else f"`{toml_value(field.default)}`"
        rows.append((f"`{name}`", allowed_as(field), default, field.description))
    return markdown_table(("key", "holds", "default", "meaning"), rows)


def allowed_as(field: FieldInfo) -> str:
    """What the value of a key may be: its type and bounds."""
    kind = field.annotation
    if typing.get_origin(kind) is typing.Literal:
        return ", ".join(f'`"{choice}"`' for choice in typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        part = typing.get_args(kind)[0]
        return "tables" if isinstance(part, type) and issubclass(part, BaseModel) else f"list of {scalar(part)}s"
    signs = (("gt", "above"), ("ge", "from"), ("lt", "below"), ("le", "to"))
    bounds = [
        f"{word} {getattr(rule, sign):g}" for rule in field.metadata for sign, word in signs if hasattr(rule, sign)
    ]
    return " ".join([scalar(kind), *bounds])


def scalar(kind: object) -> str:
    """Plain word for a type."""
    text = str(kind)
    words = {"bool": "true or false", "int": "whole number", "float": "number", "str": "text"}
    return next(word for name, word in words.items() if name in text)


def toml_value(value: object) -> str:
    """A default as it would be written in TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(toml_value(part) for part in value)}]"
    if value is None:
        return "none"
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def flag_table(meaning: dict[flags.PixelFlag, str] | dict[flags.DetectionFlag, str]) -> str:
    """Flags with their bit and meaning."""
    rows = [(f"`{flag.name}`", str(int(flag)), text) for flag, text in meaning.items()]
    return markdown_table(("flag", "bit value", "meaning"), rows)


def kind_table() -> str:
    """Kinds of detections with their meaning."""
    return markdown_table(("kind", "meaning"), [(k.value, text) for k, text in flags.DETECTION_KIND_MEANING.items()])


def result_table(name: str, *described: type) -> str:
    """Columns of a table of results: unit, and the meaning from the docstrings of what the rows hold."""
    values, units, _ = study_tables(NOTHING)[name]
    meaning = {key: text for kind in described for key, text in parameter_meaning(kind).items()} | COLUMN_MEANING
    ends = ("_sd", "_low", "_high")
    rows = []
    for column in values:
        if any(column.endswith(end) and column.removesuffix(end) in values for end in ends):
            continue
        spread = ", with `_sd`, `_low`, `_high`" if f"{column}_low" in values else ""
        unit = units.get(column, "")
        rows.append((f"`{column}`{spread}", "" if unit == "1" else unit, meaning[column]))
    return markdown_table(("column", "unit", "meaning"), rows)


def parameter_meaning(kind: type) -> dict[str, str]:
    """What the docstring says of each parameter."""
    text = inspect.cleandoc(kind.__doc__ or "").partition("Parameters\n----------\n")[2]
    found = {}
    for entry in re.findall(r"^(\w[\w, ]*) : .*\n((?:    .*\n?|\n(?=    ))+)", text, re.MULTILINE):
        for name in entry[0].split(", "):
            found[name] = " ".join(entry[1].split())
    return found


# columns that no docstring explains, because they say whose row it is
COLUMN_MEANING = {
    "animal": "whose",
    "group": "arm",
    "session": "imaging session",
    "day": "days since inoculation",
    "view": "side that faces the camera",
    "kind": "one of the kinds below",
    "flags": "names of the flags below that are set",
    "lesions": "lesions in the view with most",
    "endpoint": "what is compared",
    "unit": "unit of the values",
    "n": "animals",
    "censored": "animals whose value is a limit",
    "mean": "mean of the arm",
    "omega_squared": "effect size",
    "statistic": "statistic of the test",
    "df1": "its first degrees of freedom",
    "df2": "its second degrees of freedom",
    "p": "its p value",
    "a": "first arm",
    "b": "second arm",
    "difference": "mean of a minus mean of b",
    "method": "name of the post hoc procedure",
}

NOTHING = StudyResults("", "", False, {}, (), (), (), (), (), RunRecord("", "", {}, {}, {}, ""))


def room_table() -> str:
    """Rooms in the order of the layers, top first: purpose and modules, from their docstrings."""
    contracts = tomllib.loads((PAGES.parent / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    rows = []
    for room in re.findall(r"\w+", " ".join(layers)):
        folder = PACKAGE / room
        if not folder.is_dir():
            continue
        modules = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
        names = ", ".join(f"`{path.stem}`" for path in modules)
        rows.append((f"`{room}`", purpose(folder / "__init__.py"), names))
    return markdown_table(("room", "is", "modules"), rows)


def purpose(module: Path) -> str:
    """First paragraph of a module's docstring."""
    text = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


TABLES: dict[str, Callable[[], str]] = {
    "rooms": room_table,
    "samplesheet": lambda: sheet_table(schemas.SAMPLESHEET),
    "animals": lambda: sheet_table(schemas.ANIMALS),
    "study": lambda: settings_table(settings.StudyInfo),
    "instrument": lambda: settings_table(settings.Instrument),
    "bands": lambda: settings_table(settings.Band),
    "probes": lambda: settings_table(settings.ProbeSettings),
    "groups": lambda: settings_table(settings.Group),
    "analysis": lambda: settings_table(settings.AnalysisOptions),
    "caps": lambda: settings_table(settings.Limits),
    "detections": lambda: result_table("detections", Detection),
    "limits": lambda: result_table("limits", DetectionLimit),
    "organ signals": lambda: result_table("organ_signals", OrganSignal),
    "outcomes": lambda: result_table("outcomes", AnimalOutcome),
    "comparisons": lambda: result_table("comparisons", Comparison),
    "pairs": lambda: result_table("pairs"),
    "pixel flags": lambda: flag_table(flags.PIXEL_FLAG_MEANING),
    "detection flags": lambda: flag_table(flags.DETECTION_FLAG_MEANING),
    "detection kinds": kind_table,
}


def drawn(page: str, /) -> str:
    """The page with every table drawn again; raises KeyError on a name that is no table."""
    return SECTION.sub(lambda match: f"{match[1]}\n{TABLES[match['name']]()}\n{match[3]}", page)


def main() -> int:
    """Write or check every page."""
    differing = [
        page for page in sorted(PAGES.glob("*.md")) if drawn(page.read_text("utf-8")) != page.read_text("utf-8")
    ]
    for page in differing:
        if "--check" in sys.argv:
            print(f"{page.name} differs from the code: run `make docs`", file=sys.stderr)
        else:
            page.write_text(drawn(page.read_text("utf-8")), "utf-8")
    return 1 if differing and "--check" in sys.argv else 0


if __name__ == "__main__":
    raise SystemExit(main())
