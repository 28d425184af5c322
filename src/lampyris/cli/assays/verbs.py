"""Verb of the assays: ``assay KIND``, with the options of all kinds."""

import argparse
from pathlib import Path

from lampyris.cli.arguments import AddVerb, figure_path
from lampyris.cli.assays import exvivo, histology, release
from lampyris.core.errors import UsageError

KINDS = ("exvivo", "histology", "release")


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
    text = "analyse an assay: exvivo, organs on trays to %%ID/g; histology, labelled cells in sections; release, drug out of a carrier"
    assay = verb("assay", _assay, text)
    assay.add_argument("kind", choices=KINDS, metavar="KIND", help=f"which assay: {', '.join(KINDS)}")
    assay.add_argument(
        "paths",
        metavar="DIR|FILE",
        type=Path,
        nargs="+",
        help="folder of the study; of histology also single micrographs; of release tables",
    )
    assay.add_argument("--plot", type=figure_path, metavar="FILE", help="draw the result: .svg or .png")
    assay.add_argument(
        "--trays", type=Path, metavar="FOLDER", help="draw each tray with outlines and names, to accept or mend"
    )
    assay.add_argument(
        "--outlines",
        type=Path,
        metavar="FOLDER",
        help="write each tray's outlines as GeoJSON, to mend and name in assays.csv",
    )
    assay.add_argument(
        "--photo",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="photograph of a tray without a study, one for each image in their order",
    )
    assay.add_argument(
        "--uncorrected", action="store_true", help="in the plot, show beside it what no correction of absorption gives"
    )
    histology.add_options(assay)
    release.add_options(assay)


def _assay(options: argparse.Namespace) -> int:
    if options.kind == "release":
        return _release(options)
    release.refuse_options(options)
    if options.kind == "histology":
        if options.trays or options.outlines or options.uncorrected or options.photo:
            raise UsageError(
                "--trays, --outlines, --photo and --uncorrected belong to exvivo; sections have --overlays"
            )
        return histology.count_sections(options)
    return exvivo.measure_organs(options)


def _release(options: argparse.Namespace) -> int:
    others = (
        options.trays,
        options.outlines,
        options.photo,
        options.uncorrected,
        options.overlays,
        options.write_csv,
        options.calls,
    )
    if any(others) or options.control:
        raise UsageError("options of exvivo and histology do not belong to release")
    return release.analyse_release(options)
