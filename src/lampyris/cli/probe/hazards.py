"""Task of the hazard: ``probe hazard``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import figure_path, number, numbers, whole
from lampyris.cli.entries import estimate_entry
from lampyris.cli.figures import save_scene
from lampyris.cli.output import print_json, print_table
from lampyris.cli.probe.numbers import band_text, pair
from lampyris.core.errors import UsageError

if TYPE_CHECKING:
    from lampyris.cli.arguments import AddTask
    from lampyris.core.dots import DotSettings
    from lampyris.probe.hazard import Alternative, ElementDose, Hazard, LethalMargin, Viability


def add_tasks(task: "AddTask", /) -> None:
    """Add this module's tasks."""
    text = "heavy metal of a dose beside published limits, ions that dots give off, and cadmium-free families"
    hazard = task("hazard", _hazard, text)
    hazard.add_argument("sheet", metavar="FILE", type=Path, help="sheet of a dot (TOML)")
    hazard.add_argument("--dose", type=number, metavar="NMOL", help="dots injected, in nmol")
    hazard.add_argument("--volume", type=number, metavar="ML", help="of the sheet's stock injected, instead of --dose")
    hazard.add_argument("--species", default="mouse", metavar="NAME", help="mouse, rat or human (default: mouse)")
    hazard.add_argument("--weight", type=number, metavar="G", help="of the body in g (default: 20, 150 or 60000)")
    hazard.add_argument(
        "--hours",
        type=numbers,
        default=(24.0, 168.0, 672.0),
        metavar="H,H,...",
        help="times of the release (default: 24,168,672)",
    )
    hazard.add_argument(
        "--ph", type=number, default=7.4, metavar="PH", help="of the medium; lysosomes 4.8 (default: 7.4)"
    )
    hazard.add_argument("--celsius", type=number, default=37.0, metavar="C", help="temperature (default: 37)")
    hazard.add_argument("--rate", type=number, metavar="NM_PER_H", help="measured speed of dissolution of bare dots")
    hazard.add_argument(
        "--coat-half-life", type=number, metavar="DAYS", help="until half of the dots lost their coat; 0: bare"
    )
    hazard.add_argument("--on-cells", type=number, metavar="NMOL_L", help="concentration of dots on cells: viability")
    hazard.add_argument(
        "--ec50", type=pair, metavar="NMOL_L,SLOPE", help="your own dose-response of these dots, with --on-cells"
    )
    hazard.add_argument(
        "--emission", type=number, metavar="NM", help="that an alternative must reach (default: the sheet's)"
    )
    hazard.add_argument("--plot", type=figure_path, metavar="FILE", help="draw the release over time: .svg or .png")
    hazard.add_argument(
        "--seed", type=whole, default=1, metavar="N", help="what is uncertain is drawn from it (default: 1)"
    )


def _hazard(options: argparse.Namespace) -> int:
    import numpy as np

    from lampyris.io.dots import read_dot
    from lampyris.probe.hazard import Conditions, Dose, hazard_of_dose, observed_doses
    from lampyris.probe.structure import structure_from_settings

    sheet = read_dot(options.sheet)
    structure = structure_from_settings(sheet)
    bare = options.coat_half_life is None and sheet.coat is None
    found = hazard_of_dose(
        structure,
        Dose(_nmol(options, sheet), options.species, options.weight),
        core_sd_nm=sheet.core_sd_nm,
        hours=options.hours,
        concentration_nmol_l=options.on_cells,
        emission_nm=sheet.measured.emission_nm if options.emission is None else options.emission,
        conditions=Conditions(
            options.celsius + 273.15, options.ph, 0.0 if bare else options.coat_half_life, options.rate
        ),
        rng=np.random.default_rng(options.seed),
    )
    if options.plot is not None:
        from lampyris.report.plots.coated_dot import release_figure

        save_scene(release_figure(found.release, title=found.structure.label), options.plot)
    own = _own_viability(options)
    observed = observed_doses(structure)
    if options.json:
        print_json(_document(sheet, found, observed) | {"viability_by_own_curve": own, "notes": _notes(sheet)})
    else:
        _print(found, observed)
        for note in _notes(sheet):
            print(f"note: {note}")
        if own is not None:
            print(f"viability by your own dose-response at {options.on_cells:g} nmol/l: {own:.1%}")
    return 0


