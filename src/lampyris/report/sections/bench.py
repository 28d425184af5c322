"""The dot on the page: what each instrument says of the probe, with intervals, flags and figures, beside what study.toml states."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lampyris.core.bench import BenchRecord, BenchResult
from lampyris.core.bench_study import POOLED, BenchGroup, BenchNumber, BenchStated, StudyBench
from lampyris.core.estimate import Estimate
from lampyris.core.study import StudyResults
from lampyris.report.drawing.gallery import Gallery
from lampyris.report.headline import Sentence
from lampyris.report.levels import level_text
from lampyris.report.numbers import MISSING, number, precise_interval, unit_text, with_unit
from lampyris.report.plots.bench import bench_plot, thinned
from lampyris.report.tables import Cell, Column, Row, Table, estimate_cell, integer_cell, number_cell, text_cell

SYNTHETIC = "SYNTHETIC: simulated, no instrument measured it."
# on the page a figure shows how it came about; all panels and points are in its file
_PANELS_SHOWN, _POINTS_SHOWN, _FIGURES_SHOWN = 2, 240, 24
# endings of keys that say the unit, which stands in its own column
_UNITS = (
    "_nm_per_day",
    "_per_min",
    "_mev",
    "_nm",
    "_ns",
    "_ev",
    "_m",
    "_a",
    "_s",
    "_mv",
    "_percent",
    "_per_cm",
    "_cm",
    "_deg",
)


def bench_section(results: StudyResults, gallery: Gallery, /) -> dict[str, Any] | None:
    """What the template needs; None where the study has no files of the bench.

    Parameters
    ----------
    results : StudyResults
    gallery : Gallery
        Keeps the figures ``bench/TECHNIQUE-PROBE-LOT``.
    """
    bench = results.bench
    if bench is None:
        return None
    for group in bench.groups:
        gallery.keep(f"bench/{group.stem}", bench_plot(_named(group.result, synthetic=results.synthetic)))
    names = list(dict.fromkeys(group.probe for group in bench.groups))
    # of the groups in the order of the page, which have their figure on it
    shown = [group for name in names for group in bench.groups if group.probe == name][:_FIGURES_SHOWN]
    return {
        "failed": list(bench.failed),
        "level": level_text(one.estimate for group in bench.groups for one in group.numbers),
        "probes": [_probe(bench, name, gallery, place, shown) for place, name in enumerate(names)],
        "left_out": max(0, len(bench.groups) - _FIGURES_SHOWN),
        "synthetic": results.synthetic,
    }


def bench_sentences(results: StudyResults, /) -> list[Sentence]:
    """Lines of the headline: what failed, and what does not agree with what study.toml says of the probe."""
    bench = results.bench
    if bench is None:
        return []
    said = [Sentence(f"The bench: {one}.", target="dot", action=True) for one in bench.failed]
    differ = [one for one in bench.stated if one.inside is False]
    if differ:
        told = "; ".join(f"{one.probe}: {_stated_text(one)}" for one in differ)
        said.append(Sentence(f"The bench does not agree with study.toml: {told}.", target="dot"))
    return said


def _stated_text(one: BenchStated) -> str:
    unit, of = one.measured.unit, one.measured
    measured = with_unit(precise_interval(of.value, of.low, of.high), unit)
    stated = with_unit(number(one.stated, digits=4), unit)
    return f"{quantity_words(one.quantity, unit)} {measured} by {one.technique}, stated {stated}"


def quantity_words(key: str, unit: str = "", /) -> str:
    """A quantity's key in words, without its unit; what has the unit 1 keeps its ending.

    Examples
    --------
    >>> quantity_words("z_average_nm"), quantity_words("retained_60min"), quantity_words("arms.retained_60min")
    ('z average', 'retained 60 min', 'arms: retained 60 min')
    >>> quantity_words("cutoff_s", "s"), quantity_words("phasor_s", "1")
    ('cutoff', 'phasor s')
    """
    lowered = key.casefold()
    ending = next((one for one in _UNITS if lowered.endswith(one) and len(lowered) > len(one)), "")
    text = key[: len(key) - len(ending)] if ending and unit != "1" else key
    return text.replace(".", ": ").replace("_", " ").replace("60min", "60 min").replace("per ev", "per eV")


def _probe(bench: StudyBench, name: str, gallery: Gallery, place: int, drawn: Sequence[BenchGroup]) -> dict[str, Any]:
    groups = [group for group in bench.groups if group.probe == name]
    return {
        "name": name or "Samples of no probe",
        "table": _values_table(groups, place),
        "lots": _lots_table(bench, name, place),
        "stated": _stated_table(bench, name, place),
        "rest": _rest_table(groups, place),
        "figures": [
            (_title(group), gallery.show(bench_plot(_small(group.result), width_mm=180.0), _label(group)))
            for group in drawn
            if group.probe == name
            and any(one.curves or one.pictures for one in (*group.result.records, group.result.pooled))
        ],
        "notes": [
            f"{technique}: {note}"
            for technique, note in dict.fromkeys((one.result.technique, note) for one in groups for note in one.result.notes)
        ],
    }  # fmt: skip


def _title(group: BenchGroup) -> str:
    return f"{group.result.technique}{f', lot {group.lot}' if group.lot else ''}"


def _label(group: BenchGroup) -> str:
    return f"{_title(group)}: raw points, fit and residual; replicated: {group.result.replicate}"


def _named(result: BenchResult, *, synthetic: bool) -> BenchResult:
    return replace(result, notes=(SYNTHETIC, *result.notes)) if synthetic else result


def _small(result: BenchResult) -> BenchResult:
    """The result with few panels and points, and without notes, which stand in words on the page."""
    left = _PANELS_SHOWN
    records: list[BenchRecord] = []
    pooled = result.pooled
    for record in (*(() if pooled in result.records else (pooled,)), *result.records):
        curves = record.curves[:left]
        pictures = record.pictures[: max(0, left - len(curves))]
        left -= len(curves) + len(pictures)
        small = replace(record, curves=tuple(thinned(one, _POINTS_SHOWN) for one in curves), pictures=pictures)
        records.append(small)
        if record is result.pooled:
            pooled = small
    kept = records if result.pooled in result.records else records[1:]
    return replace(result, records=tuple(kept), pooled=pooled, notes=())


# on a phone the first columns are seen without moving the table: they hold the number
_VALUE_COLUMNS = (
    Column("Quantity"), Column("Value", "estimate"), Column("Unit"), Column("Flags"), Column("Lot"), Column("Replicated"),
)  # fmt: skip
_WORDS = ("phase", "model", "law", "profile", "stable")
"""What a technique says in words, and is read with its numbers."""


def _cell(one: Estimate) -> Cell:
    # what was counted has no interval and keeps all its digits
    text = f"{one.value:.6g}" if one.low == one.high else precise_interval(one.value, one.low, one.high)
    return replace(estimate_cell(one), text=text)


def _leading(group: BenchGroup) -> list[BenchNumber]:
    """Numbers of the first table: pooled ones, or, where samples have no common value, those of each sample.

    Of a technique that reports a table alone, such as bands, its first column.
    """
    plain = [one for one in group.numbers if "." not in one.quantity]
    if not plain and group.numbers:
        first = group.numbers[0]
        return [one for one in group.numbers if (one.sample, one.quantity) == (first.sample, first.quantity)]
    return [one for one in plain if one.sample == POOLED and not one.label] or plain


def _values_table(groups: Sequence[BenchGroup], place: int) -> Table:
    """What each technique reports; of a technique whose samples have no common value, each sample."""
    rows = []
    for group in groups:
        rows += [_value_row(one, group.result.replicate) for one in _leading(group)]
        words = {key: word for key in _WORDS if (word := group.result.pooled.words.get(key, ""))}
        flags = ", ".join(group.result.pooled.flags)
        for key, word in words.items() if group.numbers else [("no value", MISSING)]:
            cells = (
                f"{group.result.technique}: {quantity_words(key, '1')}", word, "", flags, group.lot or MISSING,
                group.result.replicate,
            )  # fmt: skip
            rows.append(Row(tuple(map(text_cell, cells)), muted=not group.numbers))
    return Table(f"dot-{place}", "What the instruments say", _VALUE_COLUMNS, tuple(rows))


def _value_row(one: BenchNumber, replicated: str) -> Row:
    quantity = f"{one.technique}: {_quantity(one)}"
    if one.sample != POOLED:
        quantity += f" of {one.sample}"
    cells = (
        text_cell(quantity), _cell(one.estimate), text_cell(unit_text(one.estimate.unit)), text_cell(", ".join(one.flags)),
        text_cell(one.lot or MISSING), text_cell(replicated),
    )  # fmt: skip
    return Row(cells, muted=not math.isfinite(one.estimate.value))


def _quantity(one: BenchNumber) -> str:
    return quantity_words(one.quantity, one.estimate.unit) + (f" {one.number}" if one.number else "")


def _rest_table(groups: Sequence[BenchGroup], place: int) -> Table | None:
    """Every number that the first table does not hold."""
    shown = {id(one) for group in groups for one in _leading(group)}
    rows = tuple(
        Row(
            (
                text_cell(one.technique), text_cell(one.lot or MISSING), text_cell(one.sample), text_cell(one.label),
                text_cell(_quantity(one)),
                _cell(one.estimate), text_cell(unit_text(one.estimate.unit)), text_cell(", ".join(one.flags)),
            )
        )
        for group in groups
        for one in group.numbers
        if id(one) not in shown
    )  # fmt: skip
    if not rows:
        return None
    columns = (
        Column("Technique"), Column("Lot"), Column("Sample"), Column("Of"), Column("Quantity"), Column("Value", "estimate"),
        Column("Unit"), Column("Flags"),
    )  # fmt: skip
    return Table(f"dot-rest-{place}", "Single records and further numbers", columns, rows)


def _lots_table(bench: StudyBench, name: str, place: int) -> Table | None:
    rows = tuple(
        Row(
            (
                text_cell(one.technique), text_cell(quantity_words(one.quantity, one.mean.unit)), integer_cell(one.lots),
                _cell(one.mean), _cell(one.sd), text_cell(unit_text(one.mean.unit)), text_cell("; ".join(one.flagged) or MISSING),
            )
        )
        for one in bench.lots
        if one.probe == name
    )  # fmt: skip
    if not rows:
        return None
    columns = (
        Column("Technique"), Column("Quantity"), Column("Lots", "number"), Column("Mean of lots", "estimate"),
        Column("SD between lots", "estimate"), Column("Unit"), Column("Flagged lots in it"),
    )  # fmt: skip
    return Table(f"dot-lots-{place}", "Over lots: the lot is what was replicated", columns, rows)


def _stated_table(bench: StudyBench, name: str, place: int) -> Table | None:
    verdicts = {True: "inside the interval", False: "outside the interval", None: "no interval"}
    rows = tuple(
        Row(
            (
                text_cell(one.technique), text_cell(_lot_text(bench, one)), text_cell(quantity_words(one.quantity, one.measured.unit)),
                _stated_cell(one), _cell(one.measured), _cell(one.difference),
                text_cell(unit_text(one.measured.unit)), Cell(verdicts[one.inside]),
            )
        )
        for one in bench.stated
        if one.probe == name
    )  # fmt: skip
    if not rows:
        return None
    columns = (
        Column("Technique"), Column("Lot"), Column("Quantity"), Column("Stated", "number"), Column("Measured", "estimate"),
        Column("Difference", "estimate"), Column("Unit"), Column("Stated is"),
    )  # fmt: skip
    return Table(f"dot-stated-{place}", "Beside what study.toml says of the probe", columns, rows)


def _lot_text(bench: StudyBench, one: BenchStated) -> str:
    averaged = any((lots.technique, lots.probe) == (one.technique, one.probe) for lots in bench.lots)
    return one.lot or ("mean of lots" if averaged else MISSING)


def _stated_cell(one: BenchStated) -> Cell:
    cell = number_cell(one.stated, digits=4)
    return replace(cell, text=f"{cell.text} ± {number(one.stated_sd)}") if one.stated_sd else cell
