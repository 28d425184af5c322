"""Organs on trays: of a study to %ID/g, or single images to outlines and light."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.entries import flat_entry
from lampyris.cli.figures import save_scene
from lampyris.cli.output import exit_code, finding_entry, print_findings, print_json, print_table, print_written
from lampyris.core.errors import ImageError, InputError, UsageError
from lampyris.core.finding import Finding, Place, Severity

if TYPE_CHECKING:
    from lampyris.core.assays import Balance, ExVivo, OrganAgreement, OrganReference, OrganResult
    from lampyris.core.estimate import Estimate
    from lampyris.study.exvivo.lone import LoneTray


def measure_organs(options: argparse.Namespace, /) -> int:
    """Run the assay on a study or on images, and print."""
    images = [path for path in options.paths if not path.is_dir() and path.suffix]
    if images:
        return _lone_trays(options, images)
    if options.photo:
        raise UsageError(
            "--photo belongs to images of trays without a study; in a study assays.csv names the photograph"
        )
    if len(options.paths) != 1:
        raise UsageError(f"exvivo takes the folder of one study, got {len(options.paths)} paths")
    if options.overlays or options.write_csv or options.calls or options.control:
        raise UsageError("--overlays, --write-csv, --calls and --control belong to histology")
    from lampyris.study.exvivo.join import exvivo_study

    found = exvivo_study(options.paths[0])
    drawn = [*_draw(found, options), *_write_outlines(found, options.outlines)]
    if options.json:
        print_json(_document(found, drawn))
    else:
        _print(found)
        print_written(drawn)
    return exit_code(found.findings)


def _lone_trays(options: argparse.Namespace, images: Sequence[Path]) -> int:
    """Trays without a study: outlines and light; what only a study tells is named."""
    if gone := [path for path in options.paths if path not in images or not path.exists()]:
        findings = [
            Finding(
                "exvivo.no-file", Severity.ERROR, Place(path.name), "is no image that is there.", "Look at the path."
            )
            for path in gone
        ]
        raise InputError(f"{gone[0].name}: exvivo takes the folder of one study, or images of trays", findings)
    if options.photo and len(options.photo) != len(images):
        raise UsageError(
            f"{len(options.photo)} photographs for {len(images)} images: give --photo once for each, in their order"
        )
    if options.plot or options.trays or options.uncorrected:
        raise UsageError("--plot, --trays and --uncorrected need a study: single images give light, no %ID/g")
    from lampyris.study.exvivo.lone import lone_tray

    found, findings = [], []
    for path, photo in zip(images, options.photo or [None] * len(images), strict=True):
        try:
            found.append(lone_tray(path, photo=photo, pixel_mm=1e-3 * options.pixel_um))
        except ImageError as error:
            findings += error.findings
    failed = bool(findings)
    findings += [_by_light(tray.file) for tray in found if not tray.photographed]
    findings += _missing_sheets(images)
    drawn = _lone_outlines(found, options.outlines)
    if options.json:
        print_json(
            {
                "trays": [
                    {"file": tray.file, "pixel_mm": tray.pixel_mm, "unit": tray.unit, "synthetic": tray.synthetic,
                     "photographed": tray.photographed,
                     "outlines": [{**asdict(one), "outline_px": [list(at) for at in one.outline_px]} for one in tray.organs]}
                    for tray in found
                ],
                "findings": [finding_entry(one) for one in findings],
                "written": drawn,
            }
        )  # fmt: skip
        return ImageError.exit_code if failed else 0
    if any(tray.synthetic for tray in found):
        print("Synthetic: the images were simulated, no animal was imaged.")
    print_table(
        [
            ("tray", "outline", "area mm2", "y mm", "x mm", "light", "unit", "share %", "flags"),
            *(
                (tray.file, str(one.place), _text(one.area_mm2), _text(one.y_mm), _text(one.x_mm), _text(one.light),
                 tray.unit, _text(100 * one.share),
                 ", ".join(flag for flag, held in (("touching", one.touching), ("saturated", one.full)) if held))
                for tray in found for one in tray.organs
            ),
        ]
    )  # fmt: skip
    print_findings(findings, stream=sys.stdout)
    return ImageError.exit_code if failed else 0


def _lone_outlines(found: "Sequence[LoneTray]", folder: Path | None) -> list[Path]:
    """Outlines of trays without a study as GeoJSON, to be called ANIMAL ORGAN by a person."""
    if folder is None:
        return []
    from lampyris.io.durable import write_text
    from lampyris.io.regions.geojson_out import Outline, outlines_text
    from lampyris.io.stems import distinct_stems

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for tray, stem in zip(found, distinct_stems([Path(one.file) for one in found]), strict=True):
        outlines = [Outline(one.outline_px, str(one.place), "organ", (230, 159, 0)) for one in tray.organs]
        written.append(folder / f"{stem}.geojson")
        write_text(written[-1], outlines_text(outlines, about={"image": tray.file, "synthetic": tray.synthetic}))
    return written


def _by_light(file: str) -> Finding:
    """What outlines lack where no photograph shows the organs."""
    seen = "no photograph: the outlines are those of the light, in which a faint organ is lost beside a bright one."
    return Finding("exvivo.no-photo", Severity.NOTE, Place(file), seen, "Give the tray's photograph: --photo FILE.")


def _missing_sheets(images: Sequence[Path]) -> list[Finding]:
    """An image of a tray says what shines, not whose it is or what it weighs: what is missing, and how to write it."""
    rows = "; ".join(f"exvivo,{path.name}" for path in images)
    parts = (
        ("study.toml", "camera (gain, pixel, bands) and probe are not known without it: light is in counts, tissue's glow included.",
         f"Run `lampyris init STUDY --from FOLDER` on the folder that holds {images[0].name}, and fill in what it asks for."),
        ("assays.csv", "no row says that this is a tray.",
         f"Write kind and file, a row per image: {rows}; exposure_s, background and photo where the file does not bring them."),
        ("organs.csv", "nothing says which organ lies where, whose it is and what it weighs.",
         "Write a row per organ: animal, organ, weight_g, file, place (1, 2, ... row by row from the left)."),
        ("standards.csv", "without wells of known amounts and the dose there is no %ID, only light.",
         "Write the wells and the dose, or dose columns in animals.csv; then run `lampyris assay exvivo STUDY`."),
    )  # fmt: skip
    return [Finding("exvivo.no-study", Severity.NOTE, Place(name), seen, mend) for name, seen, mend in parts]


def _document(found: "ExVivo", drawn: Sequence[Path]) -> dict[str, Any]:
    return {
        "organs": [_organ(one) for one in found.organs],
        "references": [_reference(one) for one in found.references],
        "balances": [_balance(one) for one in found.balances],
        "pairs": {
            name: [
                {
                    "animal": one.animal,
                    "organ": one.organ,
                    "group": one.group,
                    **flat_entry("a", one.a),
                    **flat_entry("b", one.b),
                }
                for one in pairs
            ]
            for name, pairs in found.pairs.items()
        },
        "agreement": [_agreement(one) for one in found.agreements],
        "findings": [finding_entry(one) for one in found.findings],
        "written": drawn,
    }


def _organ(one: "OrganResult") -> dict[str, Any]:
    return {
        "animal": one.animal,
        "organ": one.organ,
        "group": one.group,
        "probe": one.probe,
        "file": one.file,
        "place": one.place,
        "tissue": one.tissue,
        "area_mm2": one.area_mm2,
        "y_mm": one.y_mm,
        "x_mm": one.x_mm,
        **flat_entry("weight_g", one.weight_g),
        "thickness_mm": one.thickness_mm,
        **flat_entry("flux", one.flux),
        "tray_flux": one.tray_flux,
        **flat_entry("escape", one.escape),
        **flat_entry("amount", one.amount),
        "unit": one.unit,
        **flat_entry("percent_injected_dose", one.percent_dose),
        **flat_entry("percent_injected_dose_per_gram", one.percent_dose_per_gram),
        **flat_entry("surface_percent_injected_dose_per_gram", one.surface_percent_dose_per_gram),
        "flags": list(one.flags),
    }


def _reference(one: "OrganReference") -> dict[str, Any]:
    return {
        "animal": one.animal,
        "organ": one.organ,
        **flat_entry("amount_ng", one.amount_ng),
        "limit_ng": one.limit_ng,
        **flat_entry("percent_injected_dose", one.percent_dose),
        **flat_entry("percent_injected_dose_per_gram", one.percent_dose_per_gram),
        "replicates": one.replicates,
        "flags": list(one.flags),
    }


def _balance(one: "Balance") -> dict[str, Any]:
    return {
        "animal": one.animal,
        "group": one.group,
        "source": one.source,
        **flat_entry("percent_injected_dose", one.percent_dose),
        "organs": list(one.organs),
        "missing": list(one.missing),
    }


def _agreement(one: "OrganAgreement") -> dict[str, Any]:
    return {
        "a": one.a,
        "b": one.b,
        "organ": one.organ or "all",
        "animals": one.animals,
        "pairs": one.pairs,
        "pairs_censored": one.pairs_censored,
        **flat_entry("ratio", one.ratio),
        "limits": [one.lower.value, one.upper.value],
        **flat_entry("lower_limit", one.lower),
        **flat_entry("upper_limit", one.upper),
        **flat_entry("ccc", one.concordance),
        **flat_entry("slope", one.slope),
        **flat_entry("intercept", one.intercept),
        "notes": list(one.notes),
    }


def _print(found: "ExVivo") -> None:
    if any(tray.synthetic for tray in found.trays):
        print("Synthetic: the images were simulated, no animal was imaged.")
    print_table([("animal", "organ", "weight g", "flux ph/s", "%ID/g", "low", "high", "flags"), *_rows(found)])
    if found.balances:
        print("sum over the organs, %ID:")
        print_table(
            (
                f"  {one.animal}",
                one.source,
                *_three(one.percent_dose),
                f"missing: {', '.join(one.missing)}" if one.missing else "",
            )
            for one in found.balances
        )
    if found.agreements:
        print("agreement (ratio: geometric mean, animals the unit; limits: of 95 % of single organs):")
        rows = [("  of", "with", "organ", "animals", "ratio", "low", "high", "limits", "slope")]
        rows += [
            (
                f"  {one.a}", one.b, one.organ or "all", str(one.animals), *_three(one.ratio),
                f"{_text(one.lower.value)} to {_text(one.upper.value)}", _interval(one.slope),
            )
            for one in found.agreements
        ]  # fmt: skip
        print_table(rows)
    print_findings(found.findings, stream=sys.stdout)


def _rows(found: "ExVivo") -> Iterator[tuple[str, ...]]:
    for one in found.organs:
        share = one.percent_dose_per_gram
        yield (
            one.animal, one.organ, _text(one.weight_g.value), _bounded(one.flux), *_three(share), ", ".join(one.flags)
        )  # fmt: skip


def _three(estimate: "Estimate") -> tuple[str, str, str]:
    return _bounded(estimate), _text(estimate.low), _text(estimate.high)


def _bounded(estimate: "Estimate") -> str:
    """A value; where the upper end is open, as of saturated light, what it is more than."""
    if estimate.high == float("inf") and estimate.low > 0:
        return f">{estimate.low:.3g}"
    return _text(estimate.value)


def _interval(estimate: "Estimate") -> str:
    return f"{_text(estimate.value)} ({_text(estimate.low)} to {_text(estimate.high)})"


def _text(value: float) -> str:
    return "-" if value != value else f"{value:.3g}"


def _draw(found: "ExVivo", options: argparse.Namespace) -> list[Path]:
    if options.plot is None and options.trays is None:
        return []
    from lampyris.report.plots.exvivo import organs_figure, tray_figure
    from lampyris.report.plots.frame import group_colours

    written = []
    synthetic = any(tray.synthetic for tray in found.trays)
    if options.plot is not None:
        control = next((one.group for one in found.organs if not one.probe), "")
        colours = group_colours(list(dict.fromkeys(one.group for one in found.organs)), control=control)
        scene = organs_figure(found.organs, colours, uncorrected=options.uncorrected, synthetic=synthetic)
        written.append(save_scene(scene, options.plot))
    if options.trays is not None:
        stems = _stems(found)
        for tray in found.trays:
            written.append(save_scene(tray_figure(tray), options.trays / f"{stems[tray.file]}.png"))
    return written


def _stems(found: "ExVivo") -> dict[str, str]:
    """Names of what is written of each tray, by its image."""
    from lampyris.io.stems import distinct_stems

    files = [tray.file for tray in found.trays]
    return dict(zip(files, distinct_stems([Path(file) for file in files]), strict=True))


def _write_outlines(found: "ExVivo", folder: Path | None) -> list[Path]:
    """Each tray's outlines, called ANIMAL ORGAN, as the column outlines of assays.csv takes them back."""
    if folder is None:
        return []
    from lampyris.io.durable import write_text
    from lampyris.io.regions.geojson_out import Outline, outlines_text

    folder.mkdir(parents=True, exist_ok=True)
    written, stems = [], _stems(found)
    for tray in found.trays:
        outlines = [
            Outline(
                tuple((y / tray.pixel_mm, x / tray.pixel_mm) for y, x in one.outline_mm),
                f"{one.animal} {one.organ}",
                one.organ,
                (230, 159, 0),
                {"place": one.place},
            )
            for one in tray.organs
        ]
        path = folder / f"{stems[tray.file]}.geojson"
        write_text(path, outlines_text(outlines, about={"image": tray.file, "synthetic": tray.synthetic}))
        written.append(path)
    return written
