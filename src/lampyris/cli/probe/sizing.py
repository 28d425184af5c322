"""Task `probe size`: a bare dot's diameter from its first absorption peak, or back, by published curves and by the model."""

import argparse
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import number
from lampyris.cli.entries import estimate_entry
from lampyris.cli.output import print_json, print_table

if TYPE_CHECKING:
    from lampyris.cli.arguments import AddTask


def add_tasks(task: "AddTask", /) -> None:
    """Add this module's task."""
    size = task("size", _size, "a bare dot's diameter from its first absorption peak, or the peak from the diameter")
    size.add_argument("material", metavar="MATERIAL", help="such as CdSe")
    given = size.add_mutually_exclusive_group(required=True)
    given.add_argument("--first-exciton", type=number, metavar="NM", help="first absorption peak: what diameter is it?")
    given.add_argument("--diameter", type=number, metavar="NM", help="diameter: where does it absorb first?")
    size.add_argument(
        "--medium", default="toluene", metavar="NAME", help="around the dot, for the model (default: toluene)"
    )


def _size(options: argparse.Namespace) -> int:
    from lampyris.probe.sizing import diameter_nm, first_exciton_nm, sizing_curves

    curves = sizing_curves(options.material)
    if options.diameter is None:
        asked, found = "diameter_nm", diameter_nm(options.material, options.first_exciton)
        diameter = found.value
    else:
        asked, found = "first_exciton_nm", first_exciton_nm(options.material, options.diameter)
        diameter = options.diameter
    model = _model(options.material, diameter, options.medium)
    rows = [{"source": one.source, "mark": one.mark, "low_nm": one.low_nm, "high_nm": one.high_nm} for one in curves]
    if options.json:
        print_json(
            {
                "material": options.material,
                asked: estimate_entry(found),
                "diameter_used_nm": diameter,
                "model": model,
                "curves": rows,
            }
        )
        return 0
    what = "diameter" if asked == "diameter_nm" else "first absorption peak"
    print(f"{options.material}: {what} {found.value:.4g} nm ({found.low:.4g} to {found.high:.4g}, 95 %)")
    told = model["first_exciton_nm"]
    print(
        f"the confinement model says for {diameter:.4g} nm: {told['value']:.0f} nm ({told['low']:.0f} to {told['high']:.0f})"
    )
    for finding in model["findings"]:
        print(f"  {finding}")
    print_table(
        [
            ("curve", "holds for", "read"),
            *((row["source"], f"{row['low_nm']:g} to {row['high_nm']:g} nm", row["mark"]) for row in rows),
        ]
    )
    return 0


def _model(material: str, diameter_nm: float, medium: str) -> dict[str, Any]:
    """The confinement model beside the curve, for the same diameter."""
    from lampyris.probe.confinement import first_transition
    from lampyris.probe.structure import Layer, Structure

    found = first_transition(Structure((Layer(material, diameter_nm / 2),)), medium=medium)
    return {"first_exciton_nm": estimate_entry(found.wavelength_nm), "findings": [str(one) for one in found.findings]}
