"""Task `probe routes`: the guide to ways of making dots."""

import argparse
from typing import TYPE_CHECKING

from lampyris.cli.arguments import number
from lampyris.cli.output import print_json
from lampyris.core.errors import UsageError

if TYPE_CHECKING:
    from lampyris.cli.arguments import AddTask


def add_tasks(task: "AddTask", /) -> None:
    """Add this module's task."""
    routes = task("routes", _routes, "ways of making dots: what each gives, and when to choose it")
    routes.add_argument("--material", default="", metavar="NAME", help="that the route must make")
    routes.add_argument("--diameter", type=number, metavar="NM", help="that the route must reach")


def _routes(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from lampyris.probe.growth.routes import routes

    found = routes(material=options.material, diameter_nm=options.diameter)
    if not found:
        known = sorted({name for one in routes() for name in one.materials})
        sizes = f"{min(one.least_nm for one in routes()):g} to {max(one.most_nm for one in routes()):g} nm"
        raise UsageError(f"no route of the guide makes that; it knows {', '.join(known)}, and {sizes}")
    if options.json:
        print_json({"routes": [asdict(one) for one in found]})
        return 0
    for one in found:
        print(f"{one.name}: {one.gives}")
        print(
            f"  {one.least_nm:g} to {one.most_nm:g} nm, spread about {one.spread_percent:g} %, {one.temperature_c} C, {one.scale}"
        )
        print(f"  materials: {', '.join(one.materials)}")
        print(f"  surface: {one.surface}")
        print(f"  choose it when {one.choose_when}; not when {one.avoid_when}")
        print(f"  source ({one.mark}): {one.source}")
        print(f"  sizes and spread ({one.figures_mark}): {one.figures_source}")
    return 0
