"""The study's amounts: standards measured, lines drawn, doses weighed, and what every lesion and organ amounts to."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lampyris.core.amounts import (
    AMOUNT_FLAG_MEANING,
    AmountFlag,
    Amounts,
    Brightness,
    CalibrationLine,
    InjectedDose,
    SignalAmount,
    Standard,
)
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.lesions import Lesion, Sighting
from lampyris.core.schemas import AnimalRow, StandardRow
from lampyris.core.settings import StudySettings
from lampyris.core.study import AnimalOutcome, SessionResult
from lampyris.imaging.amounts import (
    CONCENTRATION_RELATIVE_SD,
    DENSITY_G_PER_ML,
    PMOL,
    WEIGHING_SD_G,
    Injection,
    brightness_in_wells,
    dose_concentration,
    injected_dose,
    mean_of,
    percent_injected_dose,
    with_other_spread,
)
from lampyris.imaging.standards import (
    LINE_KINDS,
    amount_from_flux,
    calibration_lines,
    compare_instruments,
)
from lampyris.probe.probe import probe_from_settings
from lampyris.study.rules.amounts import has_dose
from lampyris.study.rules.sheets import SHEET_STANDARDS
from lampyris.study.standards import Measured

CELLS, PMOL_UNIT = "labelled cells", "pmol"
_NAN = math.nan


@dataclass(frozen=True, slots=True)
class _Bench:
    """What doses are computed with."""

    settings: StudySettings
    measured: tuple[Measured, ...]
    lines: tuple[CalibrationLine, ...]

    @property
    def level(self) -> float:
        return self.settings.analysis.interval_level


def study_amounts(
    measured: Sequence[Measured],
    animals: Sequence[AnimalRow],
    settings: StudySettings,
    outcomes: Sequence[AnimalOutcome],
    sessions: Sequence[SessionResult],
    /,
) -> Amounts:
    """Lines, doses and amounts of a study.

    Parameters
    ----------
    measured : sequence of Measured
        From `measure_standards`.
    animals : sequence of AnimalRow
        Rows of animals.csv, for doses.
    settings : StudySettings
    outcomes : sequence of AnimalOutcome
    sessions : sequence of SessionResult
        Their images are not used.

    Returns
    -------
    Amounts
    """
    level = settings.analysis.interval_level
    lines = calibration_lines([one.standard for one in measured], level=level)
    brightness = tuple(_brightness(lines, settings))
    bench = _Bench(settings, tuple(measured), lines)
    ground = _Ground(bench, {(one.probe, one.unit): one for one in brightness}, animals)
    signals = [*_lesions(outcomes, sessions, ground), *_organs(sessions, ground)]
    signals.sort(key=lambda one: (one.animal, one.day, one.session, one.lesion == 0, one.lesion, one.organ, one.view))
    return Amounts(
        lines=lines,
        instruments=compare_instruments(lines, level=level),
        doses=tuple(sorted((dose.injected for dose in ground.doses.values()), key=lambda dose: dose.animal)),
        brightness=brightness,
        signals=tuple(signals),
    )


def _brightness(lines: Sequence[CalibrationLine], settings: StudySettings) -> Iterator[Brightness]:
    for line in lines:
        if (
            line.kind == "well plate"
            and line.valid
            and line.unit in (CELLS, PMOL_UNIT)
            and line.instrument == settings.instrument.name
            and line.probe in settings.probes
        ):
            yield brightness_in_wells(
                line, probe_from_settings(line.probe, settings.probes[line.probe]), settings.instrument
            )


def _own_lines(lines: Sequence[CalibrationLine], settings: StudySettings, probe: str) -> list[CalibrationLine]:
    """Lines that hold for the study's images of a probe."""
    return [
        line for line in lines if line.valid and line.instrument == settings.instrument.name and line.probe == probe
    ]


def _or(value: float, default: float) -> float:
    return value if math.isfinite(value) else default


# ---- doses -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KnownDose:
    """A dose, and what of its uncertainty a ratio to amounts on its line has.

    Parameters
    ----------
    injected : InjectedDose
    line : str
        Title of the line that it was looked up on; empty where there is none, or where there are several.
    on_line : Estimate
        The same amount, the slope and the stock of that line taken for exact.
    """

    injected: InjectedDose
    line: str
    on_line: Estimate


def study_doses(
    measured: Sequence[Measured], animals: Sequence[AnimalRow], settings: StudySettings, /
) -> tuple[tuple[CalibrationLine, ...], dict[str, KnownDose]]:
    """Lines and doses of a study, for what was measured outside the living animal.

    Parameters
    ----------
    measured : sequence of Measured
        From `measure_standards`.
    animals : sequence of AnimalRow
    settings : StudySettings

    Returns
    -------
    lines : tuple of CalibrationLine
    doses : dict of animal to KnownDose
        In pmol; animals without one are left out.
    """
    lines = calibration_lines([one.standard for one in measured], level=settings.analysis.interval_level)
    return lines, _doses(animals, _Bench(settings, tuple(measured), lines))


