"""Regions drawn by hand as a task: measured on the stored views, beside what the detection says there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.regions import RegionResult, TiedRegion
from lampyris.core.settings import StudySettings
from lampyris.core.study import SessionResult, ViewResult
from lampyris.io import durable
from lampyris.io.regions.geojson import geojson_text
from lampyris.study.drawn.gather import DrawnOn
from lampyris.study.graph.codec import encode
from lampyris.study.graph.store import read_session, write_noun
from lampyris.study.graph.tasks import RECORD, Task

REGIONS_FOLDER = "results/regions"
REGIONS = "regions.json"
OUTLINES = "regions.geojson"
# of a region's pixels, so many must lie on the animal of several to which it is given; more where another of them, whose
# body is not known, may be meant
LEAST_SHARE, LEAST_SHARE_BESIDE_MISSING = 0.05, 0.5


@dataclass(frozen=True, slots=True)
class StoredRegions:
    """What regions.json holds."""

    regions: tuple[RegionResult, ...]
    findings: tuple[Finding, ...]


def regions_task(
    study: Path, drawn: Sequence[DrawnOn], folders: Mapping[tuple[str, str], str], settings: StudySettings, /
) -> Task:
    """Measure every drawn region.

    Parameters
    ----------
    study : Path
        The study's directory.
    drawn : sequence of DrawnOn
        From `lampyris.study.drawn.gather.gather_regions`.
    folders : mapping of (animal, session) to str
        Sessions that are in the results, relative to the study.
    settings : StudySettings

    Returns
    -------
    Task
        Depends on the regions, on the records of their sessions and on the settings.
    """
    wanted = {(one.animal, one.session) for region in drawn for one in region.candidates}
    mine = {key: folder for key, folder in sorted(folders.items()) if key in wanted}
    regions = tuple(drawn)
    options = {
        "regions": encode(regions),
        "sessions": [[*key, folder] for key, folder in mine.items()],
        "settings": settings.analysed(without=("study", "growth", "groups", "probes")),
    }
    return Task(
        step="regions",
        study=str(study),
        folder=REGIONS_FOLDER,
        inputs=tuple(f"{folder}/{RECORD}" for folder in mine.values()),
        outputs=(REGIONS, OUTLINES),
        options=durable.canonical_json(options),
        work=partial(_measure, regions, tuple(mine.items()), settings),
        seed_key=("study", settings.study.name, "regions"),
    )


def _measure(
    drawn: tuple[DrawnOn, ...],
    sessions: tuple[tuple[tuple[str, str], str], ...],
    settings: StudySettings,
    study: Path,
    folder: Path,
) -> None:
    folders = dict(sessions)
    opened: dict[tuple[str, str], SessionResult] = {}
    measured: list[RegionResult] = []
    findings: list[Finding] = []
    for region in sorted(drawn, key=lambda one: (one.candidates[0].animal, one.candidates[0].session)):
        keys = sorted({(one.animal, one.session) for one in region.candidates} & folders.keys())
        # only what this region needs stays open, so that memory does not grow with the study
        opened = {key: opened.get(key) or read_session(study / folders[key]) for key in keys}
        found, told = measured_on(region, opened, settings)
        measured += found
        findings += told
    write_noun(folder / REGIONS, StoredRegions(tuple(measured), tuple(findings)))
    durable.write_text(folder / OUTLINES, geojson_text(one.tied for one in measured))


def measured_on(
    region: DrawnOn, opened: Mapping[tuple[str, str], SessionResult], settings: StudySettings, /
) -> tuple[list[RegionResult], tuple[Finding, ...]]:
    """Measure a region on the candidate that holds most of it, or say why it cannot be measured.

    Parameters
    ----------
    region : DrawnOn
    opened : mapping of (animal, session) to SessionResult
        Its sessions, with images; those that have no result are not there.
    settings : StudySettings

    Returns
    -------
    regions : list of RegionResult
        One, or none.
    findings : tuple of Finding
        Why there is none.
    """
    from lampyris.imaging.drawn import measure_region
    from lampyris.imaging.radiance.turning import view_corners

    done: list[RegionResult] = []
    told: tuple[Finding, ...] = ()
    missing: list[TiedRegion] = []
    for one in region.candidates:
        view = _view_of(one, opened)
        if view is None:
            missing.append(one)
            continue
        try:
            outline = view_corners(one.region.outline_px, view, settings.stage.head)
            done.append(measure_region(one, outline, view, settings))
        except ImageError as error:
            told = error.findings
    if not done:
        return [], tuple(map(_not_in_results, missing)) or told
    best = max(done, key=lambda one: one.on_body_share)
    if len(region.candidates) == 1:
        return [best], ()
    # animals that share an image: the region is that one's on whose body it lies; their pieces of the image overlap
    if best.on_body_share < (LEAST_SHARE_BESIDE_MISSING if missing else LEAST_SHARE):
        return [], tuple(map(_not_in_results, missing)) or (_on_no_animal(region),)
    return [best], ()


def _view_of(one: TiedRegion, opened: Mapping[tuple[str, str], SessionResult]) -> ViewResult | None:
    session = opened.get((one.animal, one.session))
    views = session.views if session is not None else ()
    return next((view for view in views if view.view == one.view), None)


def _on_no_animal(region: DrawnOn) -> Finding:
    first = region.candidates[0]
    names = ", ".join(sorted({one.animal for one in region.candidates}))
    seen = f"the region {first.region.name!r} was not measured: it lies on none of the animals of its image, {names}."
    mend = "If it is one's background, write a row in regions.csv: animal, session, view, file, name."
    return Finding("regions.off-animal", Severity.WARNING, Place(first.file), seen, mend)


def _not_in_results(one: TiedRegion) -> Finding:
    seen = f"the region {one.region.name!r} was not measured: {one.animal}, {one.session}, {one.view} is not in the results."
    mend = "The animal or the image was left out, or failed; remove the region if that is meant."
    return Finding("regions.no-result", Severity.NOTE, Place(one.file), seen, mend)
