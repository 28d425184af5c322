"""Tables of the page's sections, from the stored results."""

import json
import math
from collections.abc import Iterator
from typing import Any

from lampyris.core.results import Detection
from lampyris.core.study import SessionResult, StudyResults, ViewResult
from lampyris.report.arms import Arm
from lampyris.report.identities import Identities, identities_of
from lampyris.report.levels import level_text, with_level
from lampyris.report.limits import LimitCell, LimitGrid
from lampyris.report.links import Link
from lampyris.report.numbers import MISSING, day_text, ends_text, percent_text
from lampyris.report.pictures.films import flag_words
from lampyris.report.pictures.packing import sessions_by_animal
from lampyris.report.tables import (
    Cell,
    Column,
    Row,
    Table,
    day_cell,
    estimate_cell,
    integer_cell,
    number_cell,
    text_cell,
)


def _detections(own: list[tuple[int, SessionResult]]) -> Iterator[tuple[SessionResult, ViewResult, Detection]]:
    for _, session in own:
        for view in session.views:
            for detection in view.detections:
                yield session, view, detection


def _detection_columns(flux_unit: str) -> tuple[Column, ...]:
    return (
        Column("Day", "number"),
        Column("View"),
        Column("No.", "number"),
        Column("Lesion"),
        Column("Kind"),
        Column("Region"),
        Column("Flux", "estimate", flux_unit),
        Column("z", "number"),
        Column("z needed", "number"),
        Column("Area", "number", "mm2"),
        Column("SNR", "number"),
        Column("Contrast", "number"),
        Column("Tumour to background", "estimate"),
        Column("Width", "number", "mm"),
        Column("Flags"),
    )


def _detection_row(session: SessionResult, view: ViewResult, detection: Detection, names: Identities) -> Row:
    identity = names.of(session.animal, session.session, view.view, detection)
    cells = (
        day_cell(session.day),
        text_cell(view.view),
        integer_cell(detection.number),
        text_cell(identity.name if identity.lesions else "–"),
        text_cell(identity.kind),
        text_cell(detection.region),
        estimate_cell(detection.flux),
        number_cell(detection.z, digits=3),
        number_cell(detection.z_threshold, digits=3),
        number_cell(detection.area_mm2),
        number_cell(detection.snr),
        number_cell(detection.contrast),
        estimate_cell(detection.tumour_to_background),
        number_cell(detection.width_mm),
        Cell(flag_words(detection.flags, short=True), flag_words(detection.flags)),
    )
    lesions = tuple(lesion.number for lesion in identity.lesions)
    return Row(
        cells, muted=not identity.tumour, link=Link(session.animal, lesions, session.day, view.view, detection.number)
    )


def detection_tables(results: StudyResults, /) -> dict[str, Table]:
    """Detections of each animal, tumour kinds first, then other signals set apart.

    Parameters
    ----------
    results : StudyResults
        The study.

    Returns
    -------
    dict of str to Table
        By animal; animals without any detection have an empty table.
    """
    tables, names = {}, identities_of(results)
    for k, (animal, own) in enumerate(sessions_by_animal(results).items()):
        found = list(_detections(own))
        unit = found[0][2].flux.unit if found else ""
        rows = tuple(sorted((_detection_row(*item, names) for item in found), key=lambda row: row.muted))
        tables[animal] = Table(f"detections-{k + 1}", f"Detections of {animal}", _detection_columns(unit), rows)
    return tables


def detection_level(results: StudyResults, /) -> str:
    """Level of the intervals in the detection tables; empty where nothing was found."""
    found = [d for session in results.sessions for view in session.views for d in view.detections]
    return level_text([*(d.flux for d in found), *(d.tumour_to_background for d in found)])


def lesion_count_text(table: Table, /) -> str:
    """How many rows of a detection table are lesions and how many are not."""
    others = sum(row.muted for row in table.rows)
    lesions = len(table.rows) - others
    text = f"{lesions or 'no'} lesion detection{'' if lesions == 1 else 's'} over all days and views"
    return text + (f", {others} other signal{'' if others == 1 else 's'}" if others else "")


def organ_table(results: StudyResults, arms: dict[str, Arm], /) -> Table | None:
    """Diffuse uptake with the shape of whole organs, per animal, day and view; None where no organ was fitted."""
    rows, fluxes = [], []
    for session in results.sessions:
        for view in session.views:
            for signal in view.organ_signals:
                fluxes.append(signal.flux)
                cells = (
                    text_cell(session.animal),
                    text_cell(arms[session.group].title),
                    day_cell(session.day),
                    text_cell(view.view),
                    text_cell(signal.organ),
                    estimate_cell(signal.flux),
                )
                link = Link(session.animal, (), session.day, view.view)
                rows.append(Row(cells, arms[session.group].index, link=link))
    columns = (
        Column("Animal"),
        Column("Arm"),
        Column("Day", "number"),
        Column("View"),
        Column("Organ"),
        Column(with_level("Flux", fluxes), "estimate", fluxes[0].unit if fluxes else ""),
    )
    caption = "Diffuse probe signal with the shape of a whole organ, not counted as lesions"
    return Table("organs", caption, columns, tuple(rows)) if rows else None