def _doses(animals: Sequence[AnimalRow], bench: _Bench) -> dict[str, KnownDose]:
    doses = {}
    for animal in animals:
        found, again = (_dose(animal, bench, slope_known=known) for known in (False, True))
        if found is not None and again is not None:
            doses[animal.animal] = KnownDose(found[0], found[1], again[0].amount)
    return doses


def _dose(animal: AnimalRow, bench: _Bench, *, slope_known: bool) -> tuple[InjectedDose, str] | None:
    """Dose by weight, else by light, and the line that it rests on."""
    if animal.dose_tail_percent >= 100.0:
        # nothing reached the body: there is no share of it
        return None
    concentration = _concentration(animal, bench, slope_known=slope_known)
    if not animal.dose_syringe_full_g > animal.dose_syringe_empty_g > 0 or concentration is None:
        return _syringe_dose(animal, bench, slope_known=slope_known)
    injection = Injection(
        animal.dose_syringe_full_g,
        animal.dose_syringe_empty_g,
        weighing_sd_g=_or(animal.dose_syringe_sd_g, WEIGHING_SD_G),
        density_g_per_ml=_or(animal.dose_density_g_per_ml, DENSITY_G_PER_ML),
        tail_percent=_or(animal.dose_tail_percent, 0.0),
        tail_sd_percent=_or(animal.dose_tail_sd_percent, 0.0),
    )
    return injected_dose(animal.animal, injection, concentration[0], level=bench.level), concentration[1]


def _measured(kind: str, animal: AnimalRow, bench: _Bench) -> list[tuple[Measured, CalibrationLine]]:
    """Dose standards or syringes of an animal's probe, its own before those of all, each with the line of wells for it."""
    group = bench.settings.groups.get(animal.group)
    probe = group.probe if group is not None else ""
    found = []
    for one in bench.measured:
        if one.row.kind == kind and one.standard.probe == probe and one.row.animal in ("", animal.animal):
            line = next((line for line in bench.lines if _fits(line, one.standard)), None)
            found += [(one, line)] if line is not None else []
    return [pair for pair in found if pair[0].row.animal] or found


def _fits(line: CalibrationLine, one: Standard) -> bool:
    same = (line.probe, line.instrument, line.unit) == (one.probe, one.instrument, PMOL_UNIT)
    return same and line.valid and line.kind == "well plate"


def _concentration(animal: AnimalRow, bench: _Bench, *, slope_known: bool) -> tuple[Estimate, str] | None:
    """As written in animals.csv, else as dose standards show it on a line of the same instrument; and that line."""
    value = animal.dose_concentration_pmol_per_ml
    if math.isfinite(value):
        sd = value * _or(animal.dose_concentration_relative_sd, CONCENTRATION_RELATIVE_SD)
        reach = 1.96 * sd
        return Estimate(value, sd, value - reach, value + reach, 0.95, "pmol ml-1", "concentration as written"), ""
    found, titles = [], set()
    for one, line in _measured("dose standard", animal, bench):
        amount, flags = amount_from_flux(
            line,
            one.standard.flux,
            one.standard.flux_sd,
            level=bench.level,
            background_removed=False,
            scatter=True,
            outside="flag",
            slope_known=slope_known,
        )
        if not flags and one.row.weight_g > 0:
            titles.add(line.title)
            found.append(dose_concentration(amount, dilution=_or(one.row.dilution, 1.0), weight_g=one.row.weight_g))
    return (mean_of(found), titles.pop() if len(titles) == 1 else "") if found else None


def _syringe_dose(animal: AnimalRow, bench: _Bench, *, slope_known: bool) -> tuple[InjectedDose, str] | None:
    """Dose from what a syringe shone before less after, where it was not weighed; and the line that says so."""
    tail, tail_sd = _or(animal.dose_tail_percent, 0.0), _or(animal.dose_tail_sd_percent, 0.0)
    for one, line in _measured("dose syringe", animal, bench):
        amount, flags = amount_from_flux(
            line,
            one.standard.flux,
            one.standard.flux_sd,
            level=bench.level,
            outside="flag",
            slope_known=slope_known,
        )
        if not flags and one.row.animal == animal.animal:
            method = "light of the syringe on the line of wells: another geometry"
            unknown = Estimate.unknown(bench.level, "ml", "not weighed")
            scaled = with_other_spread(amount, factor=1.0 - tail / 100.0, with_=tail_sd / (100.0 - tail))
            return InjectedDose(animal.animal, unknown, replace(scaled, method=method), tail, method), line.title
    return None