def _notes(sheet: "DotSettings") -> tuple[str, ...]:
    """What of the sheet is not in the numbers."""
    if sheet.aspect_ratio > 1:
        return (f"taken as spheres: the aspect ratio of {sheet.aspect_ratio:g} is not in volumes and speeds",)
    return ()


def _own_viability(options: argparse.Namespace) -> float | None:
    """Viability by the user's own log-logistic curve of whole dots."""
    if options.ec50 is None:
        return None
    if options.on_cells is None:
        raise UsageError("--ec50 needs --on-cells, the concentration on the cells.")
    from lampyris.probe.hazard import log_logistic
    from lampyris.probe.refusals import outside, refuse

    ec50, slope = options.ec50
    refuse(
        (
            *outside("--ec50", ec50, low=1e-9, high=1e9, unit="nmol/l", basis="a concentration above 0"),
            *outside("slope of --ec50", slope, low=0.05, high=50, unit="1", basis="curves of cells fall by 0.5 to 10"),
        ),
        what="The dose-response",
    )
    return log_logistic(options.on_cells, ec50, slope)


def _nmol(options: argparse.Namespace, sheet: "DotSettings") -> float:
    """Dose from the amount or the volume."""
    if (options.dose is None) == (options.volume is None):
        raise UsageError("hazard takes --dose in nmol or --volume in ml of the stock, one of them.")
    if options.dose is not None:
        return options.dose
    if sheet.measured.concentration_nmol_per_l is None:
        raise UsageError("--volume needs concentration_nmol_per_l under [measured] of the sheet.")
    from lampyris.probe.refusals import outside, refuse

    refuse(outside("--volume", options.volume, low=0, high=1e4, unit="ml", basis="a volume injected"), what="The dose")
    return options.volume * 1e-3 * sheet.measured.concentration_nmol_per_l


def _document(sheet: "DotSettings", found: "Hazard", observed: tuple[dict[str, str], ...]) -> dict[str, Any]:
    release = found.release
    return {
        "dot": sheet.name,
        "structure": found.structure.label,
        "dose_nmol": found.nmol,
        "species": found.species.name,
        "body_g": found.body_g,
        "elements": [_element_entry(one) for one in found.elements],
        "release": {
            "hours": release.hours.tolist(),
            "half_life_bare_h": release.half_life_h,
            "mark": "assumed",
            "elements": {
                symbol: {
                    "share": release.share[symbol].tolist(),
                    "low": release.low[symbol].tolist(),
                    "high": release.high[symbol].tolist(),
                }
                for symbol in release.share
            },
        },
        "lethal_doses": [_lethal_entry(one) for one in found.lethal],
        "viability": [_viability_entry(one) for one in found.viability],
        "viability_of_whole_dots": [
            {
                "core": one.core,
                "coat": one.coat,
                "cells": one.cells,
                "hours": one.hours,
                "dots_ug_per_ml": one.dots_ug_ml,
                "viability": estimate_entry(one.viability),
                "caution": one.caution,
                "source": one.source,
                "mark": one.mark,
            }
            for one in found.whole_dots
        ],
        "alternatives": [_alternative_entry(one) for one in found.alternatives],
        "observed": observed,
        "not_known": found.unknown,
    }


def _element_entry(one: "ElementDose") -> dict[str, Any]:
    limit = one.permitted_ug_day
    return {
        "element": one.symbol,
        "class": one.impurity_class,
        "dose_ug": estimate_entry(one.total_ug),
        "dose_ug_per_kg": estimate_entry(one.per_kg),
        "human_equivalent_ug": estimate_entry(one.human_ug),
        "permitted_ug_per_day": limit.value if limit else None,
        "times_permitted_daily": one.days_of_exposure,
        "source": limit.source if limit else "",
        "mark": limit.mark if limit else "",
    }


def _lethal_entry(one: "LethalMargin") -> dict[str, Any]:
    return {
        "element": one.symbol,
        "species": one.species,
        "route": one.route,
        "salt": one.salt,
        "ld50_mg_per_kg": estimate_entry(one.ld50_mg_kg),
        "margin_if_all_dissolved": estimate_entry(one.margin_all),
        "margin_of_released": estimate_entry(one.margin_released),
        "source": one.source,
        "mark": one.mark,
    }


