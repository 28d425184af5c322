"""Drafts settings and sheets from what a folder holds. Nothing is read or written here."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import AnimalRow, AssayRow, SampleRow
from lampyris.io.settings import UNFILLED
from lampyris.study.draft.assays import DraftedAssays, draft_assays
from lampyris.study.draft.companions import dark_of, flat_of, photo_of
from lampyris.study.draft.instrument import DraftedInstrument, draft_instrument
from lampyris.study.draft.names import natural_key, plain_text
from lampyris.study.draft.notes import Drafted, Notebook
from lampyris.study.draft.scan import FoundImage, Scan
from lampyris.study.draft.shots import Shot, clean_name, control_word, session_name, shots_of, sort_by_role

PROBE = "probe"
ASSUMED_FWHM_NM = 60.0
ASSUMED_EXTINCTION = 2.5e5
ASSUMED_YIELD = 0.3
ASSUMED_YIELD_SD = 0.15
ASSUMED_PER_CELL = 1e5
ASSUMED_PER_CELL_SD = 1.0
ASSUMED_DARKS = "drafted"
"""Folder of the study for frames that the draft makes because there are none."""
_CELLS_ONLY = "It scales numbers of cells, nothing else: write your own."
_DOT = re.compile(r"(?:qd|qdot|quantum[\s_-]*dots?|dots?)[\s_-]*(\d{3,4})", re.IGNORECASE)
_SEXES = {
    "f": "female",
    "female": "female",
    "w": "female",
    "weiblich": "female",
    "m": "male",
    "male": "male",
    "männlich": "male",
}


@dataclass(frozen=True, slots=True)
class AssumedDark:
    """A dark frame that nobody took: a constant."""

    path: str
    shape: tuple[int, int]
    exposure_s: float
    counts: float


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A study as drafted.

    Parameters
    ----------
    settings : dict
        Tables of study.toml; `UNFILLED` where a person must fill a value.
    samples : tuple of SampleRow
        Rows of samplesheet.csv.
    animals : tuple of AnimalRow
        Rows of animals.csv.
    notes : tuple of Drafted
        Where every value comes from.
    findings : tuple of Finding
        Files that were left aside, and why.
    darks : tuple of AssumedDark
        Frames to make.
    assays : tuple of AssayRow
        Rows of assays.csv: trays and sections; none where the study is to be blinded.
    """

    settings: dict[str, Any]
    samples: tuple[SampleRow, ...]
    animals: tuple[AnimalRow, ...]
    notes: tuple[Drafted, ...] = ()
    findings: tuple[Finding, ...] = ()
    darks: tuple[AssumedDark, ...] = field(default=())
    assays: tuple[AssayRow, ...] = ()

    @property
    def to_fill(self) -> tuple[Drafted, ...]:
        """What only a person knows."""
        return tuple(note for note in self.notes if note.to_fill)

    @property
    def to_confirm(self) -> tuple[Drafted, ...]:
        """Guesses that a person should look at."""
        return tuple(note for note in self.notes if note.to_confirm)


def draft_study(scan: Scan, paths: Mapping[str, str], /, *, name: str, shuffled: bool = False) -> Draft:
    """Draft a study from what a folder holds.

    Parameters
    ----------
    scan : Scan
        Of the folder.
    paths : mapping of str to str
        Path inside the study of each of the folder's; images that are missing in it cannot be named in a sheet.
    name : str
        Of the study.
    shuffled : bool
        Animals that are numbered anew get their numbers in random order, so that numbers do not tell arms.

    Returns
    -------
    Draft
        Complete but for what only a person knows.

    Raises
    ------
    InputError
        If there is no image to analyse.
    """
    notes = Notebook()
    findings = list(scan.findings)
    usable = [found for found in scan.images if found.path in paths]
    for found in scan.images:
        if found.path not in paths:
            seen, mend = "has a name that a sheet cannot hold.", "Rename it, or draft into a new folder with --from."
            findings.append(Finding("draft.left-out", Severity.WARNING, Place(plain_text(found.path)), seen, mend))
    assays = DraftedAssays((), tuple(usable)) if shuffled else draft_assays(usable, paths)
    findings += assays.findings
    roles = sort_by_role(assays.living)
    for found in roles.get("other", []):
        seen = "looks like a phantom, a preview or an overlay by its name, and has no row."
        findings.append(Finding("draft.left-out", Severity.NOTE, Place(plain_text(found.path)), seen, ""))
    images = roles.get("image", [])
    photos = {
        found.path: photo
        for found in images
        if not found.photo and (photo := photo_of(found, roles.get("photo", []))) is not None
    }
    # a photograph shows animals better than their own light
    bodies = {found.path: photos[found.path].bodies if found.path in photos else found.bodies for found in images}
    shots, doubled = shots_of(images, bodies=bodies, shuffled=shuffled)
    findings += doubled
    if not shots:
        raise _nothing(scan, findings)
    instrument = draft_instrument(shots, roles.get("dark", []), photos, notes)
    findings += instrument.findings
    if not instrument.shots:
        raise _nothing(scan, findings)
    samples, darks = _samples(instrument, roles.get("dark", []), photos, paths, notes)
    settings = _settings(instrument, samples, roles.get("flat", []), paths, notes, name)
    animals = _animals(instrument.shots, notes)
    return Draft(settings, samples, animals, notes.notes, tuple(findings), darks, assays.rows)


