"""Task of the dot's fate: ``probe fate``."""

import argparse
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import figure_path, number, numbers, positive, whole
from lampyris.cli.entries import estimate_entry, flat_entry
from lampyris.cli.figures import save_scene
from lampyris.cli.output import finding_entry, print_findings, print_json, print_table
from lampyris.core.errors import InputError, UsageError
from lampyris.core.finding import Finding, Place, Severity

if TYPE_CHECKING:
    from lampyris.cli.arguments import AddTask
    from lampyris.core.dots import DotSettings
    from lampyris.probe.fate import Dosing, Fate, FateQuestion

USUAL_HOURS = (0.25, 1.0, 4.0, 24.0, 72.0, 168.0)
PMOL = {"pmol": 1.0, "nmol": 1e3}


def add_tasks(task: "AddTask", /) -> None:
    """Add this module's task."""
    fate = task("fate", _fate, "where a dose goes: organs over time, half-life, urine, with intervals")
    fate.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="sheet of the dot (TOML); options below go before it"
    )
    fate.add_argument("--diameter", type=number, metavar="NM", help="hydrodynamic diameter (default: 15.9)")
    fate.add_argument("--diameter-sd", type=number, metavar="NM", help="its standard deviation")
    fate.add_argument(
        "--coat", metavar="NAME", help="PEG, short PEG, mPEG5000, QD705, zwitterion, charged, unknown (default: PEG)"
    )
    fate.add_argument("--ligand", metavar="NAME", help="RGD or RAD: what the tumour holds it by")
    fate.add_argument("--species", default="mouse", metavar="NAME", help="mouse, rat or human (default: mouse)")
    fate.add_argument("--weight-kg", type=number, metavar="KG", help="body weight")
    fate.add_argument("--tumour", default="any", metavar="MODEL", help="any, U87MG or none (default: any)")
    fate.add_argument("--tumour-g", type=number, metavar="G", help="mass of the tumour; 0 for none")
    _add_doses(fate)
    fate.add_argument("--hours", type=number, default=24.0, metavar="H", help="length of the prediction (default: 24)")
    fate.add_argument("--at", type=numbers, default=(), metavar="H,H", help="hours to show (default: some)")
    fate.add_argument(
        "--clock", default="", metavar="SET", help="uptake rises with time after the dose: 'mouse gold' or 'rat gold'"
    )
    fate.add_argument(
        "--capacity", type=number, metavar="A", help="what the phagocytes of 1 g hold, in the dose's unit"
    )
    fate.add_argument(
        "--receptors", type=number, metavar="A", help="what the receptors of 1 g of tumour bind, in the dose's unit"
    )
    fate.add_argument("--draws", type=positive, default=400, metavar="N", help="of the intervals (default: 400)")
    fate.add_argument("--seed", type=whole, default=1, metavar="N", help="what they are drawn from (default: 1)")
    fate.add_argument("--plot", type=figure_path, metavar="FILE", help="draw organs over time: .svg or .png")


def _add_doses(fate: argparse.ArgumentParser) -> None:
    fate.add_argument("--dose", type=number, metavar="A", help="amount of one dose (default: 1)")
    fate.add_argument("--unit", default="nmol", metavar="U", help="pmol, nmol or mg (default: nmol)")
    fate.add_argument("--doses", type=positive, default=1, metavar="N", help="how many (default: 1)")
    fate.add_argument("--every", type=number, default=24.0, metavar="H", help="hours between two (default: 24)")
    fate.add_argument(
        "--infusion", type=number, default=0.0, metavar="H", help="hours over which one is given (default: 0)"
    )
    fate.add_argument(
        "--cells", default="", metavar="ORGAN", help="the dose is inside labelled cells that lie there, or in blood"
    )
    fate.add_argument(
        "--cell-half-life", type=number, default=48.0, metavar="H", help="half of them die in it (default: 48)"
    )
    fate.add_argument("--cell-count", type=number, metavar="N", help="labelled cells of a dose, in place of --dose")
    fate.add_argument("--dots-per-cell", type=number, metavar="N", help="dots in each of them")


