"""Regions drawn by hand: what they measure, beside what the detection says there."""

from lampyris.core.images import FLUX_UNIT, RADIANCE_UNIT
from lampyris.core.lesions import Lesion
from lampyris.core.regions import RegionResult
from lampyris.core.study import StudyResults
from lampyris.report.arms import Arm
from lampyris.report.identities import identities_of, short_name
from lampyris.report.levels import with_level
from lampyris.report.numbers import MISSING
from lampyris.report.tables import Cell, Column, Row, Table, day_cell, estimate_cell, number_cell, text_cell


def drawn_table(results: StudyResults, arms: dict[str, Arm], /) -> Table | None:
    """Every drawn region with its light, and the lesions detected there; None where none were drawn.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : dict of str to Arm
        From `arms_of`.
    """
    if not results.regions:
        return None
    sessions = {(one.animal, one.session): one for one in results.sessions}
    shown = identities_of(results).shown
    rows = []
    for one in results.regions:
        session = sessions[one.tied.animal, one.tied.session]
        rows.append(
            Row((text_cell(one.tied.animal), day_cell(session.day), *_cells(one, shown)), arms[session.group].index)
        )
    fluxes = [one.flux for one in results.regions]
    columns = (
        Column("Animal"),
        Column("Day", "number"),
        Column("View"),
        Column("Region"),
        Column("Meaning"),
        Column("Area", "number", "mm2"),
        Column("Saturated", "number", "%"),
        Column(with_level("Mean radiance, all light", fluxes), "estimate", RADIANCE_UNIT),
        Column("Flux, all light", "estimate", FLUX_UNIT),
        Column("Flux, all light, vendor 4 pi", "estimate", FLUX_UNIT),
        Column("Probe flux above surroundings", "estimate", FLUX_UNIT),
        Column("The same, vendor 4 pi", "estimate", FLUX_UNIT),
        Column("Lesions detected there"),
        Column("Overlap", "number"),
        Column("Their flux", "estimate", FLUX_UNIT),
    )
    return Table("drawn", "Regions drawn by hand and what was detected there", columns, tuple(rows))


def _cells(one: RegionResult, shown: dict[tuple[str, str, str, int], tuple[Lesion, ...]]) -> tuple[Cell, ...]:
    tied = one.tied
    lesions = {
        short_name(lesion)
        for number in one.detections
        for lesion in shown.get((tied.animal, tied.session, tied.view, number), ())
    }
    return (
        text_cell(tied.view),
        text_cell(tied.region.name),
        text_cell(tied.meaning or tied.region.label),
        number_cell(one.area_mm2, digits=3),
        number_cell(100.0 * one.saturated_share),
        estimate_cell(one.radiance),
        estimate_cell(one.flux),
        estimate_cell(one.flux_vendor_4pi),
        estimate_cell(one.probe_flux),
        estimate_cell(one.probe_flux_vendor_4pi),
        text_cell(", ".join(sorted(lesions)) or "none"),
        number_cell(one.overlap),
        estimate_cell(one.detected_flux) if one.detected_flux is not None else text_cell(MISSING),
    )