def _limit_row(region: str, grid: LimitGrid, day: float, cell: LimitCell, same: dict[str, int]) -> Row:
    cells = [
        text_cell(region),
        text_cell(grid.view),
        day_cell(day),
        number_cell(cell.depth_mm),
        estimate_cell(cell.flux),
        number_cell(cell.outline_share),
        integer_cell(cell.n),
    ]
    for probe in grid.probes:
        own = cell.cells.get(probe)
        cells.append(estimate_cell(own.estimate) if own else text_cell(MISSING))
        if not same[probe]:
            cells.append(integer_cell(own.n if own else 0))
    return Row(tuple(cells))


def limits_table(grids: tuple[LimitGrid, ...], /) -> Table | None:
    """Limits by region, view and day in flux over all animals, and in labelled cells by probe; None without limits."""
    places = [
        (region, grid, day, grid.cells[region, day])
        for grid in grids
        for region in grid.regions
        for day in grid.days
        if (region, day) in grid.cells
    ]
    if not places:
        return None
    limits = [cell for *_, cell in places]
    columns = [
        Column("Region"),
        Column("View"),
        Column("Day", "number"),
        Column("Depth", "number", "mm"),
        Column("Flux inside the outline", "estimate", grids[0].unit),
        Column("Share in the outline", "number"),
        Column("Animals", "number"),
    ]
    same: dict[str, int] = {}
    for probe, title in grids[0].probes.items():
        counts = {cell.cells[probe].n if probe in cell.cells else 0 for cell in limits}
        # a number that is the same in every row stands in the head; else it has a column of its own
        same[probe] = counts.pop() if len(counts) == 1 else 0
        count = f", n\u00a0=\u00a0{same[probe]}" if same[probe] else ""
        columns.append(Column(f"Cells labelled with {title}{count}", "estimate"))
        if not same[probe]:
            columns.append(Column(f"Animals with {title}", "number"))
    level = level_text(e for cell in limits for e in (cell.flux, *(own.estimate for own in cell.cells.values())))
    caption = (
        f"Weakest source that would have been seen: median over animals, with the median {level} span over the region's "
        "places. Flux is over all animals, cells over those that carry the probe; unlabelled controls have a limit in "
        "flux only"
    )
    return Table("limit-table", caption, tuple(columns), tuple(_limit_row(*place, same) for place in places))


def limit_terms(results: StudyResults, /) -> str:
    """Power and false alarms at which the limits hold, and what flux they give."""
    limits = [limit for session in results.sessions for view in session.views for limit in view.limits]
    if not limits:
        return ""
    power = ends_text([limit.power for limit in limits], percent_text)
    alarm = ends_text([limit.false_alarms for limit in limits], lambda value: f"{value:g}")
    text = (
        f"A source at the limit is found with {power} probability at {alarm} expected false alarms per animal-session. "
        "Limits are given as flux inside the outline, as the detections are"
    )
    shares = [limit.outline_share for limit in limits if math.isfinite(limit.outline_share)]
    if shares:
        text += f"; the outline holds {ends_text(shares, lambda value: percent_text(round(value, 2)))} of a spot's flux"
    return f"{text}."


def _words(key: str) -> str:
    return key.replace("_", " ")


