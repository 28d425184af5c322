"""Codes the groups of a study, so that who looks at images does not know the arms; the key lies outside the study.

A blinded study treats all arms alike: each is labelled and has a probe of its own name, controls the one that they are unmixed
with anyway. What would tell an arm is withheld: titles, names of probes and lots, columns of animals.csv that differ between
arms, and whatever names an arm in a text. The letters are drawn from the operating system's chance, which is kept nowhere but
in the key. The study keeps the key's SHA-256, so that another key cannot be slipped in.
"""

import json
import math
import secrets
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import SystemRandom
from typing import Any

from lampyris.core.errors import InputError, UsageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import ANIMALS, SAMPLESHEET, AnimalRow, SampleRow
from lampyris.core.settings import REPORTED_OF_PROBES
from lampyris.io.durable import canonical_json, sha256_file, write_json, write_text
from lampyris.io.sheets import raise_errors, read_sheet, sheet_text
from lampyris.io.toml import toml_text
from lampyris.study.draft.allocating import AllocatedStudy
from lampyris.study.draft.notes import DRAFT_COLUMNS, DRAFT_SHEET
from lampyris.study.draft.rules import ALLOCATION, BLINDING, DraftRow, hash_of_text
from lampyris.study.draft.telling import strike_out, telling_files, telling_words, tells, without
from lampyris.study.rules.sheets import SETTINGS, SHEET, SHEET_ANIMALS

KEY = "key.json"
KEY_FORMAT = "lampyris-key/1"
BLINDING_FORMAT = "lampyris-blinding/1"
_ALPHABETS = ("ABCDEFGHIJKLM", "PQRSTUVW", "ZYXWVUTSRQPONMLKJIHGFEDCBA")
_DOSES = tuple(column.name for column in ANIMALS if column.name.startswith("dose_"))
# columns of animals.csv that a treatment may show in; those that stand together or not at all are withheld together
_TELLING = (("inoculation",), ("injection",), ("strain",), ("labelled_cells",), _DOSES)
_TEXTS = ("inoculation", "injection", "strain")
_STANDARDS = "standards.csv"
_PROBE_KEYS = ("emission_nm", "fwhm_nm", "molar_extinction_per_m_cm", "quantum_yield", "per_cell", "kind")


def key_folder(study: Path, /) -> Path:
    """Where a study's key lies: beside it, in ``NAME-key``."""
    resolved = Path(study).resolve()
    return resolved.with_name(f"{resolved.name}-key")


def refuse_key(study: Path, /) -> None:
    """Refuse to blind twice, or over a key that is there; a blinding that was interrupted goes on.

    Raises
    ------
    UsageError
        With what is in the way.
    """
    if is_half_blinded(study):
        return
    for path, mend in (
        (Path(study) / BLINDING, "It is blinded already."),
        (key_folder(study) / KEY, "Move the key of another study away: without it that study stays blind for ever."),
        (Path(study) / _STANDARDS, "Standards name probes, which are coded: put the sheet back after unblinding."),
        (Path(study) / "results", "Results of an analysis that was not blinded name the groups: move them away."),
    ):
        if path.exists():
            finding = Finding("blinding.exists", Severity.ERROR, Place(path.name), "is there already.", mend)
            raise UsageError(f"{study} cannot be blinded", [finding])


def is_half_blinded(study: Path, /) -> bool:
    """Whether blinding was interrupted: its statement still holds the texts that it writes."""
    return "texts" in (_recorded(Path(study) / BLINDING) or {})


