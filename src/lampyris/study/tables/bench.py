"""The tables of the bench. They exist only where the study has files of it."""

import math

from lampyris.core.bench_study import BenchLots, BenchNumber, BenchStated, StudyBench
from lampyris.core.estimate import Estimate
from lampyris.study.tables.columns import Cell, Table, columns, estimate_cells


def bench_tables(bench: StudyBench | None, /) -> dict[str, Table]:
    """Lay the bench out as columns, as `lampyris.study.tables.study.study_tables` does; no table where there is none."""
    if bench is None:
        return {}
    numbers = [number for group in bench.groups for number in group.numbers]
    tables = {"bench": columns(map(_number, numbers), _number(_NUMBER))}
    if bench.lots:
        tables["bench_lots"] = columns(map(_lots, bench.lots), _lots(_LOTS))
    if bench.stated:
        tables["bench_stated"] = columns(map(_stated, bench.stated), _stated(_STATED))
    return tables


def _number(one: BenchNumber) -> list[Cell]:
    estimate = one.estimate
    return [
        ("technique", "", one.technique),
        ("probe", "", one.probe),
        ("lot", "", one.lot),
        ("sample", "", one.sample),
        ("file", "", one.file),
        ("quantity", "", one.quantity),
        ("number", "", one.number),
        ("label", "", one.label),
        ("value", "", float(estimate.value)),
        ("sd", "", float(estimate.sd)),
        ("low", "", float(estimate.low)),
        ("high", "", float(estimate.high)),
        ("level", "1", float(estimate.level)),
        ("unit", "", estimate.unit),
        ("n", "", one.replicates),
        ("replicate", "", one.replicated),
        ("method", "", estimate.method),
        ("flags", "", ", ".join(one.flags)),
    ]


def _lots(one: BenchLots) -> list[Cell]:
    return [
        ("technique", "", one.technique),
        ("probe", "", one.probe),
        ("quantity", "", one.quantity),
        ("lots", "", one.lots),
        ("unit", "", one.mean.unit),
        *estimate_cells("mean", "", one.mean),
        *estimate_cells("sd_between", "", one.sd),
        ("flagged", "", "; ".join(one.flagged)),
    ]


def _stated(one: BenchStated) -> list[Cell]:
    return [
        ("technique", "", one.technique),
        ("probe", "", one.probe),
        ("lot", "", one.lot),
        ("quantity", "", one.quantity),
        ("key", "", one.key),
        ("unit", "", one.measured.unit),
        ("stated", "", one.stated),
        ("stated_sd", "", one.stated_sd),
        *estimate_cells("measured", "", one.measured),
        *estimate_cells("difference", "", one.difference),
        ("inside", "", "" if one.inside is None else "yes" if one.inside else "no"),
    ]


_NAN = math.nan
_UNKNOWN = Estimate.unknown(0.95, "1", "")
_NUMBER = BenchNumber("", "", "", "", "", "", 0, "", _UNKNOWN, 1, "", ())
_LOTS = BenchLots("", "", "", 1, _UNKNOWN, _UNKNOWN)
_STATED = BenchStated("", "", "", "", "", _NAN, _NAN, _UNKNOWN, _UNKNOWN, None)
