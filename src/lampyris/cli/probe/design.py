"""Task `probe design`: which dots meet the targets, and why the rest do not."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import figure_path, number, positive
from lampyris.cli.output import print_json, print_table
from lampyris.cli.probe import sheets
from lampyris.core.errors import UsageError

if TYPE_CHECKING:
    from lampyris.cli.arguments import AddTask
    from lampyris.probe.design import Candidate, DesignResult, Prediction, Rejected

# field of the targets, option, metavar, help
_NUMBERS = (
    ("tolerance_nm", "--tolerance", "NM", "how far a dot may miss the emission (default: 20)"),
    ("core_nm", "--core", "NM", "core diameter: all inorganic layers, or the innermost alone (see --reading)"),
    ("core_sd_nm", "--core-sd", "NM", "standard deviation of that diameter (default: 13 %% of it, 0.9 of 6.8)"),
    ("fwhm_nm", "--width", "NM", "greatest full width at half maximum of the emission"),
    ("total_nm", "--total-size", "NM", "greatest diameter of all inorganic layers"),
    ("hydrodynamic_nm", "--hydrodynamic", "NM", "greatest diameter in water, with --coat"),
    ("brightness_per_m_cm", "--brightness", "B", "least extinction times quantum yield in 1/(M cm), with --excitation"),
    ("excitation_nm", "--excitation", "NM", "excitation wavelength"),
)


def add_tasks(task: "AddTask", /) -> None:
    """Add this module's tasks."""
    parser = task("design", _design, "which dots meet the targets, ranked with uncertainty, and why the rest fail")
    parser.add_argument("--emission", type=number, required=True, metavar="NM", help="wanted emission peak in nm")
    for _, option, metavar, text in _NUMBERS:
        parser.add_argument(option, type=number, metavar=metavar, help=text)
    parser.add_argument(
        "--reading",
        choices=("particle", "core"),
        default="",
        help="what the core diameter means: all layers (particle) or the innermost (core); both by default",
    )
    parser.add_argument("--cadmium-free", action="store_true", help="refuse dots with cadmium")
    parser.add_argument("--heavy-metal-free", action="store_true", help="refuse cadmium, mercury, lead and arsenic")
    parser.add_argument("--renal", action="store_true", help="the kidney must clear it, with --coat")
    parser.add_argument("--coat", default="", metavar="NAME", help="coat in water, such as PEG5000 or glutathione")
    parser.add_argument("--temperature", type=number, default=295.0, metavar="K", help="in kelvin (default: 295)")
    parser.add_argument("--medium", default="water", metavar="NAME", help="around the dot (default: water)")
    sheets.add_calibrations(parser)
    parser.add_argument("--most", type=positive, default=20, metavar="N", help="candidates to list (default: 20)")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write the best candidate's sheet as TOML")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the best candidate's page")
    parser.add_argument(
        "--plot", type=figure_path, metavar="FILE", help="draw the best candidate's levels: .svg or .png"
    )


def _design(options: argparse.Namespace) -> int:
    from lampyris.probe.design import Targets, design

    given = {name: getattr(options, option[2:].replace("-", "_")) for name, option, _, _ in _NUMBERS}
    targets = Targets(
        emission_nm=options.emission,
        reading=options.reading,
        cadmium_free=options.cadmium_free,
        heavy_metal_free=options.heavy_metal_free,
        renal=options.renal,
        coat=options.coat,
        **{name: value for name, value in given.items() if value is not None},
    )
    calibrations = sheets.calibrations(options, temperature_k=options.temperature, medium=options.medium)
    result = design(
        targets,
        temperature_k=options.temperature,
        medium=options.medium,
        calibrations=calibrations,
        most=options.most,
    )
    _write_best(result, options)
    if options.json:
        print_json(_document(result))
    else:
        _print(result)
    return 0


def _write_best(result: "DesignResult", options: argparse.Namespace) -> None:
    """Sheet, page and drawing of the best candidate."""
    if not (options.sheet or options.html or options.plot):
        return
    if not result.candidates:
        raise UsageError(
            "no dot meets the targets, so there is none to write; the reasons stand without --sheet, --html and --plot."
        )
    best = result.candidates[0]
    dot = sheets.settings_of(best, result.targets, temperature_k=options.temperature, medium=options.medium)
    if options.sheet:
        from lampyris.io.dots import dot_toml
        from lampyris.io.durable import write_text

        write_text(options.sheet, dot_toml(dot, header=f"{best.family.label}: predicted by lampyris probe design"))
    if options.html or options.plot:
        excitation = result.targets.excitation_nm
        calibrations = sheets.calibrations(options, temperature_k=options.temperature, medium=options.medium)
        sheets.write_pictures(dot, options, excitation_nm=excitation, calibrations=calibrations)


def _document(result: "DesignResult") -> dict[str, Any]:
    targets = result.targets
    names = type(targets).__dataclass_fields__
    return {
        "targets": {name: getattr(targets, name) for name in names},
        "candidates": [_candidate_entry(one) for one in result.candidates],
        "families": result.viable_families,
        "rejected": [_rejected_entry(one) for one in result.rejected],
        "line_width": [_width_entry(one) for one in result.line_width],
        "evaluated": result.evaluated,
        "notes": result.notes,
    }


