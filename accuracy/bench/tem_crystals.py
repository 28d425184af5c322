"""What facets hide in micrographs: drawn crystals anyhow turned and lying on a face, in pictures of hardly any noise and of usual ones.

``calm``: by how much crystals seem too small, over the size of their outlines' corners; the package adds the median of these to the sizes
of faceted particles (`lampyris.bench.micrographs.corners.TAPER_OF_CORNERS`). ``usual``: the mean diameter of single pictures of each, and
what is flagged where the interval does not hold it.
"""

import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored, share
from accuracy.figures import Figure, figure
from lampyris.bench.micrographs.corners import TAPER_OF_CORNERS, corner_size
from lampyris.bench.micrographs.measure import measure_particles
from lampyris.core.bench import BenchSource
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.tem import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.crystals import CRYSTALS
from lampyris.virtual.instruments.micrographs import MicrographTruth, virtual_picture, write_virtual_micrograph

TABLE = "bench-tem-crystals"
ANYHOW = -1
LYING = (
    ("cube", 0), ("octahedron", 0), ("hexagonal prism", 6), ("hexagonal prism", 0), ("icosahedron", 0),
    ("cuboctahedron", 0), ("cuboctahedron", 8), ("rhombic dodecahedron", 0),
)  # fmt: skip
"""Crystals that lie on a face: a square and a triangle of a cuboctahedron, the base and a side of a prism."""
PICTURES, QUICK_PICTURES = 10, 1


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of each crystal, and the median of all."""
    cases = [(name, ANYHOW) for name in CRYSTALS] + list(LYING)
    found: list[Figure] = []
    over = []
    for name, face in cases:
        label = f"{name.replace(' ', '_')}_{'anyhow' if face == ANYHOW else f'on_face_{face}'}"
        short, corner = hidden(name, face)
        over.append(short / corner)
        found.append(figure(TABLE, "calm", f"hidden_{label}", short, None, 1))
        found.append(figure(TABLE, "calm", f"hidden_over_corners_{label}", short / corner, None, 1))
        found += _usual(name, face, label, QUICK_PICTURES if quick else PICTURES)
    median = float(np.median(over))
    # a fourth: half a per cent of a diameter at corners of 0.03 of the radius
    found.append(
        figure(
            TABLE, "calm", "median_off_what_is_taken", abs(median / TAPER_OF_CORNERS - 1), None, len(over), at_most=0.25
        )
    )
    return found


def hidden(name: str, face: int, /) -> tuple[float, float]:
    """By how much particles seem too small, as a share of their size, and the size of their corners as a share of the radius."""
    truth = MicrographTruth(
        shape="faceted", crystal=name, face=face, sd_nm=0.3, count=45, electrons=4000.0, blur_px=0.7
    )  # fmt: skip
    pixels, particles = virtual_picture(
        truth, rng=np.random.default_rng(seed_sequence("accuracy", TABLE, "calm", name, str(face)))
    )
    found = measure_particles(pixels, brighter=False)
    used = found.used()
    seen = 0.5 * found.diameter_px[used] / (1.0 + found.taper.usual)
    off = []
    for (x, y), radius in zip(found.parameters[used][:, :2], seen, strict=True):
        nearest = int(np.argmin(np.hypot(particles.x_px - x, particles.y_px - y)))
        off.append(2.0 * radius * truth.pixel_nm / particles.diameter_nm[nearest] - 1.0)
    return -float(np.median(off)), corner_size(found.round.ripples.of(found.lone))


def _usual(name: str, face: int, label: str, count: int) -> list[Figure]:
    truth = MicrographTruth(shape="faceted", crystal=name, face=face)
    pairs, unflagged = [], 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "0.tif"
        for number in range(count):
            rng = np.random.default_rng(seed_sequence("accuracy", TABLE, "usual", name, f"{face} {number}"))
            write_virtual_micrograph(path, truth, rng=rng)
            pooled = measure("tem", [BenchSource(path, path.name)], settings=Settings()).pooled
            one = pooled.values["diameter_nm"]
            pairs.append((one, truth.mean_nm))
            flagged = {"faceted", "facets-not-excluded", "kind-not-told"} & set(pooled.flags)
            unflagged += not (one.low <= truth.mean_nm <= one.high or flagged)
    missed = share(TABLE, "usual", f"missed_unflagged_{label}", unflagged, count)
    return [*scored(TABLE, "usual", f"diameter_{label}", pairs, judged=False), missed]
