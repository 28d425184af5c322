"""The tables of the ex vivo part. They exist only where the study has trays or mass spectrometry."""

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from lampyris.core.assays import Balance, ExVivo, OrganAgreement, OrganPair, OrganReference, OrganResult
from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.estimate import Estimate
from lampyris.core.histology import Histology, OrganCall, OrganDensity, SectionResult
from lampyris.core.images import FLUX_UNIT
from lampyris.study.tables.columns import Cell, Table, columns, estimate_cells


def assay_tables(exvivo: ExVivo | None, histology: Histology | None, /) -> dict[str, Table]:
    """Lay organs and sections out as columns, as `lampyris.study.tables.study.study_tables` does; no table where there are none."""
    return {**_organ_tables(exvivo), **_section_tables(histology)}


def _section_tables(histology: Histology | None) -> dict[str, Table]:
    if histology is None:
        return {}
    return {
        "sections": columns(map(_section, histology.sections), _section(_SECTION)),
        "organ_densities": columns(map(_density, histology.organs), _density(_DENSITY)),
        "organ_calls": columns(map(_call, histology.calls), _call(_CALL)),
    }


def _section(one: SectionResult) -> list[Cell]:
    return [
        ("animal", "", one.animal),
        ("group", "", one.group),
        ("organ", "", one.organ),
        ("section", "", one.section),
        ("file", "", one.file),
        ("pixel_um", "um", one.pixel_um),
        ("tissue_mm2", "mm2", one.tissue_mm2),
        ("nuclei", "1", one.nuclei),
        ("labelled", "1", one.labelled),
        ("false_expected", "1", one.false_expected),
        ("threshold", "1", one.threshold),
        ("blur_um", "um", one.blur_um),
        ("saturated_share", "1", one.saturated_share),
        ("used", "", one.used),
        ("flags", "", ", ".join(one.flags)),
    ]


def _density(one: OrganDensity) -> list[Cell]:
    return [
        ("animal", "", one.animal),
        ("group", "", one.group),
        ("organ", "", one.organ),
        ("sections", "1", one.sections),
        ("nuclei", "1", one.nuclei),
        ("labelled", "1", one.labelled),
        ("tissue_mm2", "mm2", one.tissue_mm2),
        *estimate_cells("cells_per_mm2", "mm-2", one.cells_per_mm2),
        *estimate_cells("labelled_fraction", "1", one.labelled_fraction),
        ("p", "1", one.p),
        ("positive", "", _word(one.positive)),
        ("flags", "", ", ".join(one.flags)),
    ]


def _call(one: OrganCall) -> list[Cell]:
    return [
        ("animal", "", one.animal),
        ("organ", "", one.organ),
        ("called", "", _word(one.called)),
        ("score", "1", one.score),
        ("truth", "", _word(one.truth)),
        ("reason", "", one.reason),
    ]


