"""Verbs of virtual studies: demo and simulate."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lampyris.cli.arguments import AddVerb, add_directory, whole
from lampyris.cli.output import Progress, print_json, print_table
from lampyris.core.schemas import MOST_LANES

# as many as lie in an IVIS at its widest field of view
IVIS_ANIMALS = 5


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
    demo = verb("demo", _demo, "make a virtual study, analyse it, score it against its truth and open the report")
    add_directory(demo, nargs="?", default=Path("lampyris-demo"), text="new folder (default: lampyris-demo)")
    demo.add_argument("--seed", type=whole, default=1, metavar="N", help="what chance is drawn from (default: 1)")
    demo.add_argument("--no-open", action="store_true", help="do not open the report")

    simulate = verb("simulate", _simulate, "write a virtual study: raw files in DIR, its truth beside it in DIR-truth")
    add_directory(simulate, text="new folder")
    simulate.add_argument("--seed", type=whole, default=1, metavar="N", help="what chance is drawn from (default: 1)")
    simulate.add_argument("--design", type=Path, metavar="FILE", help="TOML file that changes the design")
    simulate.add_argument(
        "--format",
        choices=("ome-tiff", "ivis", "ome-zarr"),
        default="ome-tiff",
        help="format of the images; ivis: a click folder per band (default: ome-tiff)",
    )
    simulate.add_argument(
        "--animals-per-image",
        type=int,
        choices=range(1, MOST_LANES + 1),
        metavar="N",
        help="animals side by side in each image, 1 to 10 (default: the design's; five for ivis)",
    )


def _simulate(options: argparse.Namespace) -> int:
    from lampyris.virtual.design import default_design, read_design, with_animals_per_image
    from lampyris.virtual.simulate import simulate_study

    design = default_design() if options.design is None else read_design(options.design)
    lanes = options.animals_per_image
    if lanes is None and options.format == "ivis" and design.camera.animals_per_image == 1:
        lanes = IVIS_ANIMALS
    design = design if lanes is None else with_animals_per_image(design, lanes)
    with Progress() as progress:
        made = simulate_study(
            options.directory, seed=options.seed, design=design, raw_format=options.format, progress=progress
        )
    if options.json:
        print_json({"study": made.study, "truth": made.truth})
    else:
        print_table([("study", made.study), ("truth", made.truth)])
    return 0


def _demo(options: argparse.Namespace) -> int:
    from lampyris.trial.demo import run_demo
    from lampyris.trial.words import accuracy_in_words

    with Progress() as progress:
        outcome = run_demo(options.directory, seed=options.seed, progress=progress)
    if options.json:
        print_json(
            {
                "study": outcome.study,
                "report": outcome.report,
                "accuracy": outcome.accuracy,
                "seconds": outcome.seconds,
            }
        )
    else:
        print("A synthetic study: every image, number and name in it was simulated.")
        print_table([("study", outcome.study), ("report", outcome.report)])
        print("accuracy against the drawn truth, pooled over animals, 95 % intervals (--json gives every figure):")
        print_table(_indented(dict(accuracy_in_words(outcome.accuracy))))
        print("seconds:")
        print_table(_indented(outcome.seconds))
    if not options.no_open:
        _open(outcome.report)
    return int(outcome.exit_code)


def _indented(figures: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(f"  {name}", value) for name, value in figures.items()]


def _open(report: Path) -> None:
    # only where a person sits in front of it: never from a script, a pipe or a test
    if sys.stdout.isatty() and sys.stderr.isatty():
        import webbrowser

        webbrowser.open(report.resolve().as_uri())