# ---- signals -----------------------------------------------------------------------------------------------------


class _Ground:
    """What amounts are computed with, by animal."""

    def __init__(
        self,
        bench: _Bench,
        brightness: Mapping[tuple[str, str], Brightness],
        animals: Sequence[AnimalRow],
    ) -> None:
        self.settings = bench.settings
        self.level = bench.level
        self.lines = bench.lines
        self.brightness = brightness
        self.doses = _doses(animals, bench)
        self.cells_given = {row.animal: row.labelled_cells for row in animals}

    def unknown(self, unit: str, method: str = "not known") -> Estimate:
        return Estimate.unknown(self.level, unit, method)

    def scales(self, animal: str, probe: str) -> list[tuple[str, CalibrationLine | None]]:
        """Units in which an animal's signals are told, each with the line that holds for it."""
        own: list[tuple[str, CalibrationLine | None]] = [
            (line.unit, line) for line in _own_lines(self.lines, self.settings, probe) if line.kind in LINE_KINDS
        ]
        if animal in self.doses and not any(unit == PMOL_UNIT for unit, _ in own):
            own.append((PMOL_UNIT, None))
        return own

    def dose(self, animal: str, unit: str) -> Estimate | None:
        """What the animal was given, in this unit."""
        if unit == PMOL_UNIT and animal in self.doses:
            return self.doses[animal].injected.amount
        cells = self.cells_given.get(animal, _NAN)
        if unit == CELLS and cells > 0:
            return Estimate(cells, 0.0, cells, cells, self.level, CELLS, "as written")
        return None

    def percent(self, amount: Estimate, animal: str) -> Estimate:
        dose = self.dose(animal, amount.unit)
        if dose is None or math.isnan(amount.low):
            return self.unknown("%ID")
        return percent_injected_dose(amount, dose, level=self.level)

    def surface_percent(
        self, line: CalibrationLine | None, surface: Estimate, flux: Estimate, animal: str, *, limit: bool
    ) -> Estimate:
        """Surface amount as a share of the dose; of a dose on the same line, slope and stock cancel."""
        dose = self.doses.get(animal)
        if line is None or line.unit != PMOL_UNIT or dose is None or dose.line != line.title:
            return self.percent(surface, animal)
        again, _ = self.surface(line, line.unit, flux, limit=limit, slope_known=True)
        if math.isnan(again.low):
            return self.unknown("%ID")
        return percent_injected_dose(again, dose.on_line, level=self.level)

    def transport(self, cells: Estimate, probe: str, unit: str) -> Estimate:
        """Amount by light transport, in this unit; probes per cell cancel out of pmol."""
        given = self.settings.probes[probe]
        if unit == CELLS:
            return replace(cells, unit=CELLS)
        if unit == PMOL_UNIT:
            return with_other_spread(
                cells, factor=given.per_cell / PMOL, without=given.per_cell_relative_sd, unit=PMOL_UNIT
            )
        return self.unknown(unit)

    def calibrated(self, transport: Estimate, probe: str) -> Estimate:
        """The transport amount with the label as bright as it was measured to be."""
        measured = self.brightness.get((probe, transport.unit))
        if measured is None or not math.isfinite(transport.value):
            return self.unknown(transport.unit)
        dot = probe_from_settings(probe, self.settings.probes[probe])
        given = self.settings.probes[probe]
        assumed = (
            dot.brightness_relative_sd if transport.unit == CELLS else given.quantum_yield_sd / given.quantum_yield
        )
        return with_other_spread(
            transport,
            factor=1.0 / measured.ratio.value,
            without=assumed,
            with_=measured.ratio.sd / measured.ratio.value,
        )

    def surface(
        self, line: CalibrationLine | None, unit: str, flux: Estimate, *, limit: bool, slope_known: bool = False
    ) -> tuple[Estimate, list[str]]:
        """Amount in the geometry of the line's standards; of a limit only its bound."""
        if line is None:
            return self.unknown(unit, "no line"), []
        geometry = [str(AmountFlag.SURFACE_GEOMETRY)]
        if limit:
            found, flags = amount_from_flux(
                line, flux.high, 0.0, level=self.level, outside="flag", slope_known=slope_known
            )
            if AmountFlag.ABOVE_RANGE in flags:
                return Estimate(_NAN, _NAN, 0.0, math.inf, self.level, unit, "limit above the line's range"), [
                    *geometry,
                    *flags,
                ]
            return Estimate(found.high, _NAN, 0.0, found.high, self.level, unit, "limit"), geometry
        sd = flux.sd if math.isfinite(flux.sd) else (flux.high - flux.low) / 3.92
        if not (math.isfinite(flux.value) and math.isfinite(sd)):
            return self.unknown(unit), geometry
        found, flags = amount_from_flux(line, flux.value, sd, level=self.level, outside="flag", slope_known=slope_known)
        return found, [*geometry, *flags]


