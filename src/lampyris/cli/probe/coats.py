"""Task of the coat: ``probe coat``."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import figure_path, number, whole
from lampyris.cli.entries import estimate_entry
from lampyris.cli.figures import save_scene
from lampyris.cli.output import print_json, print_table
from lampyris.cli.probe.numbers import band_text
from lampyris.core.errors import UsageError

if TYPE_CHECKING:
    from lampyris.cli.arguments import AddTask
    from lampyris.core.dots import CoatSettings
    from lampyris.probe.coat import Avidity, CoatedSize, CoatFit, Conjugation, Stability, Targeting
    from lampyris.probe.structure import Structure

ORIENTATIONS = ("random", "oriented")


def add_tasks(task: "AddTask", /) -> None:
    """Add this module's tasks."""
    text = "what a coat adds in size, charge and ligands, whether dots stay apart, and which coat a measured size means"
    coat = task("coat", _coat, text)
    coat.add_argument("sheet", metavar="FILE", type=Path, nargs="?", help="sheet of a dot (TOML)")
    coat.add_argument("--core", type=number, metavar="NM", help="diameter of the core, instead of a sheet")
    coat.add_argument("--core-sd", type=number, default=0.0, metavar="NM", help="its standard deviation")
    coat.add_argument("--shell", type=number, default=0.0, metavar="NM", help="thickness of a shell on it")
    coat.add_argument("--material", default="CdTe", metavar="M", help="of the outer layer, with --core (default: CdTe)")
    coat.add_argument(
        "--coat",
        metavar="NAME",
        help="coat in place of the sheet's, such as PEG5000 or 'amphiphilic polymer + PEG2000'",
    )
    coat.add_argument("--grafting", type=number, metavar="PER_NM2", help="chains of PEG per nm2")
    coat.add_argument(
        "--hydrodynamic", type=number, metavar="NM", help="measured diameter: which coats fit it is then told"
    )
    coat.add_argument("--hydrodynamic-sd", type=number, default=0.0, metavar="NM", help="its standard deviation")
    coat.add_argument("--plot", type=figure_path, metavar="FILE", help="draw the energy of two dots: .svg or .png")
    coat.add_argument("--list", action="store_true", help="name all coats and ligands, and nothing else")
    _add_ligand(coat)
    _add_medium(coat)


def _add_ligand(coat: argparse.ArgumentParser) -> None:
    coat.add_argument("--ligand", metavar="NAME", help="what it is targeted with, such as antibody, scFv, RGD")
    coat.add_argument("--ligands", type=number, metavar="N", help="mean ligands per dot")
    coat.add_argument(
        "--orientation", choices=ORIENTATIONS, default="random", help="held anywhere, or by one end (default: random)"
    )
    coat.add_argument(
        "--kd", type=number, metavar="NMOL_L", help="Kd of one ligand and one receptor: gain by two bonds"
    )
    coat.add_argument(
        "--receptors", type=number, default=1e5, metavar="N", help="receptors on a cell, with --kd (default: 100000)"
    )
    coat.add_argument("--cell", type=number, default=15.0, metavar="UM", help="diameter of the cell (default: 15)")