def _word(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _organ_tables(exvivo: ExVivo | None) -> dict[str, Table]:
    if exvivo is None:
        return {}
    aside = {one.unit: one.reason for one in exvivo.exclusions}
    tables = {
        "organs": columns((_organ(one, aside) for one in exvivo.organs), _organ(_ORGAN, {})),
        "mass_balance": columns(map(_balance, exvivo.balances), _balance(_BALANCE)),
        "exvivo_pairs": columns(_pairs(exvivo), _pair("", _PAIR)),
        "exvivo_agreement": columns(map(_agreement, exvivo.agreements), _agreement(_AGREEMENT)),
    }
    if exvivo.references:
        tables["icp_ms"] = columns(map(_reference, exvivo.references), _reference(_REFERENCE))
    if exvivo.comparisons:
        arms = (_arm(one, group) for one in exvivo.comparisons for group in one.groups)
        differences = (_difference(one, pair) for one in exvivo.comparisons for pair in one.pairs)
        tables["exvivo_comparisons"] = columns(arms, _arm(_TEST, _ARM))
        tables["exvivo_differences"] = columns(differences, _difference(_TEST, _DIFFERENCE))
    return tables


def _organ(one: OrganResult, aside: dict[str, str]) -> list[Cell]:
    share = one.percent_dose_per_gram
    below = bool(math.isfinite(share.high) and ("faint" in one.flags or not share.value > 0))
    return [
        ("animal", "", one.animal),
        ("group", "", one.group),
        ("organ", "", one.organ),
        ("probe", "", one.probe),
        ("file", "", one.file),
        ("place", "1", one.place),
        ("tissue", "", one.tissue),
        ("y_mm", "mm", one.y_mm),
        ("x_mm", "mm", one.x_mm),
        ("area_mm2", "mm2", one.area_mm2),
        ("thickness_mm", "mm", one.thickness_mm),
        *estimate_cells("weight_g", "g", one.weight_g),
        *estimate_cells("flux", FLUX_UNIT, one.flux),
        ("tray_flux", FLUX_UNIT, one.tray_flux),
        *estimate_cells("escape", "1", one.escape),
        ("unit", "", one.unit),
        *estimate_cells("amount", "see column unit", one.amount),
        *estimate_cells("percent_dose", "%ID", one.percent_dose),
        *estimate_cells("percent_dose_per_gram", "%ID/g", share),
        *estimate_cells("surface_percent_dose_per_gram", "%ID/g", one.surface_percent_dose_per_gram),
        ("below_limit", "", below),
        ("flags", "", ", ".join(one.flags)),
        ("left_out", "", aside.get(one.animal, "")),
    ]


def _reference(one: OrganReference) -> list[Cell]:
    return [
        ("animal", "", one.animal),
        ("organ", "", one.organ),
        *estimate_cells("amount_ng", "ng", one.amount_ng),
        ("limit_ng", "ng", one.limit_ng),
        *estimate_cells("percent_dose", "%ID", one.percent_dose),
        *estimate_cells("percent_dose_per_gram", "%ID/g", one.percent_dose_per_gram),
        ("replicates", "1", one.replicates),
        ("flags", "", ", ".join(one.flags)),
    ]


def _balance(one: Balance) -> list[Cell]:
    return [
        ("animal", "", one.animal),
        ("group", "", one.group),
        ("source", "", one.source),
        *estimate_cells("percent_dose", "%ID", one.percent_dose),
        ("organs", "", ", ".join(one.organs)),
        ("missing", "", ", ".join(one.missing)),
    ]


def _pairs(exvivo: ExVivo) -> Iterator[list[Cell]]:
    for compared, pairs in sorted(exvivo.pairs.items()):
        for pair in pairs:
            yield _pair(compared, pair)


def _pair(compared: str, pair: OrganPair) -> list[Cell]:
    return [
        ("compared", "", compared),
        ("animal", "", pair.animal),
        ("organ", "", pair.organ),
        ("group", "", pair.group),
        ("unit_a", "", pair.a.unit),
        *estimate_cells("a", "see column unit_a", pair.a),
        ("unit_b", "", pair.b.unit),
        *estimate_cells("b", "see column unit_b", pair.b),
    ]


def _agreement(one: OrganAgreement) -> list[Cell]:
    return [
        ("a", "", one.a),
        ("b", "", one.b),
        ("organ", "", one.organ or "all"),
        ("animals", "1", one.animals),
        ("pairs", "1", one.pairs),
        ("pairs_censored", "1", one.pairs_censored),
        *estimate_cells("ratio", "1", one.ratio),
        *estimate_cells("lower", "1", one.lower),
        *estimate_cells("upper", "1", one.upper),
        *estimate_cells("concordance", "1", one.concordance),
        *estimate_cells("slope", "1", one.slope),
        *estimate_cells("intercept", "1", one.intercept),
        ("notes", "", " ".join(f"{note}." for note in one.notes)),
    ]


def _arm(one: Comparison, group: GroupSummary) -> list[Cell]:
    return [
        ("endpoint", "", one.endpoint),
        ("unit", "", one.unit),
        ("group", "", group.group),
        ("n", "", group.n),
        ("censored", "", sum(group.censored)),
        *estimate_cells("mean", "", group.mean),
        ("test", "", one.test),
        ("statistic", "1", one.statistic),
        ("df1", "1", one.df1),
        ("df2", "1", one.df2),
        ("p", "1", one.p),
        ("p_adjusted", "1", one.p_adjusted),
        ("adjustment", "", one.adjustment),
        ("notes", "", " ".join(one.notes)),
    ]


def _difference(one: Comparison, pair: PairDifference) -> list[Cell]:
    return [
        ("endpoint", "", one.endpoint),
        ("unit", "", one.unit),
        ("a", "", pair.a),
        ("b", "", pair.b),
        *estimate_cells("difference", "", pair.difference),
        ("p", "1", pair.p),
        ("method", "", one.post_hoc),
    ]


# one of each, to know the columns of a table without rows
_NAN = math.nan
_UNKNOWN = Estimate.unknown(0.95, "1", "")
_EMPTY: dict[Any, Any] = {str: "", float: _NAN, int: 1, bool: False, bool | None: None, Estimate: _UNKNOWN}


def _sample(kind: Any) -> Any:
    return kind(**{field.name: _EMPTY.get(field.type, ()) for field in fields(kind)})


_ORGAN: OrganResult = _sample(OrganResult)
_REFERENCE: OrganReference = _sample(OrganReference)
_BALANCE: Balance = _sample(Balance)
_PAIR: OrganPair = _sample(OrganPair)
_AGREEMENT: OrganAgreement = _sample(OrganAgreement)
_SECTION: SectionResult = _sample(SectionResult)
_DENSITY: OrganDensity = _sample(OrganDensity)
_CALL: OrganCall = _sample(OrganCall)
_TEST = Comparison("", "", "animal", "", _NAN, _NAN, _NAN, _NAN, (), (), "")
_ARM = GroupSummary("", 0, (), (), _UNKNOWN)
_DIFFERENCE = PairDifference("", "", _UNKNOWN, _NAN)
