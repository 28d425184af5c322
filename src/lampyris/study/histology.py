"""Sections of a study, or single micrographs: opened, counted, and laid beside what the living animal's images called.

In the order of use: `histology_study`, `histology_files`.
"""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lampyris.assays.histology.calls import call_from_onset, judge_calls, living_organ, match_calls
from lampyris.assays.histology.cells import RING_UM, ScoreScale, Threshold, threshold_from_controls, widest_scale
from lampyris.assays.histology.density import group_densities, organ_densities
from lampyris.assays.histology.detection import detection_share
from lampyris.assays.histology.landmarks import LandmarkError, register_section, suspects
from lampyris.assays.histology.nuclei import NUCLEUS_UM
from lampyris.assays.histology.section import (
    MeasuredSection,
    analyse_section,
    call_section,
    called_cells,
    rescored,
    section_middle_mm,
)
from lampyris.core.errors import InputError, LampyrisError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.histology import (
    Histology,
    OrganCall,
    SectionFlag,
    SectionRegistration,
    SectionResult,
    SectionView,
)
from lampyris.core.images import RawImage
from lampyris.core.schemas import AssayRow, SectionLandmarkRow
from lampyris.core.settings import StudySettings
from lampyris.io.data_tables import read_table
from lampyris.io.mends import did_you_mean
from lampyris.io.stems import distinct_stems
from lampyris.study.check import CheckResult, check_study
from lampyris.study.opening.sections import SectionImage, open_micrograph, open_section
from lampyris.study.opening.views import SHEET
from lampyris.study.rules.assays import PIXELS_DIFFER
from lampyris.study.rules.histology import SectionKey, read_landmarks, sections_of
from lampyris.study.rules.sheets import SHEET_ANIMALS, SHEET_ASSAYS, SHEET_SECTION_LANDMARKS, Sheets

TABLE_OF_ONSETS = "results/tables/onsets.csv"
YES, NO = ("yes", "1", "true", "y"), ("no", "0", "false", "n")


@dataclass(frozen=True, slots=True)
class CountingOptions:
    """How sections are counted.

    Parameters
    ----------
    nucleus_um : float
        Usual diameter of nuclei.
    ring_um : float
        Cytoplasm about a nucleus that is its cell's.
    pixel_um : float
        For every section without a pixel size of its own in sheet or file.
    model : str
        ``similarity`` or ``affine``, of landmarks.
    highest_limit : float
        In vivo detection limit in cells above which "nothing seen" is no call.
    views : bool
        Keep images and outlines for pictures.
    level : float
        Coverage of intervals; a study's own level stands over it.
    """

    nucleus_um: float = NUCLEUS_UM
    ring_um: float = RING_UM
    pixel_um: float = math.nan
    model: str = "similarity"
    highest_limit: float = math.inf
    views: bool = False
    level: float = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """A section on its way."""

    key: SectionKey
    group: str
    control: bool
    file: str
    image: RawImage
    measured: MeasuredSection
    registration: SectionRegistration | None


def histology_study(
    directory: Path | str, /, *, calls: Path | None = None, options: CountingOptions | None = None
) -> Histology:
    """Count every section of a study and judge the in vivo calls by them.

    Parameters
    ----------
    directory : path
        The study, with rows of kind histology in assays.csv.
    calls : Path, optional
        Table with columns animal, organ, called (yes, no or empty) and, if wanted, score and reason; the study's own results if left
        out.
    options : CountingOptions, optional

    Returns
    -------
    Histology
        A section that cannot be counted is left out, with a finding that says why.

    Raises
    ------
    InputError
        If settings or sheets are invalid, or the table of calls is.
    """
    options = options or CountingOptions()
    study = Path(directory)
    check, settings = _checked(study)
    options = replace(options, level=settings.analysis.interval_level)
    told = _told_calls(calls, check) if calls is not None else _onsets(study, options.highest_limit)
    controls = unlabelled_arms(settings)
    excluded = {row.animal: row.exclusion_reason for row in check.animals if row.excluded}
    counted = set_aside(count_study(study, check, settings, options), excluded.keys(), controls, options.level)
    cut = dict.fromkeys(one.animal for one in counted.sections if one.animal in excluded)
    remarks = [_left_out(animal, excluded[animal]) for animal in cut]
    return judged(replace(counted, findings=(*counted.findings, *remarks)), told, controls, options.level)


