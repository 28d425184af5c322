"""Trays of a study: opened, measured, and turned into amounts."""

import math
from collections.abc import Sequence

from lampyris.assays.exvivo.amounts import CELLS, PMOL_UNIT, Dose, Scale, organ_result, shared_relative_sd
from lampyris.assays.exvivo.trays import MeasuredTray, analyse_tray
from lampyris.core.amounts import CalibrationLine
from lampyris.core.assays import OrganResult, TrayView
from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.regions import TiedRegion
from lampyris.core.schemas import AnimalRow, AssayRow
from lampyris.core.settings import StudySettings
from lampyris.io.paths import inside
from lampyris.io.regions.readers import read_regions
from lampyris.study.amounts import KnownDose, study_doses
from lampyris.study.exvivo.sheets import ExVivoSheets
from lampyris.study.opening.trays import open_tray
from lampyris.study.rules.assays import PIXELS_DIFFER
from lampyris.study.rules.sheets import SHEET_ASSAYS
from lampyris.study.standards import measure_standards


class Ground:
    """Doses and lines, and by what an animal's organs are turned into amounts.

    Parameters
    ----------
    sheets : ExVivoSheets
    """

    def __init__(self, sheets: ExVivoSheets) -> None:
        self.settings = sheets.settings
        self.animals = {row.animal: row for row in sheets.check.animals}
        measured, findings = measure_standards(sheets.study, sheets.check.standards, sheets.settings)
        self.findings = list(findings)
        self.lines, known = study_doses(measured, sheets.check.animals, sheets.settings)
        self.doses: dict[str, Dose] = {}
        for animal, row in self.animals.items():
            dose = self._dose(row, known.get(animal))
            if dose is not None:
                self.doses[animal] = dose

    def _dose(self, row: AnimalRow, known: KnownDose | None) -> Dose | None:
        if known is not None:
            return Dose(known.injected.amount, known.line, known.on_line)
        group = self.settings.groups.get(row.group)
        # the cells of an arm that a probe is injected into carried none
        if group is not None and group.label == "prelabelled" and row.labelled_cells > 0:
            cells, level = row.labelled_cells, self.settings.analysis.interval_level
            given = Estimate(cells, 0.0, cells, cells, level, CELLS, "as written")
            return Dose(given, "", given)
        return None

    def scale(self, animal: str, probe: str) -> Scale:
        """By what an animal's light is turned into amounts: unit, line of wells and dose, where there are any."""
        dose = self.doses.get(animal)
        group = self.settings.groups.get(self.animals[animal].group) if animal in self.animals else None
        injected = group is not None and group.label == "injected"
        unit = dose.amount.unit if dose else (PMOL_UNIT if injected else CELLS)
        return Scale(unit, self._line(probe, unit), dose)

    def shared_sds(self, organs: Sequence[OrganResult]) -> dict[str, float]:
        """What each animal's organs have in common in the errors of their shares, relative."""
        return {
            one.animal: shared_relative_sd(
                self.scale(one.animal, one.probe), self.settings.probes[one.probe], self.settings.instrument
            )
            for one in organs
            if one.probe in self.settings.probes
        }

    def _line(self, probe: str, unit: str) -> CalibrationLine | None:
        name = self.settings.instrument.name
        return next(
            (
                line
                for line in self.lines
                if line.valid
                and line.kind == "well plate"
                and (line.probe, line.instrument, line.unit) == (probe, name, unit)
            ),
            None,
        )


def tray_view(sheets: ExVivoSheets, file: str, ground: Ground, /) -> TrayView:
    """A tray measured, with what its organs amount to.

    Parameters
    ----------
    sheets : ExVivoSheets
    file : str
        Image of the tray, as in assays.csv.
    ground : Ground
        Gains what is to be said of the tray.

    Returns
    -------
    TrayView

    Raises
    ------
    ImageError
        If files cannot be read, or organs cannot be outlined or named.
    """
    measured, synthetic, remarks = measure_tray(sheets, file)
    ground.findings += remarks
    settings = ground.settings
    organs: list[OrganResult] = []
    for organ in measured.organs:
        animal = organ.row.animal
        group = ground.animals[animal].group if animal in ground.animals else ""
        probe = settings.probes.get(organ.probe)
        organs.append(organ_result(organ, group, file, ground.scale(animal, organ.probe), probe, settings.instrument))
    return TrayView(file, measured.pixel_mm, measured.photo, measured.probe, synthetic, tuple(organs))