def _nothing(scan: Scan, findings: Sequence[Finding]) -> InputError:
    seen = f"{len(scan.images)} images can be read, none of them is one to analyse; {scan.other} files are of no known format."
    mend = "Name the folder that holds the images; formats are in the documentation."
    first = Finding("draft.no-image", Severity.ERROR, Place(), seen, mend)
    return InputError("no study can be drafted", [first, *findings])


# --- sheets -------------------------------------------------------------------------------------------------------


def _samples(
    instrument: DraftedInstrument,
    darks: Sequence[FoundImage],
    photos: Mapping[str, FoundImage],
    paths: Mapping[str, str],
    notes: Notebook,
) -> tuple[tuple[SampleRow, ...], tuple[AssumedDark, ...]]:
    order = {band["channel"]: number for number, band in enumerate(instrument.table["bands"])}
    shots = sorted(
        instrument.shots, key=lambda shot: (natural_key(shot.animal), shot.day, shot.view, order[shot.channel])
    )
    rows, made = [], {}
    backgrounds = []
    for shot in shots:
        found = shot.found
        dark, background = None, ""
        if not found.dark:
            dark = dark_of(shot, darks)
            if dark is None:
                one = _assumed_dark(shot, instrument.offset_counts)
                made[one.path] = one
                background = one.path
            else:
                background = paths[dark.path]
        backgrounds.append(_background_note(shot, dark, background))
        rows.append(_row(shot, paths, photos, background))
    for column in ("animal", "day", "date", "group", "view", "channel", "excitation_nm", "emission_nm", "exposure_s"):
        entries = [
            (getattr(shot, column), shot.said[column].source, shot.said[column].confidence, shot.said[column].do)
            for shot in shots
            if column in shot.said
        ]
        notes.settle(f"samplesheet.csv {column}", entries)
    if any(not math.isnan(shot.lane) for shot in shots):
        do = (
            "Lanes are counted from the left, heads up, in the order in which the animals are named: correct it where that "
            "is wrong. Where the tray was turned over for the ventral image, the order there is the other way round."
        )
        lanes = [int(shot.lane) for shot in shots if not math.isnan(shot.lane)]
        notes.settle("samplesheet.csv lane", [(lane, "assumed", "low", do) for lane in lanes])
    notes.settle("samplesheet.csv background", backgrounds)
    taken = [(rows[n].photo, "name", "medium", "") for n in range(len(rows)) if rows[n].photo]
    notes.settle("samplesheet.csv photo", taken)  # type: ignore[arg-type]
    return tuple(rows), tuple(made[path] for path in sorted(made))


def _row(shot: Shot, paths: Mapping[str, str], photos: Mapping[str, FoundImage], background: str) -> SampleRow:
    photo = photos.get(shot.found.path)
    return SampleRow(
        row=0,
        animal=shot.animal,
        session=session_name(shot.day),
        day=shot.day,
        date=shot.date,
        group=shot.group,
        view=shot.view,
        channel=shot.channel,
        excitation_nm=shot.excitation_nm,
        emission_nm=shot.emission_nm,
        exposure_s=shot.exposure_s,
        image=paths[shot.found.path],
        photo=paths[photo.path] if photo is not None and photo.path in paths else "",
        background=background,
        probe="" if control_word(shot.group) else PROBE,
        lot="",
        lane=shot.lane,
    )


def _background_note(shot: Shot, dark: FoundImage | None, path: str) -> tuple[Any, Any, Any, str]:
    if shot.found.dark:
        return "in the image", "metadata", "high", ""
    if dark is not None:
        own = dark.image.exposure_s[0] > 0
        return path, "metadata" if own else "name", "high" if own else "medium", ""
    do = (
        "There is no dark frame of this size and exposure: a constant one was made at the counts of the darkest pixels. "
        "Record one, or hot pixels and dark current stay in the image."
    )
    return path, "assumed", "low", do


def _assumed_dark(shot: Shot, offset: float) -> AssumedDark:
    height, width = shot.found.shape
    path = f"{ASSUMED_DARKS}/dark_{shot.exposure_s:g}s_{height}x{width}.ome.tiff"
    return AssumedDark(path, shot.found.shape, shot.exposure_s, offset)


