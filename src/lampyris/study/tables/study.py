"""The study's tables, one row per detection, limit, organ signal, outcome, arm and pair; columns with their units.

Those of what was followed over days are laid out in `lampyris.study.tables.spread`, tests, courses, onsets and relations in
`lampyris.study.tables.analyses`.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.estimate import Estimate
from lampyris.core.flags import DetectionFlag
from lampyris.core.images import FLUX_UNIT, RADIANCE_UNIT
from lampyris.core.regions import RegionResult
from lampyris.core.results import Detection, DetectionLimit, OrganSignal
from lampyris.core.study import Correction, Corrections, SessionResult, StudyResults, ViewResult
from lampyris.study.outcomes import owners
from lampyris.study.tables.amounts import amount_tables
from lampyris.study.tables.analyses import analysis_tables
from lampyris.study.tables.assays import assay_tables
from lampyris.study.tables.bench import bench_tables
from lampyris.study.tables.checks import check_tables
from lampyris.study.tables.columns import Cell, Table, columns, estimate_cells
from lampyris.study.tables.spread import spread_tables


def study_tables(results: StudyResults, /) -> dict[str, Table]:
    """Lay the results out as columns.

    Parameters
    ----------
    results : StudyResults
        A finished study.

    Returns
    -------
    dict of str to (dict, dict, dict)
        Per table its columns in order, the unit of each column that has one, and the type of each. A table without rows
        keeps its columns.
    """
    return {
        "detections": columns(_detections(results), [*_who("", "", "", 0.0, ""), *_detection(_SPOT, 0)]),
        "limits": columns(_per_view(results, lambda view: view.limits, _limit), _seen(_limit, _WEAKEST)),
        "organ_signals": columns(_per_view(results, lambda view: view.organ_signals, _organ), _seen(_organ, _GLOW)),
        "outcomes": columns(_outcomes(results), _outcome("", "", "", "", 0.0, None, False, 0)),
        "comparisons": columns(_comparisons(results), _arm(_TEST, _ARM)),
        "pairs": columns(_pairs(results), _pair(_TEST, _PAIR)),
        **analysis_tables(results),
        **spread_tables(results),
        **amount_tables(results.amounts),
        **assay_tables(results.exvivo, results.histology),
        **bench_tables(results.bench),
        **check_tables(results),
        **_correction_tables(results),
        **_region_tables(results),
    }


# of these the automatic result stands beside the corrected one
AUTOMATIC = (
    "detections", "outcomes", "comparisons", "pairs", "tests", "over_time", "onset_tests", "relations", "lesions", "sightings",
    "burden", "onsets",
)  # fmt: skip


def automatic_results(results: StudyResults, /) -> StudyResults:
    """The study as it was found without a person's corrections; images of corrected sessions are not there."""
    found = results.corrections
    outcomes = {one.animal: one for one in (*results.outcomes, *found.outcomes)}
    sessions = {(one.animal, one.session): one for one in (*results.sessions, *found.sessions)}
    return replace(
        results,
        outcomes=tuple(sorted(outcomes.values(), key=lambda one: (one.group, one.animal))),
        sessions=tuple(sorted(sessions.values(), key=lambda one: (one.animal, one.day, one.session))),
        comparisons=found.comparisons,
        analyses=found.analyses,
        corrections=Corrections(),
    )


def _correction_tables(results: StudyResults) -> dict[str, Table]:
    """The rows of curation.csv as applied, and what the analysis alone had found; nothing without corrections."""
    if not results.corrections.outcomes:
        return {}
    automatic = study_tables(automatic_results(results))
    rows = (_correction(row) for row in results.corrections.rows)
    return {
        "curation": columns(rows, _correction(Correction(*([""] * 9)))),
        **{f"{name}_automatic": automatic[name] for name in AUTOMATIC},
    }


def _region_tables(results: StudyResults) -> dict[str, Table]:
    """Regions drawn by hand beside what was detected there; nothing where none were drawn."""
    if not results.regions:
        return {}
    owned = {outcome.animal: owners(outcome.lesions) for outcome in results.outcomes}
    rows = []
    for one in results.regions:
        own = owned.get(one.tied.animal, {})
        lesions = {
            lesion.number
            for number in one.detections
            for lesion in own.get((one.tied.session, one.tied.view, number), ())
        }
        rows.append(_region(one, sorted(lesions)))
    return {"regions": columns(rows, rows[0])}


