"""Draws a study's animals into its groups and records how."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lampyris.core.errors import InputError, UsageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import ANIMALS, SAMPLESHEET, AnimalRow, SampleRow
from lampyris.core.seeds import seed_sequence
from lampyris.io.durable import write_json, write_text
from lampyris.io.sheets import raise_errors, read_sheet, write_sheet
from lampyris.io.toml import toml_text
from lampyris.statistics.allocation import Allocation, allocate
from lampyris.study.draft.asked import reporting_template
from lampyris.study.draft.names import identity, is_control
from lampyris.study.draft.rules import ALLOCATION, allocation_sentence
from lampyris.study.draft.shots import clean_name
from lampyris.study.rules.sheets import SETTINGS, SHEET, SHEET_ANIMALS

ALLOCATION_FORMAT = "lampyris-allocation/1"
MOST_ANIMALS = 10_000
# the group is what is drawn: it need not be filled yet
_ANIMALS = tuple(replace(column, required=column.name == "animal") for column in ANIMALS)


@dataclass(frozen=True, slots=True)
class AllocatedStudy:
    """What was drawn.

    Parameters
    ----------
    record : dict
        As in allocation.json: method, seed, sizes, balance, who is where.
    sentences : list of str
        For a person, and for the methods.
    """

    record: dict[str, Any]
    sentences: list[str]


def parse_groups(text: str, /) -> dict[str, int]:
    """Groups and sizes from the command line; size 0 where it is not said.

    Raises
    ------
    UsageError
        If a name is empty or stands twice, or a size is no whole number above 0.

    Examples
    --------
    >>> parse_groups("A:8, B:8"), parse_groups("treated,control")
    ({'A': 8, 'B': 8}, {'treated': 0, 'control': 0})
    """
    groups: dict[str, int] = {}
    for part in text.split(","):
        name, colon, size = part.rpartition(":") if ":" in part else (part, "", "")
        name, size = name.strip(), size.strip()
        if not name or name != clean_name(name):
            raise UsageError(f"--allocate needs names such as A:8,B:8, got {part!r}")
        if name.casefold() in {one.casefold() for one in groups}:
            raise UsageError(f"--allocate names {name} twice")
        if colon and not (size.isascii() and size.isdecimal() and 0 < int(size) <= MOST_ANIMALS):
            raise UsageError(f"--allocate needs a whole number of animals above 0 for {name}, got {size!r}")
        groups[name] = int(size) if colon else 0
    if len({size > 0 for size in groups.values()}) > 1:
        raise UsageError("--allocate needs a size for every group, or for none")
    if len(groups) < 2:
        raise UsageError("--allocate needs two groups or more")
    return groups


def allocate_study(study: Path, groups: Mapping[str, int], /, *, seed: int) -> AllocatedStudy:
    """Draw the animals of animals.csv into groups, or make as many as the groups hold, and write all that names groups.

    Parameters
    ----------
    study : Path
        With study.toml; animals.csv may lack groups, weights and cages.
    groups : mapping of str to int
        Sizes; 0 throughout shares the animals out evenly.
    seed : int
        What is drawn from; with the study's animals it decides everything.

    Returns
    -------
    AllocatedStudy

    Raises
    ------
    UsageError
        If the animals were allocated before, or the sizes do not fit their number.
    InputError
        If a sheet is invalid.
    """
    if (study / ALLOCATION).exists():
        finding = Finding(
            "allocation.done", Severity.ERROR, Place(ALLOCATION), "is there already.", "Keep what was drawn."
        )
        raise UsageError("the animals were allocated before: a second draw would not be random any more", [finding])
    animals = _animals(study, groups)
    sizes = _sizes(groups, len(animals))
    drawn = allocate(
        sizes,
        weights_g=[animal.weight_g for animal in animals],
        cages=[animal.cage for animal in animals],
        rng=np.random.default_rng(seed_sequence("allocation", seed)),
    )
    of = {animal.animal: group for animal, group in zip(animals, drawn.groups, strict=True)}
    record = _record(drawn, sizes, of, seed)
    _write(study, animals, of, sizes, record)
    return AllocatedStudy(record, [allocation_sentence(record)])


def _animals(study: Path, groups: Mapping[str, int]) -> tuple[AnimalRow, ...]:
    """Those of the sheet that are not excluded... all of them must be drawn; or new ones."""
    path = study / SHEET_ANIMALS
    rows: tuple[AnimalRow, ...] = ()
    if path.exists():
        rows, findings = read_sheet(path, _ANIMALS, AnimalRow)
        only_empty = all(finding.rule == "sheet.empty" for finding in findings)
        if not only_empty:
            raise_errors(findings, error=InputError, message=f"{SHEET_ANIMALS} is invalid: nothing was allocated")
    if rows:
        return rows
    count = sum(groups.values())
    if not count:
        raise UsageError(f"--allocate needs sizes such as A:8,B:8 where {SHEET_ANIMALS} lists no animals")
    empty = ("", "", "", math.nan, "", "", "", math.nan, False, "", "", "")
    return tuple(AnimalRow(0, identity(number), *empty) for number in range(1, count + 1))


def _sizes(groups: Mapping[str, int], count: int) -> dict[str, int]:
    if not any(groups.values()):
        if count < len(groups):
            raise UsageError(f"{count} animals cannot fill {len(groups)} groups")
        share, rest = divmod(count, len(groups))
        return {name: share + (number < rest) for number, name in enumerate(groups)}
    if sum(groups.values()) != count:
        raise UsageError(f"the groups hold {sum(groups.values())} animals, {SHEET_ANIMALS} lists {count}")
    return dict(groups)


def _record(drawn: Allocation, sizes: Mapping[str, int], of: Mapping[str, str], seed: int) -> dict[str, Any]:
    def number(value: float) -> float | None:
        return round(value, 6) if math.isfinite(value) else None

    return {
        "format": ALLOCATION_FORMAT,
        "method": drawn.method,
        "seed": seed,
        "draws": drawn.draws,
        "accepted": drawn.accepted,
        "sizes": dict(sizes),
        "animals": dict(of),
        "balance": {
            "weight_sd_between_groups": number(drawn.weight_sd_between),
            "weight_mean_g": {name: number(mean) for name, mean in drawn.weight_means_g.items()},
            "cage_chi2_per_df": number(drawn.cages_split),
        },
    }


def _write(
    study: Path,
    animals: tuple[AnimalRow, ...],
    of: Mapping[str, str],
    sizes: Mapping[str, int],
    record: Mapping[str, Any],
) -> None:
    settings = tomllib.loads((study / SETTINGS).read_text(encoding="utf-8-sig"))
    old, probes = settings.get("groups", {}), list(settings.get("probes", {}))
    settings["groups"] = {name: old.get(name) or _group(name, probes) for name in sizes}
    samples, findings = read_sheet(study / SHEET, SAMPLESHEET, SampleRow) if (study / SHEET).exists() else ((), ())
    raise_errors(
        [finding for finding in findings if finding.rule != "sheet.empty"],
        error=InputError,
        message=f"{SHEET} is invalid: nothing was allocated",
    )
    unknown = sorted({row.animal for row in samples} - set(of))
    if unknown and any(row.row and (study / row.image).exists() for row in samples):
        raise UsageError(f"{SHEET} has animals that {SHEET_ANIMALS} lacks: {', '.join(unknown)}")
    groups = settings["groups"]
    drawn_samples = [
        replace(row, group=of[row.animal], probe=groups[of[row.animal]].get("probe", "")) if row.animal in of else row
        for row in samples
    ]
    write_sheet(study / SHEET_ANIMALS, ANIMALS, [replace(row, group=of[row.animal]) for row in animals])
    if samples:
        write_sheet(study / SHEET, SAMPLESHEET, drawn_samples)
    header = "Groups as drawn by `lampyris init --allocate`; allocation.json says how."
    # comments are not kept: what was asked for is asked for again
    asked = "" if "reporting" in settings else reporting_template(next(iter(probes), ""))
    write_text(study / SETTINGS, toml_text(settings, header=header) + asked)
    write_json(study / ALLOCATION, record)


def _group(name: str, probes: list[str]) -> dict[str, str]:
    control = is_control(name) or not probes
    return {"title": "", "role": "control" if control else "labelled", "probe": "" if control else probes[0]}
