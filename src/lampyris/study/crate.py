"""``ro-crate-metadata.json``: what the results are and how they were made, as a Process Run Crate.

The crate's root is the folder. Input files lie outside it and are named by their content (RFC 6920), so that the crate
holds wherever the folder is copied. Nothing in it says when, where or by how many workers the analysis ran: the profile recommends an
``endTime``, which would make two equal runs differ, and an agent, whom no file names; both are left out on purpose.

References
----------
Process Run Crate 0.5, https://w3id.org/ro/wfrun/process/0.5; Leo et al. 2024, PLoS ONE 19:e0309210,
doi:10.1371/journal.pone.0309210.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from lampyris.core.study import RunRecord, StudyResults

CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_MEDIA = {
    ".html": "text/html",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".txt": "text/plain",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


def crate_metadata(
    results: StudyResults,
    files: Mapping[str, str],
    folders: Sequence[str],
    /,
    *,
    published: str = "",
    command: str = "",
) -> dict[str, Any]:
    """Describe the results.

    Parameters
    ----------
    results : StudyResults
        The study.
    files : mapping of str to str
        SHA-256 per file, relative to the results' folder; files inside `folders` are left out.
    folders : sequence of str
        Image directories, relative to the results' folder.
    published : str
        Date of the last session, from the sheet; left out where the sheet gives none.
    command : str
        What made the folder; the run's own command by default.

    Returns
    -------
    dict
        JSON-LD.
    """
    record = results.record
    inside = tuple(f"{folder}/" for folder in folders)
    parts = [
        *(_folder(name, results) for name in sorted(folders)),
        *(_file(name, digest) for name, digest in sorted(files.items()) if not name.startswith(inside)),
    ]
    inputs = [_input(path, digest) for path, digest in sorted(record.inputs.items())]
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": results.title or results.name,
        "description": f"Results of the study {results.name}"
        + (", made from simulated images" if results.synthetic else "")
        + ".",
        "conformsTo": {"@id": PROFILE},
        "license": {"@id": "#licence"},
        "hasPart": [{"@id": part["@id"]} for part in parts],
        "mentions": {"@id": "#analysis"},
    }
    if published:
        root["datePublished"] = published[:10]
    return {
        "@context": CONTEXT,
        "@graph": [
            _descriptor(),
            root,
            _profile(),
            _licence(),
            _software(record),
            _action(results, parts, inputs, command or record.command),
            *parts,
            *_unique(inputs),
        ],
    }


def _descriptor() -> dict[str, Any]:
    return {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }


def _profile() -> dict[str, Any]:
    return {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}


def _licence() -> dict[str, Any]:
    text = "No licence is stated: ask those who made the study before you use it further."
    return {"@id": "#licence", "@type": "CreativeWork", "name": "No licence stated", "description": text}


def _software(record: RunRecord) -> dict[str, Any]:
    return {
        "@id": _by_content(record.source_hash) if record.source_hash else "#lampyris",
        "@type": "SoftwareApplication",
        "name": "Lampyris",
        "softwareVersion": record.lampyris,
        "identifier": f"source-sha256:{record.source_hash}",
        "softwareRequirements": [f"{name} {version}" for name, version in sorted(record.packages.items())],
    }


def _action(
    results: StudyResults, parts: list[dict[str, Any]], inputs: list[dict[str, Any]], command: str
) -> dict[str, Any]:
    return {
        "@id": "#analysis",
        "@type": "CreateAction",
        "name": f"Analysis of {results.name}",
        "description": command,
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "instrument": {"@id": _software(results.record)["@id"]},
        "object": [{"@id": entry["@id"]} for entry in _unique(inputs)],
        "result": [{"@id": part["@id"]} for part in parts],
    }


def _folder(name: str, results: StudyResults) -> dict[str, Any]:
    unit = "calibrated radiance, probe abundance and regions of one view"
    return {"@id": f"{_escaped(name)}/", "@type": "Dataset", "name": f"{name}: {unit}"}


def _file(name: str, digest: str) -> dict[str, Any]:
    suffix = "." + name.rsplit(".", 1)[-1]
    entry = {"@id": _escaped(name), "@type": "File", "name": name, "sha256": digest}
    return entry | ({"encodingFormat": _MEDIA[suffix]} if suffix in _MEDIA else {})


def _input(path: str, digest: str) -> dict[str, Any]:
    # not in the folder, so no data entity of the crate
    return {"@id": _by_content(digest), "@type": "CreativeWork", "name": path, "sha256": digest}


def _by_content(digest: str) -> str:
    """Name of a content (RFC 6920)."""
    return "ni:///sha-256;" + base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")


def _unique(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # two inputs with the same content are one entity
    return list({entry["@id"]: entry for entry in reversed(entries)}.values())[::-1]


def _escaped(name: str) -> str:
    from urllib.parse import quote

    return quote(name)