def _region(one: RegionResult, lesions: list[int]) -> list[Cell]:
    tied = one.tied
    return [
        ("animal", "", tied.animal),
        ("session", "", tied.session),
        ("view", "", tied.view),
        ("region", "", tied.region.name),
        ("label", "", tied.region.label),
        ("meaning", "", tied.meaning),
        ("file", "", tied.file),
        ("pixels", "1", one.pixels),
        ("area_mm2", "mm2", one.area_mm2),
        ("saturated_share", "1", one.saturated_share),
        ("on_body_share", "1", one.on_body_share),
        *estimate_cells("radiance", RADIANCE_UNIT, one.radiance),
        *estimate_cells("flux", FLUX_UNIT, one.flux),
        *estimate_cells("flux_vendor_4pi", FLUX_UNIT, one.flux_vendor_4pi),
        *estimate_cells("probe_radiance", RADIANCE_UNIT, one.probe_radiance),
        *estimate_cells("probe_flux", FLUX_UNIT, one.probe_flux),
        *estimate_cells("probe_flux_vendor_4pi", FLUX_UNIT, one.probe_flux_vendor_4pi),
        ("detections", "", ", ".join(map(str, one.detections))),
        ("lesions", "", ", ".join(map(str, lesions))),
        ("overlap", "1", one.overlap),
        *estimate_cells("detected_flux", FLUX_UNIT, one.detected_flux),
    ]


def _correction(row: Correction) -> list[Cell]:
    return [
        ("animal", "", row.animal),
        ("session", "", row.session),
        ("view", "", row.view),
        ("action", "", row.action),
        ("target", "", row.target),
        ("change", "", row.change),
        ("reason", "", row.reason),
        ("author", "", row.author),
        ("time", "", row.time),
    ]


def _seen(describe: Callable[[Any], list[Cell]], sample: Any) -> list[Cell]:
    return [*_who("", "", "", 0.0, ""), *describe(sample)]


def _who(animal: str, group: str, session: str, day: float, view: str) -> list[Cell]:
    return [
        ("animal", "", animal),
        ("group", "", group),
        ("session", "", session),
        ("day", "d", day),
        ("view", "", view),
    ]


def _per_view(
    results: StudyResults, entries: Callable[[ViewResult], Iterable[Any]], describe: Callable[[Any], list[Cell]]
) -> Iterator[list[Cell]]:
    for session in results.sessions:
        for view in session.views:
            for entry in entries(view):
                yield [*_whose(session, view.view), *describe(entry)]


def _whose(session: SessionResult, view: str) -> list[Cell]:
    return _who(session.animal, session.group, session.session, session.day, view)


def _detections(results: StudyResults) -> Iterator[list[Cell]]:
    owned = {outcome.animal: owners(outcome.lesions) for outcome in results.outcomes}
    for session in results.sessions:
        for view in session.views:
            for detection in view.detections:
                lesions = owned.get(session.animal, {}).get((session.session, view.view, detection.number), ())
                # of those that share it the first; the others stand in the table of sightings
                number = lesions[0].number if lesions else None
                yield [*_whose(session, view.view), *_detection(detection, number)]


def _detection(detection: Detection, lesion: int | None) -> list[Cell]:
    flags = ", ".join(flag.name.lower() for flag in DetectionFlag(detection.flags) if flag.name)
    return [
        ("number", "", detection.number),
        ("lesion", "", lesion),
        ("kind", "", str(detection.kind)),
        ("region", "", detection.region),
        ("y_mm", "mm", detection.y_mm),
        ("x_mm", "mm", detection.x_mm),
        ("position_sd_mm", "mm", detection.position_sd_mm),
        ("width_mm", "mm", detection.width_mm),
        ("template_depth_mm", "mm", detection.template_depth_mm),
        ("z", "1", detection.z),
        ("z_threshold", "1", detection.z_threshold),
        *estimate_cells("flux", FLUX_UNIT, detection.flux),
        ("flux_vendor_4pi", FLUX_UNIT, detection.flux_vendor_4pi),
        ("area_mm2", "mm2", detection.area_mm2),
        ("snr", "1", detection.snr),
        ("contrast", "1", detection.contrast),
        *estimate_cells("tumour_to_background", "1", detection.tumour_to_background),
        ("flags", "", flags),
    ]


