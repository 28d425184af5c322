"""Freezes a study by hashes and reveals its groups: only what was fixed while blind may be unblinded."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lampyris.core.errors import InputError, LampyrisError, UsageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.durable import canonical_json, sha256_file, write_json, write_text
from lampyris.study.draft.blinding import KEY, StudyFiles, file_texts, key_folder, read_files
from lampyris.study.draft.rules import (
    ALLOCATION,
    BLINDING,
    FROZEN,
    UNBLINDING,
    curated_files,
    hash_of_text,
    hashes_of,
    read_record,
)
from lampyris.study.graph.tasks import RECORD
from lampyris.study.rules.sheets import SETTINGS

MANIFEST = "results/manifest.json"
FROZEN_FORMAT = "lampyris-frozen/1"
UNBLINDING_FORMAT = "lampyris-unblinding/1"


@dataclass(frozen=True, slots=True)
class Frozen:
    """What was frozen: the file that says so, and the SHA-256 of every file."""

    path: Path
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Revealed:
    """Arm of each code."""

    groups: dict[str, str]


def freeze_study(study: Path | str, /) -> Frozen:
    """Write down the SHA-256 of settings, sheets, curation, regions and results.

    Parameters
    ----------
    study : path
        Analysed as it stands.

    Returns
    -------
    Frozen

    Raises
    ------
    LampyrisError
        If it was not analysed, or sheets, curation or results were changed since: each is named.
    UsageError
        If it is unblinded already.
    """
    study = Path(study)
    if (study / UNBLINDING).exists():
        raise UsageError(f"{study} is unblinded: freezing comes before")
    findings = [*_unfinished(study)]
    if findings:
        raise LampyrisError(f"{study} cannot be frozen", findings)
    files = hashes_of(study) | {MANIFEST: sha256_file(study / MANIFEST)}
    write_json(study / FROZEN, {"format": FROZEN_FORMAT, "files": files})
    return Frozen(study / FROZEN, files)


def _unfinished(study: Path) -> list[Finding]:
    """Why a study's results are not those of its sheets and curation as they stand."""
    again = "Run the analysis again, look at it, then freeze."
    manifest = read_record(study / MANIFEST)
    if manifest is None:
        return [_fault("freeze.no-results", MANIFEST, "is missing: there are no complete results.", again)]
    findings = [
        _fault("freeze.results-changed", f"results/{name}", "is not as the analysis wrote it.", again)
        for name, entry in sorted(manifest.get("files", {}).items())
        if not (study / "results" / name).is_file() or sha256_file(study / "results" / name) != entry["sha256"]
    ]
    inputs: dict[str, str] = {}
    for record in sorted((study / "results").rglob(RECORD)):
        inputs |= _inputs(record)
    now = hashes_of(study)
    # sheets, corrections and regions that came, or went, after the analysis are in no result
    recorded = {name for name in _inputs(study / "results" / RECORD) if not name.startswith("results/")}
    changes = (
        ("was changed after the analysis.", {name for name in now if inputs.get(name, now[name]) != now[name]}),
        ("was added after the analysis.", {*now} - {*inputs}),
        ("is gone since the analysis.", {name for name in recorded - {*now} if not (study / name).exists()}),
    )
    findings += [_fault("freeze.stale", name, how, again) for how, names in changes for name in sorted(names)]
    return findings


def _inputs(record: Path) -> dict[str, str]:
    """SHA-256 of what a step read, by path."""
    return {str(name): str(digest) for name, digest in (read_record(record) or {}).get("inputs", {}).items()}


def unblind_study(study: Path | str, /, *, key: Path | str | None = None) -> Revealed:
    """Reveal the groups of a frozen study.

    Parameters
    ----------
    study : path
        Blinded, frozen, and unchanged since.
    key : path, optional
        Folder of the key; ``NAME-key`` beside the study by default.

    Returns
    -------
    Revealed

    Raises
    ------
    UsageError
        If it is not blinded, not frozen, or the key is missing.
    InputError
        If a frozen file was changed, added or removed: each is named; or the key is not the study's.

    Notes
    -----
    ``unblinding.json`` is written before settings and sheets, with their new hashes: called again after an interruption,
    unblinding goes on. Called again after it is done, it says the groups once more and changes nothing.
    """
    study = Path(study)
    blinding = read_record(study / BLINDING)
    if blinding is None:
        raise UsageError(f"{study} is not blinded: it has no {BLINDING}")
    frozen = read_record(study / FROZEN)
    if frozen is None:
        mend = f"Finish curation and regions, run, then `lampyris freeze {study.name}`."
        raise UsageError(f"{study} is not frozen", [_fault("unblind.not-frozen", FROZEN, "is missing.", mend)])
    begun = read_record(study / UNBLINDING) or {}
    if begun and "texts" not in begun:
        # done before: results may be new since, and the key away
        return _revealed_groups(begun["groups"])
    _refuse_changes(study, frozen["files"], begun.get("files", {}))
    opened = _open_key(Path(key) if key is not None else key_folder(study), blinding["key_sha256"])
    if not begun:
        files = _revealed(read_files(study), opened)
        texts = file_texts(files, header="Unblinded by `lampyris unblind`.")
        texts = {name: text for name, text in texts.items() if name == SETTINGS or (study / name).exists()}
        if opened["allocation"]:
            texts[ALLOCATION] = canonical_json(opened["allocation"])
        begun = _statement(study, texts, opened)
        write_json(study / UNBLINDING, begun)
    for name, text in begun["texts"].items():
        write_text(study / name, text)
    write_json(study / UNBLINDING, {name: value for name, value in begun.items() if name != "texts"})
    return _revealed_groups(opened["groups"])