def set_aside(counted: Histology, animals: Set[str], controls: frozenset[str], level: float, /) -> Histology:
    """Sections of some animals used for nothing further than to be listed.

    Parameters
    ----------
    counted : Histology
        From `count_study`.
    animals : set of str
        Excluded, or not among those to which a run is restricted.
    controls : frozenset of str
        Arms without label.
    level : float
        Coverage of intervals.
    """
    organs = tuple(one for one in counted.organs if one.animal not in animals)
    return replace(counted, organs=organs, groups=group_densities(organs, controls=controls, level=level))


def _left_out(animal: str, reason: str) -> Finding:
    seen = f"{animal} is excluded ({reason}): its sections are counted, and are in no density, mean or accuracy."
    return Finding("histology.excluded", Severity.NOTE, Place(SHEET_ANIMALS), seen, "Nothing, if that is meant.")


def unlabelled_arms(settings: StudySettings, /) -> frozenset[str]:
    """Arms without label: their sections tell how many cells are called wrongly."""
    return frozenset(name for name, group in settings.groups.items() if group.role == "control" or not group.probe)


def count_study(study: Path, check: CheckResult, settings: StudySettings, options: CountingOptions, /) -> Histology:
    """Count every section of a study, without a look at the living animals.

    Parameters
    ----------
    study : Path
    check : CheckResult
        Checked sheets.
    settings : StudySettings
    options : CountingOptions

    Returns
    -------
    Histology
        A section that cannot be counted is left out, with a finding that says why.
    """
    groups = {row.animal: row.group for row in check.animals}
    controls = unlabelled_arms(settings)
    sheets = Sheets(study, settings, check.samples, check.animals, True, assays=check.assays)
    landmarks, _ = read_landmarks(sheets)
    counted: list[_Counted] = []
    findings = [one for one in check.findings if one.severity is not Severity.ERROR and _concerns(one)]
    for key, rows in sorted(sections_of(check.assays).items()):
        group = groups.get(key[0], "")
        try:
            opened = open_section(study, rows, settings.limits, pixel_um=options.pixel_um)
            measured = _measured(opened, options, rows[0].file)
        except LampyrisError as error:
            findings += error.findings or [_failed(rows[0].file, error)]
            continue
        findings += _pixels_differ(rows, opened)
        mine = [row for row in landmarks if (row.animal, row.organ, row.section) == key]
        registration, remarks = _registered(mine, measured, options.model)
        findings += remarks
        counted.append(_Counted(key, group, group in controls, rows[0].file, opened.image, measured, registration))
    return _called(counted, options, controls, findings)


def histology_files(
    files: Sequence[Path],
    /,
    *,
    nuclei: str = "",
    label: str = "",
    controls: Sequence[Path] = (),
    options: CountingOptions | None = None,
) -> Histology:
    """Count single micrographs, each with both channels; the file's name stands for the animal.

    Parameters
    ----------
    files : sequence of Path
    nuclei, label : str
        Channels, by name or by number from 0; from their own names if left out.
    controls : sequence of Path
        Micrographs of unlabelled tissue under the same settings: they tell how many cells are called wrongly.
    options : CountingOptions, optional

    Returns
    -------
    Histology
        Without arms, landmarks and calls.
    """
    options = options or CountingOptions()
    findings: list[Finding] = []
    counted: list[_Counted] = []
    every = (*files, *controls)
    # two files are never one animal, nor a control and what it is a control of
    for path, name, control in zip(
        every, distinct_stems(every), (*[False] * len(files), *[True] * len(controls)), strict=True
    ):
        try:
            opened = open_micrograph(path, nuclei=nuclei, label=label, pixel_um=options.pixel_um)
            measured = _measured(opened, options, path.name)
        except LampyrisError as error:
            findings += error.findings or [_failed(path.name, error)]
            continue
        key = name, "", "1"
        counted.append(_Counted(key, "control" if control else "", control, path.name, opened.image, measured, None))
    return _called(counted, options, frozenset(("control",)), findings)


