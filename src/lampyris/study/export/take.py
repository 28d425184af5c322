"""Takes results away into a folder that is written whole or not at all; the same bytes each time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lampyris.core.errors import LampyrisError, UsageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.study import StudyResults
from lampyris.io import durable
from lampyris.io.spreadsheets import DIALECTS, spreadsheet_bytes
from lampyris.io.tables import write_table
from lampyris.study.assemble import CRATE, RESULTS, load_results
from lampyris.study.crate import crate_metadata
from lampyris.study.export.images import export_view
from lampyris.study.export.prism import prism_tables
from lampyris.study.export.readme import readme_text
from lampyris.study.export.regions import view_outlines
from lampyris.study.graph.store import CURATED
from lampyris.study.graph.tasks import hash_files
from lampyris.study.run import MANIFEST
from lampyris.study.tables.study import study_tables

WHAT = ("images", "tables", "regions", "crate")
LIST = "export.json"
FORMAT = "lampyris-export/1"
README = "README.txt"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Export:
    """What was taken away: the folder, and its files relative to it, sorted."""

    folder: Path
    files: tuple[str, ...]


def export_study(
    directory: Path | str,
    /,
    *,
    to: Path | str | None = None,
    what: Sequence[str] = WHAT,
    dialect: str = "excel-en",
) -> Export:
    """Write results for other programs.

    Parameters
    ----------
    directory : path
        The study, analysed.
    to : path, optional
        Folder; ``export`` in the study by default. An earlier export there is replaced.
    what : sequence of str
        Of ``images``, ``tables``, ``regions``, ``crate``.
    dialect : str
        Of the CSV files: ``excel-en``, ``excel-de`` or ``prism``.

    Returns
    -------
    Export

    Raises
    ------
    UsageError
        If `what` or `dialect` are unknown, or the folder lies in the results or holds the study.
    LampyrisError
        If there are no complete results, or the folder holds files that are not an earlier export's.
    """
    study = Path(directory)
    folder = study / "export" if to is None else Path(to)
    unknown = [one for one in what if one not in WHAT]
    if unknown or not what:
        raise UsageError(f"what is taken away is some of {', '.join(WHAT)}, not {', '.join(unknown) or 'nothing'}")
    if dialect not in DIALECTS:
        raise UsageError(f"the CSV dialect is one of {', '.join(DIALECTS)}, not {dialect}")
    _refuse_place(study, folder)
    if not (study / RESULTS / MANIFEST).is_file():
        mend = "Run the analysis first; it resumes where it was stopped."
        place = Place(f"{RESULTS}/{MANIFEST}")
        found = Finding("results.incomplete", Severity.ERROR, place, "there are no complete results.", mend)
        raise LampyrisError("nothing can be taken away", [found])
    with durable.StudyLock(study):
        if folder.is_dir():
            durable.sweep(folder)
        _refuse_foreign(folder)
        results = load_results(study / RESULTS, images=False)
        with durable.durable_directory(folder) as beside:
            files = _write(study, beside, results, tuple(one for one in WHAT if one in what), dialect)
    return Export(folder, files)


def _refuse_place(study: Path, folder: Path) -> None:
    home, place = study.resolve(), folder.resolve()
    if home.is_relative_to(place) or place.is_relative_to(home / RESULTS) or place.is_relative_to(home / "raw"):
        raise UsageError(f"{folder} holds the study, its results or its raw files: name another folder with --to")


def _refuse_foreign(folder: Path) -> None:
    """An export replaces what an export wrote, and nothing else."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        found = Finding(
            "export.foreign", Severity.ERROR, Place(folder.name), "is no folder.", "Name another with --to."
        )
        raise LampyrisError("nothing was written", [found])
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    try:
        listed = json.loads((folder / LIST).read_text(encoding="utf-8"))
        own = dict(listed["files"]) if listed["format"] == FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError):
        own = {}
    there = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if not path.is_dir()}
    foreign = [
        name
        for name, path in there.items()
        if name != LIST and (path.is_symlink() or name not in own or durable.sha256_file(path) != own[name])
    ]
    if not own and LIST in there:
        foreign.append(LIST)
    if foreign:
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        seen = f"holds files that no export wrote, or that were changed since: {', '.join(foreign[:_SHOWN])}{more}."
        found = Finding(
            "export.foreign", Severity.ERROR, Place(folder.name), seen, "Move them, or name another with --to."
        )
        raise LampyrisError("nothing was written", [found])