def _limit(limit: DetectionLimit) -> list[Cell]:
    return [
        ("region", "", limit.region),
        *estimate_cells("flux", FLUX_UNIT, limit.flux),
        ("outline_share", "1", limit.outline_share),
        *estimate_cells("cells", "labelled-cell equivalents at injection", limit.cells),
        ("depth_mm", "mm", limit.depth_mm),
        ("false_alarms", "per animal and session", limit.false_alarms),
        ("power", "1", limit.power),
    ]


def _organ(signal: OrganSignal) -> list[Cell]:
    return [("organ", "", signal.organ), *estimate_cells("flux", FLUX_UNIT, signal.flux)]


def _outcomes(results: StudyResults) -> Iterator[list[Cell]]:
    for outcome in results.outcomes:
        who = (outcome.animal, outcome.group, outcome.status, outcome.reason)
        if not outcome.days:
            yield _outcome(*who, None, None, None, None)
        rows = zip(outcome.days, outcome.total_flux, outcome.below_limit, outcome.lesion_count, strict=True)
        for day, flux, below, count in rows:
            yield _outcome(*who, day, flux, below, count)


def _outcome(
    animal: str,
    group: str,
    status: str,
    reason: str,
    day: float | None,
    flux: Estimate | None,
    below: bool | None,
    count: int | None,
) -> list[Cell]:
    return [
        ("animal", "", animal),
        ("group", "", group),
        ("status", "", status),
        ("reason", "", reason),
        ("day", "d", day),
        *estimate_cells("total_flux", FLUX_UNIT, flux),
        ("below_limit", "", below),
        ("lesions", "1", count),
    ]


def _comparisons(results: StudyResults) -> Iterator[list[Cell]]:
    for comparison in results.comparisons:
        for group in comparison.groups:
            yield _arm(comparison, group)


def _arm(comparison: Comparison, group: GroupSummary) -> list[Cell]:
    return [
        ("endpoint", "", comparison.endpoint),
        ("unit", "", comparison.unit),
        ("group", "", group.group),
        ("n", "", group.n),
        ("censored", "", sum(group.censored)),
        *estimate_cells("mean", "", group.mean),
        ("test", "", comparison.test),
        ("statistic", "1", comparison.statistic),
        ("df1", "1", comparison.df1),
        ("df2", "1", comparison.df2),
        ("p", "1", comparison.p),
        *estimate_cells("omega_squared", "1", comparison.effect_size),
        ("p_adjusted", "1", comparison.p_adjusted),
        ("adjustment", "", comparison.adjustment),
        ("sd", "", group.sd),
        ("letters", "", group.letters),
        ("notes", "", " ".join(comparison.notes)),
    ]


def _pairs(results: StudyResults) -> Iterator[list[Cell]]:
    for comparison in results.comparisons:
        for pair in comparison.pairs:
            yield _pair(comparison, pair)


def _pair(comparison: Comparison, pair: PairDifference) -> list[Cell]:
    return [
        ("endpoint", "", comparison.endpoint),
        ("unit", "", comparison.unit),
        ("a", "", pair.a),
        ("b", "", pair.b),
        *estimate_cells("difference", "", pair.difference),
        ("p", "1", pair.p),
        ("method", "", comparison.post_hoc),
        *estimate_cells("hedges_g", "1", pair.effect_size),
        *estimate_cells("superiority", "1", pair.superiority),
    ]


# one of each, to know the columns of a table without rows
_NAN = math.nan
_UNKNOWN = Estimate.unknown(0.95, "1", "")
_SPOT = Detection(
    number=0,
    kind="",
    y_mm=_NAN,
    x_mm=_NAN,
    position_sd_mm=_NAN,
    width_mm=_NAN,
    template_depth_mm=_NAN,
    z=_NAN,
    z_threshold=_NAN,
    flux=_UNKNOWN,
    flux_vendor_4pi=_NAN,
    area_mm2=_NAN,
    snr=_NAN,
    contrast=_NAN,
    tumour_to_background=_UNKNOWN,
    region="",
    outline_mm=(),
    flags=0,
)
_WEAKEST = DetectionLimit("", _UNKNOWN, _NAN, _UNKNOWN, _NAN, _NAN, _NAN)
_GLOW = OrganSignal("", _UNKNOWN)
_ARM = GroupSummary("", 0, (), (), _UNKNOWN)
_PAIR = PairDifference("", "", _UNKNOWN, _NAN)
_TEST = Comparison("", "", "animal", "", _NAN, _NAN, _NAN, _NAN, (), (), "")