def _animals(shots: Sequence[Shot], notes: Notebook) -> tuple[AnimalRow, ...]:
    first: dict[str, Shot] = {}
    for shot in shots:
        first.setdefault(shot.animal, shot)
    rows = []
    for animal in sorted(first, key=natural_key):
        labels = first[animal].found.image.labels
        sex = _SEXES.get(labels.get("sex", "").strip().casefold(), "")
        strain = plain_text(labels.get("strain", "")).strip()
        rows.append(
            AnimalRow(0, animal, first[animal].group, strain, sex, math.nan, "", "", "", math.nan, False, "", "", "")
        )
    do = "Write where the cells were put, if it is known: what is found there is then the primary, not a metastasis."
    notes.note("animals.csv inoculation", "", "assumed", "low", do)
    return tuple(rows)


# --- settings -----------------------------------------------------------------------------------------------------


def _settings(
    instrument: DraftedInstrument,
    samples: Sequence[SampleRow],
    flats: Sequence[FoundImage],
    paths: Mapping[str, str],
    notes: Notebook,
    name: str,
) -> dict[str, Any]:
    shots = instrument.shots
    for number, band in enumerate(instrument.table["bands"]):
        flat = flat_of(band["channel"], band["centre_nm"], shots, flats)
        if flat is not None and flat.path in paths:
            band["flat"] = paths[flat.path]
            do = "Is a dark frame already subtracted from it? If not, subtract one before you save it."
            notes.note(f"instrument.bands[{number}].flat", band["flat"], "name", "low", do)
    synthetic = any(shot.found.image.synthetic for shot in shots)
    notes.note("study.name", name, "name", "high")
    return {
        "study": {"name": clean_name(name), "title": "", "synthetic": synthetic, "diet": "unknown"},
        "instrument": instrument.table,
        "groups": _groups(shots, notes),
        "probes": {PROBE: _probe(instrument, notes)},
    }


def _groups(shots: Sequence[Shot], notes: Notebook) -> dict[str, dict[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    for group in sorted({shot.group for shot in shots}, key=natural_key):
        control = control_word(group)
        groups[group] = {"title": "", "role": "control" if control else "labelled", "probe": "" if control else PROBE}
        do = (
            "Are these animals unlabelled? If they carry a probe, write role = labelled and the probe."
            if control
            else ""
        )
        notes.note(
            f"groups.{group}.role",
            groups[group]["role"],
            "name" if control else "assumed",
            "low" if control else "medium",
            do,
        )
    return groups


def _probe(instrument: DraftedInstrument, notes: Notebook) -> dict[str, Any]:
    """One probe for all labelled arms: what only a person knows is its colour, where there are bands to unmix by it."""
    field = f"probes.{PROBE}"
    told = {shot.found.image.labels.get("reporter", "").strip() for shot in instrument.shots} - {""}
    title = plain_text(next(iter(told))) if len(told) == 1 else ""
    bands = instrument.table["bands"]
    emission: Any = UNFILLED
    match = _DOT.search(title)
    if match and 400 <= float(match[1]) <= 1800:
        emission = float(match[1])
        notes.note(f"{field}.emission_nm", emission, "name", "medium", "Read from the reporter's name.")
    elif len(bands) == 1:
        emission = bands[0]["centre_nm"]
        notes.note(f"{field}.emission_nm", emission, "assumed", "low", f"Taken to be the band's centre. {_CELLS_ONLY}")
    else:
        notes.note(
            f"{field}.emission_nm",
            UNFILLED,
            "assumed",
            "low",
            "emission peak of your probe in nm: unmixing needs its colour.",
        )
    values = {
        "fwhm_nm": (
            ASSUMED_FWHM_NM,
            "Width of the emission at half its peak: unmixing and numbers of cells depend on it.",
        ),
        "molar_extinction_per_m_cm": (ASSUMED_EXTINCTION, _CELLS_ONLY),
        "quantum_yield": (ASSUMED_YIELD, _CELLS_ONLY),
        "quantum_yield_sd": (ASSUMED_YIELD_SD, "Set it with quantum_yield."),
        "per_cell": (ASSUMED_PER_CELL, _CELLS_ONLY),
        "per_cell_relative_sd": (
            ASSUMED_PER_CELL_SD,
            "Wide, because per_cell and the irradiance are assumed; set it with per_cell.",
        ),
    }
    for key, (value, do) in values.items():
        notes.note(f"{field}.{key}", value, "assumed", "low", do)
    if title:
        notes.note(f"{field}.title", title, "metadata", "high")
    return {"kind": "quantum dot", "title": title, "emission_nm": emission} | {
        key: value for key, (value, _) in values.items()
    }