def _lesions(
    outcomes: Sequence[AnimalOutcome], sessions: Sequence[SessionResult], ground: _Ground
) -> Iterator[SignalAmount]:
    probes = {session.animal: session.probe for session in sessions}
    for outcome in outcomes:
        probe = probes.get(outcome.animal, "")
        if not probe:
            continue
        for unit, line in ground.scales(outcome.animal, probe):
            for lesion in outcome.lesions:
                for sighting in lesion.sightings:
                    yield _lesion(outcome, lesion, sighting, (probe, unit, line), ground)


def _lesion(
    outcome: AnimalOutcome,
    lesion: Lesion,
    sighting: Sighting,
    scale: tuple[str, str, CalibrationLine | None],
    ground: _Ground,
) -> SignalAmount:
    probe, unit, line = scale
    surface, flags = ground.surface(line, unit, sighting.flux, limit=not sighting.seen)
    transport = ground.transport(sighting.cells, probe, unit)
    if not sighting.seen:
        flags.append(str(AmountFlag.LIMIT))
    if sighting.shared_with:
        flags.append(str(AmountFlag.SHARED))
    return SignalAmount(
        animal=outcome.animal,
        group=outcome.group,
        session=sighting.session,
        day=sighting.day,
        view="",
        lesion=lesion.number,
        organ=lesion.organ,
        unit=unit,
        calibration="" if line is None else line.title,
        surface_amount=surface,
        transport_amount=transport,
        calibrated_amount=ground.calibrated(transport, probe),
        percent_dose=ground.percent(transport, outcome.animal),
        surface_percent_dose=ground.surface_percent(
            line, surface, sighting.flux, outcome.animal, limit=not sighting.seen
        ),
        flags=tuple(flags),
    )


def _organs(sessions: Sequence[SessionResult], ground: _Ground) -> Iterator[SignalAmount]:
    for session in sessions:
        for unit, line in ground.scales(session.animal, session.probe) if session.probe else ():
            for view in session.views if line is not None else ():
                for signal in view.organ_signals:
                    surface, flags = ground.surface(line, unit, signal.flux, limit=False)
                    yield SignalAmount(
                        animal=session.animal,
                        group=session.group,
                        session=session.session,
                        day=session.day,
                        view=view.view,
                        lesion=0,
                        organ=signal.organ,
                        unit=unit,
                        calibration="" if line is None else line.title,
                        surface_amount=surface,
                        transport_amount=ground.unknown(unit, "no place in depth"),
                        calibrated_amount=ground.unknown(unit),
                        percent_dose=ground.unknown("%ID"),
                        surface_percent_dose=ground.surface_percent(
                            line, surface, signal.flux, session.animal, limit=False
                        ),
                        flags=tuple(flags),
                    )


def amounts_wanted(rows: Sequence[StandardRow], animals: Sequence[AnimalRow], /) -> bool:
    """Whether the sheets give standards or doses."""
    return bool(rows) or any(has_dose(animal) for animal in animals)


# beyond this factor the well's geometry or a unit is the likelier reason than the label
_BRIGHTNESS_FACTOR = 3.0
_TOLD = (
    AmountFlag.TOO_FEW,
    AmountFlag.NO_SLOPE,
    AmountFlag.SATURATES,
    AmountFlag.CURVED,
    AmountFlag.LACK_OF_FIT,
    AmountFlag.DRIFTS,
)


def amount_findings(amounts: Amounts, /) -> tuple[Finding, ...]:
    """Warnings of lines that bend, drift or cannot be used, and of label that shines otherwise than study.toml says."""
    findings = []
    place = Place(SHEET_STANDARDS)
    for line in amounts.lines:
        for flag in _TOLD:
            if flag in line.flags:
                seen = f"the line {line.title}: {AMOUNT_FLAG_MEANING[flag]}."
                mend = "Look at the line and its residuals in the report before its amounts are used."
                findings.append(Finding("amounts.line", Severity.WARNING, place, seen, mend))
    for one in amounts.brightness:
        if not 1 / _BRIGHTNESS_FACTOR < one.ratio.value < _BRIGHTNESS_FACTOR:
            seen = f"{one.calibration}: label shines {one.ratio.value:.3g} times as brightly as probe and lamp of study.toml give."
            mend = (
                "Check units, quantum yield, per_cell, the lamp's irradiance, and whether the wells are thin and clear."
            )
            findings.append(Finding("amounts.brightness", Severity.WARNING, place, seen, mend))
    return tuple(findings)
