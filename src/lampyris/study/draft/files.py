"""Puts a draft on disk: raw files beside it, sheets, what was drafted and why, and study.toml last."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom
from typing import Any

import numpy as np
from pydantic import BaseModel

from lampyris.core.errors import LampyrisError, UsageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import ANIMALS, ASSAYS, SAMPLESHEET
from lampyris.core.settings import Band, Group, Instrument, ProbeSettings, StudyInfo
from lampyris.io.durable import write_bytes, write_text
from lampyris.io.images.readers import known_suffixes
from lampyris.io.paths import path_fault
from lampyris.io.sheets import write_sheet
from lampyris.io.toml import toml_text
from lampyris.study.draft.asked import reporting_template
from lampyris.study.draft.drafting import AssumedDark, Draft, draft_study
from lampyris.study.draft.names import plain_text
from lampyris.study.draft.notes import DRAFT_COLUMNS, DRAFT_SHEET
from lampyris.study.draft.scan import Progress, Scan, scan_folder
from lampyris.study.rules.sheets import SETTINGS, SHEET, SHEET_ANIMALS, SHEET_ASSAYS

RAW = "raw"
# what some file system does not take in a name
_UNSAFE = re.compile(r'[<>:"|?*\\%\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_MOST_NAME_BYTES = 180


def draft_from_folder(study: Path, folder: Path, /, *, progress: Progress | None = None, coded: bool = False) -> Draft:
    """Draft a study from a bare folder of images and write it.

    Parameters
    ----------
    study : Path
        New folder, into whose ``raw/`` the images are linked or copied; or the folder itself, or one above it: then they
        stay where they are. No raw file is moved or changed.
    folder : Path
        Of images.
    progress : callable, optional
        Called with the number read, the total and a name.
    coded : bool
        Copies get names that say nothing, in random order: the study is to be blinded.

    Returns
    -------
    Draft
        What was written.

    Raises
    ------
    UsageError
        If the study has settings or sheets already.
    InputError
        If the folder is missing or holds no image to analyse.
    """
    study, folder = Path(study), Path(folder)
    refuse_existing(study)
    inside = folder.resolve().is_relative_to(study.resolve())
    apart = () if inside else (study,)
    scan = scan_folder(folder, progress=progress, apart=apart)
    if inside:
        paths = _paths_in_place(study, folder, scan)
    else:
        paths = _coded_paths(scan) if coded else _paths_of_copies(scan)
    draft = draft_study(scan, paths, name=plain_text(study.resolve().name) or "study", shuffled=coded)
    if not inside:
        for source, target in paths.items():
            _bring(folder / source, study / target)
    write_draft(study, draft)
    return draft


def refuse_existing(study: Path, /, *, but_animals: bool = False) -> None:
    """Nothing that a person may have written is overwritten.

    Parameters
    ----------
    study : Path
        The study.
    but_animals : bool
        animals.csv may be there: its animals are to be allocated.

    Raises
    ------
    UsageError
        If there are settings or sheets, with each of them.
    """
    there = [name for name in (SETTINGS, SHEET, SHEET_ANIMALS, DRAFT_SHEET) if (study / name).exists()]
    there = [name for name in there if not (but_animals and name == SHEET_ANIMALS)]
    if there:
        mend = "Give a new folder, or move the file away."
        findings = [Finding("draft.exists", Severity.ERROR, Place(name), "is there already.", mend) for name in there]
        raise UsageError(f"{study} has been drafted already: nothing is overwritten", findings)


def write_draft(study: Path, draft: Draft, /) -> None:
    """Write a draft's files; study.toml comes last.

    Parameters
    ----------
    study : Path
        Made where it is not there.
    draft : Draft
        What to write.
    """
    for dark in draft.darks:
        write_bytes(study / dark.path, _dark_bytes(dark))
    write_sheet(study / SHEET, SAMPLESHEET, draft.samples)
    write_sheet(study / SHEET_ANIMALS, ANIMALS, draft.animals)
    # one that a person has written stands over a guess
    if draft.assays and not (study / SHEET_ASSAYS).exists():
        write_sheet(study / SHEET_ASSAYS, ASSAYS, draft.assays)
    write_sheet(study / DRAFT_SHEET, DRAFT_COLUMNS, draft.notes)
    write_text(study / SETTINGS, settings_text(draft))


def settings_text(draft: Draft, /) -> str:
    """Text of study.toml: each key with its meaning, and each drafted value with where it comes from."""
    remarks = meanings(draft.settings)
    for note in draft.notes:
        if note.field in remarks:
            remarks[note.field] = note.remark if note.to_fill else f"{remarks[note.field]} {note.remark}".strip()
    fill = [f"  {note.field}: {note.do}" for note in draft.to_fill]
    header = [
        "Drafted by `lampyris init`. Beside each value: [where it comes from, how sure it is].",
        f"{DRAFT_SHEET} lists all of it. Write yes in its column confirmed for what you agree with.",
        *(["Fill in before `lampyris run`:", *fill] if fill else ["Nothing must be filled in."]),
    ]
    return toml_text(draft.settings, remarks=remarks, header="\n".join(header)) + reporting_template(
        next(iter(draft.settings.get("probes", {})), "")
    )


def meanings(settings: Mapping[str, Any], /) -> dict[str, str]:
    """Meaning of every key of a settings document, by dotted key."""
    out: dict[str, str] = {}
    for table, model in (("study", StudyInfo), ("instrument", Instrument)):
        out |= _meanings_of(table, model)
    for number, _ in enumerate(settings["instrument"]["bands"]):
        out |= _meanings_of(f"instrument.bands[{number}]", Band)
    for table, kind in (("groups", Group), ("probes", ProbeSettings)):
        for key in settings[table]:
            out |= _meanings_of(f"{table}.{key}", kind)
    return out


def _meanings_of(table: str, model: type[BaseModel]) -> dict[str, str]:
    return {f"{table}.{key}": field.description or "" for key, field in model.model_fields.items()}


def _dark_bytes(dark: AssumedDark) -> bytes:
    from lampyris.core.images import RawImage
    from lampyris.io.images.ome.tiff import ome_tiff_bytes

    level = min(max(round(dark.counts), 0), 65535)
    nan = float("nan")
    frame = RawImage(np.full((1, *dark.shape), level, np.uint16), ("dark",), nan, (dark.exposure_s,), (nan,), (nan,))
    return ome_tiff_bytes(
        frame,
        description="Assumed dark frame: a constant, made by lampyris init because none was recorded.",
    )


# --- paths --------------------------------------------------------------------------------------------------------


def _paths_in_place(study: Path, folder: Path, scan: Scan) -> dict[str, str]:
    """Paths from the study of images that stay where they are; those that a sheet cannot hold are missing."""
    above = folder.resolve().relative_to(study.resolve()).as_posix()
    prefix = "" if above == "." else f"{above}/"
    named = {found.path: prefix + found.path for found in scan.images}
    return {path: text for path, text in named.items() if text == text.strip() and not path_fault(study, text)}


def _paths_of_copies(scan: Scan) -> dict[str, str]:
    """Paths below raw/: the folder's own where they are safe, no two alike on any file system."""
    taken: set[str] = set()
    out = {}
    # a folder that has its own raw/ need not get a second
    beneath = "" if all(found.path.casefold().startswith(f"{RAW}/") for found in scan.images) else f"{RAW}/"
    for found in scan.images:
        parts = [safe_name(part) for part in found.path.split("/")]
        wished = f"{beneath}{'/'.join(parts)}"
        path, number = wished, 1
        while path.casefold() in taken:
            number += 1
            head, _, tail = wished.rpartition("/")
            stem, dot, ending = tail.partition(".")
            path = f"{head}/{stem}-{number}{dot}{ending}"
        taken.add(path.casefold())
        out[found.path] = path
    return out