def _revealed_groups(groups: Mapping[str, str]) -> Revealed:
    return Revealed({code: name for name, code in sorted(groups.items(), key=lambda pair: pair[1])})


def _statement(study: Path, texts: Mapping[str, str], opened: Mapping[str, Any]) -> dict[str, Any]:
    after = hashes_of(study) | {name: hash_of_text(text) for name, text in texts.items()}
    return {
        "format": UNBLINDING_FORMAT,
        # when it was done is asked later; no result depends on it
        "unblinded": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "frozen_sha256": sha256_file(study / FROZEN),
        "groups": dict(opened["groups"]),
        "files": after,
        "curated": curated_files(study),
        "texts": dict(texts),
    }


def _refuse_changes(study: Path, frozen: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Every frozen file is as it was; one that an interrupted unblinding wrote already may be as it shall be."""
    now = hashes_of(study)
    if (study / MANIFEST).is_file():
        now[MANIFEST] = sha256_file(study / MANIFEST)
    findings = []
    for name in sorted({*frozen, *now}):
        fine = now.get(name) in (frozen.get(name), after.get(name, frozen.get(name)))
        if not fine:
            how = "is gone" if name not in now else "was added" if name not in frozen else "was changed"
            mend = "Put it back as it was; or, if the change is meant, run and freeze again, still blind."
            findings.append(_fault("unblind.changed", name, f"{how} since the study was frozen.", mend))
    if findings:
        raise InputError(f"{len(findings)} files are not as they were frozen: nothing was revealed", findings)


def _open_key(folder: Path, commitment: str) -> dict[str, Any]:
    path = folder / KEY
    if not path.is_file():
        mend = "Ask whoever keeps the key, and name its folder with --key."
        raise UsageError("there is no key", [_fault("unblind.no-key", path.name, f"is not in {folder.name}.", mend)])
    if sha256_file(path) != commitment:
        seen = f"is not the key that {BLINDING} was made with: it has another SHA-256."
        raise InputError("the key does not fit", [_fault("unblind.key", path.name, seen, "Name the study's own key.")])
    opened: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return opened


def _revealed(files: StudyFiles, key: Mapping[str, Any]) -> StudyFiles:
    """Settings and sheets with the real names; values that were filled in while blind stay."""
    real = {code: name for name, code in key["groups"].items()}
    settings = dict(files.settings)
    settings["study"] = {**settings["study"], **key["study"]}
    settings["groups"] = {name: key["tables"][name] for name in key["tables"]}
    settings["probes"] = _revealed_probes(files.settings.get("probes", {}), key)
    # what was written while blind stays
    for name, (real_text, struck) in key.get("reporting", {}).items():
        if settings.get("reporting", {}).get(name) == struck:
            settings["reporting"] = {**settings["reporting"], name: real_text}
    arm_probe = {name: table.get("probe", "") for name, table in key["tables"].items()}
    animals = []
    for row in files.animals:
        withheld = key["withheld"].get(row.animal, {})
        values: dict[str, Any] = {k: float("nan") if v is None else v for k, v in withheld.items()}
        animals.append(replace(row, group=real.get(row.group, row.group), **values))
    samples = [
        replace(
            row,
            group=real.get(row.group, row.group),
            probe=arm_probe.get(real.get(row.group, ""), row.probe),
            lot=key["lots"].get(row.lot, row.lot) if arm_probe.get(real.get(row.group, "")) else "",
        )
        for row in files.samples
    ]
    return StudyFiles(settings, tuple(samples), tuple(animals), files.drafted)


def _revealed_probes(coded: Mapping[str, Any], key: Mapping[str, Any]) -> dict[str, Any]:
    """Real probes; arms that share one must agree on what was changed while blind."""
    out: dict[str, Any] = {}
    source: dict[str, str] = {}
    findings = []
    for code, entry in key["probes"].items():
        if code not in coded:
            continue
        table = {**coded[code], "title": entry["title"], "lots": list(entry["lots"])}
        table = {k: v for k, v in table.items() if not (k == "lots" and not v)}
        table = entry.get("reported", {}) | table
        name = entry["probe"]
        if name in out and out[name] != table:
            keys = ", ".join(sorted(k for k in {*out[name], *table} if out[name].get(k) != table.get(k)))
            seen = f"{source[name]} and {code} are one probe, and differ in {keys}."
            findings.append(
                _fault("unblind.probes", SETTINGS, seen, "Write the same values for both, run and freeze again.")
            )
        out[name], source[name] = table, code
    if findings:
        raise InputError("the coded probes do not agree: nothing was revealed", findings)
    return out


def _fault(rule: str, file: str, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.ERROR, Place(file), seen, mend)
