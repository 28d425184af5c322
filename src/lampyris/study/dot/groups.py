"""Rows of bench.csv sorted into what is measured together: a technique's files of one probe and lot."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lampyris.core.bench import BenchSource
from lampyris.core.schemas import BenchRow
from lampyris.core.technique_names import TECHNIQUES


@dataclass(frozen=True, slots=True)
class FileGroup:
    """What is measured together.

    Parameters
    ----------
    technique, probe, lot : str
    rows : tuple of BenchRow
        In the order of the sheet; files of a role that belong to several groups stand in each.
    stem : str
        Name of its files, unique without regard to case.
    """

    technique: str
    probe: str
    lot: str
    rows: tuple[BenchRow, ...]
    stem: str

    @property
    def name(self) -> str:
        """In words."""
        return group_name(self.technique, self.probe, self.lot)

    def sources(self, study: Path, /) -> tuple[BenchSource, ...]:
        """Its files as the technique takes them."""
        return tuple(BenchSource(study / row.file, row.file, row.role, row.sample, row.replicate) for row in self.rows)


def group_name(technique: str, probe: str, lot: str, /) -> str:
    """A group in words.

    Examples
    --------
    >>> group_name("tem", "qd", "L1"), group_name("tem", "", "")
    ('tem of qd, lot L1', 'tem')
    """
    return f"{technique}{f' of {probe}' if probe else ''}{f', lot {lot}' if lot else ''}"


def file_groups(rows: Sequence[BenchRow], probes: Sequence[str], /) -> tuple[FileGroup, ...]:
    """Sort rows of bench.csv by technique, probe and lot.

    Parameters
    ----------
    rows : sequence of BenchRow
    probes : sequence of str
        Of the study: the only one is meant where a row names none.

    Returns
    -------
    tuple of FileGroup
        By probe in the order of the settings, technique and lot. A file with a role that names no lot is of every lot of its
        probe that the technique measures, one that names no probe of every probe.
    """
    only = probes[0] if len(probes) == 1 else ""
    own: dict[tuple[str, str, str], list[BenchRow]] = {}
    for row in rows:
        if not row.role or row.lot:
            own.setdefault((row.probe or only, row.technique, row.lot), []).append(row)
    beside = [row for row in rows if row.role and not row.lot]
    # those of one probe first: where every file has a role, as of an integrating sphere, they are its group
    for named in (True, False):
        known = list(own)
        for row in beside:
            probe = row.probe or only
            if bool(probe) != named:
                continue
            meant = [key for key in known if key[1] == row.technique and probe in ("", key[0])]
            for key in meant or [(probe, row.technique, "")]:
                own.setdefault(key, []).append(row)
    places = {name: place for place, name in enumerate((*probes, ""))}
    order = list(TECHNIQUES)
    taken: dict[str, int] = {}
    found = []
    for key in sorted(own, key=lambda key: (places.get(key[0], len(places)), order.index(key[1]), key[2])):
        probe, technique, lot = key
        stem = _stem(technique, probe, lot)
        count = taken[stem.casefold()] = taken.get(stem.casefold(), 0) + 1
        stem += f"-{count}" if count > 1 else ""
        ordered = sorted(own[key], key=lambda row: row.row)
        found.append(FileGroup(technique, probe, lot, tuple(ordered), stem))
    return tuple(found)


def _stem(*names: str) -> str:
    words = [re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") for name in names]
    return "-".join(word for word in words if word)[:120]
