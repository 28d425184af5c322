"""The histology part of a virtual study: sections of each organ, their rows and landmarks, and the truth of every cell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.images import RawImage
from lampyris.core.schemas import ASSAYS, SECTION_LANDMARKS, AssayRow, SectionLandmarkRow
from lampyris.core.seeds import seed_sequence
from lampyris.io.durable import write_bytes
from lampyris.io.sheets import read_sheet, write_sheet
from lampyris.virtual.design import Design
from lampyris.virtual.organs import organ_contents
from lampyris.virtual.raw_files import tiff
from lampyris.virtual.section_truth import TrueSection
from lampyris.virtual.sections import DrawnSection, draw_section
from lampyris.virtual.tray import Excised

SHEET_ASSAYS, SHEET_LANDMARKS = "assays.csv", "section_landmarks.csv"
NUCLEI_CHANNEL, LABEL_CHANNEL = "DAPI", "dots"
# no tissue holds more labelled cells than cells
MOST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class HistologyPart:
    """What was written.

    Parameters
    ----------
    truth : tuple of TrueSection
    files : tuple of str
        Relative to the study.
    """

    truth: tuple[TrueSection, ...] = ()
    files: tuple[str, ...] = ()


def write_histology(
    directory: Path, design: Design, animals: Sequence[Excised], /, *, seed: int, date: str
) -> HistologyPart:
    """Write every animal's sections as OME-TIFF, their rows of assays.csv and their landmarks.

    Parameters
    ----------
    directory : Path
        The study.
    design : Design
    animals : sequence of Excised
    seed : int
    date : str
        ISO 8601.

    Returns
    -------
    HistologyPart
    """
    draw = design.histology
    truth: list[TrueSection] = []
    landmarks: list[SectionLandmarkRow] = []
    assays: list[AssayRow] = []
    for one in animals:
        rng = np.random.default_rng(seed_sequence("virtual", design.name, "sections", one.who.animal, seed))
        contents = organ_contents(design, one.who, one.amounts, rng)
        for organ in (name for name in draw.organs if name in contents):
            density = _per_mm2(design, *contents[organ]) if one.who.probe else 0.0
            for number in range(1, draw.sections + 1):
                made, section = _one(design, one.who.animal, organ, str(number), density, rng)
                write_bytes(directory / section.file, _image(made, date))
                truth.append(section)
                assays += _rows(section, date)
                landmarks += _landmarks(design, section, rng)
    path = directory / SHEET_ASSAYS
    before: tuple[AssayRow, ...] = read_sheet(path, ASSAYS, AssayRow)[0] if path.exists() else ()
    write_sheet(path, ASSAYS, [*before, *assays])
    files = [section.file for section in truth] + [SHEET_ASSAYS]
    if landmarks:
        write_sheet(directory / SHEET_LANDMARKS, SECTION_LANDMARKS, landmarks)
        files.append(SHEET_LANDMARKS)
    return HistologyPart(tuple(truth), tuple(sorted(files)))


def _per_mm2(design: Design, volume_mm3: float, cells: float) -> float:
    """Labelled cells that a mm2 of a section is expected to show: those of the slice, and of what reaches into it from beyond."""
    draw = design.histology
    each_mm3 = cells * draw.daughters * draw.enrichment / volume_mm3
    seen = each_mm3 * 1e-3 * (draw.thickness_um + draw.nucleus_um)
    return min(seen, MOST_SHARE * draw.nuclei_per_mm2)


def _one(
    design: Design, animal: str, organ: str, section: str, density: float, rng: np.random.Generator
) -> tuple[DrawnSection, TrueSection]:
    draw = design.histology
    own = density * math.exp(rng.normal(-0.5 * draw.section_spread**2, draw.section_spread))
    blur = draw.defocus_um if rng.random() < draw.defocused_share else draw.blur_um
    made = draw_section(draw, rng, labelled_per_mm2=own, blur_um=blur)
    turn, scale, side = float(rng.uniform(0, 2 * np.pi)), 1.0 / float(rng.uniform(0.88, 1.0)), rng.random() < 0.5
    flip = np.diag([1.0, -1.0 if side else 1.0])
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ flip
    shift = rng.uniform(10.0, 40.0, 2)
    file = f"raw/sections/{animal}_{organ.replace(' ', '-')}_{section}.ome.tiff"
    (yy, yx), (xy, xx) = matrix.tolist()
    truth = TrueSection(
        animal=animal, organ=organ, section=section, file=file, organ_per_mm2=density, section_per_mm2=own,
        tissue_mm2=made.tissue_mm2, pixel_um=made.pixel_um, blur_um=made.blur_um, labelled=made.labelled, crowded=made.crowded,
        labels=made.labels, matrix=((yy, yx), (xy, xx)), shift_mm=(float(shift[0]), float(shift[1])),
    )  # fmt: skip
    return made, truth


def _image(made: DrawnSection, date: str) -> bytes:
    nan = math.nan
    return tiff(
        RawImage(
            counts=made.counts, channels=(NUCLEI_CHANNEL, LABEL_CHANNEL), pixel_mm=1e-3 * made.pixel_um, exposure_s=(nan, nan),
            excitation_nm=(nan, nan), emission_nm=(nan, nan), acquired=f"{date}T18:00:00", synthetic=True,
        )
    )  # fmt: skip


def _rows(section: TrueSection, date: str) -> list[AssayRow]:
    nan = math.nan
    return [
        AssayRow(
            row=0, kind="histology", file=section.file, animal=section.animal, organ=section.organ, section=section.section,
            channel=channel, stain=stain, exposure_s=nan, background="", photo="", outlines="", pixel_um=section.pixel_um,
            probe="", lot="", replicate="", date=date, instrument="virtual fluorescence microscope",
        )
        for channel, stain in ((NUCLEI_CHANNEL, "nuclei"), (LABEL_CHANNEL, "label"))
    ]  # fmt: skip


def _landmarks(design: Design, section: TrueSection, rng: np.random.Generator) -> list[SectionLandmarkRow]:
    """Places that a person marked in both images, the organ's with less care than the section's."""
    draw = design.histology
    size_um = section.labels.shape[0] * section.pixel_um
    rows = []
    for number in range(1, draw.landmarks + 1):
        # spread about the field as a person would choose them
        angle = 2 * np.pi * number / draw.landmarks + float(rng.normal(0.0, 0.2))
        reach = 0.42 * size_um * float(rng.uniform(0.7, 1.0))
        y, x = 0.5 * size_um + reach * math.cos(angle), 0.5 * size_um + reach * math.sin(angle)
        there: NDArray[np.float64] = np.array(section.matrix) @ np.array([1e-3 * y, 1e-3 * x]) + section.shift_mm
        there = there + rng.normal(0.0, 1e-3 * draw.landmark_sd_um, 2)
        rows.append(
            SectionLandmarkRow(
                row=0, animal=section.animal, organ=section.organ, section=section.section, landmark=f"mark {number}",
                y_um=round(y, 2), x_um=round(x, 2), organ_file="", organ_y_mm=round(float(there[0]), 4),
                organ_x_mm=round(float(there[1]), 4),
            )
        )  # fmt: skip
    return rows