def _measured(opened: SectionImage, options: CountingOptions, file: str) -> MeasuredSection:
    return analyse_section(
        opened.image.counts,
        pixel_um=opened.pixel_um,
        nucleus_um=options.nucleus_um,
        ring_um=options.ring_um,
        names=opened.names,
        file=file,
    )


def _checked(study: Path) -> tuple[CheckResult, StudySettings]:
    check = check_study(study, images=False)
    alone = not (study / SHEET).exists()
    errors = [one for one in check.sheet_errors if not (alone and one.place.file == SHEET)]
    if not sections_of(check.assays) and not errors:
        seen = "names no section." if (study / SHEET_ASSAYS).exists() else "there is no assays.csv."
        mend = "Write rows of kind histology: file, animal, organ, section, channel, stain (nuclei or label), pixel_um."
        errors.append(Finding("histology.missing", Severity.ERROR, Place(SHEET_ASSAYS), seen, mend))
    errors += _unknown_animals(check, errors)
    if errors or check.settings is None:
        raise InputError(f"{study}: nothing was analysed", errors)
    return check, check.settings


def _unknown_animals(check: CheckResult, told: Sequence[Finding]) -> list[Finding]:
    """Sections of animals that animals.csv does not have, where the sheets' own rules could not look."""
    known = [row.animal for row in check.animals]
    places = {(one.place.file, one.place.row, one.place.column) for one in told}
    found = []
    for rows in sections_of(check.assays).values():
        row = rows[0]
        if known and row.animal and row.animal not in known and (SHEET_ASSAYS, row.row, "animal") not in places:
            near = did_you_mean(row.animal, known)
            mend = f"Did you mean {near}?" if near else "Name an animal of animals.csv."
            place = Place(SHEET_ASSAYS, row.row, "animal")
            found.append(
                Finding("histology.animal", Severity.ERROR, place, f"there is no animal {row.animal!r}.", mend)
            )
    return found


def _concerns(finding: Finding) -> bool:
    return finding.place.file in (SHEET_ASSAYS, SHEET_SECTION_LANDMARKS)


def _failed(file: str, error: LampyrisError) -> Finding:
    return Finding("histology.failed", Severity.ERROR, Place(file), f"{error}.", "Mend it and run the assay again.")


def _registered(
    rows: Sequence[SectionLandmarkRow], measured: MeasuredSection, model: str
) -> tuple[SectionRegistration | None, list[Finding]]:
    """Place of a section on its organ; a remark where landmarks do not fix it, or one of them does not fit the others."""
    if not rows:
        return None, []
    shape = measured.nuclei.labels.shape
    section = {row.landmark: (1e-3 * row.y_um, 1e-3 * row.x_um) for row in rows}
    organ = {row.landmark: (row.organ_y_mm, row.organ_x_mm) for row in rows}
    findings = []
    height, width = (1e-3 * side * measured.pixel_um for side in shape)
    for row in rows:
        if row.y_um > 1e3 * height or row.x_um > 1e3 * width:
            column = "y_um" if row.y_um > 1e3 * height else "x_um"
            seen = f"{row.landmark} lies outside its section of {1e3 * height:.0f} x {1e3 * width:.0f} um."
            findings.append(
                _remark(row.row, column, seen, "Write it in um from the first pixel's centre, y down and x right.")
            )
    try:
        found = register_section(
            section, organ, middle_mm=section_middle_mm((shape[0], shape[1]), measured.pixel_um), model=model,
            organ_file=rows[0].organ_file,
        )  # fmt: skip
    except LandmarkError as error:
        name = f"{rows[0].organ} of {rows[0].animal}, section {rows[0].section}"
        mend = "Mark three or more places that are spread over the section."
        return None, [*findings, _remark(rows[0].row, "landmark", f"{name} is not registered: {error}.", mend)]
    for name, miss in suspects(section, organ, model=model).items():
        row = next(one for one in rows if one.landmark == name)
        seen = f"{name} lies {miss:.3g} mm from where the other landmarks of its section put it."
        findings.append(
            _remark(
                row.row, "organ_y_mm", seen, "Look for a slip of typing, y and x exchanged, or two names exchanged."
            )
        )
    return found, findings


