"""One micrograph to its nuclei and the label of each; and cells called once controls have told from which score.

In the order of use: `analyse_section`, `rescored`, `call_section`.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lampyris.assays.histology.cells import RING_UM, CellScores, ScoreScale, Threshold, score_cells
from lampyris.assays.histology.nuclei import NUCLEUS_UM, Floats, Nuclei, find_nuclei, roundness
from lampyris.assays.histology.tissue import Tissue, blur_of, find_tissue, saturated_share
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.histology import SectionFlag, SectionRegistration, SectionResult

# edges wider than this share of a nucleus: counts and labels of such a field are too low
BLUR_SHARE = 0.28
SATURATED_SHARE = 0.001
FEW_NUCLEI = 20
# channels look exchanged where the label's holds so many times the round bodies of the nuclei's
SWAPPED_TIMES, SWAPPED_LEAST = 3.0, 15
ROUND = 0.9
# pixels beyond this are refused: no microscope's pixel is so coarse that nuclei still show
PIXELS_PER_NUCLEUS = 4.0
NUCLEAR_STAINS = ("dapi", "hoechst", "draq", "propidium", "sytox", "h33342", "nuclei", "nuclear", "to-pro", "7-aad")


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredSection:
    """A section before cells are called.

    Parameters
    ----------
    pixel_um : float
    nuclei : Nuclei
    tissue : Tissue
    cells : CellScores
    counted : ndarray of bool, dims (nucleus,)
        Nuclei that do not touch the right or lower edge: each place of the tissue then counts once (Gundersen 1977,
        J Microsc 111:219, doi:10.1111/j.1365-2818.1977.tb00062.x).
    blur_um, saturated_share : float
    flags : tuple of str
    """

    pixel_um: float
    nuclei: Nuclei
    tissue: Tissue
    cells: CellScores
    counted: NDArray[np.bool_]
    blur_um: float
    saturated_share: float
    flags: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """It may count for a density."""
        return not {SectionFlag.OUT_OF_FOCUS, SectionFlag.EMPTY, SectionFlag.NO_NUCLEI, SectionFlag.FEW_NUCLEI} & set(
            self.flags
        )


def analyse_section(
    counts: NDArray[np.generic],
    /,
    *,
    pixel_um: float,
    nucleus_um: float = NUCLEUS_UM,
    ring_um: float = RING_UM,
    names: tuple[str, str] = ("", ""),
    file: str = "",
) -> MeasuredSection:
    """Find the tissue, the nuclei and the label of each cell.

    Parameters
    ----------
    counts : ndarray, dims (channel, y, x)
        Nuclei, then label; unsigned integer or float.
    pixel_um : float
    nucleus_um : float
        Usual diameter of the tissue's nuclei.
    ring_um : float
        Cytoplasm about a nucleus that counts as its cell's.
    names : (str, str)
        Of the channels, as the file says them.
    file : str
        For messages.

    Returns
    -------
    MeasuredSection
        A section that is empty, out of focus or saturated carries its flags.

    Raises
    ------
    ImageError
        If channels look exchanged, or pixels are unknown or too coarse for nuclei.
    """
    _check(counts, pixel_um, nucleus_um, names, file)
    nuclear, label = (np.asarray(one, np.float64) for one in counts)
    if _flat(nuclear) and _flat(label):
        return _nothing(counts.shape[1:], pixel_um, (SectionFlag.EMPTY, SectionFlag.NO_NUCLEI))
    nuclei = find_nuclei(nuclear, pixel_um=pixel_um, nucleus_um=nucleus_um)
    _check_swapped(nuclei, label, pixel_um, nucleus_um, file)
    tissue = find_tissue(np.stack([nuclear, label]), nuclei, pixel_um=pixel_um)
    blur = blur_of(nuclear, nuclei, pixel_um=pixel_um)
    full = max(saturated_share(one, tissue.mask) for one in counts)
    cells = score_cells(label, nuclear, nuclei, tissue.mask, pixel_um=pixel_um, ring_um=ring_um)
    flags = [
        (blur > BLUR_SHARE * nucleus_um, SectionFlag.OUT_OF_FOCUS),
        (full > SATURATED_SHARE, SectionFlag.SATURATED),
        (nuclei.count == 0, SectionFlag.NO_NUCLEI),
        (0 < nuclei.count < FEW_NUCLEI, SectionFlag.FEW_NUCLEI),
        (nuclei.count > 0 and not tissue.by_glow, SectionFlag.TISSUE_BY_NUCLEI),
    ]
    return MeasuredSection(
        pixel_um,
        nuclei,
        tissue,
        cells,
        _counted(nuclei),
        blur,
        full,
        tuple(str(flag) for holds, flag in flags if holds),
    )


def rescored(
    measured: MeasuredSection,
    counts: NDArray[np.generic],
    ceiling: ScoreScale | None,
    /,
    *,
    ring_um: float = RING_UM,
) -> MeasuredSection:
    """A section whose scores are counted in no more than those of controls.

    Parameters
    ----------
    measured : MeasuredSection
        From `analyse_section`.
    counts : ndarray, dims (channel, y, x)
        Nuclei, then label, as there.
    ceiling : ScoreScale or None
        Of controls (`lampyris.assays.histology.cells.widest_scale`).
    ring_um : float

    Returns
    -------
    MeasuredSection
        The same where its own scale lies within theirs.
    """
    if ceiling is None or measured.nuclei.count == 0 or not measured.cells.scale.exceeds(ceiling):
        return measured
    nuclear, label = (np.asarray(one, np.float64) for one in counts)
    cells = score_cells(
        label,
        nuclear,
        measured.nuclei,
        measured.tissue.mask,
        pixel_um=measured.pixel_um,
        ring_um=ring_um,
        ceiling=ceiling,
    )
    return replace(measured, cells=cells)


def call_section(
    measured: MeasuredSection,
    threshold: Threshold,
    /,
    *,
    whose: tuple[str, str, str],
    group: str,
    file: str,
    control: bool,
    registration: SectionRegistration | None = None,
) -> SectionResult:
    """Count the cells whose score reaches the controls' threshold.

    Parameters
    ----------
    measured : MeasuredSection
    threshold : Threshold
    whose : (animal, organ, section)
    group, file : str
    control : bool
        Of an animal without label.
    registration : SectionRegistration, optional

    Returns
    -------
    SectionResult
    """
    called = called_cells(measured, threshold)
    count = int(measured.counted.sum())
    flags = list(measured.flags)
    if threshold.cells == 0:
        flags.append(str(SectionFlag.NO_CONTROLS))
    return SectionResult(
        animal=whose[0],
        organ=whose[1],
        group=group,
        section=whose[2],
        file=file,
        control=control,
        pixel_um=measured.pixel_um,
        tissue_mm2=measured.tissue.area_mm2,
        nuclei=count,
        labelled=int((called & measured.counted).sum()),
        false_expected=threshold.false_positives * count,
        threshold=threshold.score,
        blur_um=measured.blur_um,
        saturated_share=measured.saturated_share,
        registration=registration,
        used=measured.usable,
        flags=tuple(flags),
    )


def called_cells(measured: MeasuredSection, threshold: Threshold, /) -> NDArray[np.bool_]:
    """Which cells are labelled, dims (nucleus,); none where there are too few to compare."""
    if SectionFlag.FEW_NUCLEI in measured.flags or measured.nuclei.count == 0:
        return np.zeros(measured.nuclei.count, bool)
    return np.asarray(measured.cells.score >= threshold.score)


def _refusal(file: str, rule: str, seen: str, mend: str) -> ImageError:
    return ImageError(
        f"{file or 'the section'} cannot be counted.", [Finding(rule, Severity.ERROR, Place(file), seen, mend)]
    )


def _check(counts: NDArray[np.generic], pixel_um: float, nucleus_um: float, names: tuple[str, str], file: str) -> None:
    if counts.ndim != 3 or counts.shape[0] != 2:
        seen = f"needs two channels of one field, got an array of shape {counts.shape}."
        raise _refusal(file, "histology.channels", seen, "Name the channels of the nuclei and of the label.")
    if counts.dtype.kind not in "uif":
        seen = f"holds {counts.dtype}, not counts."
        raise _refusal(file, "histology.type", seen, "Export grey counts of 8 or 16 bits, no colour picture or mask.")
    if not (math.isfinite(pixel_um) and pixel_um > 0):
        seen = "says nothing of its pixel size."
        mend = "Write pixel_um in assays.csv (or --pixel-um): the width of a pixel in the tissue, in um."
        raise _refusal(file, "histology.pixel-size", seen, mend)
    if nucleus_um / pixel_um < PIXELS_PER_NUCLEUS:
        seen = (
            f"has pixels of {pixel_um:g} um: a nucleus of {nucleus_um:g} um covers {nucleus_um / pixel_um:.1f} of them."
        )
        mend = "Look at pixel_um (um, not mm or nm); else take a picture at least four pixels to a nucleus."
        raise _refusal(file, "histology.pixel-size", seen, mend)
    stained = [any(stain in name.casefold() for stain in NUCLEAR_STAINS) for name in names]
    if stained[1] and not stained[0]:
        seen = (
            f"the label's channel is called {names[1]!r}, which is a stain of nuclei; that of the nuclei {names[0]!r}."
        )
        raise _refusal(file, "histology.swapped", seen, "Exchange the two channels.")


def _flat(image: Floats) -> bool:
    """Nothing but one value, or pixel noise without any structure of a few pixels."""
    if float(image.max()) <= float(image.min()):
        return True
    block = image[: image.shape[0] // 4 * 4, : image.shape[1] // 4 * 4]
    if min(block.shape) < 8:
        return True
    means = block.reshape(block.shape[0] // 4, 4, -1, 4).mean(axis=(1, 3))
    noise = float(np.median(np.abs(np.diff(image, axis=1)))) / 0.6745 / math.sqrt(2.0)
    lower, upper = np.percentile(means, [2.0, 98.0])
    return bool(noise > 0 and upper - lower < 1.7 * noise and float(means.max()) - upper < 1.7 * noise)


def _check_swapped(nuclei: Nuclei, label: Floats, pixel_um: float, nucleus_um: float, file: str) -> None:
    """Bodies round and smooth as nuclei belong into the nuclei's channel: by far more of them in the other one tell of an exchange."""
    here = _round_bodies(nuclei)
    if here >= 4 * SWAPPED_LEAST:
        return
    there = _round_bodies(find_nuclei(label, pixel_um=pixel_um, nucleus_um=nucleus_um))
    if there >= SWAPPED_LEAST and there > SWAPPED_TIMES * max(here, 1):
        seen = f"{there} round bodies like nuclei stand in the label's channel, {here} in that of the nuclei."
        raise _refusal(
            file, "histology.swapped", seen, "Exchange the two channels in assays.csv (stain) or on the command line."
        )


