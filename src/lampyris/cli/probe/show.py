"""Tasks `probe show` and `probe materials`: the predicted sheet of one dot, and the constants behind it."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import figure_path, number
from lampyris.cli.entries import estimate_entry
from lampyris.cli.output import print_json, print_table
from lampyris.cli.probe import sheets

if TYPE_CHECKING:
    from lampyris.cli.arguments import AddTask
    from lampyris.probe.design import DotSheet, SheetRow
    from lampyris.probe.materials import Material


def add_tasks(task: "AddTask", /) -> None:
    """Add this module's tasks."""
    show = task("show", _show, "the predicted sheet of one dot, beside what was measured of it")
    show.add_argument("file", metavar="FILE", type=Path, help="the dot's sheet (TOML)")
    show.add_argument("--excitation", type=number, default=math.nan, metavar="NM", help="excitation wavelength")
    sheets.add_calibrations(show)
    show.add_argument("--html", type=Path, metavar="FILE", help="write the sheet as a page that opens offline")
    show.add_argument("--plot", type=figure_path, metavar="FILE", help="draw its levels: .svg or .png")
    table = task("materials", _materials, "materials of the table, or every sourced constant of one")
    table.add_argument("name", metavar="NAME", nargs="?", default="", help="such as CdTe; all by default")


def _show(options: argparse.Namespace) -> int:
    from lampyris.io.dots import read_dot

    dot = read_dot(options.file)
    calibrations = sheets.calibrations(options, temperature_k=dot.temperature_k, medium=dot.medium)
    sheet = sheets.write_pictures(dot, options, excitation_nm=options.excitation, calibrations=calibrations)
    if options.json:
        print_json(_document(sheet))
    else:
        _print(sheet)
    return 0


def _document(sheet: "DotSheet") -> dict[str, Any]:
    found = sheet.prediction
    transition = found.transition
    return {
        "name": sheet.dot.name,
        "candidates": [
            {
                "material": "/".join(layer.material for layer in found.structure.layers),
                "structure": found.structure.label,
                "emission_nm": found.emission_nm.value,
                "fwhm_nm": found.width.total_nm.value,
                "uncertainty_nm": found.emission_nm.sd,
            }
        ],
        "structure": found.structure.label,
        "layers": sheets.layer_entries(found.structure),
        "diameter_nm": found.structure.diameter_nm,
        "type": transition.kind,
        "overlap": transition.overlap,
        "electron_ev": transition.electron_ev,
        "hole_ev": transition.hole_ev,
        "coulomb_ev": transition.coulomb_ev,
        "polarisation_ev": transition.polarisation_ev,
        "first_transition_ev": estimate_entry(found.absorption_ev),
        "stokes_ev": estimate_entry(found.stokes_ev),
        "fwhm_from_size_nm": found.width.size_nm.value,
        "rows": [_row_entry(row) for row in sheet.rows],
        "hazard": found.toxicity,
        "elements_of_concern": found.metals,
        "below_renal_threshold": found.size.below_renal_threshold,
        "calibrated": found.calibrated,
        "notes": sheet.notes,
    }


def _row_entry(row: "SheetRow") -> dict[str, Any]:
    return {
        "quantity": row.key,
        "unit": row.unit,
        "predicted": estimate_entry(row.predicted),
        "measured": row.measured,
        "measured_sd": row.measured_sd,
        "verdict": row.verdict,
        "note": row.note,
    }


def _print(sheet: "DotSheet") -> None:
    from lampyris.report.dot_page import predicted_text
    from lampyris.report.numbers import number as number_text

    found = sheet.prediction
    transition = found.transition
    print(f"{sheet.dot.name}: {found.structure.label}, {found.structure.diameter_nm:.2f} nm over all layers")
    print(
        f"{transition.kind}, overlap {transition.overlap:.2f}; {found.toxicity}"
        + (f" ({', '.join(found.metals)})" if found.metals else "")
    )
    rows: list[tuple[Any, ...]] = [("quantity", "predicted", "measured", "verdict")]
    for row in sheet.rows:
        measured = "" if math.isnan(row.measured) else number_text(row.measured, digits=3)
        measured += "" if math.isnan(row.measured_sd) else f" ± {number_text(row.measured_sd)}"
        rows.append((row.title, predicted_text(row.predicted), measured, row.verdict))
    print_table(rows)
    print("in brackets: 95 % interval")
    for note in sheet.notes:
        print(f"note: {note}")


def _materials(options: argparse.Namespace) -> int:
    from lampyris.probe.materials import alloys, material, materials

    if options.name:
        return _constants(material(options.name), as_json=options.json)
    entries = [_material_entry(one) for one in materials()]
    named = [{"name": name, "first": first, "second": second} for name, first, second in alloys()]
    if options.json:
        print_json({"materials": entries, "alloys": named})
        return 0
    rows: list[tuple[Any, ...]] = [("material", "family", "gap (eV)", "longest (nm)", "hazard", "elements")]
    for one in entries:
        gap, elements = f"{one['gap_ev']:.2f} ± {one['gap_sd_ev']:.2f}", " ".join(one["elements_of_concern"])
        rows.append((one["name"], one["family"], gap, one["gap_nm"] or "none", one["hazard"], elements))
    print_table(rows)
    print("alloys: " + ", ".join(f"{one['name']} ({one['first']} to {one['second']})" for one in named))
    return 0


def _material_entry(one: "Material") -> dict[str, Any]:
    from lampyris.core.constants import EV_NM

    gap = one.gap()
    return {
        "name": one.name,
        "family": one.family,
        "crystal": one.crystal,
        "gap_ev": gap.value,
        "gap_sd_ev": gap.sd,
        "gap_nm": round(EV_NM / gap.value) if gap.value > 0 else None,
        "indirect": one.indirect,
        "hazard": one.toxicity,
        "elements_of_concern": one.metals_of_concern,
    }


def _constants(one: "Material", *, as_json: bool) -> int:
    names = ("value", "sd", "unit", "conditions", "source", "mark")
    entries = [
        {"quantity": quantity} | {name: getattr(value, name) for name in names} for quantity, value in one.constants
    ]
    if as_json:
        print_json(_material_entry(one) | {"constants": entries})
        return 0
    print_table(
        [("quantity", "value", "sd", "unit", "mark", "source")]
        + [(row["quantity"], row["value"], row["sd"], row["unit"], row["mark"], row["source"]) for row in entries]
    )
    return 0