def _add_medium(coat: argparse.ArgumentParser) -> None:
    coat.add_argument("--zeta", type=number, metavar="MV", help="measured zeta potential")
    coat.add_argument("--salt", type=number, metavar="MOL_L", help="ionic strength (default: the sheet's, else 0.15)")
    coat.add_argument("--hamaker", type=number, metavar="ZJ", help="Hamaker constant across water, 1e-21 J")
    coat.add_argument("--celsius", type=number, default=25.0, metavar="C", help="of the medium (default: 25)")
    coat.add_argument(
        "--seed", type=whole, default=1, metavar="N", help="what is uncertain is drawn from it (default: 1)"
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What is told of a coated dot; ``hydrodynamic`` is its measured diameter and standard deviation."""

    structure: "Structure"
    size: "CoatedSize"
    stable: "Stability"
    hydrodynamic: tuple[float, float] | None
    fits: "tuple[CoatFit, ...]"
    conjugation: "tuple[Conjugation, Avidity | None] | None"
    choices: "tuple[Targeting, ...]"


def _coat(options: argparse.Namespace) -> int:
    if options.list:
        return _list(options)
    found = _found(options)
    if options.plot is not None:
        from lampyris.report.plots.coated_dot import stability_figure

        save_scene(stability_figure(found.stable, title=found.structure.label), options.plot)
    if options.json:
        print_json(_document(found))
    else:
        _print(found)
    return 0


def _found(options: argparse.Namespace) -> _Found:
    structure, core_sd, coat, hydrodynamic = _dot(options)
    from lampyris.probe.coat import coated_size, fitting_coats, targeting_choices

    size = coated_size(structure.diameter_nm, coat, core_sd_nm=core_sd, grafting_per_nm2=options.grafting)
    fits: tuple[CoatFit, ...] = ()
    if hydrodynamic is not None:
        fits = fitting_coats(
            structure.diameter_nm,
            hydrodynamic[0],
            core_sd_nm=core_sd,
            hydrodynamic_sd_nm=hydrodynamic[1],
        )
    choices: tuple[Targeting, ...] = ()
    if coat is not None and size.ligand is not None:
        choices = targeting_choices(
            size.inorganic_nm, coat, ligands_per_particle=size.ligands_per_particle, core_sd_nm=core_sd
        )
    return _Found(
        structure=structure,
        size=size,
        stable=_stable(options, size, structure, coat),
        hydrodynamic=hydrodynamic,
        fits=fits,
        conjugation=_conjugated(options, size),
        choices=choices,
    )


def _dot(
    options: argparse.Namespace,
) -> "tuple[Structure, float, CoatSettings | None, tuple[float, float] | None]":
    """Structure, spread of its core, coat and measured diameter, from sheet and options."""
    from lampyris.core.dots import CoatSettings
    from lampyris.io.dots import read_dot
    from lampyris.probe.structure import Layer, Structure, structure_from_settings

    if (options.sheet is None) == (options.core is None):
        raise UsageError("coat takes a sheet or --core, one of them; --list names the coats.")
    coat, measured = None, None
    if options.sheet is not None:
        sheet = read_dot(options.sheet)
        structure, core_sd, coat = structure_from_settings(sheet), sheet.core_sd_nm, sheet.coat
        if sheet.measured.hydrodynamic_nm is not None:
            measured = (sheet.measured.hydrodynamic_nm, sheet.measured.hydrodynamic_sd_nm or 0.0)
    else:
        _refuse_sizes(options)
        layers: tuple[Layer, ...] = (Layer(options.material, options.core / 2),)
        if options.shell > 0:
            layers += (Layer("ZnS", options.shell),)
        structure, core_sd = Structure(layers), options.core_sd
    if options.hydrodynamic is not None:
        measured = (options.hydrodynamic, options.hydrodynamic_sd)
    changed = {
        name: value
        for name, value in (
            ("ligand", options.ligand), ("ligands_per_particle", options.ligands), ("zeta_mv", options.zeta),
        )
        if value is not None
    }  # fmt: skip
    if options.coat is not None:
        coat = CoatSettings(kind=options.coat, **_checked(changed))
    elif changed and coat is not None:
        coat = coat.model_copy(update=_checked(changed))
    elif changed:
        raise UsageError("--ligand, --ligands and --zeta need a coat: give --coat, or [coat] in the sheet.")
    return structure, core_sd, coat, measured


def _refuse_sizes(options: argparse.Namespace) -> None:
    from lampyris.probe.coat.size import INORGANIC_BASIS
    from lampyris.probe.refusals import outside, refuse

    refuse(
        (
            *outside("--core", options.core, low=1, high=40, unit="nm", basis=INORGANIC_BASIS),
            *outside("--shell", options.shell, low=0, high=15, unit="nm", basis="thicker shells are not grown on dots"),
        ),
        what="The dot",
    )


def _checked(changed: dict[str, Any]) -> dict[str, Any]:
    """Numbers that a sheet would refuse are refused here too."""
    from lampyris.probe.refusals import outside, refuse

    refuse(
        (
            *outside(
                "--ligands",
                changed.get("ligands_per_particle", 0.0),
                low=0,
                high=1000,
                unit="1",
                basis="more do not fit",
            ),
            *outside(
                "--zeta", changed.get("zeta_mv", 0.0), low=-200, high=200, unit="mV", basis="never measured beyond"
            ),
        ),
        what="The coat",
    )
    return changed


def _conjugated(options: argparse.Namespace, size: "CoatedSize") -> "tuple[Conjugation, Avidity | None] | None":
    from lampyris.probe.coat import avidity, conjugated

    if size.ligand is None:
        return None
    found = conjugated(size.ligand, size.ligands_per_particle, orientation=options.orientation)
    gain = None
    if options.kd is not None:
        gain = avidity(
            found,
            size.ligand,
            kd_nmol_l=options.kd,
            receptors_per_cell=options.receptors,
            cell_diameter_um=options.cell,
            dot_diameter_nm=size.diameter.value,
        )
    return found, gain


def _stable(
    options: argparse.Namespace, size: "CoatedSize", structure: "Structure", coat: "CoatSettings | None"
) -> "Stability":
    import numpy as np

    from lampyris.probe.coat import Medium, colloidal_stability

    salt = options.salt
    if salt is None:
        salt = coat.ionic_strength_m if coat is not None and coat.ionic_strength_m is not None else 0.15
    zeta = coat.zeta_mv if coat is not None else options.zeta
    return colloidal_stability(
        size.layers,
        inorganic_nm=size.inorganic_nm,
        material=structure.layers[-1].material,
        medium=Medium(salt, options.celsius + 273.15, zeta, options.hamaker),
        rng=np.random.default_rng(options.seed),
    )


def _document(found: _Found) -> dict[str, Any]:
    from lampyris.probe.coat import RENAL_THRESHOLD_NM

    size, hydrodynamic = found.size, found.hydrodynamic
    document: dict[str, Any] = {
        "structure": found.structure.label,
        "inorganic_nm": size.inorganic_nm,
        "hydrodynamic_nm": estimate_entry(size.diameter),
        "without_ligands_nm": estimate_entry(size.bare),
        "spread_nm": size.spread_nm,
        "below_renal_threshold": size.below_renal_threshold,
        "renal_threshold_nm": RENAL_THRESHOLD_NM,
        "layers": [
            {
                "name": layer.name,
                "thickness_nm": estimate_entry(layer.thickness),
                "regime": layer.regime,
                "note": layer.note,
                "source": layer.source,
                "mark": layer.mark,
            }
            for layer in size.layers
        ],
        "stability": _stability_entry(found.stable),
        "conjugation": _conjugation_entry(size, *found.conjugation) if found.conjugation is not None else None,
        "fits": None,
        "targeting": [_targeting_entry(one) for one in found.choices],
    }
    if hydrodynamic is not None:
        document["measured_nm"] = hydrodynamic[0]
        document["coat_a_side_nm"] = (hydrodynamic[0] - size.inorganic_nm) / 2
        document["fits"] = [_fit_entry(fit) for fit in found.fits]
    return document


def _stability_entry(stable: "Stability") -> dict[str, Any]:
    return {
        "verdict": stable.verdict,
        "reason": stable.reason,
        "debye_nm": stable.debye_nm,
        "zeta_mv": estimate_entry(stable.zeta),
        "charge_e": estimate_entry(stable.charge_e),
        "barrier_kt": estimate_entry(stable.barrier),
        "attraction_kt": estimate_entry(stable.well),
        "bare_attraction_kt": stable.without_coat_kt,
        "hamaker_zj": stable.hamaker.value,
        "hamaker_sd_zj": stable.hamaker.sd,
        "hamaker_source": stable.hamaker.source,
        "hamaker_mark": stable.hamaker.mark,
        "limits": stable.limits,
    }


def _fit_entry(fit: "CoatFit") -> dict[str, Any]:
    return {
        "coat": fit.coat,
        "thickness_nm": estimate_entry(fit.thickness),
        "hydrodynamic_nm": fit.diameter_nm,
        "deviation": fit.deviation,
        "verdict": fit.verdict,
        "mark": fit.mark,
    }


def _conjugation_entry(size: "CoatedSize", found: "Conjugation", gain: "Avidity | None") -> dict[str, Any]:
    return {
        "ligand": found.ligand,
        "orientation": found.orientation,
        "mean": found.mean,
        "shares": found.shares,
        "without_any": found.none,
        "active": estimate_entry(found.active),
        "active_sites": estimate_entry(found.active_sites),
        "without_active": estimate_entry(found.silent),
        "two_or_more_active": estimate_entry(found.multivalent),
        "coverage": size.coverage,
        "growth_nm": size.diameter.value - size.bare.value,
        "source": size.ligand.source if size.ligand else "",
        "mark": size.ligand.mark if size.ligand else "",
        "avidity": None
        if gain is None
        else {
            "gain": gain.gain,
            "apparent_kd_nmol_l": estimate_entry(gain.apparent_kd_nmol_l),
            "receptors_in_reach": gain.receptors_in_reach,
            "two_in_reach": gain.two_in_reach,
        },
    }


def _print(found: _Found) -> None:
    structure, size, stable = found.structure, found.size, found.stable
    rows: list[tuple[object, ...]] = [("dot", f"{structure.label}, {size.inorganic_nm:.3g} nm")]
    for layer in size.layers:
        rows.append((layer.name, f"{band_text(layer.thickness)} a side ({layer.mark}; {layer.note})"))
    rows.append(("hydrodynamic", f"{band_text(size.diameter)}; dots spread by {size.spread_nm:.2g} nm"))
    rows.append(("below 5.5 nm", f"{size.below_renal_threshold:.2%} of dots: small enough for the kidney"))
    rows.append(("Debye length", f"{stable.debye_nm:.3g} nm"))
    rows.append(("zeta", f"{stable.zeta.value:.3g} +- {stable.zeta.sd:.2g} mV, {stable.charge_e.value:+.0f} charges"))
    rows.append(("barrier", band_text(stable.barrier)))
    rows.append(("attraction", band_text(stable.well)))
    rows.append(("stability", f"{stable.verdict}: {stable.reason}"))
    print_table(rows)
    if found.conjugation is not None:
        _print_conjugation(size, *found.conjugation)
        _print_choices(size, found.choices)
    if found.hydrodynamic is not None:
        _print_fits(size, found.fits, found.hydrodynamic)
    print("limits of the stability:")
    for limit in stable.limits:
        print(f"  {limit}")


def _print_conjugation(size: "CoatedSize", found: "Conjugation", gain: "Avidity | None") -> None:
    print()
    share = size.ligand.active(found.orientation) if size.ligand else found.active
    rows = [
        ("ligand", f"{found.ligand}, {found.mean:g} a dot on average, {found.orientation}"),
        ("dots without any", f"{found.none:.1%} (Poisson)"),
        ("can bind", f"{share.value:.0%} of ligands ({share.low:.0%} to {share.high:.0%}, {size.ligand.mark})"),  # type: ignore[union-attr]
        ("active sites a dot", band_text(found.active_sites)),
        ("dots that cannot bind", f"{found.silent.value:.1%} ({found.silent.low:.1%} to {found.silent.high:.1%})"),
        (
            "with two or more",
            f"{found.multivalent.value:.1%} ({found.multivalent.low:.1%} to {found.multivalent.high:.1%})",
        ),
        (
            "targeting adds",
            f"{size.diameter.value - size.bare.value:.3g} nm to the diameter; covers {size.coverage:.1%}",
        ),
    ]
    if gain is not None:
        rows.append(("gain by a second bond", f"{gain.gain:.3g} times; Kd {band_text(gain.apparent_kd_nmol_l)}"))
        rows.append(("patches with two receptors", f"{gain.two_in_reach:.2%}, where receptors do not move"))
    print_table(rows)


def _print_choices(size: "CoatedSize", choices: "tuple[Targeting, ...]") -> None:
    print()
    print(
        f"what targeting changes, with {size.ligands_per_particle:g} ligands a dot ({size.bare.value:.3g} nm without):"
    )
    rows: list[tuple[object, ...]] = [
        ("ligand", "held", "diameter", "adds nm", "below 5.5 nm", "cannot bind", "without its target")
    ]
    rows += [
        (
            one.ligand,
            one.orientation,
            band_text(one.diameter),
            f"{one.growth_nm:.2f}",
            f"{one.below_renal_threshold:.1%}",
            f"{one.silent.value:.0%} ({one.silent.low:.0%} to {one.silent.high:.0%})",
            one.uptake,
        )
        for one in choices
    ]
    print_table(rows)


def _targeting_entry(one: "Targeting") -> dict[str, Any]:
    return {
        "ligand": one.ligand,
        "orientation": one.orientation,
        "hydrodynamic_nm": estimate_entry(one.diameter),
        "growth_nm": one.growth_nm,
        "below_renal_threshold": one.below_renal_threshold,
        "active_sites": estimate_entry(one.active_sites),
        "without_active": estimate_entry(one.silent),
        "uptake": one.uptake,
    }


def _print_fits(size: "CoatedSize", fits: "tuple[CoatFit, ...]", measured: tuple[float, float]) -> None:
    print()
    a_side = (measured[0] - size.inorganic_nm) / 2
    print(f"{measured[0]:g} nm with {size.inorganic_nm:.3g} nm of crystal means {a_side:.2f} nm a side:")
    rows: list[tuple[object, ...]] = [("coat", "a side", "hydrodynamic", "deviation", "verdict", "mark")]
    rows += [
        (
            fit.coat,
            band_text(fit.thickness),
            f"{fit.diameter_nm:.3g} nm",
            f"{fit.deviation:+.1f}",
            fit.verdict,
            fit.mark,
        )
        for fit in fits
    ]
    print_table(rows)
    print(
        "note: light scattering weighs large dots; a shell that the core's diameter does not hold takes from the coat"
    )
    if size.ligand is not None:
        grown = size.diameter.value - size.bare.value
        print(f"note: ligands are in the measured diameter too; here they add about {grown:.2g} nm")


def _list(options: argparse.Namespace) -> int:
    from lampyris.probe.coat import coat_layers, coat_names, ligand_named, ligand_names

    coats = [(name, coat_layers(name, radius_nm=3.4)[0]) for name in coat_names()]
    ligands = [ligand_named(name) for name in ligand_names()]
    if options.json:
        print_json(
            {
                "coats": [
                    {
                        "name": name,
                        "thickness_nm": estimate_entry(layer.thickness),
                        "zeta_mv": layer.zeta.value,
                        "source": layer.source,
                        "mark": layer.mark,
                    }
                    for name, layer in coats
                ],
                "ligands": [
                    {
                        "name": one.name,
                        "radius_nm": one.radius_nm,
                        "sites": one.sites,
                        "source": one.source,
                        "mark": one.mark,
                    }
                    for one in ligands
                ],
            }
        )
        return 0
    print_table(
        [("coat", "a side, on 6.8 nm", "zeta mV", "mark")]
        + [(name, band_text(layer.thickness), f"{layer.zeta.value:g}", layer.mark) for name, layer in coats]
    )
    print()
    print_table(
        [("ligand", "radius nm", "sites", "active, random", "active, oriented", "mark")]
        + [
            (one.name, f"{one.radius_nm:.2f}", one.sites, one.active_random.value, one.active_oriented.value, one.mark)
            for one in ligands
        ]
    )
    return 0