def _pixels_differ(rows: Sequence[AssayRow], opened: SectionImage) -> list[Finding]:
    """Sheet and file that contradict each other: density goes with the square of it."""
    own, pixel_um = 1e3 * opened.image.pixel_mm, opened.pixel_um
    if not (own > 0 and abs(pixel_um / own - 1.0) > PIXELS_DIFFER):
        return []
    seen = f"{rows[0].file} says that its pixels are {own:g} um wide, and {pixel_um:g} um is used."
    mend = f"Correct pixel_um, or leave it empty: densities would be {(pixel_um / own) ** 2:.3g} times these by the file's."
    place = Place(SHEET_ASSAYS, rows[0].row, "pixel_um")
    return [Finding("histology.pixel-differs", Severity.WARNING, place, seen, mend)]


def _remark(row: int, column: str, seen: str, mend: str) -> Finding:
    return Finding("histology.landmarks", Severity.WARNING, Place(SHEET_SECTION_LANDMARKS, row, column), seen, mend)


def _within(one: _Counted, ceiling: ScoreScale | None, options: CountingOptions) -> _Counted:
    return replace(one, measured=rescored(one.measured, one.image.counts, ceiling, ring_um=options.ring_um))


def _called(
    counted: Sequence[_Counted], options: CountingOptions, controls: frozenset[str], findings: Sequence[Finding]
) -> Histology:
    """Threshold from controls, then every section by it."""
    usable = [one for one in counted if one.control and one.measured.usable]
    ceiling = widest_scale([one.measured.cells.scale for one in usable])
    counted = [one if one.control else _within(one, ceiling, options) for one in counted]
    quiet = [(one.key[0], one.measured.cells.score) for one in usable]
    threshold: Threshold = threshold_from_controls(quiet)
    sections: list[SectionResult] = []
    views: list[SectionView] = []
    for one in counted:
        result = call_section(
            one.measured,
            threshold,
            whose=one.key,
            group=one.group,
            file=one.file,
            control=one.control,
            registration=one.registration,
        )
        if one.registration is None and one.key[1]:
            result = replace(result, flags=(*result.flags, str(SectionFlag.NOT_REGISTERED)))
        sections.append(result)
        if options.views:
            views.append(
                SectionView(
                    result, np.asarray(one.image.counts, np.float32), one.measured.nuclei.labels,
                    called_cells(one.measured, threshold), one.measured.tissue.mask, one.image.synthetic,
                )
            )  # fmt: skip
    labelled = [one.measured.cells.score for one in counted if not one.control and one.measured.usable]
    detection = detection_share(labelled, [score for _, score in quiet], threshold.score, level=options.level)
    organs = organ_densities(sections, threshold, detection=detection, level=options.level)
    # files without a sheet have no organs
    place = Place(SHEET_ASSAYS if organs and organs[0].organ else "")
    told = [*findings, *_not_told(sections, threshold, detection is not None, place)]
    return Histology(
        sections=tuple(sections),
        organs=organs,
        groups=group_densities(organs, controls=controls, level=options.level),
        views=tuple(views),
        false_positives=threshold.false_positives,
        controls=(threshold.cells, threshold.sections, threshold.animals),
        detection=detection.share if detection is not None else None,
        findings=tuple(dict.fromkeys(told)),
        synthetic=any(one.image.synthetic for one in counted),
    )


def _not_told(
    sections: Sequence[SectionResult], threshold: Threshold, detected: bool, place: Place
) -> Iterator[Finding]:
    """What counted sections leave open."""
    if threshold.cells and not detected and any(one.labelled for one in sections if not one.control):
        seen = "too few labelled cells stand out to tell which share of them is called: densities are of called cells, and too low."
        mend = "Add sections or fields of labelled animals, all taken under the same settings."
        yield Finding("histology.no-detection", Severity.NOTE, place, seen, mend)
    if sections and threshold.cells == 0:
        seen = "no section of an unlabelled animal: how many cells are called wrongly is not known; no organ is positive or negative."
        mend = "Add sections of controls (an arm without probe, or --control FILE), taken under the same settings."
        yield Finding("histology.no-controls", Severity.WARNING, place, seen, mend)


