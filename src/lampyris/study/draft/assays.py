"""Drafts assays.csv where a folder holds trays of organs or tissue sections beside the living animals' images.

Both are told by words of their paths alone: an image of organs looks like one of animals, and one that is taken for the other is
measured wrongly. Who lies on a tray, and what it weighs, no file says: organs.csv stays to be written.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import AssayRow
from lampyris.study.draft.companions import photo_of
from lampyris.study.draft.names import plain_text
from lampyris.study.draft.scan import FoundImage
from lampyris.study.draft.shots import clean_name, sort_by_role
from lampyris.study.rules.assays import EXVIVO, HISTOLOGY
from lampyris.study.rules.sheets import SHEET_ASSAYS, SHEET_ORGANS

_ALONE = r"(?<![a-z]){}(?![a-z])"
_TRAY = re.compile(_ALONE.format(r"(?:trays?|ex[\s_-]?vivo|organs|excised)"), re.IGNORECASE)
_SECTION = re.compile(
    _ALONE.format(r"(?:sections|histology|slides?|micrographs?|microscopy|dapi|hoechst)"), re.IGNORECASE
)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class DraftedAssays:
    """What of a folder belongs to assays.

    Parameters
    ----------
    rows : tuple of AssayRow
        Of assays.csv; empty where there is none.
    living : tuple of FoundImage
        Images of the living animals, and their darks and photographs.
    findings : tuple of Finding
        What is left to a person.
    """

    rows: tuple[AssayRow, ...]
    living: tuple[FoundImage, ...]
    findings: tuple[Finding, ...] = ()


def draft_assays(images: Sequence[FoundImage], paths: Mapping[str, str], /) -> DraftedAssays:
    """Part trays and sections from images of living animals.

    Parameters
    ----------
    images : sequence of FoundImage
        Of the folder.
    paths : mapping of str to str
        Path inside the study of each.

    Returns
    -------
    DraftedAssays
        All images are the living animals' where none would be left for them.
    """
    sections = [one for one in images if _SECTION.search(one.path)]
    trays = [one for one in images if one not in sections and _TRAY.search(one.path)]
    living = tuple(one for one in images if one not in sections and one not in trays)
    roles = sort_by_role(trays)
    told = [*_trays(roles.get("image", []), roles.get("photo", []), paths), *(_section(one, paths) for one in sections)]
    # a folder called organs that holds all there is may be anything
    if not told or not sort_by_role(living).get("image"):
        return DraftedAssays((), tuple(images))
    rows = tuple(row for part in told for row in part)
    return DraftedAssays(rows, living, tuple(_left_to_do(rows)))


def _trays(
    images: Sequence[FoundImage], photos: Sequence[FoundImage], paths: Mapping[str, str]
) -> list[tuple[AssayRow, ...]]:
    found: list[tuple[AssayRow, ...]] = []
    for one in images:
        photo = None if one.photo else photo_of(one, photos)
        found.append((_row(EXVIVO, paths[one.path], photo=paths[photo.path] if photo is not None else ""),))
    return found


def _section(one: FoundImage, paths: Mapping[str, str]) -> tuple[AssayRow, ...]:
    """Two rows where the channels' names say which is the nuclei's, else one that a person completes."""
    from lampyris.assays.exvivo.escape import TISSUE_OF_ORGAN
    from lampyris.assays.histology.section import NUCLEAR_STAINS

    stem = one.path.rsplit("/", 1)[-1].split(".", 1)[0]
    words = re.split(r"[^a-z]+", one.path.casefold())
    organ = next((word for word in words if word in TISSUE_OF_ORGAN), "")
    numbers = _NUMBER.findall(stem)
    animal = clean_name(one.says.animals[0]) if len(one.says.animals) == 1 else ""
    whose = {"animal": animal, "organ": organ, "section": numbers[-1] if numbers else ""}
    channels = one.image.channels
    stained = [name for name in channels if any(stain in name.casefold() for stain in NUCLEAR_STAINS)]
    if len(channels) != 2 or len(stained) != 1:
        return (_row(HISTOLOGY, paths[one.path], **whose),)
    return tuple(
        _row(HISTOLOGY, paths[one.path], channel=name, stain="nuclei" if name in stained else "label", **whose)
        for name in sorted(channels, key=lambda name: name not in stained)
    )


def _row(kind: str, file: str, /, **told: str) -> AssayRow:
    texts = {"animal", "organ", "section", "channel", "stain", "photo"}
    return AssayRow(
        row=0, kind=kind, file=file, exposure_s=math.nan, background="", outlines="", pixel_um=math.nan, probe="", lot="",
        replicate="", date="", instrument="", **{name: told.get(name, "") for name in texts},
    )  # fmt: skip


def _left_to_do(rows: Sequence[AssayRow]) -> list[Finding]:
    trays = sorted({row.file for row in rows if row.kind == EXVIVO})
    sections = sorted({row.file for row in rows if row.kind == HISTOLOGY})
    found = []
    if trays:
        seen = f"{_count(trays, 'image')} of organs on trays by {_its(trays)} name, such as {plain_text(trays[0])}, drafted as exvivo."
        mend = (
            f"Write {SHEET_ORGANS}, a row per organ: animal, organ, weight_g, file, place; and the dark frame of each tray in the column "
            "background. Where it is none, delete its row."
        )
        found.append(Finding("draft.trays", Severity.WARNING, Place(SHEET_ASSAYS), seen, mend))
    if sections:
        seen = f"{_count(sections, 'micrograph')} by {_its(sections)} name, such as {plain_text(sections[0])}, drafted as histology."
        mend = "Look through animal, organ, section, stain and pixel_um, which names and channels do not always tell."
        found.append(Finding("draft.sections", Severity.WARNING, Place(SHEET_ASSAYS), seen, mend))
    return found


def _count(files: Sequence[str], word: str) -> str:
    return f"{len(files)} {word}{'' if len(files) == 1 else 's'}"


def _its(files: Sequence[str]) -> str:
    return "its" if len(files) == 1 else "their"