@dataclass(frozen=True, slots=True, eq=False)
class StudyFiles:
    """What of a study names groups: settings and sheets, read."""

    settings: dict[str, Any]
    samples: tuple[SampleRow, ...]
    animals: tuple[AnimalRow, ...]
    drafted: tuple[DraftRow, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """What unblinding needs.

    Parameters
    ----------
    groups : dict of str to str
        Code of each arm.
    tables : dict
        Of each arm as it was in study.toml.
    probes : dict
        Real probe of each coded one, with its name, title and lots, and what is reported of it.
    lots : dict of str to str
        Real lot of each coded one.
    withheld : dict
        Per animal what animals.csv said.
    study : dict
        Name and title.
    allocation : dict or None
        As in allocation.json.
    reporting : dict
        What study.toml reports in words that tell an arm: as it was, and with those words struck out.
    salt : str
        Random, so that the study's commitment cannot be found by trying all keys.
    """

    groups: dict[str, str]
    tables: dict[str, Any]
    probes: dict[str, Any]
    lots: dict[str, str]
    withheld: dict[str, dict[str, Any]]
    study: dict[str, str]
    allocation: dict[str, Any] | None = None
    reporting: dict[str, Any] = field(default_factory=dict)
    salt: str = field(default_factory=lambda: secrets.token_hex(32))

    def text(self) -> str:
        """The key file's text."""
        names = ("groups", "tables", "probes", "lots", "withheld", "study", "allocation", "reporting", "salt")
        return canonical_json({"format": KEY_FORMAT} | {name: getattr(self, name) for name in names})


def blind_study(study: Path, /, *, allocation: AllocatedStudy | None = None, copies: bool = False) -> None:
    """Code the groups of a study on disk.

    Parameters
    ----------
    study : Path
        With study.toml; comments in it are not kept.
    allocation : AllocatedStudy, optional
        How the animals were just drawn; it goes into the key, as does an allocation.json that is there.
    copies : bool
        The files below raw/ are copies or links that were just made: words that tell arms are struck out of their texts.
        The originals keep theirs.

    Raises
    ------
    UsageError
        If there are fewer than two groups, or it is blinded already.
    InputError
        If sheets are invalid, or names of animals, paths or raw files tell the arms.

    Notes
    -----
    ``blinding.json`` is written first, with the coded texts, then the key, then the texts: called again after an interruption,
    blinding goes on.
    """
    refuse_key(study)
    if is_half_blinded(study) and _is_key_written(study):
        _write_coded(study)
        return
    files = read_files(study)
    groups = list(files.settings.get("groups", {}))
    if len(groups) < 2:
        raise UsageError(f"{study} has one group only: there is nothing to blind")
    words = telling_words(files.settings)
    _refuse_telling_names(files, words)
    if copies:
        strike_out(study / "raw", words)
    found = telling_files(study, words, apart=(SETTINGS, SHEET, SHEET_ANIMALS, DRAFT_SHEET, ALLOCATION))
    if found:
        mend = "Draft with --from into a new folder, and take the arm out of the files' own descriptions before."
        faults = [
            Finding("blinding.told", Severity.ERROR, Place(name), f"tells an arm: {word!r}.", mend)
            for name, word in found
        ]
        raise InputError(f"{len(faults)} files tell the arms: nothing was blinded", faults)
    record = allocation.record if allocation is not None else _recorded(study / ALLOCATION)
    key, coded = coded_files(files, allocation=record)
    header = "Blinded: groups are coded, and all are treated alike until `lampyris unblind`."
    texts = file_texts(coded, header=header)
    texts = {name: text for name, text in texts.items() if name == SETTINGS or (study / name).exists()}
    write_json(study / BLINDING, _statement(key, coded) | {"texts": texts})
    write_text(key_folder(study) / KEY, key.text())
    _write_coded(study)


def _is_key_written(study: Path) -> bool:
    """Whether an interrupted blinding had written its key, without which nothing was coded yet.

    Raises
    ------
    UsageError
        If it had, and the key is away.
    """
    statement, path = _recorded(study / BLINDING) or {}, key_folder(study) / KEY
    if path.is_file() and sha256_file(path) == statement["key_sha256"]:
        return True
    if path.is_file() or (study / SETTINGS).read_text(encoding="utf-8") == statement["texts"][SETTINGS]:
        seen = "was interrupted, and its key is not there."
        mend = f"Put the key's folder back as {path.parent.name}, and call it again."
        raise UsageError(
            "blinding cannot go on", [Finding("blinding.exists", Severity.ERROR, Place(BLINDING), seen, mend)]
        )
    return False


def _write_coded(study: Path) -> None:
    """Write what the statement holds, the settings first: they tell that the key was written."""
    statement = _recorded(study / BLINDING) or {}
    for name, text in sorted(statement["texts"].items(), key=lambda item: (item[0] != SETTINGS, item[0])):
        write_text(study / name, text)
    (study / ALLOCATION).unlink(missing_ok=True)
    write_json(study / BLINDING, {name: value for name, value in statement.items() if name != "texts"})


def _recorded(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _statement(key: Key, coded: StudyFiles) -> dict[str, Any]:
    tables = coded.settings.get("probes", {})
    differ = [name for name in _PROBE_KEYS if len({repr(probe.get(name)) for probe in tables.values()}) > 1]
    labels = {repr((arm.get("label"), arm.get("injection_days"))) for arm in coded.settings["groups"].values()}
    return {
        "format": BLINDING_FORMAT,
        "groups": sorted(key.groups.values()),
        "key_sha256": hash_of_text(key.text()),
        "withheld": sorted({column for values in key.withheld.values() for column in values}),
        "differ": [*differ, *(["label"] if len(labels) > 1 else [])],
        "allocated": key.allocation["method"] if key.allocation else "",
    }


def read_files(study: Path, /) -> StudyFiles:
    """Settings and sheets of a study; values that are still to be filled in are no fault.

    Raises
    ------
    InputError
        If one of them is invalid.
    """
    try:
        settings = tomllib.loads((study / SETTINGS).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        finding = Finding(
            "settings.syntax", Severity.ERROR, Place(SETTINGS), f"cannot be read: {error}.", "Correct it."
        )
        raise InputError(f"{SETTINGS} cannot be read", [finding]) from None
    tables: list[Any] = []
    for name, schema, kind in (
        (SHEET, SAMPLESHEET, SampleRow),
        (SHEET_ANIMALS, ANIMALS, AnimalRow),
        (DRAFT_SHEET, DRAFT_COLUMNS, DraftRow),
    ):
        rows: tuple[Any, ...] = ()
        if (study / name).exists():
            rows, findings = read_sheet(study / name, schema, kind)  # type: ignore[type-var]
            faults = [finding for finding in findings if finding.rule != "sheet.empty"]
            raise_errors(faults, error=InputError, message=f"{name} is invalid")
        tables.append(rows)
    return StudyFiles(settings, *tables)


def file_texts(files: StudyFiles, /, *, header: str) -> dict[str, str]:
    """Text of settings and sheets, by file name."""
    return {
        SHEET: sheet_text(SAMPLESHEET, files.samples),
        SHEET_ANIMALS: sheet_text(ANIMALS, files.animals),
        DRAFT_SHEET: sheet_text(DRAFT_COLUMNS, files.drafted),
        SETTINGS: toml_text(files.settings, header=header),
    }


def _refuse_telling_names(files: StudyFiles, words: Sequence[str]) -> None:
    """Animals, sessions and paths whose own names tell the arm."""
    findings = []
    told: set[tuple[str, str]] = set()
    for row in files.samples:
        for column, text in (
            ("animal", row.animal),
            ("image", row.image),
            ("photo", row.photo),
            ("background", row.background),
        ):
            if (column, text) not in told and (word := tells(text, words)):
                told.add((column, text))
                mend = (
                    "Give animals names that tell nothing, such as numbers."
                    if column == "animal"
                    else "Draft with --from into a new folder: files are then renamed."
                )
                findings.append(
                    Finding(
                        "blinding.told",
                        Severity.ERROR,
                        Place(SHEET, row.row, column),
                        f"{text!r} tells the arm {word!r}.",
                        mend,
                    )
                )
    if findings:
        raise InputError("names in the sheets tell the arms: nothing was blinded", findings)


# --- coding -------------------------------------------------------------------------------------------------------


def coded_files(files: StudyFiles, /, *, allocation: dict[str, Any] | None = None) -> tuple[Key, StudyFiles]:
    """The key and the coded settings and sheets.

    Parameters
    ----------
    files : StudyFiles
        As a person wrote them.
    allocation : dict, optional
        As in allocation.json.
    """
    settings = files.settings
    names = list(settings["groups"])
    SystemRandom().shuffle(names)
    letters = next(
        letters
        for letters in (*_ALPHABETS, tuple(f"arm {n}" for n in range(1, len(names) + 1)))
        if len(letters) >= len(names) and not {one.casefold() for one in letters} & {n.casefold() for n in names}
    )
    groups = dict(zip(names, letters, strict=False))
    probes = settings.get("probes", {})
    alone = len(probes) == 1
    real_of = {code: settings["groups"][name].get("probe") or next(iter(probes), "") for name, code in groups.items()}
    probe_of = {code: ("probe" if alone else f"probe-{code}") if real else "" for code, real in real_of.items()}
    lots = _coded_lots(files.samples, groups, probes, real_of)
    key = Key(
        groups=groups,
        tables={name: settings["groups"][name] for name in sorted(names)},
        probes={
            coded: {
                "probe": real_of[code],
                "title": probes[real_of[code]].get("title", ""),
                "lots": probes[real_of[code]].get("lots", []),
                "reported": {k: v for k, v in probes[real_of[code]].items() if k in REPORTED_OF_PROBES},
            }
            for code, coded in probe_of.items()
            if coded
        },
        lots={coded: lot for (_, lot), coded in lots.items()},
        withheld=_withheld(files.animals),
        study={one: str(settings.get("study", {}).get(one, "")) for one in ("name", "title")},
        allocation=allocation,
        reporting=_struck(settings),
    )
    coded_settings = _coded_settings(settings, groups, real_of, probe_of, lots)
    words = telling_words(settings)
    animals = [
        replace(row, group=groups[row.group], **_blank_values(key.withheld.get(row.animal, {})))
        for row in files.animals
    ]
    animals = [replace(row, exclusion_reason=without(row.exclusion_reason, words)) for row in animals]
    samples = [
        replace(
            row,
            group=groups[row.group],
            probe=probe_of[groups[row.group]],
            lot=lots.get((groups[row.group], row.lot), ""),
        )
        for row in files.samples
    ]
    drafted = [_coded_note(row, key, words) for row in files.drafted if not row.field.startswith("groups.")]
    return key, StudyFiles(coded_settings, tuple(samples), tuple(animals), tuple(drafted))


def _coded_lots(
    samples: Sequence[SampleRow],
    groups: Mapping[str, str],
    probes: Mapping[str, Any],
    real_of: Mapping[str, str],
) -> dict[tuple[str, str], str]:
    """Code of each arm's lots, in the order in which the sheet and the settings name them."""
    named: dict[str, dict[str, None]] = {code: {} for code in groups.values()}
    for row in samples:
        if row.lot:
            named[groups[row.group]][row.lot] = None
    for code, real in real_of.items():
        named[code] |= dict.fromkeys(probes.get(real, {}).get("lots", ()))
    return {
        (code, lot): f"{code}{number}"
        for code, lots in named.items()
        for number, lot in enumerate(sorted(lots), start=1)
    }


def _coded_settings(
    settings: Mapping[str, Any],
    groups: Mapping[str, str],
    real_of: Mapping[str, str],
    probe_of: Mapping[str, str],
    lots: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    """study.toml with coded arms, all labelled, and a probe per arm; where there is one probe, it is all arms'."""
    arms: dict[str, Any] = {}
    probes: dict[str, Any] = {}
    for name, code in sorted(groups.items(), key=lambda pair: pair[1]):
        kept = {key: value for key, value in settings["groups"][name].items() if key in ("label", "injection_days")}
        arms[code] = {"title": "", "role": "labelled", "probe": probe_of[code], **kept}
        if probe_of[code]:
            own = sorted(coded for (arm, _), coded in lots.items() if arm == code)
            before = probes.get(probe_of[code], {}).get("lots", [])
            table = {**settings["probes"][real_of[code]], "title": "", "lots": sorted({*before, *own})}
            # what a probe is made of would tell the arm, and no analysis needs it
            table = {key: value for key, value in table.items() if key not in REPORTED_OF_PROBES}
            probes[probe_of[code]] = table if table["lots"] else {k: v for k, v in table.items() if k != "lots"}
    study = {**settings.get("study", {}), "title": ""}
    study["name"] = (
        "blinded study"
        if without(study.get("name", ""), telling_words(settings)) != study.get("name")
        else study["name"]
    )
    coded = {**settings, "study": study, "groups": arms, "probes": probes}
    if struck := _struck(settings):
        coded["reporting"] = {**settings["reporting"], **{key: after for key, (_, after) in struck.items()}}
    return coded


def _struck(settings: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Texts of [reporting] that tell an arm: as they are, and without the words that tell it."""
    words = telling_words(settings)
    out = {}
    for key, value in settings.get("reporting", {}).items():
        after: Any = value
        if isinstance(value, str):
            after = without(value, words)
        elif isinstance(value, list):
            after = [without(one, words) if isinstance(one, str) else one for one in value]
        if after != value:
            out[key] = (value, after)
    return out


def _withheld(animals: Sequence[AnimalRow]) -> dict[str, dict[str, Any]]:
    """Per animal the columns whose values differ between arms: as they say who got what, they wait for unblinding."""
    out: dict[str, dict[str, Any]] = {}
    for together in _TELLING:
        columns = [column for column in together if any(_value(row, column) is not None for row in animals)]
        per_arm: dict[str, set[Any]] = {}
        for row in animals:
            per_arm.setdefault(row.group, set()).add(tuple(_value(row, column) for column in columns))
        if len({frozenset(values) for values in per_arm.values()}) > 1:
            for row in animals:
                out.setdefault(row.animal, {}).update({column: _value(row, column) for column in columns})
    return out


def _value(row: AnimalRow, column: str) -> Any:
    """What stands in a column; None where a number is missing."""
    value = getattr(row, column)
    return None if isinstance(value, float) and math.isnan(value) else value


def _blank_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {column: "" if column in _TEXTS else math.nan for column in values}


def _coded_note(row: DraftRow, key: Key, words: Iterable[str]) -> DraftRow:
    """A line of draft.csv without the arms; its probe's key is the coded one where there is only one."""
    field = row.field
    for coded, real in key.probes.items():
        if field.startswith(f"probes.{real['probe']}."):
            field = f"probes.{coded}.{field.removeprefix('probes.' + str(real['probe']) + '.')}"
            break
    value, do = row.value, row.do
    if row.field in ("samplesheet.csv group", "study.name") or row.field.endswith(".title"):
        value, do = "", ""
    return replace(row, field=field, value=without(value, words), do=without(do, words))