def judged(
    found: Histology, told: Mapping[tuple[str, str], OrganCall] | None, controls: frozenset[str], level: float, /
) -> Histology:
    """Lay counted sections beside the calls of the living animals' images.

    Parameters
    ----------
    found : Histology
        From `count_study`.
    told : mapping of (animal, organ) to OrganCall, or None
        None where the study has not been run.
    controls : frozenset of str
        Arms without label.
    level : float
        Coverage of intervals.
    """
    if told is None:
        seen = "the study has no results of living animals: sections are not laid beside a call."
        mend = "Run `lampyris run` first, or give a table with --calls."
        remark = Finding("histology.no-calls", Severity.NOTE, Place(TABLE_OF_ONSETS), seen, mend)
        return replace(found, findings=(*found.findings, remark))
    calls = match_calls(found.organs, told, controls=controls)
    accuracy = judge_calls(calls, level=level)
    findings = list(found.findings)
    if accuracy is None:
        seen = "fewer than two animals have an organ with both a call and sections: no sensitivity, no specificity."
        mend = "Cut organs of more animals, or look at the reasons in the list of calls."
        findings.append(Finding("histology.few-calls", Severity.WARNING, Place(SHEET_ASSAYS), seen, mend))
    return replace(found, calls=calls, accuracy=accuracy, findings=tuple(findings))


def _onsets(study: Path, highest_limit: float) -> dict[tuple[str, str], OrganCall] | None:
    """Calls of the study's own results, at its last session; None where it has not been run."""
    path = study / TABLE_OF_ONSETS
    if not path.is_file():
        return None
    found = {}
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
        organ = living_organ(row["organ"])
        found[row["animal"], organ] = call_from_onset(
            row["animal"],
            organ,
            probability=_number(row["probability"], math.nan),
            after_day=_number(row["after_day"], -math.inf),
            by_day=_number(row["by_day"], math.inf),
            limit_cells=_number(row["limit_cells"], math.nan),
            highest_limit=highest_limit,
        )
    return found


def _number(text: str, missing: float) -> float:
    return float(text) if text else missing


def _told_calls(path: Path, check: CheckResult) -> dict[tuple[str, str], OrganCall]:
    """Calls of a user's own table."""
    table = read_table(path)
    animals, organs, called = (table.words(name) for name in ("animal", "organ", "called"))
    scores = table.numbers("score") if "score" in table.columns else np.full(len(table), math.nan)
    reasons = table.words("reason") if "reason" in table.columns else ("",) * len(table)
    cut = {row.animal for row in check.assays if row.animal}
    known = {row.animal for row in check.animals} | cut
    organs_cut = {living_organ(row.organ) for row in check.assays if row.organ}
    found: dict[tuple[str, str], OrganCall] = {}
    faults: list[Finding] = []
    for k, line in enumerate(table.lines):
        word = called[k].casefold()
        key = animals[k], living_organ(organs[k])
        if word and word not in (*YES, *NO):
            faults.append(
                _fault(
                    table.file,
                    line,
                    "called",
                    f"{called[k]!r} is neither yes nor no.",
                    "Write yes, no, or leave it empty.",
                )
            )
        if animals[k] not in known:
            near = did_you_mean(animals[k], known)
            mend = f"Did you mean {near}?" if near else "Name an animal of animals.csv."
            faults.append(_fault(table.file, line, "animal", f"there is no animal {animals[k]!r}.", mend))
        near = did_you_mean(key[1], organs_cut) if key[1] not in organs_cut else ""
        if near:
            faults.append(
                _fault(table.file, line, "organ", f"no section is of {organs[k]!r}.", f"Did you mean {near}?")
            )
        if key in found:
            faults.append(
                _fault(table.file, line, "organ", f"{organs[k]} of {animals[k]} stands twice.", "Keep one row.")
            )
        yes = word in YES if word else None
        reason = "" if yes is not None else reasons[k] or "no call given"
        found[key] = OrganCall(*key, yes, float(scores[k]), None, reason)
    if faults:
        raise InputError(f"{table.file}: calls cannot be used", faults)
    return found


def _fault(file: str, line: int, column: str, seen: str, mend: str) -> Finding:
    return Finding("histology.calls", Severity.ERROR, Place(file, line, column), seen, mend)
