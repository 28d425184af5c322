"""Kind histology of the verb assay: sections of a study or single micrographs, counted."""

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.entries import estimate_entry, flat_entry
from lampyris.cli.figures import save_scene
from lampyris.cli.output import exit_code, finding_entry, print_findings, print_json, print_table, print_written
from lampyris.core.errors import UsageError

if TYPE_CHECKING:
    from lampyris.core.estimate import Estimate
    from lampyris.core.histology import CallAccuracy, Histology, OrganDensity, SectionResult

SECTION_COLUMNS = (
    "animal", "organ", "group", "section", "file", "tissue_mm2", "nuclei", "labelled", "false_expected", "threshold", "blur_um",
    "saturated_share", "used", "flags",
)  # fmt: skip


def add_options(parser: argparse.ArgumentParser, /) -> None:
    """Options of histology."""
    group = parser.add_argument_group("histology")
    group.add_argument(
        "--pixel-um", type=_positive, metavar="UM", default=math.nan, help="width of a pixel in the tissue"
    )
    group.add_argument(
        "--nuclei-channel", metavar="NAME", default="", help="channel of the nuclei, by name or number from 0"
    )
    group.add_argument("--label-channel", metavar="NAME", default="", help="channel of the label")
    group.add_argument(
        "--control",
        type=Path,
        action="append",
        default=[],
        metavar="IMAGE",
        help="micrograph of unlabelled tissue; repeatable",
    )
    group.add_argument(
        "--nucleus-um", type=_positive, metavar="UM", default=7.0, help="usual diameter of nuclei (default: 7)"
    )
    group.add_argument(
        "--ring-um", type=_positive, metavar="UM", default=3.0, help="cytoplasm about a nucleus (default: 3)"
    )
    group.add_argument(
        "--affine", action="store_true", help="landmarks may show stretch and shear, not turn and scale alone"
    )
    group.add_argument(
        "--calls",
        type=Path,
        metavar="TABLE",
        help="in vivo calls: columns animal, organ, called; else the study's results",
    )
    group.add_argument(
        "--highest-limit", type=_positive, metavar="CELLS", default=math.inf, help="a higher detection limit is no call"
    )
    group.add_argument(
        "--overlays", type=Path, metavar="FOLDER", help="draw each section with its outlines, to accept or mend"
    )
    group.add_argument("--write-csv", type=Path, metavar="FILE", help="write the counts of each section")


