"""Drawn tissue sections: fluorescence micrographs of nuclei and of dots in cells, with the truth of every nucleus.

In the order of use: `draw_section` draws one field; `lampyris.virtual.histology` writes those of a study.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from lampyris.virtual.design import SectionDraw

OFFSET_COUNTS = 100.0
GAIN_COUNTS_PER_E = 2.0
FULL_COUNTS = 65535
# nuclei may squeeze each other to this share of the sum of their radii
SQUEEZE, SQUEEZE_CROWDED = 1.05, 0.86
CYTOPLASM_UM = 3.0
GRAIN_UM = 0.35
TISSUE_EDGE_UM = 2.0
MARGIN_UM = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class DrawnSection:
    """A field of a section with its truth.

    Parameters
    ----------
    counts : ndarray of uint16, dims (channel, y, x)
        Nuclei, then label.
    labels : ndarray of int32, dims (y, x)
        Number of the nucleus at each pixel, from 1; 0 outside.
    tissue : ndarray of bool, dims (y, x)
        Where there is tissue.
    y_um, x_um, radius_um : ndarray, dims (nucleus,)
        Middles from the first pixel's centre, and radii.
    labelled, crowded : ndarray of bool, dims (nucleus,)
        Which hold dots, and which touch another or nearly so.
    pixel_um, blur_um : float
    """

    counts: NDArray[np.uint16]
    labels: NDArray[np.int32]
    tissue: NDArray[np.bool_]
    y_um: NDArray[np.float64]
    x_um: NDArray[np.float64]
    radius_um: NDArray[np.float64]
    labelled: NDArray[np.bool_]
    crowded: NDArray[np.bool_]
    pixel_um: float
    blur_um: float

    @property
    def tissue_mm2(self) -> float:
        """Area of the tissue."""
        return float(self.tissue.sum()) * (1e-3 * self.pixel_um) ** 2


def draw_section(
    draw: SectionDraw,
    rng: np.random.Generator,
    /,
    *,
    labelled_per_mm2: float,
    blur_um: float | None = None,
) -> DrawnSection:
    """Draw a field of a section.

    Parameters
    ----------
    draw : SectionDraw
        Of the design.
    rng : numpy.random.Generator
    labelled_per_mm2 : float
        Expected labelled cells per mm2 of tissue; their number is drawn by Poisson.
    blur_um : float, optional
        Standard deviation of the image's blur; that of the design if left out.

    Returns
    -------
    DrawnSection
    """
    # a little more than the field: nuclei are cut by its edges
    margin = math.ceil(MARGIN_UM / draw.pixel_um)
    size = round(draw.field_um / draw.pixel_um) + 2 * margin
    tissue = _draw_tissue(draw, size, rng)
    area_mm2 = float(tissue.sum()) * (1e-3 * draw.pixel_um) ** 2
    y, x, radius = _draw_places(draw, tissue, area_mm2, rng)
    labels, nuclei = _draw_nuclei(draw, size, y, x, radius, rng)
    present = np.isin(np.arange(1, y.size + 1), labels)
    wanted = min(int(rng.poisson(labelled_per_mm2 * area_mm2)), int(present.sum()))
    labelled = np.zeros(y.size, bool)
    labelled[rng.choice(np.flatnonzero(present), wanted, replace=False)] = True
    grains = _draw_grains(draw, size, y, x, radius, labelled, rng)
    blur = draw.blur_um if blur_um is None else blur_um
    light = _draw_light(draw, tissue, nuclei, grains, blur, rng)
    inner = slice(margin, size - margin)
    labels, tissue, light = labels[inner, inner], tissue[inner, inner], light[:, inner, inner]
    keep = np.flatnonzero(np.isin(np.arange(1, y.size + 1), labels))
    order = np.zeros(y.size + 1, np.int32)
    order[keep + 1] = np.arange(1, keep.size + 1)
    crowded = _crowded(y, x, radius)[keep]
    return DrawnSection(
        counts=_counts(draw, light, rng),
        labels=order[labels],
        tissue=tissue,
        y_um=y[keep] - margin * draw.pixel_um,
        x_um=x[keep] - margin * draw.pixel_um,
        radius_um=radius[keep],
        labelled=labelled[keep],
        crowded=crowded,
        pixel_um=draw.pixel_um,
        blur_um=blur,
    )


def _draw_tissue(draw: SectionDraw, size: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Tissue with a wavy edge and some gaps, such as vessels."""
    along = np.arange(size) * draw.pixel_um
    whole = size * draw.pixel_um
    yy, xx = along[:, None], along[None, :]
    tissue = np.ones((size, size), bool)
    if draw.glass_share > 0:
        wave = sum(12.0 / k * np.sin(2 * np.pi * k * along / whole + rng.uniform(0, 2 * np.pi)) for k in (1, 2, 3))
        edge = MARGIN_UM + draw.glass_share * draw.field_um + np.asarray(wave)
        tissue &= yy > edge[None, :] if rng.random() < 0.5 else xx > edge[:, None]
    for _ in range(int(rng.poisson(draw.vessels_per_mm2 * (1e-3 * whole) ** 2))):
        at, radius = rng.uniform(0, whole, 2), rng.uniform(30.0, 45.0)
        tissue &= (yy - at[0]) ** 2 + (xx - at[1]) ** 2 > radius**2
    return tissue