def _fate(options: argparse.Namespace) -> int:
    from lampyris.probe.fate import predict_fate

    question, notes = _question(options)
    result = predict_fate(question)
    findings = (*notes, *result.findings)
    if options.plot:
        from lampyris.report.plots.fate import fate_figure

        save_scene(fate_figure(result), options.plot)
    if options.json:
        print_json(_document(result, findings))
    else:
        _print(result, findings)
    return 0


def _question(options: argparse.Namespace) -> "tuple[FateQuestion, tuple[Finding, ...]]":
    from lampyris.probe.fate import FateQuestion, Uptake

    question = FateQuestion(
        species=options.species,
        dosing=_dosing(options),
        hours=options.hours,
        # the same hours whatever is printed, so that a table and a document agree
        at=options.at or (*(one for one in USUAL_HOURS if one < options.hours), options.hours),
        uptake=Uptake(
            options.clock,
            math.inf if options.capacity is None else options.capacity,
            math.inf if options.receptors is None else options.receptors,
        ),
        tumour=options.tumour,
        draws=options.draws,
        seed=options.seed,
    )
    notes: tuple[Finding, ...] = ()
    if options.file is not None:
        from lampyris.io.dots import read_dot

        question, notes = _with_sheet(question, read_dot(options.file), options)
    given = {
        "diameter_nm": options.diameter, "diameter_sd_nm": options.diameter_sd, "coat": options.coat,
        "ligand": options.ligand, "weight_kg": options.weight_kg, "tumour_g": options.tumour_g,
    }  # fmt: skip
    return replace(question, **{name: value for name, value in given.items() if value is not None}), notes


def _dosing(options: argparse.Namespace) -> "Dosing":
    from lampyris.core.constants import AVOGADRO_PER_MOL
    from lampyris.probe.fate import Dosing

    amount = 1.0 if options.dose is None else options.dose
    cells = (options.cell_count, options.dots_per_cell)
    if any(one is not None for one in cells):
        if options.dose is not None or not options.cells or None in cells:
            raise UsageError("a dose of cells is --cells, --cell-count and --dots-per-cell together, without --dose.")
        if options.unit not in PMOL:
            raise UsageError(f"dots in cells are counted: --unit is pmol or nmol, got {options.unit!r}.")
        amount = options.cell_count * options.dots_per_cell / AVOGADRO_PER_MOL * 1e12 / PMOL[options.unit]
    return Dosing(
        amount, options.unit, options.doses, options.every, options.infusion, options.cells, options.cell_half_life
    )


def _with_sheet(
    question: "FateQuestion", dot: "DotSettings", options: argparse.Namespace
) -> "tuple[FateQuestion, tuple[Finding, ...]]":
    """The question with what a dot's sheet says."""
    from lampyris.probe.fate.rates import LIGANDS, known_ligand
    from lampyris.probe.structure import structure_from_settings

    name = options.file.name
    notes: list[Finding] = []
    changes: dict[str, Any] = {"file": name}
    if dot.measured.hydrodynamic_nm is not None:
        changes["diameter_nm"] = dot.measured.hydrodynamic_nm
        if dot.measured.hydrodynamic_sd_nm is not None:
            changes["diameter_sd_nm"] = dot.measured.hydrodynamic_sd_nm
    elif dot.coat is not None and dot.coat.thickness_nm is not None:
        changes["diameter_nm"] = structure_from_settings(dot).diameter_nm + 2.0 * dot.coat.thickness_nm
    elif options.diameter is None:
        seen = "the sheet has neither a hydrodynamic diameter nor the thickness of the coat."
        place = Place(file=name, column="measured.hydrodynamic_nm")
        mend = "Add measured.hydrodynamic_nm or coat.thickness_nm, or give --diameter."
        raise InputError(
            "this dot's fate cannot be predicted", [Finding("fate.diameter_nm", Severity.ERROR, place, seen, mend)]
        )
    changes["coat"] = "bare" if dot.coat is None else dot.coat.kind
    ligand = "" if dot.coat is None or dot.coat.ligand is None else dot.coat.ligand
    if known_ligand(ligand):
        changes["ligand"] = known_ligand(ligand)
    elif ligand and options.ligand is None:
        seen = f"how a tumour holds dots with {ligand!r} is not in the tables: they are followed as if they had none."
        notes.append(
            Finding(
                "fate.ligand",
                Severity.WARNING,
                Place(file=name, column="coat.ligand"),
                seen,
                f"Known are: {', '.join(LIGANDS[1:])}.",
            )
        )
    return replace(question, **changes), tuple(notes)