def _write(study: Path, folder: Path, results: StudyResults, what: tuple[str, ...], dialect: str) -> tuple[str, ...]:
    stores = _write_images(study, folder, results) if "images" in what else []
    tables = study_tables(results)
    if "tables" in what:
        _write_tables(folder, results, dialect)
    if "regions" in what:
        _write_regions(folder, results)
    note = readme_text(results, tables, what=what, dialect=dialect)
    (folder / README).write_text(note, encoding="utf-8", newline="\n")
    if "crate" in what:
        hashes = hash_files(folder, sorted(path.name for path in folder.iterdir()))
        command = f"{results.record.command}, then lampyris export . --what {','.join(what)} --csv-dialect {dialect}"
        described = crate_metadata(results, hashes, stores, published=_published(study), command=command)
        durable.write_json(folder / CRATE, described)
    files = hash_files(folder, sorted(path.name for path in folder.iterdir()))
    listed = {"format": FORMAT, "what": list(what), "csv_dialect": dialect, "files": files}
    durable.write_json(folder / LIST, listed)
    return tuple(sorted([*files, LIST]))


def _published(study: Path) -> str:
    """Date of the last session, as the results' own crate has it."""
    crate = json.loads((study / RESULTS / CRATE).read_text(encoding="utf-8"))
    root = next(entity for entity in crate["@graph"] if entity["@id"] == "./")
    return str(root.get("datePublished", ""))


def _write_images(study: Path, folder: Path, results: StudyResults) -> list[str]:
    outcomes = {outcome.animal: outcome for outcome in results.outcomes}
    about = {"study": results.name, "synthetic": results.synthetic, "lampyris": results.record.lampyris}
    stores = []
    for session in results.sessions:
        inner = f"sub-{session.animal}/ses-{session.session}"
        corrected = study / RESULTS / f"sub-{session.animal}" / CURATED / f"ses-{session.session}"
        stored = corrected if corrected.is_dir() else study / RESULTS / inner
        for view in session.views:
            store = f"images/{inner}/{view.view}.ome.zarr"
            export_view(stored, folder / store, session, view, outcomes.get(session.animal), about)
            stores.append(store)
    return stores


def _write_tables(folder: Path, results: StudyResults, dialect: str) -> None:
    form = DIALECTS[dialect]
    for stem, (columns, units, types) in study_tables(results).items():
        write_table(folder / "tables", stem, columns, units=units, types=types)
        (folder / "tables" / f"{stem}.csv").write_bytes(spreadsheet_bytes(columns, form))
    if dialect == "prism":
        for stem, columns in prism_tables(results).items():
            path = folder / "tables" / "prism" / f"{stem}.csv"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(spreadsheet_bytes(columns, form))


def _write_regions(folder: Path, results: StudyResults) -> None:
    head = str(results.record.options.get("stage", {}).get("head", "up"))
    outcomes = {outcome.animal: outcome for outcome in results.outcomes}

    (folder / "regions").mkdir()
    for session in results.sessions:
        for view in session.views:
            text = view_outlines(
                session,
                view,
                outcomes.get(session.animal),
                head=head,
                synthetic=results.synthetic,
            )
            name = f"sub-{session.animal}_ses-{session.session}_{view.view}.geojson"
            (folder / "regions" / name).write_text(text, encoding="utf-8", newline="\n")