def measure_tray(sheets: ExVivoSheets, file: str, /) -> tuple[MeasuredTray, bool, list[Finding]]:
    """Open a tray and measure its organs.

    Parameters
    ----------
    sheets : ExVivoSheets
    file : str
        Image of the tray, as in assays.csv.

    Returns
    -------
    tray : MeasuredTray
    synthetic : bool
        The image says that it was simulated.
    findings : list of Finding
        Where sheet and file give different pixel sizes, and of organs whose outline and weight do not go together.

    Raises
    ------
    ImageError
        If files cannot be read, rows give different pixel sizes, or organs cannot be outlined or named.
    """
    settings = _tray_settings(sheets, file)
    view = open_tray(sheets.study, sheets.trays[file], settings)
    pixel_mm, remarks = _pixel_mm(sheets.trays[file], view.image.pixel_mm)
    settings = settings.model_copy(update={"instrument": settings.instrument.model_copy(update={"pixel_mm": pixel_mm})})
    animals = {row.animal: row for row in sheets.check.animals}
    named = {row.probe for row in sheets.trays[file] if row.probe}
    rows = sheets.organs_on(file)
    probes = {row.animal: _probe(animals.get(row.animal), named, settings) for row in rows}
    tray = analyse_tray(view, rows, probes, settings, drawn=_drawn(sheets, file))
    return tray, view.image.synthetic, [*remarks, *tray.remarks]


def _pixel_mm(rows: Sequence[AssayRow], own_mm: float) -> tuple[float, list[Finding]]:
    """Pixel pitch that a tray is measured with: the sheet's, which may correct the file's."""
    given = [row for row in rows if math.isfinite(row.pixel_um)]
    if not given:
        return own_mm, []
    first = given[0]
    for row in given[1:]:
        if abs(row.pixel_um / first.pixel_um - 1.0) > PIXELS_DIFFER:
            seen = f"{row.file} has pixels of {row.pixel_um:g} um here and of {first.pixel_um:g} um in row {first.row}."
            place = Place(SHEET_ASSAYS, row.row, "pixel_um")
            mend = "One image has one pixel size: write the right one in all its rows, or leave all of them empty."
            raise ImageError(
                f"{row.file} has two pixel sizes", [Finding("exvivo.pixel-size", Severity.ERROR, place, seen, mend)]
            )
    times = first.pixel_um / (1e3 * own_mm) if own_mm > 0 else 1.0
    if abs(times - 1.0) <= PIXELS_DIFFER:
        return 1e-3 * first.pixel_um, []
    seen = f"{first.file} says that its pixels are {1e3 * own_mm:g} um wide, and {first.pixel_um:g} um is used."
    mend = (
        f"Correct pixel_um, or leave it empty: areas, fluxes and %ID would be {times**-2:.3g} times these by the file's, and heights of "
        f"organs of known weight {times**2:.3g} times."
    )
    place = Place(SHEET_ASSAYS, first.row, "pixel_um")
    return 1e-3 * first.pixel_um, [Finding("exvivo.pixel-differs", Severity.WARNING, place, seen, mend)]


def _tray_settings(sheets: ExVivoSheets, file: str) -> StudySettings:
    """Trays are not turned: places are counted as the image shows them."""
    del file
    settings = sheets.settings
    return settings.model_copy(update={"stage": settings.stage.model_copy(update={"head": "up"})})


def _probe(animal: AnimalRow | None, named: set[str], settings: StudySettings) -> str:
    if animal is None:
        return next(iter(named)) if len(named) == 1 else ""
    group = settings.groups.get(animal.group)
    return group.probe if group is not None else ""


def _drawn(sheets: ExVivoSheets, file: str) -> tuple[TiedRegion, ...]:
    found: list[TiedRegion] = []
    for path in dict.fromkeys(row.outlines for row in sheets.trays[file] if row.outlines):
        found += read_regions(inside(sheets.study, path, place=Place(SHEET_ASSAYS)), file=path)
    return tuple(found)