def _document(result: "Fate", findings: tuple[Finding, ...]) -> dict[str, Any]:
    from lampyris.probe.fate.predict import DEFINITION

    question = result.question
    dosing = question.dosing
    half_life = result.half_life_h
    return {
        "species": question.species,
        "diameter_nm": question.diameter_nm,
        "coat": result.coat.name,
        "ligand": question.ligand or None,
        "dose": {
            "amount": dosing.amount, "unit": dosing.unit, "doses": dosing.doses, "every_h": dosing.every_h,
            "infusion_h": dosing.infusion_h, "cells": dosing.cells_in or None,
        },
        "hours": result.hours.tolist(),
        "organs": [
            {
                "organ": one.organ,
                "hours": result.hours.tolist(),
                "percent_injected_dose_per_gram": one.percent_per_g.tolist(),
                "low": one.low.tolist(),
                "high": one.high.tolist(),
                "percent_injected_dose": one.percent.tolist(),
            }
            for one in result.organs
        ],
        **flat_entry("half_life_h", half_life),
        "half_life_definition": DEFINITION,
        **flat_entry("renal", result.renal_percent),
        "renal_by_hours": result.renal_course.tolist(),
        "faeces": estimate_entry(result.faeces_percent),
        "in_cells": result.in_cells_percent,
        "mass_balance_error": result.mass_balance_error,
        "percent_of": "all doses together",
        "level": half_life.level,
        "draws": result.draws,
        "seed": question.seed,
        "warnings": [finding_entry(one) for one in findings],
    }  # fmt: skip


def _print(result: "Fate", findings: tuple[Finding, ...]) -> None:
    import sys

    import numpy as np

    question = result.question
    ligand = f", {question.ligand}" if question.ligand else ""
    print(f"{question.diameter_nm:g} nm, {result.coat.name}{ligand}, {question.species}: {result.coat.about}")
    places = [int(np.argmin(np.abs(result.hours - hour))) for hour in question.at]
    rows: list[list[object]] = [["% of all doses per g", *(f"{result.hours[place]:.3g} h" for place in places)]]
    for one in result.organs:
        cells = [f"{one.percent_per_g[p]:.3g} ({one.low[p]:.2g}-{one.high[p]:.2g})" for p in places]
        rows.append([one.organ if one.organ != "plasma" else "plasma, per ml", *cells])
    print_table(rows)
    half = result.half_life_h
    if math.isfinite(half.value):
        print(f"half-life in plasma: {half.value:.3g} h ({half.low:.2g} to {half.high:.2g})")
    for name, part in (("urine", result.renal_percent), ("faeces", result.faeces_percent)):
        print(f"in {name} after {question.hours:g} h: {part.value:.2g} % ({part.low:.2g} to {part.high:.2g})")
    if question.dosing.cells_in:
        print(f"still in labelled cells: {result.in_cells_percent:.3g} %")
    print(f"intervals: 95 % of {result.draws} draws; mass balance within {result.mass_balance_error:.1g}")
    print_findings(findings, stream=sys.stdout)
