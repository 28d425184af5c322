"""Rules across the rows of samplesheet.csv, animals.csv, landmarks.csv and the settings.

Rules that ask for completeness are silent while a sheet has faulty rows: those rows are not there to be counted, and what
would be said of them would be wrong. Rules on image files are `lampyris.study.opening.headers`.
"""

import itertools
import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import (
    AnimalRow,
    LandmarkRow,
    SampleRow,
)
from lampyris.core.settings import Band, Stage, StudySettings
from lampyris.io.mends import did_you_mean
from lampyris.io.paths import path_fault
from lampyris.study.rules.sheets import SETTINGS, SHEET, SHEET_ANIMALS, SHEET_LANDMARKS, Sheets

# centres are written as whole nanometres; more is another filter
WAVELENGTH_TOLERANCE_NM = 0.5
LEAST_LANDMARKS = 2


def _error(rule: str, place: Place, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.ERROR, place, seen, mend)


def _warning(rule: str, place: Place, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.WARNING, place, seen, mend)


def _known(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = did_you_mean(word, names)
    return f"Write {near}." if near else f"Known are: {', '.join(names) if names else 'none'}."


def check_groups(sheets: Sheets, /) -> Iterator[Finding]:
    """Every group of a sheet is an arm of study.toml."""
    if sheets.settings is None:
        return
    groups = sheets.settings.groups
    for file, row in _all_rows(sheets):
        if row.group not in groups:
            mend = f"{_known(row.group, groups)} Arms stand under [groups] in {SETTINGS}."
            yield _error("sheet.unknown-group", Place(file, row.row, "group"), f"there is no arm {row.group!r}.", mend)


def check_group_of_animal(sheets: Sheets, /) -> Iterator[Finding]:
    """An animal has one group, on every row of both sheets."""
    first: dict[str, tuple[str, str, int]] = {}
    for file, row in _all_rows(sheets):
        group, other_file, line = first.setdefault(row.animal, (row.group, file, row.row))
        if row.group != group:
            seen = f"{row.animal} is in group {row.group} here and in {group} on row {line} of {other_file}."
            yield _error("sheet.group-changes", Place(file, row.row, "group"), seen, "Give an animal one group.")


def check_probes(sheets: Sheets, /) -> Iterator[Finding]:
    """Arms and rows name known probes; labelled arms have one, controls none, and a row has its arm's."""
    if sheets.settings is None:
        return
    groups, probes = sheets.settings.groups, sheets.settings.probes
    if not probes:
        mend = "Describe the probe under [probes.NAME]: unmixing needs its emission; control arms are unmixed with the first."
        yield _error("settings.no-probe", Place(SETTINGS, None, "probes"), "no probe is described.", mend)
    for name, group in groups.items():
        place = Place(SETTINGS, None, f"groups.{name}.probe")
        if group.probe and group.probe not in probes:
            seen = f"there is no probe {group.probe!r}."
            yield _error("settings.unknown-probe", place, seen, f"{_known(group.probe, probes)}")
        if group.role == "labelled" and not group.probe:
            mend = 'Name its probe, or write role = "control".'
            yield _error("settings.labelled-without-probe", place, f"the labelled arm {name} has no probe.", mend)
        if group.role == "control" and group.probe:
            mend = 'Remove the probe, or write role = "labelled".'
            yield _error(
                "settings.control-with-probe", place, f"the control arm {name} has the probe {group.probe}.", mend
            )
    for row in sheets.samples:
        yield from _check_probe_of_row(row, sheets.settings)


def _check_probe_of_row(row: SampleRow, settings: StudySettings) -> Iterator[Finding]:
    place = Place(SHEET, row.row, "probe")
    group = settings.groups.get(row.group)
    if row.probe and row.probe not in settings.probes:
        mend = f"{_known(row.probe, settings.probes)} Probes stand under [probes] in {SETTINGS}."
        yield _error("sheet.unknown-probe", place, f"there is no probe {row.probe!r}.", mend)
    elif group is not None and row.probe != group.probe:
        if group.role == "control":
            seen, mend = f"the control arm {row.group} carries the probe {row.probe}.", "Leave the cell empty."
            yield _error("sheet.control-with-probe", place, seen, mend)
        else:
            seen = f"the arm {row.group} has the probe {group.probe or 'none'}, this row {row.probe or 'none'}."
            yield _error("sheet.probe-differs", place, seen, f"Write the arm's probe, or correct it in {SETTINGS}.")
    probe = settings.probes.get(row.probe)
    if probe is not None and probe.lots and row.lot and row.lot not in probe.lots:
        seen = f"the lot {row.lot!r} is not among those of {row.probe}: {', '.join(probe.lots)}."
        mend = f"Correct it, or add it to probes.{row.probe}.lots in {SETTINGS}."
        yield _warning("sheet.unknown-lot", Place(SHEET, row.row, "lot"), seen, mend)


def check_channels(sheets: Sheets, /) -> Iterator[Finding]:
    """Channels are the instrument's bands, with their wavelengths."""
    if sheets.settings is None:
        return
    instrument = sheets.settings.instrument
    bands = {band.channel: band for band in instrument.bands}
    for band in (band for band, count in Counter(band.channel for band in instrument.bands).items() if count > 1):
        place = Place(SETTINGS, None, "instrument.bands")
        yield _error("settings.doubled-band", place, f"two bands are called {band}.", "Give each band its own channel.")
    for row in sheets.samples:
        if row.channel not in bands:
            mend = f"{_known(row.channel, bands)} Bands stand under [[instrument.bands]] in {SETTINGS}."
            place = Place(SHEET, row.row, "channel")
            yield _error("sheet.unknown-channel", place, f"there is no band {row.channel!r}.", mend)
            continue
        yield from _check_wavelengths(row, bands[row.channel], instrument.excitation_nm)


def _check_wavelengths(row: SampleRow, band: Band, excitation_nm: float) -> Iterator[Finding]:
    for column, given, expected in (
        ("emission_nm", row.emission_nm, band.centre_nm),
        ("excitation_nm", row.excitation_nm, excitation_nm),
    ):
        if abs(given - expected) > WAVELENGTH_TOLERANCE_NM:
            seen = f"{given:g} nm, but {SETTINGS} gives {expected:g} nm for {band.channel}."
            yield _error("sheet.wavelength", Place(SHEET, row.row, column), seen, "Correct the one that is wrong.")


def check_unmixing(sheets: Sheets, /) -> Iterator[Finding]:
    """The bands can tell every probe in use from the tissue's own light; what they are too few for is named."""
    if sheets.settings is None or not sheets.settings.probes:
        return
    # numerics take a moment to import, which a look at unreadable settings does not need
    from lampyris.imaging.radiance.unmix import COMPONENTS, mixing_matrix
    from lampyris.probe.probe import probe_from_settings

    instrument, probes = sheets.settings.instrument, sheets.settings.probes
    place = Place(SETTINGS, None, "instrument.bands")
    for name in _probes_in_use(sheets.settings, sheets.samples):
        try:
            mixing_matrix(instrument, probe_from_settings(name, probes[name]))
        except ValueError as error:
            mend = (
                "Give each band its own centre_nm, width_nm, autofluorescence and leakage, measured on unlabelled animals and on "
                f"an empty stage; or correct emission_nm and fwhm_nm of probes.{name}."
            )
            yield _error("settings.bands-cannot-unmix", place, f"with the probe {name}: {error}.", mend)
    count = len(instrument.bands)
    lights = {
        "autofluorescence": sum(band.autofluorescence for band in instrument.bands),
        "leakage": sum(band.leakage for band in instrument.bands),
    }
    left = [name for name in COMPONENTS[count:] if lights.get(name, 0.0) > 0]
    if left:
        words = {"autofluorescence": "tissue autofluorescence", "leakage": "leaked excitation"}
        bands = f"{count} band{'' if count == 1 else 's'}"
        seen = (
            f"{' and '.join(words[name] for name in left)} cannot be removed with {bands}: it stays in the probe image."
        )
        mend = "Record a band per component (three for probe, autofluorescence and leakage); without, faint lesions hide in it."
        yield _warning("settings.few-bands", place, seen, mend)


def _probes_in_use(settings: StudySettings, samples: Sequence[SampleRow]) -> list[str]:
    """Keys of the probes that images are unmixed with: those of arms and rows, and the first, which controls are given."""
    named = [group.probe or next(iter(settings.probes)) for group in settings.groups.values()]
    named += [row.probe for row in samples]
    return [name for name in dict.fromkeys(named) if name in settings.probes]


def check_duplicates(sheets: Sheets, /) -> Iterator[Finding]:
    """One row per animal, session, view and channel; one row per animal in animals.csv."""
    seen_rows: dict[tuple[str, ...], int] = {}
    for row in sheets.samples:
        line = seen_rows.setdefault((row.animal, row.session, row.view, row.channel), row.row)
        if line != row.row:
            seen = f"{row.animal}, {row.session}, {row.view}, {row.channel} stands on row {line} already."
            yield _error("sheet.duplicate-row", Place(SHEET, row.row), seen, "Remove or correct one of the two.")
    seen_animals: dict[str, int] = {}
    for entry in sheets.animals:
        line = seen_animals.setdefault(entry.animal, entry.row)
        if line != entry.row:
            place = Place(SHEET_ANIMALS, entry.row, "animal")
            yield _error("animals.duplicate", place, f"{entry.animal} stands on row {line} already.", "Keep one row.")


def check_images(sheets: Sheets, /) -> Iterator[Finding]:
    """An image belongs to one view of one animal, or to several animals of which each has a lane of its own."""
    owners: dict[str, dict[tuple[str, str, str], SampleRow]] = defaultdict(dict)
    lanes: dict[tuple[str, str, str], SampleRow] = {}
    for row in sheets.samples:
        view = (row.animal, row.session, row.view)
        known = lanes.setdefault(view, row)
        if known.lane != row.lane and (math.isfinite(known.lane) or math.isfinite(row.lane)):
            seen = f"{', '.join(view)} is in {_lane(row)} here and in {_lane(known)} on row {known.row}."
            yield _error("sheet.two-lanes", Place(SHEET, row.row, "lane"), seen, "Give an animal one lane in a view.")
        if view not in owners[row.image]:
            yield from _check_owner(row, owners[row.image])
            owners[row.image][view] = row
    if sheets.settings is not None and sheets.whole:
        yield from _check_lane_numbers(owners, sheets.settings.stage)


def _check_owner(row: SampleRow, others: Mapping[tuple[str, str, str], SampleRow]) -> Iterator[Finding]:
    """A view whose image others have too: they are other animals, in other lanes."""
    for view, other in others.items():
        seen = f"{row.image} is the image of {', '.join(view)} on row {other.row}"
        if row.animal == other.animal:
            mend = "Name this view's own image: an image shows an animal in one view."
            yield _error("sheet.image-reused", Place(SHEET, row.row, "image"), f"{seen}.", mend)
        elif not (math.isfinite(row.lane) and math.isfinite(other.lane)):
            mend = (
                "Name this animal's own image; or, if it shows several animals, write the lane of each, from the left."
            )
            yield _error("sheet.image-reused", Place(SHEET, row.row, "image"), f"{seen}.", mend)
        elif row.lane == other.lane:
            mend = "Give each animal of an image its own lane, counted from the left, heads up."
            place = Place(SHEET, row.row, "lane")
            yield _error("sheet.lane-taken", place, f"{seen}, in {_lane(other)} as well.", mend)
        else:
            continue
        return


def _check_lane_numbers(owners: Mapping[str, Mapping[Any, SampleRow]], stage: Stage) -> Iterator[Finding]:
    """Without borders, lanes count animals; with them, there are as many as lie between borders."""
    edges = stage.lane_edges_mm
    if edges and (len(edges) < 2 or any(low >= high for low, high in itertools.pairwise(edges))):
        seen = f"lane_edges_mm is {', '.join(f'{edge:g}' for edge in edges)}."
        mend = "Write both borders of every lane from left to right, one more than there are lanes, in mm."
        yield _error("settings.lane-edges", Place(SETTINGS, None, "stage.lane_edges_mm"), seen, mend)
        return
    for image, views in owners.items():
        rows = sorted((row for row in views.values() if math.isfinite(row.lane)), key=lambda row: row.lane)
        if not rows:
            continue
        named, last = [int(row.lane) for row in rows], rows[-1]
        if edges and named[-1] >= len(edges):
            seen = f"{image} has {len(edges) - 1} lanes between the borders of {SETTINGS}, and this row is in {_lane(last)}."
            mend = "Correct the lane, or add its borders to lane_edges_mm under [stage]."
            yield _error("sheet.lane-outside", Place(SHEET, last.row, "lane"), seen, mend)
        missing = sorted(set(range(1, named[-1] + 1)) - set(named))
        if not edges and missing:
            seen = f"{image} has an animal in {_lane(last)} and none in lane {', '.join(map(str, missing))}."
            mend = (
                "Count animals from the left without gaps, and give each its rows; or draw the lanes' borders with lane_edges_mm "
                f"under [stage] in {SETTINGS}, between which lanes may be empty."
            )
            yield _error("sheet.lane-gap", Place(SHEET, last.row, "lane"), seen, mend)


def _lane(row: SampleRow) -> str:
    return f"lane {row.lane:g}" if math.isfinite(row.lane) else "no lane"


def check_names(sheets: Sheets, /) -> Iterator[Finding]:
    """No two animals, nor two sessions of one animal, differ only in a way that some file systems do not keep apart."""
    for column, names in (
        ("animal", [(row.animal, "", row.row) for row in sheets.samples]),
        ("session", [(row.session, row.animal, row.row) for row in sheets.samples]),
    ):
        first: dict[tuple[str, str], str] = {}
        told: set[tuple[str, str]] = set()
        for name, owner, line in names:
            folded = (unicodedata.normalize("NFC", name).casefold(), owner)
            other = first.setdefault(folded, name)
            if other != name and (name, owner) not in told:
                told.add((name, owner))
                seen = f"{name!r} and {other!r} differ only in case or in how letters are composed."
                yield _error("sheet.names-collide", Place(SHEET, line, column), seen, "Write one name in one way.")


def check_bands_complete(sheets: Sheets, /) -> Iterator[Finding]:
    """Every view has every band."""
    if sheets.settings is None or not sheets.whole:
        return
    bands = [band.channel for band in sheets.settings.instrument.bands]
    views: dict[tuple[str, str, str], list[SampleRow]] = defaultdict(list)
    for row in sheets.samples:
        views[row.animal, row.session, row.view].append(row)
    for (animal, session, view), rows in views.items():
        found = {row.channel for row in rows}
        missing = [band for band in bands if band not in found]
        # a channel that no band bears is told by its own rule: it may be the one that seems to be missing
        if missing and found <= set(bands):
            seen = f"{animal}, {session}, {view} has no row for {', '.join(missing)}."
            mend = f"Add {'it' if len(missing) == 1 else 'them'}: unmixing needs every band of [[instrument.bands]]."
            yield _error("sheet.missing-band", Place(SHEET, rows[0].row, "channel"), seen, mend)


def check_days(sheets: Sheets, /) -> Iterator[Finding]:
    """One day per session; days and dates of an animal run alike."""
    first: dict[tuple[str, str], SampleRow] = {}
    for row in sheets.samples:
        known = first.setdefault((row.animal, row.session), row)
        if row.day != known.day:
            seen = f"{row.animal}, {row.session} is day {row.day:g} here and day {known.day:g} on row {known.row}."
            yield _error("sheet.two-days", Place(SHEET, row.row, "day"), seen, "Give a session one day.")
    per_animal: dict[str, list[SampleRow]] = defaultdict(list)
    for row in first.values():
        if row.date:
            per_animal[row.animal].append(row)
    for rows in per_animal.values():
        ordered = sorted(rows, key=lambda row: (row.day, row.row))
        for before, after in itertools.pairwise(ordered):
            yield from _check_dates(before, after)


def _check_dates(before: SampleRow, after: SampleRow) -> Iterator[Finding]:
    start, end = (datetime.fromisoformat(row.date[:10]) for row in (before, after))
    place = Place(SHEET, after.row, "date")
    days, gap = after.day - before.day, (end - start).days
    where = f"{after.animal}: day {before.day:g} on {before.date[:10]}, day {after.day:g} on {after.date[:10]}"
    if gap < 0:
        yield _warning("sheet.date-order", place, f"{where}: the later day has the earlier date.", "Correct one.")
    elif abs(days - gap) > 1:
        # a day off is a matter of the hour; more is not
        seen = f"{where}: {days:g} days by one, {gap} by the other."
        yield _warning("sheet.date-gap", place, seen, "Correct day or date.")


def check_schedule(sheets: Sheets, /) -> Iterator[Finding]:
    """An animal has one session a day, none that its arm has is missing, and every session has the animal's views."""
    sessions: dict[str, dict[str, list[SampleRow]]] = defaultdict(lambda: defaultdict(list))
    for row in sheets.samples:
        sessions[row.animal][row.session].append(row)
    for animal, named in sessions.items():
        yield from _check_day_twice(animal, named)
    if sheets.whole:
        yield from _check_views_missing(sessions)
        yield from _check_sessions_missing(sheets, sessions)


def _check_day_twice(animal: str, sessions: Mapping[str, list[SampleRow]]) -> Iterator[Finding]:
    first: dict[float, SampleRow] = {}
    for rows in sessions.values():
        known = first.setdefault(rows[0].day, rows[0])
        if known.session != rows[0].session:
            seen = f"{animal} has {rows[0].session} here and {known.session} on row {known.row}, both on day {known.day:g}."
            mend = (
                "Correct the day of one; if there were two that day, write the hour as a part of the day, such as "
                f"{known.day + 0.25:g}. Lesions are followed through both; groups are compared on the first."
            )
            yield _warning("sheet.day-twice", Place(SHEET, rows[0].row, "day"), seen, mend)


def _check_views_missing(sessions: Mapping[str, Mapping[str, list[SampleRow]]]) -> Iterator[Finding]:
    for animal, named in sessions.items():
        usual = {row.view for rows in named.values() for row in rows}
        for session, rows in named.items():
            missing = sorted(usual - {row.view for row in rows})
            if missing:
                seen = f"{animal}, {session} has no {missing[0]} view, which other sessions of this animal have."
                mend = "Add its rows if it was recorded; limits of this session are those of one view."
                yield Finding("sheet.view-missing", Severity.NOTE, Place(SHEET, rows[0].row, "view"), seen, mend)


def _check_sessions_missing(sheets: Sheets, sessions: Mapping[str, Mapping[str, list[SampleRow]]]) -> Iterator[Finding]:
    """Days on which most of an arm's animals were imaged, and one was not."""
    excluded = {entry.animal for entry in sheets.animals if entry.excluded}
    arms: dict[str, dict[str, set[float]]] = defaultdict(dict)
    for animal, named in sessions.items():
        rows = [row for session in named.values() for row in session]
        if animal not in excluded:
            arms[rows[0].group][animal] = {row.day for row in rows}
    for group, animals in arms.items():
        counts = Counter(day for days in animals.values() for day in days)
        usual = {day for day, count in counts.items() if 2 * count > len(animals)}
        for animal, days in animals.items():
            missing = sorted(usual - days)
            if missing:
                row = next(iter(sessions[animal].values()))[0].row
                listed = ", ".join(f"{day:g}" for day in missing)
                seen = f"{animal} has no session on day {listed}, on which most animals of {group} have one."
                mend = (
                    "Add its rows if it was imaged; if not, what arrived or went meanwhile is dated by the days around."
                )
                yield Finding("sheet.session-missing", Severity.NOTE, Place(SHEET, row, "session"), seen, mend)


def check_landmarks(sheets: Sheets, /) -> Iterator[Finding]:
    """Landmarks are known, named once, and of a view that the sheet has; two or more in each."""
    if not sheets.landmarks:
        return
    # the nominal animal takes a moment to import, which a study without landmarks does not need
    from lampyris.imaging.body.register import landmark_points

    known = landmark_points()
    views = {(row.animal, row.session, row.view) for row in sheets.samples}
    first: dict[tuple[str, str, str, str], int] = {}
    named: dict[tuple[str, str, str], list[LandmarkRow]] = defaultdict(list)
    for mark in sheets.landmarks:
        view = (mark.animal, mark.session, mark.view)
        named[view].append(mark)
        if mark.landmark not in known:
            seen = f"there is no landmark {mark.landmark!r}."
            place = Place(SHEET_LANDMARKS, mark.row, "landmark")
            yield _error("landmarks.unknown", place, seen, _known(mark.landmark, known))
        if view not in views and sheets.whole:
            seen = f"{', '.join(view)} is not in {SHEET}."
            mend = "Write animal, session and view as they stand there."
            yield _error("landmarks.no-view", Place(SHEET_LANDMARKS, mark.row), seen, mend)
        line = first.setdefault((*view, mark.landmark), mark.row)
        if line != mark.row:
            seen = f"{mark.landmark} of {', '.join(view)} stands on row {line} already."
            yield _error("landmarks.duplicate", Place(SHEET_LANDMARKS, mark.row, "landmark"), seen, "Keep one row.")
    for view, marks in named.items():
        if len({(mark.y_mm, mark.x_mm) for mark in marks}) < LEAST_LANDMARKS and sheets.whole:
            seen = f"{', '.join(view)} has landmarks in one place only, which does not say how the animal lies."
            mend = f"Name {LEAST_LANDMARKS} or more, far apart; or remove the row, and the outline is used."
            yield _error("landmarks.few", Place(SHEET_LANDMARKS, marks[0].row), seen, mend)


def check_paths(sheets: Sheets, /) -> Iterator[Finding]:
    """Every file that is named is there."""
    told: set[str] = set()
    for row in sheets.samples:
        for column, path in (("image", row.image), ("photo", row.photo), ("background", row.background)):
            if path and path not in told and not (sheets.study / path).exists():
                told.add(path)
                yield _error("sheet.file-missing", Place(SHEET, row.row, column), _missing(sheets, path), COPY)
    for index, band in enumerate(sheets.settings.instrument.bands if sheets.settings else ()):
        place = Place(SETTINGS, None, f"instrument.bands[{index}].flat")
        fault = path_fault(sheets.study, band.flat) if band.flat else ""
        if fault:
            mend = "Write a path relative to the study's folder, such as raw/flat.ome.tif."
            yield _error("settings.path-refused", place, fault, mend)
        elif band.flat and not (sheets.study / band.flat).exists():
            yield _error("settings.file-missing", place, _missing(sheets, band.flat), COPY)


COPY = "Correct the path, or copy the file there."


def _missing(sheets: Sheets, path: str) -> str:
    folder = (sheets.study / path).parent
    near = did_you_mean(Path(path).name, [entry.name for entry in folder.iterdir()]) if folder.is_dir() else ""
    return f"{path} is not there" + (f"; there is {near}." if near else ".")


def check_animals(sheets: Sheets, /) -> Iterator[Finding]:
    """Exclusions have reasons; both sheets know the same animals."""
    for entry in sheets.animals:
        if entry.excluded and not entry.exclusion_reason:
            place = Place(SHEET_ANIMALS, entry.row, "exclusion_reason")
            mend = "Write why, who decided it and when: it is shown in the report."
            yield _error("animals.exclusion-reason", place, f"{entry.animal} is excluded without a reason.", mend)
        if entry.exclusion_reason and not entry.excluded:
            place = Place(SHEET_ANIMALS, entry.row, "excluded")
            seen = f"{entry.animal} has a reason for exclusion and is not excluded."
            yield _warning("animals.not-excluded", place, seen, "Write yes, or remove the reason.")
    if not sheets.animals or not sheets.whole:
        return
    listed = {entry.animal for entry in sheets.animals}
    imaged: dict[str, int] = {}
    for row in sheets.samples:
        imaged.setdefault(row.animal, row.row)
    for animal, line in imaged.items():
        if animal not in listed:
            seen = f"{animal} is not in {SHEET_ANIMALS}: its injection site is not known."
            yield _warning("animals.not-listed", Place(SHEET, line, "animal"), seen, "Add a row for it.")
    for entry in sheets.animals:
        if entry.animal not in imaged:
            place = Place(SHEET_ANIMALS, entry.row, "animal")
            yield Finding("animals.no-image", Severity.NOTE, place, f"{entry.animal} has no image.", "")


def check_exposures(sheets: Sheets, /) -> Iterator[Finding]:
    """Say where an animal's exposures of a band differ: they are normalised, but noise and saturation differ with them."""
    first: dict[tuple[str, str], float] = {}
    differing: dict[str, list[SampleRow]] = defaultdict(list)
    for row in sheets.samples:
        if row.exposure_s != first.setdefault((row.animal, row.channel), row.exposure_s):
            differing[row.channel].append(row)
    for channel, rows in differing.items():
        animals = {row.animal for row in rows}
        used = {row.exposure_s for row in rows} | {first[animal, channel] for animal in animals}
        values = ", ".join(f"{value:g}" for value in sorted(used))
        who = next(iter(animals)) if len(animals) == 1 else f"{len(animals)} animals"
        was = "was" if len(animals) == 1 else "were"
        seen = f"{who} {was} imaged in {channel} with differing exposures: {values} s."
        mend = "Radiance is per second, so this is allowed; noise and saturation differ."
        place = Place(SHEET, rows[0].row, "exposure_s")
        yield Finding("sheet.mixed-exposure", Severity.NOTE, place, seen, mend)


def _all_rows(sheets: Sheets) -> Iterator[tuple[str, SampleRow | AnimalRow]]:
    yield from ((SHEET_ANIMALS, row) for row in sheets.animals)
    yield from ((SHEET, row) for row in sheets.samples)
