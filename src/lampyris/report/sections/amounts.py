"""Amounts on the page: calibration lines with their residuals, doses, and what lesions amount to."""

import math
from typing import Any

from lampyris.core.amounts import AMOUNT_FLAG_MEANING, AmountFlag, Amounts, CalibrationLine, SignalAmount, Standard
from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT
from lampyris.core.study import StudyResults
from lampyris.report.arms import Arm
from lampyris.report.drawing.axes import Scale, draw_bottom, draw_left, draw_title, draw_up_label, even_ticks
from lampyris.report.drawing.gallery import Gallery
from lampyris.report.drawing.scene import FAINT, INK, PAPER, SOFT, Note, Pen, Point, Scene
from lampyris.report.levels import level_text
from lampyris.report.numbers import estimate_text, number, p_text, percent_text, unit_text
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

_MOST_FIGURES = 6
_BAND_STEPS = 24
# amounts from here on are told in a power of ten
_PLAIN = 1e4
_SOLID = Pen(fill=INK, opacity=0.75)
_OPEN = Pen(SOFT, 0.6, PAPER)


def amounts_section(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> dict[str, Any] | None:
    """What the template needs; None where the study has neither standards nor doses.

    Parameters
    ----------
    results : StudyResults
    arms : dict of str to Arm
    gallery : Gallery
        Keeps the figures ``calibration-1`` and so on.

    Returns
    -------
    dict or None
    """
    amounts = results.amounts
    if amounts is None:
        return None
    drawn = [line for line in amounts.lines if line.valid][:_MOST_FIGURES]
    figures = []
    for k, line in enumerate(drawn, start=1):
        scene = calibration_figure(line)
        gallery.keep(f"calibration-{k}", scene)
        label = f"{line.title}: flux of {line.n} standards against their amount, the line and its residuals"
        figures.append({"figure": gallery.show(scene, label), "sentences": line_sentences(line)})
    used = [flag for line in amounts.lines for flag in line.flags] + [f for one in amounts.signals for f in one.flags]
    return {
        "figures": figures,
        "lines": _line_table(amounts),
        "instruments": [_instrument_sentence(amounts, k) for k in range(len(amounts.instruments))],
        "brightness": _brightness_sentences(amounts),
        "doses": _dose_table(amounts),
        "signals": _signal_table(amounts, arms),
        "flags": [(str(flag), AMOUNT_FLAG_MEANING[flag]) for flag in AmountFlag if flag in used],
        "level": level_text([one.surface_amount for one in amounts.signals]),
    }


def calibration_figure(line: CalibrationLine, /) -> Scene:
    """Standards, the line with its interval, its range, and below the residuals in per cent of the line.

    Parameters
    ----------
    line : CalibrationLine
        One that can be used.

    Returns
    -------
    Scene
    """
    scene = Scene(88.0, 78.0)
    top = max(one.amount for one in line.standards)
    fluxes = [one.flux for one in line.standards]
    power = 10.0 ** math.floor(math.log10(max(max(map(abs, fluxes)), 1e-300)))
    most, least = max(*fluxes, line.slope.value * line.high_amount), min(0.0, *fluxes)
    across = Scale(-0.03 * top, 1.05 * top, 17.0, 86.0)
    up = Scale((least - 0.03 * most) / power, 1.05 * most / power, 48.0, 11.0)
    _draw_line(scene, line, across, up, power)
    for one, used in zip(line.standards, line.used, strict=True):
        _mark(scene, one, used, (across(one.amount), up(one.flux / power)), line.unit)
    draw_left(scene, up, across.start, even_ticks(up.low, up.high))
    draw_title(scene, (across.start, 7.5), line.title, width=68.0, most=2)
    draw_up_label(scene, 4.5, 28.0, f"flux, {number(power, digits=1)} {unit_text(FLUX_UNIT)}")
    _draw_residuals(scene, line, across)
    return scene


def _draw_line(scene: Scene, line: CalibrationLine, across: Scale, up: Scale, power: float) -> None:
    a, b = line.intercept.value, line.slope.value
    stretch = (line.slope.high - b) / line.slope.sd if line.slope.sd > 0 else 0.0
    upper: list[Point] = []
    lower: list[Point] = []
    for k in range(_BAND_STEPS + 1):
        x = line.high_amount * k / _BAND_STEPS
        variance = line.intercept.sd**2 + 2 * x * line.covariance + (x * line.slope.sd) ** 2
        half = stretch * math.sqrt(max(variance, 0.0))
        upper.append((across(x), up((a + b * x + half) / power)))
        lower.append((across(x), up((a + b * x - half) / power)))
    scene.area([*upper, *reversed(lower)], Pen(fill=SOFT, opacity=0.25))
    ends = [(across(x), up((a + b * x) / power)) for x in (0.0, line.high_amount)]
    words = f"slope {estimate_text(line.slope)}"
    scene.line(ends, Pen(INK, 1.0), Note(words))
    for amount in (line.low_amount, line.high_amount):
        scene.line([(across(amount), up.start), (across(amount), up.end)], Pen(FAINT, 0.5, dashes=(2, 2)))


def _mark(scene: Scene, one: Standard, used: bool, place: Point, unit: str) -> None:
    words = f"{one.name}: {number(one.amount, digits=3)} {unit}, {number(one.flux, digits=3)} {unit_text(FLUX_UNIT)}"
    note = Note(words if used else f"{words}; left out of the line")
    scene.disc(place, 0.75, _SOLID if used else _OPEN, note)


def _draw_residuals(scene: Scene, line: CalibrationLine, across: Scale) -> None:
    """Residuals over the line in per cent; blanks have none."""
    a, b = line.intercept.value, line.slope.value
    rest = [
        (one, used, 100.0 * (one.flux - a - b * one.amount) / (b * one.amount))
        for one, used in zip(line.standards, line.used, strict=True)
        if one.amount > 0
    ]
    reach = max(5.0, 1.1 * max((abs(value) for _, used, value in rest if used), default=0.0))
    up = Scale(-reach, reach, 67.0, 53.0)
    scene.line([(across.start, up(0.0)), (across.end, up(0.0))], Pen(FAINT, 0.6))
    for one, used, value in rest:
        place = (across(one.amount), up(min(max(value, -reach), reach)))
        note = Note(f"{one.name}: {number(value)} % off the line" + ("" if used else "; left out"))
        scene.disc(place, 0.6, _SOLID if used else _OPEN, note)
    draw_left(scene, up, across.start, even_ticks(-reach, reach, most=3))
    power = 10.0 ** math.floor(math.log10(across.high)) if across.high >= _PLAIN else 1.0
    ticks = [(value * power, text) for value, text in even_ticks(0.0, across.high / power)]
    scaled = f"{number(power, digits=1)} " if power > 1 else ""
    draw_bottom(scene, across, up.start, ticks, f"amount, {scaled}{line.unit}")
    draw_up_label(scene, 4.5, 60.0, "off the line, %")


def line_sentences(line: CalibrationLine, /) -> list[str]:
    """What a reader of the figure must know, a sentence each."""
    held = f"{number(line.low_amount)} to {number(line.high_amount)} {line.unit}"
    sentences = [
        f"Slope {estimate_text(line.slope)} ({percent_text(line.slope.level)} interval) from {line.n} standards at "
        f"{line.levels} amounts; a single standard scatters by {number(100 * line.relative_sd)} % and "
        f"{number(line.absolute_sd)} {unit_text(FLUX_UNIT)}.",
        f"It holds for {held}; {number(line.detection_amount)} {line.unit} can be told from none, "
        f"{number(line.quantification_amount)} {line.unit} be measured.",
    ]
    tests = [(line.lack_of_fit_p, "scatter beyond the replicates'"), (line.quadratic_p, "a bend")]
    tested = [f"{what} {p_text(p)}" for p, what in tests if math.isfinite(p)]
    if tested:
        sentences.append(f"Test for {' and for '.join(tested)}.")
    if math.isfinite(line.drift_percent_per_day.value):
        sentences.append(
            f"The slope changes by {estimate_text(line.drift_percent_per_day, unit=False)} % per day; between days it spreads "
            f"by {number(100 * line.between_days_relative_sd)} % beyond its uncertainty, which is in every interval."
        )
    return sentences


def _line_table(amounts: Amounts) -> Table | None:
    if not amounts.lines:
        return None
    columns = (
        Column("Calibration"),
        Column("Standards", "number"),
        Column("Amounts", "number"),
        Column("Slope", "estimate", FLUX_UNIT + " per unit"),
        Column("Intercept", "estimate", FLUX_UNIT),
        Column("From", "number"),
        Column("To", "number"),
        Column("Flags"),
    )
    rows = tuple(
        Row(
            (
                text_cell(line.title),
                integer_cell(line.n),
                integer_cell(line.levels),
                estimate_cell(line.slope),
                estimate_cell(line.intercept),
                number_cell(line.low_amount),
                number_cell(line.high_amount),
                text_cell(", ".join(line.flags)),
            ),
            muted=not line.valid,
        )
        for line in amounts.lines
    )
    return Table("calibration-lines", "Calibration lines; in grey those that cannot be used", columns, rows)


def _instrument_sentence(amounts: Amounts, k: int) -> str:
    one = amounts.instruments[k]
    a, b = one.a or "the first instrument", one.b or "the second"
    text = f"{a} shows {estimate_text(one.slope_ratio)} times the flux of {b} per {one.unit}"
    if one.pairs > 1:
        low, high = one.agreement
        text += (
            f"; of {one.pairs} standards measured on both, the ratio is {estimate_text(one.mean_ratio)} on average, and 95 % of "
            f"single ratios are expected between {number(low)} and {number(high)}"
        )
    return text + "."


def _brightness_sentences(amounts: Amounts) -> list[str]:
    return [
        f"In wells, one {one.unit.removesuffix('s')} of {one.probe} emits {estimate_text(one.photons, unit=False)} photons per second "
        f"under the lamp, {estimate_text(one.ratio)} times what probe and lamp of study.toml give; amounts "
        "called calibrated use the measured figure."
        for one in amounts.brightness
    ]


def _dose_table(amounts: Amounts) -> Table | None:
    if not amounts.doses:
        return None
    columns = (
        Column("Animal"),
        Column("Volume", "estimate", "ml"),
        Column("Dose in the body", "estimate", "pmol"),
        Column("Left in the tail", "number", "%"),
        Column("From"),
    )
    rows = tuple(
        Row(
            (
                text_cell(dose.animal),
                estimate_cell(dose.volume_ml),
                estimate_cell(dose.amount),
                number_cell(dose.tail_percent),
                text_cell(dose.method),
            )
        )
        for dose in amounts.doses
    )
    return Table("doses", "Injected doses", columns, rows)


def _signal_table(amounts: Amounts, arms: dict[str, Arm]) -> Table | None:
    lesions = [one for one in amounts.signals if one.lesion]
    if not lesions:
        return None
    columns = (
        Column("Animal"),
        Column("Day", "number"),
        Column("Lesion", "number"),
        Column("Organ"),
        Column("Unit"),
        Column("Surface amount", "estimate"),
        Column("Amount by light transport", "estimate"),
        Column("The same, calibrated", "estimate"),
        Column("Share of the dose", "estimate", "%ID"),
        Column("Flags"),
    )
    rows = tuple(Row(_signal_cells(one), arms[one.group].index if one.group in arms else -1) for one in lesions)
    return Table("amounts", "What each lesion amounts to", columns, rows)


def _signal_cells(one: SignalAmount) -> tuple[Cell, ...]:
    return (
        text_cell(one.animal),
        day_cell(one.day),
        integer_cell(one.lesion),
        text_cell(one.organ),
        text_cell(one.unit),
        _amount_cell(one.surface_amount),
        _amount_cell(one.transport_amount),
        _amount_cell(one.calibrated_amount),
        _amount_cell(one.percent_dose),
        text_cell(", ".join(flag for flag in one.flags if flag != AmountFlag.SURFACE_GEOMETRY)),
    )


def _amount_cell(amount: Estimate) -> Cell:
    """An amount; where there is only a bound, the bound."""
    shown = estimate_cell(amount)
    if math.isnan(amount.value) and math.isfinite(amount.high):
        return Cell(f"< {number(amount.high)}", shown.copied)
    if math.isnan(amount.value) and amount.low > 0:
        return Cell(f"> {number(amount.low)}", shown.copied)
    if amount.method == "limit" or (amount.low == 0 and amount.high == amount.value):
        return Cell(f"< {number(amount.high)}", shown.copied)
    return shown
