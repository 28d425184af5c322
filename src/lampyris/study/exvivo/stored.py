"""What is stored of the ex vivo part: a folder per tray with its images and numbers, and the rest in study.json."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.assays import Balance, ExVivo, OrganAgreement, OrganPair, OrganReference, OrganResult, TrayView
from lampyris.core.comparison import Comparison
from lampyris.core.design import Exclusion
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RADIANCE_UNIT
from lampyris.io import durable
from lampyris.study.graph.store import read_noun, write_noun

TRAY, TRAY_IMAGE = "tray.json", "tray.ome.zarr"
TRAY_FAILED = "exvivo.failed"
PLANES = ("photo", "probe")
# a picture for the page needs no more pixels along its longer side
LONGEST_SHOWN = 640


@dataclass(frozen=True, slots=True)
class StoredTray:
    """What tray.json holds: all of `TrayView` but its images, and what was said of doses and standards."""

    file: str
    pixel_mm: float
    synthetic: bool
    organs: tuple[OrganResult, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class StoredExVivo:
    """What study.json holds of the ex vivo part: all of `ExVivo` but its trays, which it names by their folders."""

    trays: tuple[str, ...]
    references: tuple[OrganReference, ...]
    balances: tuple[Balance, ...]
    pairs: dict[str, tuple[OrganPair, ...]]
    agreements: tuple[OrganAgreement, ...]
    findings: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...]
    exclusions: tuple[Exclusion, ...]


def write_tray(tray: TrayView, folder: Path, findings: Sequence[Finding] = (), /) -> None:
    """Write a tray: its images, then ``tray.json``.

    Parameters
    ----------
    tray : TrayView
    folder : Path
        Where; it exists.
    findings : sequence of Finding
        Of doses and standards.
    """
    from lampyris.io.images.ome.zarr import ViewMetadata, write_view

    image = np.stack([tray.photo, tray.probe])
    with durable.durable_directory(folder / TRAY_IMAGE) as beside:
        write_view(beside, image, {}, ViewMetadata(PLANES, ("1", RADIANCE_UNIT), tray.pixel_mm, name=tray.file))
    write_noun(folder / TRAY, StoredTray(tray.file, tray.pixel_mm, tray.synthetic, tray.organs, tuple(findings)))


def read_tray(folder: Path, /, *, longest: int = LONGEST_SHOWN) -> TrayView:
    """Read what `write_tray` wrote, its images as small as a picture of them needs.

    Parameters
    ----------
    folder : Path
    longest : int
        Pixels along the longer side at most; neighbouring pixels are averaged.

    Returns
    -------
    TrayView

    Raises
    ------
    LampyrisError
        If a file is missing or is not what was written.
    """
    from lampyris.io.images.ome.zarr import read_view

    stored: StoredTray = read_noun(folder / TRAY, StoredTray)
    image = read_view(folder / TRAY_IMAGE)[0]["image"]
    joined = math.ceil(max(image.shape[1:]) / longest)
    photo, probe = (_averaged(plane, joined) for plane in image)
    return TrayView(
        stored.file, joined * stored.pixel_mm, photo, probe, stored.synthetic, stored.organs,
        first_mm=0.5 * (joined - 1) * stored.pixel_mm,
    )  # fmt: skip


def _averaged(plane: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    height, width = (size // count * count for size in plane.shape)
    blocks = plane[:height, :width].reshape(height // count, count, width // count, count)
    return blocks.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)


def stored_exvivo(found: ExVivo, folders: Sequence[str], /) -> StoredExVivo:
    """The ex vivo part for study.json; trays by their folders relative to the results."""
    rest = {field.name: getattr(found, field.name) for field in fields(StoredExVivo) if field.name != "trays"}
    return StoredExVivo(trays=tuple(folders), **rest)


def load_exvivo(results: Path, stored: StoredExVivo | None, /) -> ExVivo | None:
    """The ex vivo part from study.json and the trays' folders.

    Parameters
    ----------
    results : Path
        The results' folder.
    stored : StoredExVivo or None

    Raises
    ------
    LampyrisError
        If a tray is missing or is not what was written.
    """
    if stored is None:
        return None
    rest = {field.name: getattr(stored, field.name) for field in fields(StoredExVivo) if field.name != "trays"}
    return ExVivo(trays=tuple(read_tray(results / name) for name in stored.trays), **rest)


def tray_failed(file: str, why: str, found: Sequence[Finding] = (), /) -> Finding:
    """A tray that gave no result, and how that is mended where what was found says it."""
    mend = next((one.mend for one in found if one.severity is Severity.ERROR and one.mend), "Mend it and run again.")
    return Finding(TRAY_FAILED, Severity.ERROR, Place(file), f"{why.rstrip('.')}.", mend)
