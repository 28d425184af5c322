"""Begins a study: a draft from a folder or a template, allocation, blinding."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lampyris.core.finding import Finding
from lampyris.study.draft.allocating import AllocatedStudy, allocate_study, parse_groups
from lampyris.study.draft.blinding import blind_study, is_half_blinded, key_folder, refuse_key
from lampyris.study.draft.files import draft_from_folder, refuse_existing
from lampyris.study.draft.notes import Drafted
from lampyris.study.draft.scan import Progress
from lampyris.study.draft.template import write_template
from lampyris.study.rules.sheets import SETTINGS

DEFAULT_SEED = 1


@dataclass(frozen=True, slots=True)
class Begun:
    """What `lampyris init` leaves.

    Parameters
    ----------
    study : Path
        Where.
    images : int
        Image files that have rows.
    to_fill, to_confirm : tuple of Drafted
        What only a person knows, and what was guessed.
    findings : tuple of Finding
        Files that were left aside.
    key : Path or None
        Folder of the key of a blinded study.
    told : tuple of str
        What else was done, in sentences.
    """

    study: Path
    images: int
    to_fill: tuple[Drafted, ...] = ()
    to_confirm: tuple[Drafted, ...] = ()
    findings: tuple[Finding, ...] = ()
    key: Path | None = None
    told: tuple[str, ...] = ()


def begin_study(
    study: Path | str,
    /,
    *,
    folder: Path | str | None = None,
    allocate: str | None = None,
    blind: bool = False,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Begun:
    """Draft a study, allocate its animals, blind it: what is asked for, in this order.

    Parameters
    ----------
    study : path
        Folder of the study.
    folder : path, optional
        Images to draft from; without it, and without a study, a template is written.
    allocate : str, optional
        Groups with their sizes (``A:8,B:8``), or names alone for equal sizes.
    blind : bool
        Code the groups and keep the key beside the study.
    seed : int, optional
        What the allocation is drawn from; 1 by default, or, where the study is blinded, a number that only the key holds.
    progress : callable, optional
        Called with the number of images read, the total and a name.

    Returns
    -------
    Begun

    Raises
    ------
    UsageError
        If a study is there already and neither allocation nor blinding is asked for, or the wish cannot be met.
    InputError
        If a folder or a sheet is invalid.
    """
    study = Path(study)
    if blind and is_half_blinded(study):
        # all that comes before was done
        blind_study(study)
        return Begun(study, 0, key=key_folder(study), told=(_keep_key(study),))
    groups = parse_groups(allocate) if allocate is not None else None
    if blind:
        refuse_key(study)
    there = (study / SETTINGS).exists()
    begun = Begun(study, 0)
    if folder is not None:
        draft = draft_from_folder(study, Path(folder), progress=progress, coded=blind)
        images = len({row.image for row in draft.samples})
        begun = Begun(study, images, draft.to_fill, draft.to_confirm, draft.findings)
    elif not there or (groups is None and not blind):
        refuse_existing(study, but_animals=groups is not None)
        begun = Begun(study, 0, told=write_template(study, groups=groups or {}))
    allocated: AllocatedStudy | None = None
    told = list(begun.told)
    if groups is not None:
        drawn = seed if seed is not None else secrets.randbits(62) if blind else DEFAULT_SEED
        allocated = allocate_study(study, groups, seed=drawn)
        told += [] if blind else allocated.sentences
    key = None
    if blind:
        blind_study(study, allocation=allocated, copies=folder is not None and not _is_inside(Path(folder), study))
        key = key_folder(study)
        told.append(_keep_key(study))
    return Begun(study, begun.images, begun.to_fill, begun.to_confirm, begun.findings, key, tuple(_once(told)))


def _keep_key(study: Path) -> str:
    name = key_folder(study).name
    return f"The groups are coded. Give {name} to somebody who does not analyse; `lampyris unblind` needs it."


def _once(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(lines))


def _is_inside(folder: Path, study: Path) -> bool:
    return folder.resolve().is_relative_to(study.resolve())