def _quality_summary(pictures: list[tuple[SessionResult, ViewResult]], key: str) -> list[Row]:
    """One measure over all pictures: median, ends, and where the largest lies; nothing where it is unknown."""
    known = sorted(
        (
            (view.quality[key], f"{session.animal}, day {day_text(session.day)}, {view.view}")
            for session, view in pictures
            if not math.isnan(view.quality.get(key, math.nan))
        ),
        key=lambda item: item[0],
    )
    if not known:
        return []
    low, middle, high = known[0][0], known[len(known) // 2][0], known[-1][0]
    numbers = [number_cell(value, digits=3) for value in (middle, low, high)]
    return [Row((text_cell(_words(key)), *numbers, text_cell(known[-1][1])))]


def quality_tables(results: StudyResults, arms: dict[str, Arm], /) -> tuple[Table, Table] | None:
    """Quality numbers: a summary per measure with where its extremes lie, and every picture's own with its body flux.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : dict of str to Arm
        From `arms_of`.

    Returns
    -------
    (Table, Table) or None
        Summary and full table; None where there is no picture.
    """
    pictures = [(session, view) for session in results.sessions for view in session.views]
    keys = list(dict.fromkeys(key for _, view in pictures for key in view.quality))
    if not pictures:
        return None
    fluxes = [view.body_flux for _, view in pictures]
    full_rows = []
    for session, view in pictures:
        head = (
            text_cell(session.animal),
            day_cell(session.day),
            text_cell(view.view),
            estimate_cell(view.body_flux),
        )
        values = tuple(number_cell(view.quality.get(key, math.nan), digits=3) for key in keys)
        link = Link(session.animal, (), session.day, view.view)
        full_rows.append(Row(head + values, arms[session.group].index, link=link))
    summary_rows = [row for key in keys for row in _quality_summary(pictures, key)]
    summary = Table(
        "quality-summary",
        "Quality over all pictures",
        (
            Column("Measure"),
            Column("Median", "number"),
            Column("Least", "number"),
            Column("Most", "number"),
            Column("Most in"),
        ),
        tuple(summary_rows),
    )
    full = Table(
        "quality-full",
        "Quality of every picture",
        (
            Column("Animal"),
            Column("Day", "number"),
            Column("View"),
            Column(with_level("Probe flux of the whole animal", fluxes), "estimate", fluxes[0].unit),
            *(Column(_words(key), "number") for key in keys),
        ),
        tuple(full_rows),
    )
    return summary, full


def findings_table(results: StudyResults, /) -> Table | None:
    """Findings of the checks and of the analysis with place and mend; None where there are none."""
    found = [("", finding) for finding in results.findings]
    found += [
        (f"{session.animal}, day {day_text(session.day)}", finding)
        for session in results.sessions
        for finding in session.findings
    ]
    order = {"error": 0, "warning": 1, "note": 2}
    found.sort(key=lambda item: order.get(item[1].severity, 3))
    rows = tuple(
        Row(
            (
                text_cell(str(finding.severity)),
                text_cell("; ".join(filter(None, (who, str(finding.place))))),
                text_cell(finding.seen),
                text_cell(finding.mend),
                text_cell(finding.rule),
            )
        )
        for who, finding in found
    )
    columns = tuple(map(Column, ("Severity", "Place", "Seen", "Mend", "Check")))
    return Table("findings", "Findings of the checks and of the analysis", columns, rows) if rows else None


def left_out_table(results: StudyResults, arms: dict[str, Arm], /) -> Table | None:
    """Failed and excluded animals with their reasons; None where every animal is done."""
    rows = tuple(
        Row(
            (text_cell(o.animal), text_cell(arms[o.group].title), text_cell(o.status), text_cell(o.reason)),
            arms[o.group].index,
        )
        for o in results.outcomes
        if o.status != "done"
    )
    columns = tuple(map(Column, ("Animal", "Arm", "Status", "Reason")))
    return Table("left-out", "Animals that failed or were excluded", columns, rows) if rows else None


def _flat(options: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in options.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{name}.")
        elif isinstance(value, (list, tuple)) and value and all(isinstance(item, dict) for item in value):
            for k, item in enumerate(value):
                yield from _flat(item, f"{name}[{k}].")
        else:
            yield name, value


def _shown(value: Any) -> Cell:
    if isinstance(value, bool) or value is None:
        return text_cell(json.dumps(value))
    if isinstance(value, float):
        # a setting is printed as it was given, not rounded
        return Cell(MISSING if math.isnan(value) else f"{value:.10g}")
    if isinstance(value, (list, tuple)):
        return text_cell(", ".join(_shown(item).text for item in value))
    return text_cell(str(value))


def _pairs_table(name: str, caption: str, heads: tuple[str, str], pairs: list[tuple[str, Any]]) -> Table:
    rows = tuple(Row((text_cell(key), _shown(value))) for key, value in pairs)
    return Table(name, caption, tuple(map(Column, heads)), rows)


def record_tables(results: StudyResults, /) -> tuple[Table, ...]:
    """Parameters, versions and hashes of the run, those that have rows."""
    record = results.record
    versions = [("lampyris", record.lampyris), *record.packages.items(), ("source (SHA-256)", record.source_hash)]
    tables = (
        _pairs_table("parameters", "Every parameter", ("Parameter", "Value"), list(_flat(record.options))),
        _pairs_table("versions", "Versions", ("Package", "Version"), [pair for pair in versions if pair[1]]),
        _pairs_table("inputs", "Input files (SHA-256)", ("File", "SHA-256"), list(record.inputs.items())),
    )
    return tuple(table for table in tables if table.rows)