def _positive(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def count_sections(options: argparse.Namespace, /) -> int:
    """Run the assay on a study or on files, and print."""
    found = _found(options)
    drawn = [*_draw(found, options), *_write(found, options.write_csv)]
    if options.json:
        print_json(_document(found, drawn))
    else:
        _print(found)
        print_written(drawn)
    return exit_code(found.findings)


def _found(options: argparse.Namespace) -> "Histology":
    from lampyris.study.histology import CountingOptions, histology_files, histology_study

    if options.write_csv is not None and options.write_csv.suffix.lower() != ".csv":
        raise UsageError(f"--write-csv writes .csv, not {options.write_csv.name!r}")
    counting = CountingOptions(
        nucleus_um=options.nucleus_um,
        ring_um=options.ring_um,
        pixel_um=options.pixel_um,
        model="affine" if options.affine else "similarity",
        highest_limit=options.highest_limit,
        views=options.overlays is not None,
    )
    paths = options.paths
    if len(paths) == 1 and _is_study(paths[0]):
        if options.control or options.nuclei_channel or options.label_channel:
            raise UsageError(
                "a study says in assays.csv which channels and controls it has: leave --control and channels out"
            )
        return histology_study(paths[0], calls=options.calls, options=counting)
    if options.calls is not None:
        raise UsageError("--calls belongs to a study: single files have no animals")
    missing = [path for path in (*paths, *options.control) if not path.exists()]
    if missing:
        raise UsageError(f"{missing[0]} is not there")
    return histology_files(
        paths, nuclei=options.nuclei_channel, label=options.label_channel, controls=options.control, options=counting
    )


def _is_study(path: Path) -> bool:
    from lampyris.io.images.readers import format_of

    return path.is_dir() and (
        (path / "study.toml").exists() or (path / "assays.csv").exists() or format_of(path) is None
    )


def _document(found: "Histology", drawn: list[Path]) -> dict[str, Any]:
    accuracy = found.accuracy
    return {
        "organs": [_organ(one) for one in found.organs],
        "groups": [
            {
                "group": one.group,
                "organ": one.organ,
                "animals": one.design.n[0],
                **flat_entry("cells_per_mm2", one.cells_per_mm2),
                **flat_entry("labelled_fraction", one.labelled_fraction),
                "design": one.design.sentence(),
            }
            for one in found.groups
        ],
        "sections": [_section(one) | {"registration": _registration(one)} for one in found.sections],
        "sensitivity": _share(accuracy, "sensitivity", "positives"),
        "specificity": _share(accuracy, "specificity", "negatives"),
        "roc": _roc(accuracy),
        "design": accuracy.design.sentence() if accuracy else "",
        "not_called": accuracy.not_called if accuracy else {},
        "notes": list(accuracy.notes) if accuracy else [],
        "calls": [
            {"animal": one.animal, "organ": one.organ, "called": one.called, "score": one.score, "truth": one.truth, "reason": one.reason}
            for one in found.calls
        ],
        "false_positives": found.false_positives,
        "detection": estimate_entry(found.detection),
        "controls": dict(zip(("cells", "sections", "animals"), found.controls, strict=True)),
        "synthetic": found.synthetic,
        "findings": [finding_entry(one) for one in found.findings],
        "written": drawn,
    }  # fmt: skip


def _organ(one: "OrganDensity") -> dict[str, Any]:
    return {
        "animal": one.animal,
        "organ": one.organ,
        "group": one.group,
        "sections": one.sections,
        "nuclei": one.nuclei,
        "labelled": one.labelled,
        "tissue_mm2": one.tissue_mm2,
        **flat_entry("cells_per_mm2", one.cells_per_mm2),
        **flat_entry("labelled_fraction", one.labelled_fraction),
        "p": one.p,
        "positive": one.positive,
        "flags": list(one.flags),
    }


def _section(one: "SectionResult") -> dict[str, Any]:
    return {name: list(one.flags) if name == "flags" else getattr(one, name) for name in SECTION_COLUMNS}


def _registration(one: "SectionResult") -> dict[str, Any] | None:
    found = one.registration
    if found is None:
        return None
    return {
        "model": found.model,
        "matrix": found.matrix,
        "shift_mm": found.shift_mm,
        "mirrored": found.mirrored,
        "residual_mm": found.residual_mm,
        "sd_mm": found.sd_mm,
        "middle_mm": found.middle_mm,
        "landmarks": list(found.landmarks),
        "organ_file": found.organ_file,
    }


def _share(accuracy: "CallAccuracy | None", name: str, count: str) -> dict[str, Any]:
    if accuracy is None:
        return {"value": None, "low": 0.0, "high": 1.0, "n": 0}
    share: Estimate = getattr(accuracy, name)
    return {"value": share.value, "low": share.low, "high": share.high, "n": getattr(accuracy, count)}


def _roc(accuracy: "CallAccuracy | None") -> dict[str, Any] | None:
    if accuracy is None or accuracy.area is None:
        return None
    area = accuracy.area
    return {"auc": area.value, "low": area.low, "high": area.high, "method": area.method, "curve": accuracy.curve}


def _print(found: "Histology") -> None:
    if found.synthetic:
        print("Synthetic: the images were simulated, no animal was imaged.")
    rows = [
        (
            "animal",
            "organ",
            "sections",
            "nuclei",
            "labelled",
            "per mm2",
            "low",
            "high",
            "labelled %",
            "holds label",
            "flags",
        )
    ]
    print_table([*rows, *_rows(found)])
    cells, sections, animals = found.controls
    if cells:
        share = f"{100 * found.false_positives:.2g} % of unlabelled cells are called, and taken off"
        print(f"controls: {cells} cells in {sections} sections of {animals} animals; {share}")
    if (seen := found.detection) is not None:
        ends = f"{100 * seen.low:.2g} to {100 * seen.high:.2g}"
        print(f"of labelled cells {100 * seen.value:.2g} % ({ends}) are called; densities are of all of them")
    if any(one.organ for one in found.groups):
        print("means over animals, cells per mm2:")
        print_table(
            (f"  {one.group}", one.organ, f"n = {one.design.n[0]} animals", *_three(one.cells_per_mm2))
            for one in found.groups
        )
    _print_accuracy(found)
    print_findings(found.findings, stream=sys.stdout)


def _print_accuracy(found: "Histology") -> None:
    if found.accuracy is None:
        return
    one = found.accuracy
    print("in vivo call of each organ against its sections:")
    print_table(
        [
            ("  sensitivity", *_three(one.sensitivity), f"{one.positives} organs with labelled cells"),
            ("  specificity", *_three(one.specificity), f"{one.negatives} organs without"),
            *([("  area under ROC", *_three(one.area), one.area.method)] if one.area else []),
        ]
    )
    for reason, count in one.not_called.items():
        print(f"  not judged: {count} organs, {reason}")
    print(f"  {one.design.sentence()}")
    for note in one.notes:
        print(f"  {note}")


def _rows(found: "Histology") -> Iterator[tuple[str, ...]]:
    words = {True: "yes", False: "not told", None: "unknown"}
    for one in found.organs:
        share = "-" if math.isnan(one.labelled_fraction.value) else f"{100 * one.labelled_fraction.value:.3g}"
        yield (
            one.animal, one.organ, str(one.sections), str(one.nuclei), str(one.labelled), *_three(one.cells_per_mm2), share,
            words[one.positive], ", ".join(one.flags),
        )  # fmt: skip


def _three(estimate: "Estimate") -> tuple[str, str, str]:
    return tuple("-" if value != value else f"{value:.3g}" for value in (estimate.value, estimate.low, estimate.high))  # type: ignore[return-value]


def _draw(found: "Histology", options: argparse.Namespace) -> list[Path]:
    if options.plot is None and options.overlays is None:
        return []
    from lampyris.io.stems import distinct_stems
    from lampyris.report.plots.frame import group_colours
    from lampyris.report.plots.histology import density_figure, section_figure

    written = []
    if options.plot is not None:
        control = next((one.group for one in found.sections if one.control), "")
        colours = group_colours(list(dict.fromkeys(one.group for one in found.organs)), control=control)
        scene = density_figure(found.organs, found.groups, colours, synthetic=found.synthetic)
        written.append(save_scene(scene, options.plot))
    if options.overlays is not None:
        for view, stem in zip(found.views, distinct_stems([Path(one.result.file) for one in found.views]), strict=True):
            written.append(save_scene(section_figure(view), options.overlays / f"{stem}.png"))
    return written


def _write(found: "Histology", path: Path | None) -> list[Path]:
    if path is None:
        return []
    from lampyris.io.tables import write_table

    columns: dict[str, list[Any]] = {
        name: [", ".join(one.flags) if name == "flags" else getattr(one, name) for one in found.sections]
        for name in SECTION_COLUMNS
    }
    units = {"tissue_mm2": "mm2", "blur_um": "um"}
    path.parent.mkdir(parents=True, exist_ok=True)
    names = write_table(path.parent, path.stem, columns, units=units)
    return [path.parent / name for name in names]