def _round_bodies(nuclei: Nuclei) -> int:
    return int((roundness(nuclei) > ROUND).sum()) if nuclei.count else 0


def _counted(nuclei: Nuclei) -> NDArray[np.bool_]:
    cut = np.zeros(nuclei.count + 1, bool)
    cut[nuclei.labels[-1]] = True
    cut[nuclei.labels[:, -1]] = True
    return ~cut[1:]


def _nothing(shape: tuple[int, ...], pixel_um: float, flags: tuple[SectionFlag, ...]) -> MeasuredSection:
    none = np.zeros(0)
    labels = np.zeros(shape, np.int32)
    nuclei = Nuclei(labels, none, none, none, none, np.zeros(0, bool))
    tissue = Tissue(np.zeros(shape, bool), 0.0, False)
    cells = CellScores(none, none, 0.0)
    return MeasuredSection(
        pixel_um, nuclei, tissue, cells, np.zeros(0, bool), math.nan, 0.0, tuple(str(flag) for flag in flags)
    )


def section_middle_mm(shape: tuple[int, int], pixel_um: float, /) -> tuple[float, float]:
    """Middle of a field from its first pixel's centre, y and x in mm."""
    return 0.5e-3 * (shape[0] - 1) * pixel_um, 0.5e-3 * (shape[1] - 1) * pixel_um


def outline_pixels(labels: NDArray[np.int32], /) -> NDArray[np.bool_]:
    """Pixels of nuclei that border on something else, dims (y, x)."""
    return np.asarray((labels > 0) & (ndimage.grey_erosion(labels, size=3) != labels))
