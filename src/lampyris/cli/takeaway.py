"""Verb that takes results away: export."""

import argparse
from pathlib import Path

from lampyris.cli.arguments import AddVerb, add_directory
from lampyris.cli.output import print_json, print_table

# as lampyris.study.export.take and lampyris.io.spreadsheets have them, which --help must not load
WHAT = ("images", "tables", "regions", "crate")
DIALECTS = ("excel-en", "excel-de", "prism")


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
    export = verb("export", _export, "take results away for other programs: OME-Zarr, tables, GeoJSON, RO-Crate")
    add_directory(export, text="folder of the study")
    export.add_argument("--to", type=Path, metavar="FOLDER", help="where to (default: DIR/export)")
    export.add_argument(
        "--what",
        type=_some,
        default=WHAT,
        metavar="LIST",
        help=f"some of {','.join(WHAT)}, with commas (default: all)",
    )
    export.add_argument(
        "--csv-dialect",
        choices=DIALECTS,
        default="excel-en",
        help="CSV for Excel with decimal point, Excel with decimal comma, or Prism (default: excel-en)",
    )


def _some(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    unknown = [word for word in words if word not in WHAT]
    if unknown or not words:
        raise argparse.ArgumentTypeError(f"needs some of {', '.join(WHAT)}, got {text!r}")
    return words


def _export(options: argparse.Namespace) -> int:
    from lampyris.study.export.take import export_study

    made = export_study(options.directory, to=options.to, what=options.what, dialect=options.csv_dialect)
    if options.json:
        print_json({"folder": made.folder, "files": made.files})
    else:
        print_table([("folder", made.folder), ("files", len(made.files))])
    return 0
