"""What the tasks about a dot's sheet share: calibrations, drawings, the page, and a candidate as a sheet."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import number
from lampyris.cli.figures import save_scene

if TYPE_CHECKING:
    from lampyris.core.dots import DotSettings
    from lampyris.probe.design import Calibration, Candidate, DotSheet, Targets
    from lampyris.probe.fate import Fate
    from lampyris.probe.structure import Structure


def add_calibrations(parser: argparse.ArgumentParser) -> None:
    """Options that take in samples of the user's own."""
    parser.add_argument(
        "--calibrate",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="sheet of a dot of yours whose first_exciton_nm or emission_nm was measured; repeatable",
    )
    parser.add_argument(
        "--calibrate-material",
        type=_core_sample,
        action="append",
        default=[],
        metavar="MATERIAL:DIAMETER:EXCITON",
        help="a bare core of yours, such as CdTe:4.0:640 (nm); repeatable",
    )


def _core_sample(text: str) -> tuple[str, float, float]:
    parts = text.split(":")
    if len(parts) != 3 or not parts[0]:
        raise argparse.ArgumentTypeError(f"needs MATERIAL:DIAMETER:EXCITON, such as CdTe:4.0:640, got {text!r}")
    return parts[0], number(parts[1]), number(parts[2])


def calibrations(options: argparse.Namespace, /, *, temperature_k: float, medium: str) -> "tuple[Calibration, ...]":
    """Samples of the options, read and predicted at the temperature and in the medium."""
    from lampyris.io.dots import read_dot
    from lampyris.probe.design import Conditions, calibration_of, core_calibration

    around = Conditions(temperature_k=temperature_k, medium=medium)
    samples = [calibration_of(read_dot(path), around=around) for path in options.calibrate]
    samples += [core_calibration(*sample, around=around) for sample in options.calibrate_material]
    return tuple(samples)


def layer_entries(dot: "Structure") -> list[dict[str, Any]]:
    """Layers of a structure as the JSON documents have them: the core's diameter, the shells' thickness."""
    entries = []
    for place, layer in enumerate(dot.layers):
        entry: dict[str, Any] = {"material": layer.material}
        entry |= {"thickness_nm": layer.thickness_nm} if place else {"diameter_nm": 2 * layer.thickness_nm}
        if not math.isnan(layer.composition):
            entry["composition"] = layer.composition
        entries.append(entry)
    return entries


def settings_of(one: "Candidate", targets: "Targets", /, *, temperature_k: float, medium: str) -> "DotSettings":
    """A candidate as the sheet of a dot, sizes to a thousandth of a nanometre."""
    from lampyris.core.dots import CoatSettings, DotSettings, LayerSettings

    found = one.prediction
    layers = [
        LayerSettings(**{key: round(value, 4) if isinstance(value, float) else value for key, value in entry.items()})
        for entry in layer_entries(found.structure)
    ]
    varied = found.structure.core_diameter_nm / (
        found.structure.diameter_nm if one.reading != "core" else found.structure.core_diameter_nm
    )
    return DotSettings(
        name=f"{found.structure.label}, {found.emission_nm.value:.0f} nm",
        layers=tuple(layers),
        core_sd_nm=round(found.core_sd_nm * varied, 4),
        temperature_k=temperature_k,
        medium=medium,
        coat=CoatSettings(kind=targets.coat) if targets.coat else None,
    )


def write_pictures(
    dot: "DotSettings", options: argparse.Namespace, /, *, excitation_nm: float, calibrations: "tuple[Calibration, ...]"
) -> "DotSheet":
    """Predict a dot, and write its page and drawing where they were asked for."""
    from lampyris.probe.design import dot_sheet

    sheet = dot_sheet(dot, excitation_nm=excitation_nm, calibrations=calibrations)
    if options.html:
        from lampyris.io.durable import write_text
        from lampyris.report.dot_page import render_dot

        write_text(options.html, render_dot(sheet, fate=_fate(sheet)))
    if options.plot:
        from lampyris.report.dot_page import levels_scene

        save_scene(levels_scene(sheet), options.plot)
    return sheet


def _fate(sheet: "DotSheet") -> "Fate | None":
    """Where a nanomole goes in a mouse; None for a dot without a coat, which no animal is given."""
    from lampyris.probe.fate import FateQuestion, predict_fate
    from lampyris.probe.fate.rates import known_ligand
    from lampyris.probe.fate.tables import coat_named

    coat, size = sheet.dot.coat, sheet.prediction.size
    if coat is None:
        return None
    measured = sheet.dot.measured
    known = coat_named(coat.kind)
    return predict_fate(
        FateQuestion(
            diameter_nm=measured.hydrodynamic_nm or size.diameter.value,
            diameter_sd_nm=measured.hydrodynamic_sd_nm or max(size.spread_nm, size.diameter.sd),
            coat=known.name if known else "unknown",
            ligand=known_ligand(coat.ligand),
        )
    )
