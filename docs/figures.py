"""Draw the figures of `confidence.md`, and the tables of numbers that stand beside them.

    python docs/figures.py             draw both figures; the second from stored results
    python docs/figures.py --measure   make and score the virtual studies behind the second figure first (a quarter of an
                                       hour; with --quick one study of 16 animals)

Everything here is computed on virtual animals; no animal was imaged.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from lampyris.imaging.forward import build_phantom, surface_exitance
from lampyris.metastasis.seeding import tropism
from lampyris.tissue.anatomy import Anatomy, build_anatomy
from lampyris.virtual.design import default_design

IMAGES = Path(__file__).parent / "images"
BRIGHTEST = IMAGES / "brightest-point.svg"
CALIBRATION = IMAGES / "confidence.svg"
RESULTS = IMAGES / "confidence.json"
PLACES_PER_ORGAN = 16
DEPTHS_MM = (0.0, 2.0, 4.0, 6.0, 8.0, 20.0)
# no organs
WALL = ("skin", "muscle", "skeleton", "tail")
COLOURS = {
    "lungs": "#0072b2",
    "axillary nodes": "#cc79a7",
    "liver": "#d55e00",
    "brain": "#009e73",
    "kidneys": "#e69f00",
    "spleen": "#56b4e9",
}
SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "lampyris",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A source in the nominal animal and what the skin of the back shows of it.

    Parameters
    ----------
    organ : str
        That holds it.
    depth_mm : float
        Below the back's surface.
    place_mm, brightest_mm : (y, x)
        Of the source, and of the brightest point of the skin; from the nose, and to the animal's left.
    nearest : str
        Organ nearest to the brightest point, in any direction.
    below : str
        First organ straight below it; empty where there is none.
    """

    organ: str
    depth_mm: float
    place_mm: tuple[float, float]
    brightest_mm: tuple[float, float]
    nearest: str
    below: str

    @property
    def apart_mm(self) -> float:
        """Between the source, seen from above, and the brightest point."""
        return float(np.hypot(*np.subtract(self.place_mm, self.brightest_mm)))


@lru_cache(maxsize=1)
def shown_sources() -> tuple[Shown, ...]:
    """Point sources spread over the organs that the virtual primaries seed, solved through the nominal animal."""
    instrument = default_design().instrument
    anatomy = build_anatomy(voxel_mm=0.8)
    middle = instrument.bands[len(instrument.bands) // 2].centre_nm
    phantom = build_phantom(anatomy, excitation_nm=instrument.excitation_nm, emission_nm=(middle,))
    places = [
        (target.organ, place) for target in tropism("mammary fat pad") for place in _spread(anatomy, target.organ)
    ]
    sources = np.zeros((len(places), *anatomy.labels.shape))
    for index, (_, place) in enumerate(places):
        sources[(index, *place)] = anatomy.voxel_mm**-3
    maps = surface_exitance(phantom, 0, sources, views=("dorsal",) * len(places))
    depth = anatomy.depth_mm(side="top")
    _, y, x = anatomy.coordinates()
    found = []
    for (organ, place), image in zip(places, maps, strict=True):
        row, column = np.unravel_index(int(np.argmax(image)), image.shape)
        found.append(
            Shown(
                organ=organ,
                depth_mm=float(depth[place]),
                place_mm=(float(y[place[1]]), float(x[place[2]])),
                brightest_mm=(float(y[row]), float(x[column])),
                nearest=_nearest_organ(anatomy, int(row), int(column)),
                below=_organ_below(anatomy, int(row), int(column)),
            )
        )
    return tuple(found)


def _spread(anatomy: Anatomy, organ: str) -> list[tuple[int, int, int]]:
    """Voxels of an organ, evenly through it from belly to back."""
    voxels = np.argwhere(anatomy.region(organ))
    chosen = voxels[np.linspace(0, len(voxels) - 1, PLACES_PER_ORGAN).astype(int)]
    return [(int(z), int(y), int(x)) for z, y, x in chosen]


def _nearest_organ(anatomy: Anatomy, row: int, column: int) -> str:
    """Organ of which a voxel lies nearest to the back's skin in one column."""
    top = int(np.flatnonzero(anatomy.inside[:, row, column])[-1])
    voxels = np.argwhere(np.isin(anatomy.labels, _organ_labels(anatomy)))
    nearest = voxels[np.argmin(((voxels - (top, row, column)) ** 2).sum(axis=1))]
    return anatomy.names[anatomy.labels[tuple(nearest)] - 1]


def _organ_below(anatomy: Anatomy, row: int, column: int) -> str:
    """First organ met on the way down from the back in one column; empty where there is none."""
    downwards = anatomy.labels[::-1, row, column]
    met = downwards[np.isin(downwards, _organ_labels(anatomy))]
    return anatomy.names[met[0] - 1] if met.size else ""


def _organ_labels(anatomy: Anatomy) -> list[int]:
    return [number for number, name in enumerate(anatomy.names, start=1) if name not in WALL]


def brightest_table() -> list[tuple[str, ...]]:
    """Rows of the page's first table: by depth, then all together."""
    rows = []
    for low, high in pairwise(DEPTHS_MM):
        inside = [one for one in shown_sources() if low < one.depth_mm <= high]
        name = f"{low:g} to {high:g} mm" if high < DEPTHS_MM[-1] else f"deeper than {low:g} mm"
        rows.append((name, *_written(inside)))
    return [*rows, ("all", *_written(shown_sources()))]


def _written(sources: Sequence[Shown]) -> tuple[str, ...]:
    apart = np.array([one.apart_mm for one in sources])
    nearest = np.mean([one.organ == one.nearest for one in sources])
    below = np.mean([one.organ == one.below for one in sources])
    numbers = f"{np.sqrt(np.mean(apart**2)):.1f}", f"{apart.max():.1f}"
    return f"{len(sources)}", *numbers, f"{100 * nearest:.0f} %", f"{100 * below:.0f} %"


def drawn_places() -> str:
    """Places of the first figure's marks, as they stand in its description."""
    return json.dumps(
        [[one.organ, *(round(part, 2) for part in (*one.place_mm, *one.brightest_mm))] for one in shown_sources()]
    )


def draw_brightest(path: Path = BRIGHTEST, /) -> None:
    """First figure: where sources lie and where the skin is brightest, and the distance between the two by depth."""
    anatomy = build_anatomy(voxel_mm=0.8)
    _, y, x = anatomy.coordinates()
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(7.0, 4.2), facecolor="white", layout="constrained")
        above, beside = figure.subplots(1, 2, width_ratios=(1.0, 1.6))
        # the animal's left is on the left of a picture of its back
        above.contour(-x, y, anatomy.inside.any(axis=0), levels=[0.5], colors="#888888", linewidths=0.8)
        for organ, colour in COLOURS.items():
            rows = [one for one in shown_sources() if one.organ == organ]
            for one in rows:
                line = np.array([one.place_mm, one.brightest_mm])
                above.plot(-line[:, 1], line[:, 0], color=colour, linewidth=0.7)
            places = np.array([one.place_mm for one in rows])
            above.plot(-places[:, 1], places[:, 0], "o", color=colour, markersize=2.5, label=organ)
            brightest = np.array([one.brightest_mm for one in rows])
            above.plot(-brightest[:, 1], brightest[:, 0], "x", color=colour, markersize=4)
            beside.plot(
                [one.depth_mm for one in rows],
                [one.apart_mm for one in rows],
                "o",
                color=colour,
                markersize=3.5,
                label=organ,
            )
        above.set(xlabel="across (mm)", ylabel="from the nose (mm)", aspect="equal", ylim=(95, -3), xlim=(-17, 17))
        above.set_title("source (dot), brightest skin (cross)", fontsize=8)
        beside.set(xlabel="depth below the back (mm)", ylabel="from source to brightest point (mm)", xlim=(0, None))
        beside.set_title("seen from above, nominal animal (computed)", fontsize=8)
        beside.legend(frameon=False)
        _save(figure, path, drawn_places())