def _candidate_entry(one: "Candidate") -> dict[str, Any]:
    """A candidate as the JSON document has it."""
    found = one.prediction
    dot, transition = found.structure, found.transition
    return {
        "material": one.family.label,
        "structure": dot.label,
        "reading": one.reading,
        "layers": sheets.layer_entries(dot),
        "core_diameter_nm": dot.core_diameter_nm,
        "diameter_nm": dot.diameter_nm,
        "emission_nm": found.emission_nm.value,
        "emission_low_nm": found.emission_nm.low,
        "emission_high_nm": found.emission_nm.high,
        "uncertainty_nm": found.emission_nm.sd,
        "absorption_nm": found.absorption_nm.value,
        "fwhm_nm": found.width.total_nm.value,
        "fwhm_from_size_nm": found.width.size_nm.value,
        "probability": one.probability,
        "reachable": one.reachable,
        "chances": dict(one.chances),
        "score": one.score,
        "type": transition.kind,
        "overlap": transition.overlap,
        "radiative_lifetime_ns": transition.radiative_lifetime_ns.value,
        "quantum_yield": found.quantum_yield.value,
        "molar_extinction_per_m_cm": found.extinction.value if found.extinction else None,
        "brightness_per_m_cm": found.brightness.value if found.brightness else None,
        "hydrodynamic_nm": found.size.diameter.value,
        "below_renal_threshold": found.size.below_renal_threshold,
        "hazard": found.toxicity,
        "elements_of_concern": found.metals,
        "made": one.family.made,
        "source": one.family.source,
        "mark": one.family.mark,
        "calibrated": found.calibrated,
        "remarks": one.remarks,
    }


def _rejected_entry(one: "Rejected") -> dict[str, Any]:
    return {
        "material": one.family.label,
        "target": one.target,
        "reason": one.reason,
        "emission_nm": one.emission_nm,
        "bulk_limit_nm": one.bulk_limit_nm,
        "needed_core_nm": one.needed_nm,
        "source": one.family.source,
    }


def _width_entry(found: "Prediction") -> dict[str, Any]:
    width = found.width
    return {
        "structure": found.structure.label,
        "diameter_nm": found.structure.diameter_nm,
        "core_diameter_nm": found.structure.core_diameter_nm,
        "sd_nm": found.core_sd_nm,
        "emission_nm": found.emission_nm.value,
        "from_size_nm": width.size_nm.value,
        "from_size_mev": 1000.0 * width.size_ev.value,
        "single_dot_mev": 1000.0 * width.homogeneous_ev.value,
        "fwhm_nm": width.total_nm.value,
        "fwhm_mev": 1000.0 * width.total_ev.value,
    }


def _print(result: "DesignResult") -> None:
    if result.candidates:
        print(f"{len(result.viable_families)} families can give {result.targets.emission_nm:g} nm:")
        rows: list[tuple[Any, ...]] = [
            (
                "structure",
                "layers (nm)",
                "emission (nm)",
                "reached",
                "this dot",
                "width (nm)",
                "type",
                "in water (nm)",
                "hazard",
            )
        ]
        rows += [_row(one) for one in result.candidates]
        print_table(rows)
        print(
            "reached: chance that tuning shell or composition gives the colour; this dot: chance that it meets all targets as it stands"
        )
    else:
        print(f"no family gives {result.targets.emission_nm:g} nm within these targets.")
    if result.rejected:
        print("\nfails:")
        for one in result.rejected:
            print(f"  {one.family.label}: {one.reason}")
    print("\nline width by the spread of size:")
    shown = {id(one.prediction) for one in result.candidates}
    for found in result.line_width:
        if id(found) not in shown and len(found.structure.layers) > 1:
            continue
        width = found.width
        size = f"{width.size_nm.value:.0f} nm ({1000 * width.size_ev.value:.0f} meV)"
        print(
            f"  {found.structure.label}, {found.structure.diameter_nm:.1f} nm: {size}, {width.total_nm.value:.0f} nm with the single dot's"
        )
    for note in result.notes:
        print(f"note: {note}")


def _row(one: "Candidate") -> tuple[Any, ...]:
    found = one.prediction
    core, *shells = found.structure.layers
    # a shell lies on both sides of the core
    words = " + ".join([f"{2 * core.thickness_nm:.2f}", *(f"2 x {shell.thickness_nm:.2f}" for shell in shells)])
    reading = f" [{one.reading}]" if one.reading else ""
    return (
        found.structure.label + reading,
        words,
        f"{found.emission_nm.value:.0f} ± {found.emission_nm.sd:.0f}",
        f"{100 * one.reachable:.0f} %",
        f"{100 * one.probability:.0f} %",
        f"{found.width.total_nm.value:.0f}",
        found.transition.kind,
        f"{found.size.diameter.value:.1f}",
        found.toxicity,
    )