def _draw_places(
    draw: SectionDraw, tissue: NDArray[np.bool_], area_mm2: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Middles and radii in um: some packed in clumps, the rest anywhere in the tissue, none far over another."""
    wanted = int(rng.poisson(draw.nuclei_per_mm2 * area_mm2))
    packed = round(draw.crowded_share * wanted)
    spread = math.sqrt(math.log1p(draw.size_spread**2))
    places: list[tuple[float, float, float]] = []
    whole = tissue.shape[0] * draw.pixel_um
    clump, left = (0.0, 0.0), 0
    tries = 0
    while len(places) < wanted and tries < 60 * wanted:
        tries += 1
        radius = 0.5 * draw.nucleus_um * math.exp(rng.normal(0.0, spread))
        crowded = len(places) < packed
        if crowded and left == 0:
            clump, left = (float(rng.uniform(0, whole)), float(rng.uniform(0, whole))), 14
        if crowded:
            left -= 1
            y, x = (at + float(rng.normal(0.0, 1.3 * draw.nucleus_um)) for at in clump)
        else:
            y, x = (float(one) for one in rng.uniform(0.0, whole, 2))
        row, column = round(y / draw.pixel_um), round(x / draw.pixel_um)
        inside = 0 <= row < tissue.shape[0] and 0 <= column < tissue.shape[1]
        if not inside or not tissue[row, column]:
            continue
        squeeze = SQUEEZE_CROWDED if crowded else SQUEEZE
        if all((y - b) ** 2 + (x - a) ** 2 >= (squeeze * (radius + r)) ** 2 for b, a, r in places):
            places.append((y, x, radius))
    table = np.array(places).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _crowded(y: NDArray[np.float64], x: NDArray[np.float64], radius: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Nuclei less than 1 um from another, taken as discs."""
    if y.size < 2:
        return np.zeros(y.size, bool)
    apart = np.hypot(y[:, None] - y, x[:, None] - x) - radius[:, None] - radius
    np.fill_diagonal(apart, np.inf)
    return np.asarray(apart.min(axis=1) < 1.0)


def _draw_nuclei(
    draw: SectionDraw,
    size: int,
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    radius: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Number of the nucleus at each pixel, and their electrons without blur; two that overlap share the line between them."""
    labels = np.zeros((size, size), np.int32)
    nearest = np.full((size, size), np.inf)
    light = np.zeros((size, size))
    chromatin = gaussian_filter(rng.standard_normal((size, size)), 0.8 / draw.pixel_um)
    chromatin *= 0.15 / max(float(chromatin.std()), 1e-12)
    for number in range(y.size):
        aspect, turn = math.exp(abs(float(rng.normal(0.0, 0.15)))), float(rng.uniform(0, np.pi))
        phase, bump = float(rng.uniform(0, 2 * np.pi)), float(rng.normal(0.0, 0.05))
        level = draw.nuclei_electrons * math.exp(float(rng.normal(0.0, draw.stain_spread)))
        reach = math.ceil(1.6 * radius[number] / draw.pixel_um) + 2
        row, column = round(y[number] / draw.pixel_um), round(x[number] / draw.pixel_um)
        rows, columns = (slice(max(at - reach, 0), min(at + reach + 1, size)) for at in (row, column))
        dy = np.arange(rows.start, rows.stop)[:, None] * draw.pixel_um - y[number]
        dx = np.arange(columns.start, columns.stop)[None, :] * draw.pixel_um - x[number]
        along, across = np.cos(turn) * dy + np.sin(turn) * dx, np.cos(turn) * dx - np.sin(turn) * dy
        angle = np.arctan2(across, along)
        edge = radius[number] * (1.0 + bump * np.cos(3 * angle + phase))
        distance = np.hypot(along / math.sqrt(aspect), across * math.sqrt(aspect)) / edge
        mine = (distance < 1.0) & (distance < nearest[rows, columns])
        labels[rows, columns][mine] = number + 1
        nearest[rows, columns] = np.minimum(nearest[rows, columns], distance)
        # an edge as wide as a pixel
        soft = np.clip((1.0 - distance) * radius[number] / draw.pixel_um + 0.5, 0.0, 1.0)
        # nuclei that overlap lie above each other in part
        light[rows, columns] = np.maximum(light[rows, columns], level * soft) + 0.2 * np.minimum(
            light[rows, columns], level * soft
        )
    return labels, light * (1.0 + chromatin)


def _draw_grains(
    draw: SectionDraw,
    size: int,
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    radius: NDArray[np.float64],
    labelled: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Electrons of the label channel that come in grains, without blur: dots in vesicles round nuclei, and debris anywhere."""
    light = np.zeros((size, size))

    def add(at_y: NDArray[np.float64], at_x: NDArray[np.float64], electrons: NDArray[np.float64]) -> None:
        rows, columns = (np.rint(at / draw.pixel_um).astype(int) for at in (at_y, at_x))
        inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
        np.add.at(light, (rows[inside], columns[inside]), electrons[inside])

    # electrons of a cell if it stood at the peak level over an area of 10 um2
    whole = draw.label_electrons * 10.0 / draw.pixel_um**2
    for number in np.flatnonzero(labelled):
        count = 6 + int(rng.poisson(18.0))
        bright = math.exp(float(rng.normal(0.0, draw.label_spread)))
        # vesicles sit to one side more than to the other
        angle = rng.vonmises(float(rng.uniform(-np.pi, np.pi)), 0.7, count)
        out = radius[number] * rng.uniform(0.8, 1.0, count) + np.minimum(rng.exponential(1.0, count), CYTOPLASM_UM)
        each = rng.gamma(1.5, 1.0, count)
        add(y[number] + out * np.sin(angle), x[number] + out * np.cos(angle), whole * bright * each / (1.5 * 24.0))
    side = size * draw.pixel_um
    area = (1e-3 * side) ** 2
    for rate, level in ((draw.debris_per_mm2, 0.6), (draw.lipofuscin_per_mm2, 0.05)):
        count = int(rng.poisson(rate * area))
        add(
            rng.uniform(0, side, count),
            rng.uniform(0, side, count),
            whole * level * rng.gamma(2.0, 0.5, count),
        )
    return light


def _draw_light(
    draw: SectionDraw,
    tissue: NDArray[np.bool_],
    nuclei: NDArray[np.float64],
    grains: NDArray[np.float64],
    blur_um: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Expected electrons of both channels, dims (channel, y, x): tissue glow, blur and uneven illumination included."""
    size = tissue.shape[0]
    along = np.linspace(-1.0, 1.0, size)
    middle = rng.normal(0.0, 0.25, 2)
    lamp = 1.0 - 0.5 * draw.illumination_fall * ((along[:, None] - middle[0]) ** 2 + (along[None, :] - middle[1]) ** 2)
    texture = gaussian_filter(rng.standard_normal((size, size)), 12.0 / draw.pixel_um)
    glow = np.exp(draw.glow_spread * texture / max(float(texture.std()), 1e-12))
    soft = gaussian_filter(tissue.astype(float), TISSUE_EDGE_UM / draw.pixel_um)
    stack = []
    for own, level in ((nuclei, draw.nuclei_glow_electrons), (grains, draw.label_glow_electrons)):
        flat = gaussian_filter(own + level * glow * soft, math.hypot(blur_um, GRAIN_UM) / draw.pixel_um)
        stack.append(np.maximum(lamp, 0.05) * flat)
    # light of the one dye in the other's channel
    stack[1] = stack[1] + draw.bleed_through * stack[0]
    return np.stack(stack)


def _counts(draw: SectionDraw, electrons: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint16]:
    seen = rng.poisson(np.maximum(electrons, 0.0)) + rng.normal(0.0, draw.read_noise_e, electrons.shape)
    return np.clip(np.rint(OFFSET_COUNTS + GAIN_COUNTS_PER_E * seen), 0, FULL_COUNTS).astype(np.uint16)