def _viability_entry(one: "Viability") -> dict[str, Any]:
    return {
        "ion": one.symbol,
        "cells": one.cells,
        "hours": one.hours,
        "ion_umol_per_l": estimate_entry(one.ion_umol_l),
        "viability": estimate_entry(one.viability),
        "ec50_umol_per_l": one.ec50_umol_l,
        "slope": one.slope,
        "source": one.source,
        "mark": one.mark,
    }


def _alternative_entry(one: "Alternative") -> dict[str, Any]:
    return {
        "family": one.family,
        "hazard_index": one.index,
        "hazard_index_worst": one.worst,
        "known_share": one.known_share,
        "cadmium_free": one.cadmium_free,
        "lead_free": one.lead_free,
        "reaches_emission": one.reaches,
        "emission_nm": one.emission_nm,
        "note": one.note,
        "source": one.source,
        "mark": one.mark,
    }


def _print(found: "Hazard", observed: tuple[dict[str, str], ...]) -> None:
    print(f"{found.nmol:g} nmol of {found.structure.label} in a {found.species.name} of {found.body_g:g} g")
    print_table(
        [("element", "dose ug", "ug/kg", "human-equivalent ug", "permitted ug/day", "times", "mark")]
        + [
            (
                one.symbol,
                one.total_ug.value,
                one.per_kg.value,
                one.human_ug.value,
                one.permitted_ug_day.value if one.permitted_ug_day else "none published",
                one.days_of_exposure if one.permitted_ug_day else "-",
                one.permitted_ug_day.mark if one.permitted_ug_day else "-",
            )
            for one in found.elements
        ]
    )
    _print_release(found)
    if found.lethal:
        print("\nlethal doses of salts over this dose (below 1: the dose holds more metal than kills half)")
        print_table(
            [("salt", "animal", "LD50 mg/kg of metal", "if all dissolved", "of what is released", "mark")]
            + [
                (
                    one.salt,
                    f"{one.species}, {one.route}",
                    f"{one.ld50_mg_kg.value:.2g}",
                    band_text(one.margin_all),
                    band_text(one.margin_released),
                    one.mark,
                )
                for one in found.lethal
            ]
        )
    for one in found.viability:
        print(
            f"viability of {one.cells} after {one.hours:g} h: {one.viability.value:.1%} ({one.viability.low:.1%} to "
            f"{one.viability.high:.1%}) by {band_text(one.ion_umol_l)} of free {one.symbol}; {one.mark}"
        )
    for dots in found.whole_dots:
        print(
            f"viability of {dots.cells} after {dots.hours:g} h: {dots.viability.value:.1%} ({dots.viability.low:.1%} "
            f"to {dots.viability.high:.1%}) by {dots.dots_ug_ml:.3g} ug/ml, {dots.caution}; {dots.mark}"
        )
    _print_alternatives(found)
    for row in observed:
        print(
            f"seen: {row['dot']}, {row['subject']}, {row['dose']} {row['unit']}: {row['observed']} ({row['source']}; {row['mark']})"
        )
    print("not known:")
    for text in found.unknown:
        print(f"  {text}")


def _print_release(found: "Hazard") -> None:
    release = found.release
    print("\nshare in solution (speeds assumed)")
    print_table(
        [("hours", *release.share)]
        + [
            (
                f"{hour:g}",
                *(
                    f"{release.share[symbol][at]:.2%} ({release.low[symbol][at]:.2%} to {release.high[symbol][at]:.2%})"
                    for symbol in release.share
                ),
            )
            for at, hour in enumerate(release.hours)
        ]
    )


def _print_alternatives(found: "Hazard") -> None:
    print("\nfamilies with as many dots of this size, least hazard first (mass over permitted exposure; this dot is 1)")
    print_table(
        [
            (
                "family",
                "index",
                "if elements without a limit count as cadmium",
                "cadmium",
                "emission nm",
                "reaches",
                "mark",
            )
        ]
        + [
            (
                one.family,
                f"{one.index:.2g}",
                f"{one.worst:.2g}",
                "free" if one.cadmium_free else "has",
                f"{one.emission_nm[0]:g}-{one.emission_nm[1]:g}",
                {True: "yes", False: "no", None: "-"}[one.reaches],
                one.mark,
            )
            for one in found.alternatives
        ]
    )