def stored_results() -> dict[str, Any]:
    """What the virtual studies behind the second figure gave."""
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    return found


def confidence_table() -> list[tuple[str, ...]]:
    """Rows of the page's second table: per range of stated probabilities, what came true."""
    return [
        (
            f"{100 * one['low']:.0f} to {100 * one['high']:.0f} %",
            f"{one['n']}",
            f"{100 * one['stated']:.0f} %",
            f"{100 * one['right']:.0f} % ({100 * one['right_low']:.0f} to {100 * one['right_high']:.0f})",
        )
        for one in stored_results()["bins"]
    ]


def draw_confidence(path: Path = CALIBRATION, /) -> None:
    """Second figure: stated probability of the named organ against the share that was right."""
    found = stored_results()
    bins = found["bins"]
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(4.0, 3.8), facecolor="white", layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="#888888", linewidth=0.8, linestyle="--")
        stated, right = ([one[name] for one in bins] for name in ("stated", "right"))
        down = [one["right"] - one["right_low"] for one in bins]
        up = [one["right_high"] - one["right"] for one in bins]
        axes.errorbar(stated, right, yerr=(down, up), fmt="o", color="#0072b2", markersize=4, capsize=2, linewidth=1.0)
        for one in bins:
            axes.annotate(f"{one['n']}", (one["stated"], one["right"]), (5, -9), textcoords="offset points", fontsize=6)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
        axes.set(xlabel="stated probability of the named organ", ylabel="share that was right")
        axes.set_title(f"{found['lesions']} lesions in {found['animals']} virtual animals", fontsize=8)
        _save(figure, path, json.dumps(bins))


def measure(**size: Any) -> None:
    """Make, analyse and score the virtual studies behind the second figure, and store its numbers.

    Parameters
    ----------
    **size
        ``seeds`` and ``animals`` of `accuracy.animals.lesions.lesion_score`; its own where left out.
    """
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from accuracy.animals.lesions import lesion_score
    from lampyris.trial.score_lesions import stated_organs
    from lampyris.trial.shares import calibration_bins, confidence_gap

    # away from where the cells were put, which is known beforehand
    stated = stated_organs(lesion_score("matched", **size).followed, primaries=False)
    found = {
        "synthetic": True,
        "animals": len({who for who, _, _ in stated}),
        "lesions": len(stated),
        "gap": confidence_gap([(probability, hit) for _, probability, hit in stated]),
        "bins": [asdict(one) for one in calibration_bins(stated)],
    }
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def _save(figure: Figure, path: Path, description: str) -> None:
    none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(path, format="svg", metadata={**none, "Description": description})


def main() -> int:
    """Draw both figures."""
    draw_brightest()
    if "--measure" in sys.argv:
        measure(**({"seeds": (31,), "animals": 16} if "--quick" in sys.argv else {}))
    draw_confidence()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
