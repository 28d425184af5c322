"""Draw the documentation's tables from the code, so that they cannot drift from it.

A page holds lines ``<!-- table: NAME -->`` and ``<!-- end -->``; what stands between them is drawn again.

    python docs/generate.py            write the pages
    python docs/generate.py --check    exit 1 where a page differs from the code
"""

import ast
import importlib.util
import re
import sys
import tomllib
import typing
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lampyris.core import amounts, assays, flags, reporting, schemas, settings
from lampyris.core.study import RunRecord, StudyResults
from lampyris.study.checks.reporting import asked_items
from lampyris.study.checks.table import check_rules
from lampyris.study.tables.meanings import column_meaning
from lampyris.study.tables.study import study_tables

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
    if column.low is None:
        return text
    return f"{text}, from {column.low:g}" if column.high is None else f"{text}, {column.low:g} to {column.high:g}"


def landmark_table() -> str:
    """Landmarks with their place in the nominal animal."""
    from lampyris.imaging.body.register import landmark_points

    rows = [(name, f"{y:g}", f"{x + 0.0:g}") for name, (y, x) in landmark_points().items()]
    return markdown_table(("landmark", "from the nose, mm", "to the animal's right, mm"), rows)


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
    kind = without_none(field.annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "table"
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


def without_none(kind: object) -> object:
    """The type of a key that may be left out."""
    parts = [part for part in typing.get_args(kind) if part is not type(None)]
    return parts[0] if type(None) in typing.get_args(kind) and len(parts) == 1 else kind


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


def result_table(name: str) -> str:
    """Columns of a table of results: unit, and the meaning from the docstrings of what the rows hold."""
    values, units, _ = study_tables(NOTHING)[name]
    ends = ("_sd", "_low", "_high")
    rows = []
    for column in values:
        if any(column.endswith(end) and column.removesuffix(end) in values for end in ends):
            continue
        spread = ", with `_sd`, `_low`, `_high`" if f"{column}_low" in values else ""
        unit = units.get(column, "")
        meaning = column_meaning(name, column)
        if not meaning:
            raise KeyError(f"{name}.{column} has no meaning in study/tables/meanings.py")
        rows.append((f"`{column}`{spread}", "" if unit == "1" else unit, meaning))
    return markdown_table(("column", "unit", "meaning"), rows)


def check_table() -> str:
    """The methods checks: rule, when it fires, and on what basis."""
    rows = [
        (rule.id, rule.title, rule.what, rule.threshold, str(rule.basis), str(rule.severity), ", ".join(rule.when))
        for rule in check_rules()
    ]
    return markdown_table(("check", "title", "rule", "fires at", "basis", "worst", "reads"), rows)


def check_source_table() -> str:
    """Why each methods check matters, and where it is written."""
    return markdown_table(
        ("check", "why", "source"), [(rule.id, rule.why, "; ".join(rule.sources)) for rule in check_rules()]
    )


def reporting_item_table() -> str:
    """Items of the guidelines, and what fills them."""
    rows = [(item.guideline, item.item, item.title, item.asks, item.source) for item in asked_items()]
    return markdown_table(("guideline", "item", "title", "asks for", "source"), rows)


NOTHING = StudyResults(
    "", "", False, {}, (), (), (), (), (), RunRecord("", "", {}, {}, {}, ""), amounts=amounts.Amounts()
)


def room_table() -> str:
    """Rooms in the order of the layers, top first: purpose and modules, from their docstrings."""
    contracts = tomllib.loads((PAGES.parent / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    rows = []
    for room in re.findall(r"\w+", " ".join(layers)):
        folder = PACKAGE / room
        if not folder.is_dir():
            continue
        modules = sorted(path.relative_to(folder) for path in folder.rglob("*.py") if path.name != "__init__.py")
        modules.sort(key=lambda path: (len(path.parts), path))
        names = ", ".join(f"`{path.with_suffix('').as_posix()}`" for path in modules)
        rows.append((f"`{room}`", purpose(folder / "__init__.py"), names))
    return markdown_table(("room", "is", "modules"), rows)


def purpose(module: Path) -> str:
    """First paragraph of a module's docstring."""
    text = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def figure_numbers(table: str, *header: str) -> str:
    """A table of numbers that `figures.py` computes beside its figures."""
    # beside this file whatever the working directory; registered because its dataclasses look themselves up
    spec = importlib.util.spec_from_file_location("docs_figures", PAGES / "figures.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{PAGES / 'figures.py'} cannot be loaded")
    module = sys.modules["docs_figures"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return markdown_table(header, getattr(module, table)())


TABLES: dict[str, Callable[[], str]] = {
    "rooms": room_table,
    "samplesheet": lambda: sheet_table(schemas.SAMPLESHEET),
    "animals": lambda: sheet_table(schemas.ANIMALS),
    "landmarks": lambda: sheet_table(schemas.LANDMARKS),
    "landmark names": landmark_table,
    "curation": lambda: sheet_table(schemas.CURATION),
    "regions sheet": lambda: sheet_table(schemas.REGIONS),
    "assays sheet": lambda: sheet_table(schemas.ASSAYS),
    "organs sheet": lambda: sheet_table(schemas.ORGANS),
    "icp sheet": lambda: sheet_table(schemas.ICP_MS),
    "organ flags": lambda: markdown_table(("flag", "meaning"), assays.ORGAN_FLAG_MEANING.items()),
    "study": lambda: settings_table(settings.StudyInfo),
    "instrument": lambda: settings_table(settings.Instrument),
    "bands": lambda: settings_table(settings.Band),
    "stage": lambda: settings_table(settings.Stage),
    "probes": lambda: settings_table(settings.ProbeSettings),
    "groups": lambda: settings_table(settings.Group),
    "analysis": lambda: settings_table(settings.AnalysisOptions),
    "growth": lambda: settings_table(settings.Growth),
    "caps": lambda: settings_table(settings.Limits),
    "reporting": lambda: settings_table(reporting.Reporting),
    "characterisation": lambda: settings_table(reporting.Characterisation),
    "yield measurement": lambda: settings_table(reporting.YieldMeasurement),
    "photostability": lambda: settings_table(reporting.PhotostabilityMeasurement),
    "spectrum": lambda: settings_table(reporting.SpectrumMeasurement),
    "methods checks": check_table,
    "methods checks sources": check_source_table,
    "guideline items": reporting_item_table,
    "methods checks results": lambda: result_table("methods_checks"),
    "reporting results": lambda: result_table("reporting_items"),
    "detections": lambda: result_table("detections"),
    "limits": lambda: result_table("limits"),
    "organ signals": lambda: result_table("organ_signals"),
    "outcomes": lambda: result_table("outcomes"),
    "comparisons": lambda: result_table("comparisons"),
    "pairs": lambda: result_table("pairs"),
    "tests": lambda: result_table("tests"),
    "over time": lambda: result_table("over_time"),
    "onset tests": lambda: result_table("onset_tests"),
    "onset curves": lambda: result_table("onset_curves"),
    "relations": lambda: result_table("relations"),
    "lesions": lambda: result_table("lesions"),
    "sightings": lambda: result_table("sightings"),
    "endpoints": lambda: result_table("endpoints"),
    "onsets": lambda: result_table("onsets"),
    "burden": lambda: result_table("burden"),
    "route": lambda: result_table("route"),
    "activities": lambda: result_table("activities"),
    "washout": lambda: result_table("washout"),
    "reach": lambda: result_table("reach"),
    "standards": lambda: sheet_table(schemas.STANDARDS),
    "calibration": lambda: result_table("calibration"),
    "instruments": lambda: result_table("instruments"),
    "doses": lambda: result_table("doses"),
    "amounts": lambda: result_table("amounts"),
    "amount flags": lambda: markdown_table(("flag", "meaning"), amounts.AMOUNT_FLAG_MEANING.items()),
    "pixel flags": lambda: flag_table(flags.PIXEL_FLAG_MEANING),
    "detection flags": lambda: flag_table(flags.DETECTION_FLAG_MEANING),
    "detection kinds": kind_table,
    "brightest point": lambda: figure_numbers(
        "brightest_table",
        "depth below the back",
        "places",
        "off by, root mean square (mm)",
        "most (mm)",
        "nearest organ is the right one",
        "organ straight below is the right one",
    ),
    "confidence": lambda: figure_numbers(
        "confidence_table", "stated", "lesions", "stated, mean", "right (95 % interval)"
    ),
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
