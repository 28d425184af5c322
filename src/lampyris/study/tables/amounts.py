"""The tables of amounts: calibration, instruments, doses, amounts. They exist only where the study has standards or doses."""

import math
from dataclasses import fields
from typing import Any

from lampyris.core.amounts import Amounts, CalibrationLine, InjectedDose, InstrumentRatio, SignalAmount
from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT
from lampyris.study.tables.columns import Cell, Table, columns, estimate_cells


def amount_tables(amounts: Amounts | None, /) -> dict[str, Table]:
    """Lay amounts out as columns, as `lampyris.study.tables.study.study_tables` does; no table where there are none."""
    if amounts is None:
        return {}
    ratios = {one.calibration: one.ratio for one in amounts.brightness}
    return {
        "calibration": columns((_line(line, ratios) for line in amounts.lines), _line(_LINE, {})),
        "instruments": columns(map(_instruments, amounts.instruments), _instruments(_RATIO)),
        "doses": columns(map(_dose, amounts.doses), _dose(_DOSE)),
        "amounts": columns(map(_signal, amounts.signals), _signal(_SIGNAL)),
    }


def _line(line: CalibrationLine, ratios: dict[str, Estimate]) -> list[Cell]:
    return [
        ("calibration", "", line.title),
        ("kind", "", line.kind),
        ("probe", "", line.probe),
        ("instrument", "", line.instrument),
        ("unit", "", line.unit),
        ("depth_mm", "mm", line.depth_mm),
        ("n", "", line.n),
        ("levels", "1", line.levels),
        *estimate_cells("slope", f"{FLUX_UNIT} per unit of amount", line.slope),
        *estimate_cells("intercept", FLUX_UNIT, line.intercept),
        ("absolute_sd", FLUX_UNIT, line.absolute_sd),
        ("relative_sd", "1", line.relative_sd),
        ("stock_relative_sd", "1", line.stock_relative_sd),
        ("between_days_relative_sd", "1", line.between_days_relative_sd),
        ("low_amount", "unit of amount", line.low_amount),
        ("high_amount", "unit of amount", line.high_amount),
        ("detection_amount", "unit of amount", line.detection_amount),
        ("quantification_amount", "unit of amount", line.quantification_amount),
        ("lack_of_fit_p", "1", line.lack_of_fit_p),
        ("quadratic_p", "1", line.quadratic_p),
        *estimate_cells("drift_percent_per_day", "% per day", line.drift_percent_per_day),
        *estimate_cells("brightness_ratio", "1", ratios.get(line.title)),
        ("flags", "", ", ".join(line.flags)),
    ]


def _instruments(one: InstrumentRatio) -> list[Cell]:
    return [
        ("a", "", one.a),
        ("b", "", one.b),
        ("kind", "", one.kind),
        ("probe", "", one.probe),
        ("unit", "", one.unit),
        *estimate_cells("slope_ratio", "1", one.slope_ratio),
        ("pairs", "1", one.pairs),
        *estimate_cells("mean_ratio", "1", one.mean_ratio),
        ("agreement_low", "1", one.agreement[0]),
        ("agreement_high", "1", one.agreement[1]),
    ]


def _dose(dose: InjectedDose) -> list[Cell]:
    return [
        ("animal", "", dose.animal),
        *estimate_cells("volume_ml", "ml", dose.volume_ml),
        *estimate_cells("amount", "pmol", dose.amount),
        ("tail_percent", "%", dose.tail_percent),
        ("method", "", dose.method),
    ]


def _signal(one: SignalAmount) -> list[Cell]:
    return [
        ("animal", "", one.animal),
        ("group", "", one.group),
        ("session", "", one.session),
        ("day", "d", one.day),
        ("view", "", one.view),
        ("lesion", "", one.lesion or None),
        ("organ", "", one.organ),
        ("unit", "", one.unit),
        ("calibration", "", one.calibration),
        *estimate_cells("surface_amount", "see column unit", one.surface_amount),
        *estimate_cells("transport_amount", "see column unit", one.transport_amount),
        *estimate_cells("calibrated_amount", "see column unit", one.calibrated_amount),
        *estimate_cells("percent_dose", "%ID", one.percent_dose),
        *estimate_cells("surface_percent_dose", "%ID", one.surface_percent_dose),
        ("flags", "", ", ".join(one.flags)),
    ]


# one of each, to know the columns of a table without rows
_NAN = math.nan
_UNKNOWN = Estimate.unknown(0.95, "1", "")
_EMPTY: dict[Any, Any] = {str: "", float: _NAN, int: 1, Estimate: _UNKNOWN}


def _sample(kind: Any, **special: Any) -> Any:
    return kind(**{field.name: special.get(field.name, _EMPTY.get(field.type, ())) for field in fields(kind)})


_LINE: CalibrationLine = _sample(CalibrationLine)
_RATIO: InstrumentRatio = _sample(InstrumentRatio, agreement=(_NAN, _NAN))
_DOSE: InjectedDose = _sample(InjectedDose)
_SIGNAL: SignalAmount = _sample(SignalAmount)