def _coded_paths(scan: Scan) -> dict[str, str]:
    """Paths below raw/ that keep nothing of a name but the format's ending; their order is drawn and kept nowhere."""
    suffixes = known_suffixes()
    order = [found.path for found in scan.images]
    SystemRandom().shuffle(order)
    out = {}
    for number, path in enumerate(order, start=1):
        ending = max((one for one in suffixes if path.casefold().endswith(one)), key=len, default="")
        out[path] = f"{RAW}/i{number:05d}{ending}"
    return out


def safe_name(name: str, /) -> str:
    """A name that every file system and every sheet takes.

    Examples
    --------
    >>> safe_name(" Maus: 3?.tif"), safe_name("con.tif"), safe_name("..")
    ('Maus- 3-.tif', '_con.tif', '_')
    """
    text = _UNSAFE.sub("-", plain_text(name))
    text = "".join(letter for letter in text if letter.isprintable()).strip(" .") or "_"
    ending = text[text.find(".") :] if "." in text else ""
    if len(text.encode()) > _MOST_NAME_BYTES:
        stem = text[: len(text) - len(ending)] if len(ending) < 20 else text
        ending = ending if len(ending) < 20 else ""
        while len((stem + ending).encode()) > _MOST_NAME_BYTES:
            stem = stem[:-1]
        text = stem.strip(" .") + ending
    return f"_{text}" if _RESERVED.fullmatch(text) or text.startswith(("=", "+", "-", "@", "'")) else text


def _bring(source: Path, target: Path) -> None:
    """Link a file or a folder of files into the study, or copy it where the file system cannot link."""
    if source.is_dir():
        for entry in sorted(source.rglob("*")):
            if entry.is_file() and not entry.is_symlink():
                _bring(entry, target / entry.relative_to(source))
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        if target.samefile(source) or target.read_bytes() == source.read_bytes():
            return
        finding = Finding("draft.exists", Severity.ERROR, Place(target.name), "is there already.", "Give a new folder.")
        raise LampyrisError(f"{target} is another file: nothing is overwritten", [finding])
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
