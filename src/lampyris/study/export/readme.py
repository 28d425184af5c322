"""The note beside what was taken away: which file is what, what each column means, and what to mind."""

from collections.abc import Mapping, Sequence

from lampyris.core.amounts import AMOUNT_FLAG_MEANING
from lampyris.core.assays import ORGAN_FLAG_MEANING
from lampyris.core.flags import DETECTION_FLAG_MEANING, DETECTION_KIND_MEANING
from lampyris.core.histology import SECTION_FLAG_MEANING
from lampyris.core.study import StudyResults
from lampyris.io.spreadsheets import DIALECTS, rewritten_by_excel
from lampyris.study.tables.columns import Table
from lampyris.study.tables.meanings import column_meaning

_WHAT = {
    "images": "images/    each view as OME-Zarr 0.5: radiance of each band, probe, autofluorescence and photograph as channels;\n"
    "           labels body, lesions (numbers are the same on every day), detections and flags.\n"
    "           Open the folder NAME.ome.zarr with napari, Fiji or QuPath.",
    "tables": "tables/    each table as CSV and as Parquet (typed, with units).",
    "regions": "regions/   outlines of what was found, one GeoJSON per view, in pixels of the image file named in it.\n"
    "           x to the right, y down, from the upper left corner of the first pixel (QuPath). In napari subtract 0.5.",
    "crate": "ro-crate-metadata.json    what these files are and how they were made, for archives.",
}
_DIALECT = {
    "excel-en": "CSV for Excel in English: comma between cells, decimal point, UTF-8 with mark.",
    "excel-de": "CSV for Excel where the decimal sign is a comma (German, French, Spanish ...): semicolon between cells,\n"
    "decimal comma, UTF-8 with mark.",
    "prism": "CSV for Prism: comma between cells, decimal point. In tables/prism/ a column per arm with animals as rows\n"
    "(paste into a column table), and days as rows with animals side by side (XY or grouped table). Columns that end in\n"
    "'below limit' hold 1 where the value is a limit: such a value is never zero.",
}


def readme_text(results: StudyResults, tables: Mapping[str, Table], /, *, what: Sequence[str], dialect: str) -> str:
    """Text of README.txt.

    Parameters
    ----------
    results : StudyResults
    tables : mapping of str to Table
        Those that were written.
    what : sequence of str
        Of ``images``, ``tables``, ``regions``, ``crate``.
    dialect : str
        Of the CSV files.

    Returns
    -------
    str
    """
    lines = [results.title or results.name, "=" * len(results.title or results.name), ""]
    if results.synthetic:
        lines += ["SYNTHETIC: these images were simulated. No animal was imaged.", ""]
    lines += [f"Taken from the results of the study {results.name} with Lampyris {results.record.lampyris}.", ""]
    lines += [_WHAT[one] for one in _WHAT if one in what]
    lines += ["export.json    SHA-256 of every file here.", ""]
    if "tables" in what:
        lines += [_DIALECT[dialect], *_cells(dialect), "", *_warned(results, dialect)]
        lines += [line for name, table in tables.items() for line in _columns(name, table)]
        lines += _words(tables)
    return "\n".join(lines).rstrip() + "\n"


def _cells(dialect: str) -> list[str]:
    text = DIALECTS[dialect].text
    return [
        "An empty cell is a value that is not known; it is never zero. Where nothing was seen the value is the most that may be",
        "there, with low 0, and a column of its own says so (below_limit, burden_below, seen, flags).",
        "Infinity is "
        + ("the sign ∞ or −∞." if text else "an empty cell: days without an end, and bounds that are not known."),
        "Text that a spreadsheet would take for a formula begins with an apostrophe.",
    ]


def _warned(results: StudyResults, dialect: str) -> list[str]:
    names = [name for one in results.outcomes for name in (one.animal, one.group)]
    names += [session.session for session in results.sessions]
    changed = rewritten_by_excel(names) if dialect.startswith("excel") else ()
    if not changed:
        return []
    return [
        f"Mind: Excel shows {', '.join(changed)} as dates or numbers when it opens the CSV. Import it instead (Data, From text)",
        "and set these columns to text, or use the Parquet files.",
        "",
    ]


def _columns(name: str, table: Table) -> list[str]:
    values, units, _ = table
    rows = len(next(iter(values.values()), []))
    lines = [f"tables/{name}: {rows} row{'' if rows == 1 else 's'}"]
    for column in values:
        unit = units.get(column, "")
        shown = f" [{unit}]" if unit and unit != "1" else ""
        lines.append(
            f"  {column}{shown}: {' '.join(column_meaning(name, column).replace('`', '').split())}".rstrip(": ")
        )
    return [*lines, ""]


def _words(tables: Mapping[str, Table]) -> list[str]:
    """What kinds and flags mean."""
    kinds = [f"  {kind}: {text}" for kind, text in DETECTION_KIND_MEANING.items()]
    flags = [f"  {(flag.name or '').lower()}: {text}" for flag, text in DETECTION_FLAG_MEANING.items()]
    lines = ["Kinds", *kinds, "", "Flags of detections", *flags, ""]
    if "amounts" in tables:
        lines += [
            "Flags of amounts and calibration lines",
            *(f"  {k}: {text}" for k, text in AMOUNT_FLAG_MEANING.items()),
            "",
        ]
    if "organs" in tables:
        lines += ["Flags of organs", *(f"  {k}: {text}" for k, text in ORGAN_FLAG_MEANING.items()), ""]
    if "sections" in tables:
        lines += ["Flags of sections", *(f"  {k}: {text}" for k, text in SECTION_FLAG_MEANING.items())]
    return lines
