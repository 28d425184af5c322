"""Excised organs on the page: share of the dose by organ and arm, trays, agreement with mass spectrometry and the living animal."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from lampyris.core.assays import ORGAN_FLAG_MEANING, ExVivo, OrganAgreement, OrganFlag, OrganReference, OrganResult
from lampyris.core.comparison import Comparison, PairDifference
from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT
from lampyris.core.study import StudyResults
from lampyris.report.arms import Arm
from lampyris.report.drawing.gallery import Gallery
from lampyris.report.headline import Sentence, joined
from lampyris.report.levels import level_text
from lampyris.report.numbers import MISSING, number, p_text, unit_text, value_interval
from lampyris.report.plots.exvivo import organs_figure, pairs_figure, ratios_figure, tray_figure, tray_high, tray_panels
from lampyris.report.tables import Cell, Column, Row, Table, estimate_cell, integer_cell, number_cell, text_cell

# organs in one panel, so that its words stay legible on a phone
_PER_PANEL = 4
_MOST_TRAYS = 4
_SHARE = "%ID/g"
_AXES = {
    "icp-ms": ("by light, %ID/g", "by mass spectrometry, %ID/g"),
    "in vivo": (f"in vivo, {unit_text(FLUX_UNIT)}", f"on the tray, {unit_text(FLUX_UNIT)}"),
}
_TITLES = {"icp-ms": "Light and mass spectrometry", "in vivo": "In vivo and on the tray"}


def exvivo_section(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> dict[str, Any] | None:
    """What the template needs; None where the study has no ex vivo part.

    Parameters
    ----------
    results : StudyResults
    arms : dict of str to Arm
    gallery : Gallery
        Keeps the figures ``organs``, ``tray-1`` and so on, ``organs-icp-ms``, ``organs-agreement`` and ``organs-in-vivo``.

    Returns
    -------
    dict or None
        ``size`` is what its pictures take in the page, in bytes of text.
    """
    exvivo = results.exvivo
    if exvivo is None:
        return None
    aside = {one.unit for one in exvivo.exclusions}
    counted = [one for one in exvivo.organs if one.animal not in aside]
    trays = _trays(exvivo, arms, gallery)
    used = {flag for organ in exvivo.organs for flag in organ.flags}
    used |= {flag for reference in exvivo.references for flag in reference.flags}
    return {
        "failed": [str(one) for one in exvivo.findings if one.rule.startswith("exvivo.failed")],
        "organs": _organ_figures(counted, arms, gallery, results.synthetic),
        "level": level_text(
            [one.percent_dose_per_gram for one in counted if math.isfinite(one.percent_dose_per_gram.high)]
        ),
        "below": _below_text(counted),
        "comparisons": _comparison_table(exvivo.comparisons, arms),
        "comparison_notes": _comparison_notes(exvivo.comparisons),
        "trays": trays,
        "trays_more": max(0, len(exvivo.trays) - _MOST_TRAYS),
        "reference": _compared(exvivo, "icp-ms", arms, gallery, results.synthetic),
        "living": _compared(exvivo, "in vivo", arms, gallery, results.synthetic),
        "balance": _balance_table(exvivo, arms),
        "table": _organ_table(exvivo, arms, aside),
        "flags": [(str(flag), ORGAN_FLAG_MEANING[flag]) for flag in OrganFlag if flag in used],
        "aside": [f"{one.unit} ({one.reason})" if one.reason else one.unit for one in exvivo.exclusions],
        "size": sum(len(figure) for pair in trays for figure in pair),
    }


def exvivo_sentences(results: StudyResults, /) -> list[Sentence]:
    """A line of the headline on the excised organs; none where nothing was measured.

    Parameters
    ----------
    results : StudyResults
    """
    exvivo = results.exvivo
    if exvivo is None:
        return []
    text = _difference_text(exvivo.comparisons, results) or _most_text(exvivo)
    overall = next((one for one in exvivo.agreements if one.b == "icp-ms" and not one.organ), None)
    if overall is not None and math.isfinite(overall.ratio.value):
        ratio = f"by light over mass spectrometry {_ratio_text(overall.ratio)}, {_counted(overall)}"
        text = f"{text}; {ratio}" if text else ratio
    return [Sentence(f"Excised organs: {text}.", target="exvivo")] if text else []


def _difference_text(comparisons: Sequence[Comparison], results: StudyResults) -> str:
    """The organ in which the arms differ most surely."""
    tested = [one for one in comparisons if math.isfinite(one.p) and one.pairs]
    if not tested:
        return ""
    one = min(tested, key=_decisive)
    pair = min(one.pairs, key=lambda pair: pair.p if math.isfinite(pair.p) else 2.0)
    titles = {name: group.get("title") or name for name, group in results.groups.items()}
    adjusted = f" ({one.adjustment})" if math.isfinite(one.p_adjusted) else ""
    return (
        f"the arms differ most clearly in the {_organ(one)}, {titles.get(pair.a, pair.a)} over {titles.get(pair.b, pair.b)} "
        f"{_times(pair)} in {_SHARE}, {p_text(_decisive(one))}{adjusted}"
    )


def _decisive(one: Comparison) -> float:
    return one.p_adjusted if math.isfinite(one.p_adjusted) else one.p


def _organ(one: Comparison) -> str:
    return one.endpoint.rpartition(" of ")[2]


def _times(pair: PairDifference) -> str:
    """A difference of logarithms as a ratio."""
    d = pair.difference
    if math.isnan(d.value):
        return "ratio not known"
    low, high = (10.0**end if end < 300 else math.inf for end in (d.low, d.high))
    return f"{number(10.0**d.value)} times ({level_text([d])} {number(low)}–{number(high)})"


def _most_text(exvivo: ExVivo) -> str:
    """The organ that holds most per gram, by median over animals."""
    shares: dict[str, list[float]] = {}
    for one in exvivo.organs:
        if one.percent_dose_per_gram.value > 0 and OrganFlag.FAINT not in one.flags:
            shares.setdefault(one.organ, []).append(one.percent_dose_per_gram.value)
    if not shares:
        return ""
    organ = max(sorted(shares), key=lambda name: statistics.median(shares[name]))
    values = shares[organ]
    animals = f"{len(values)} animals" if len(values) > 1 else "one animal"
    spread = f", range {number(min(values))}–{number(max(values))}" if len(values) > 1 else ""
    return f"most per gram in the {organ}, {number(statistics.median(values))} {_SHARE} (median of {animals}{spread})"


def _ratio_text(ratio: Estimate) -> str:
    text = number(ratio.value)
    return (
        f"{text} ({level_text([ratio])} {number(ratio.low)}–{number(ratio.high)})" if math.isfinite(ratio.low) else text
    )


def _counted(one: OrganAgreement) -> str:
    return f"{one.pairs} organ{'' if one.pairs == 1 else 's'} of {one.animals} animal{'' if one.animals == 1 else 's'}"


def _colours(arms: dict[str, Arm]) -> dict[str, str]:
    return {name: arm.colour for name, arm in arms.items()}


def _organ_figures(
    organs: Sequence[OrganResult], arms: dict[str, Arm], gallery: Gallery, synthetic: bool
) -> list[Markup]:
    told = [one for one in organs if math.isfinite(one.percent_dose_per_gram.high)]
    if not told:
        return []
    order = list(arms)
    # arms stand side by side within an organ
    told.sort(key=lambda one: order.index(one.group) if one.group in order else len(order))
    colours, titles = _colours(arms), {name: arm.title for name, arm in arms.items()}
    names = list(dict.fromkeys(one.organ for one in organs if one in told))
    gallery.keep("organs", organs_figure(told, colours, synthetic=synthetic, titles=titles))
    figures: list[Markup] = []
    for first in range(0, len(names), _PER_PANEL):
        own = names[first : first + _PER_PANEL]
        mine = [one for name in own for one in told if one.organ == name]
        scene = organs_figure(mine, colours, titles=titles, every=told, title=joined(own).capitalize())
        label = f"Share of the dose per gram of {joined(own)}: a point per animal with its interval"
        figures.append(gallery.show(scene, label))
    return figures


def _below_text(organs: Sequence[OrganResult]) -> str:
    """What was not told from nothing."""
    below = [one for one in organs if _is_below(one)]
    if not below:
        return ""
    shown = [f"{one.animal} {one.organ} (below {number(one.percent_dose_per_gram.high)})" for one in below[:6]]
    more = f" and {len(below) - 6} more" if len(below) > 6 else ""
    return f"Not told from nothing, so only a bound in {_SHARE}: {', '.join(shown)}{more}."


def _is_below(one: OrganResult) -> bool:
    share = one.percent_dose_per_gram
    return math.isfinite(share.high) and (OrganFlag.FAINT in one.flags or not share.value > 0)


def _trays(exvivo: ExVivo, arms: dict[str, Arm], gallery: Gallery) -> list[tuple[Markup, Markup]]:
    """The first trays on the page; each as a figure of its own."""
    shown = []
    high = tray_high(exvivo.trays)
    for k, tray in enumerate(exvivo.trays, start=1):
        gallery.keep(f"tray-{k}", tray_figure(tray), dots_per_inch=200)
        if k <= _MOST_TRAYS:
            photo, light = tray_panels(tray, _colours(arms), high)
            shown.append(
                (
                    gallery.show(photo, f"Photograph of the tray {tray.file}, each organ outlined, numbered and named"),
                    gallery.show(light, f"Probe light of the tray {tray.file}, organs outlined"),
                )
            )
    return shown


def _compared(
    exvivo: ExVivo, what: str, arms: dict[str, Arm], gallery: Gallery, synthetic: bool
) -> dict[str, Any] | None:
    """Figures, sentences and table of one comparison of two ways of measuring; None where no organ has both."""
    pairs = exvivo.pairs.get(what, ())
    mine = [one for one in exvivo.agreements if what in (one.a, one.b)]
    told = [pair for pair in pairs if pair.a.value > 0 and pair.b.value > 0]
    if not told or not mine:
        return None
    overall, colours, same = mine[0], _colours(arms), what == "icp-ms"
    scene = pairs_figure(
        pairs, colours, _AXES[what], synthetic=synthetic, line=overall, equal=same, title=_TITLES[what]
    )
    gallery.keep(f"organs-{what.replace(' ', '-')}", scene)
    figures = [gallery.show(scene, f"{_TITLES[what]}: each organ of each animal with both intervals")]
    if same:
        scene = ratios_figure(pairs, overall, colours, ("light", "mass spectrometry"), synthetic=synthetic)
        gallery.keep("organs-agreement", scene)
        figures.append(gallery.show(scene, "Ratio of both against their geometric mean, with limits of agreement"))
    return {
        "title": _TITLES[what],
        "figures": figures,
        "sentence": _agreement_text(overall, same),
        "notes": [f"{note[:1].upper()}{note[1:]}." for note in overall.notes],
        "table": _agreement_table(mine, what),
    }


def _agreement_text(one: OrganAgreement, same: bool) -> str:
    parts = [f"{_counted(one)}, organs nested in animals"]
    if same and math.isfinite(one.ratio.value):
        parts.append(f"ratio of light over mass spectrometry {_ratio_text(one.ratio)}")
        if math.isfinite(one.lower.value):
            parts.append(
                f"95 % of single ratios expected between {number(one.lower.value)} and {number(one.upper.value)}"
            )
        if math.isfinite(one.concordance.value):
            parts.append(f"Lin's concordance of logarithms {_ratio_text(one.concordance)}")
    if math.isfinite(one.slope.value):
        parts.append(f"slope of the logarithms with errors in both {_ratio_text(one.slope)}; 1 is proportional")
    return f"{'; '.join(parts)}."


def _agreement_table(mine: Sequence[OrganAgreement], what: str) -> Table:
    same = what == "icp-ms"
    level = level_text([one.slope for one in mine])
    heads = [
        Column("Organ"),
        Column("Animals", "number"),
        Column("Organs", "number"),
        Column("Bounds left out", "number"),
    ]
    if same:
        heads += [Column(f"Ratio ({level})", "estimate"), Column("95 % of ratios"), Column("Concordance", "estimate")]
    heads += [Column("Slope", "estimate")]
    rows = []
    for one in mine:
        cells = [
            text_cell(one.organ or "all"), integer_cell(one.animals), integer_cell(one.pairs), integer_cell(one.pairs_censored)
        ]  # fmt: skip
        if same:
            ends = f"{number(one.lower.value)}–{number(one.upper.value)}" if math.isfinite(one.lower.value) else MISSING
            cells += [estimate_cell(one.ratio), text_cell(ends), estimate_cell(one.concordance)]
        rows.append(Row((*cells, estimate_cell(one.slope))))
    return Table(f"agreement-{what.replace(' ', '-')}", f"{_TITLES[what]}, by organ", tuple(heads), tuple(rows))


def _comparison_table(comparisons: Sequence[Comparison], arms: dict[str, Arm]) -> Table | None:
    if not comparisons:
        return None
    rows = []
    for one in comparisons:
        n = ", ".join(
            f"{arms[group.group].title if group.group in arms else group.group} {group.n}"
            + (f" ({sum(group.censored)} below)" if any(group.censored) else "")
            for group in one.groups
        )
        if not one.pairs:
            rows.append(Row(_comparison_cells(one, n, "", MISSING), muted=True))
        for pair in one.pairs:
            names = " over ".join(arms[key].title if key in arms else key for key in (pair.a, pair.b))
            rows.append(Row(_comparison_cells(one, n, names, _ratio_of(pair), pair)))
    level = level_text([pair.difference for one in comparisons for pair in one.pairs])
    columns = (
        Column("Organ"),
        Column("Animals"),
        Column("Arms"),
        Column(f"Ratio of {_SHARE}" + (f" ({level})" if level else "")),
        Column("p of the pair", "number"),
        Column("Test over the arms"),
        Column("p", "number"),
        Column("p, Holm over organs", "number"),
    )
    return Table("exvivo-comparisons", "Arms compared, organ by organ", columns, tuple(rows))


def _ratio_of(pair: PairDifference) -> str:
    d = pair.difference
    if math.isnan(d.value):
        return MISSING
    low, high = (10.0**end if end < 300 else math.inf for end in (d.low, d.high))
    return value_interval(10.0**d.value, low, high)


def _comparison_cells(
    one: Comparison, n: str, names: str, ratio: str, pair: PairDifference | None = None
) -> tuple[Cell, ...]:
    return (
        text_cell(_organ(one)),
        text_cell(n),
        text_cell(names),
        text_cell(ratio),
        _p_cell(pair.p if pair is not None else math.nan),
        text_cell(one.test or "none"),
        _p_cell(one.p),
        _p_cell(one.p_adjusted),
    )


def _p_cell(p: float) -> Cell:
    if not math.isfinite(p):
        return Cell(MISSING)
    # the head says p
    return Cell(p_text(p).removeprefix("p").lstrip(" \u00a0\u202f=").strip(), f"{p:.6g}")


def _comparison_notes(comparisons: Sequence[Comparison]) -> list[str]:
    """Each note once, with the organs that it is of."""
    notes: dict[str, list[str]] = {}
    for one in comparisons:
        for note in one.notes:
            notes.setdefault(f"{note.rstrip('.')}.", []).append(_organ(one))
    return [
        note if len(organs) == len(comparisons) else f"{joined(organs).capitalize()}: {note}"
        for note, organs in notes.items()
    ]


def _balance_table(exvivo: ExVivo, arms: dict[str, Arm]) -> Table | None:
    if not exvivo.balances:
        return None
    columns = (
        Column("Animal"), Column("By"), Column("Sum over the organs", "estimate", "%ID"), Column("Organs", "number"),
        Column("Without a share"),
    )  # fmt: skip
    rows = tuple(
        Row(
            (
                text_cell(one.animal), text_cell(one.source), estimate_cell(one.percent_dose), integer_cell(len(one.organs)),
                text_cell(", ".join(one.missing)),
            ),
            arms[one.group].index if one.group in arms else -1,
        )
        for one in exvivo.balances
    )  # fmt: skip
    level = level_text([one.percent_dose for one in exvivo.balances])
    return Table(
        "mass-balance", f"How much of its dose an animal's organs hold together ({level} intervals)", columns, rows
    )


def _organ_table(exvivo: ExVivo, arms: dict[str, Arm], aside: set[str]) -> Table | None:
    if not exvivo.organs and not exvivo.references:
        return None
    by_icp = {(one.animal, one.organ.casefold()): one for one in exvivo.references}
    columns = [
        Column("Animal"), Column("Organ"), Column("Weight", "number", "g"), Column("Flux", "estimate", FLUX_UNIT),
        Column("Share of the dose", "estimate", "%ID"), Column("Per gram", "estimate", _SHARE),
        Column("Uncorrected", "number", _SHARE),
    ]  # fmt: skip
    columns += [Column("By ICP-MS", "estimate", _SHARE)] if exvivo.references else []
    rows = []
    for one in exvivo.organs:
        cells = [
            text_cell(one.animal), text_cell(one.organ), number_cell(one.weight_g.value, digits=3), estimate_cell(one.flux),
            _share_cell(one.percent_dose, _is_below(one)), _share_cell(one.percent_dose_per_gram, _is_below(one)),
            number_cell(one.surface_percent_dose_per_gram.value),
        ]  # fmt: skip
        if exvivo.references:
            cells.append(_reference_cell(by_icp.get((one.animal, one.organ.casefold()))))
        left = ["left out"] if one.animal in aside else []
        arm = arms[one.group].index if one.group in arms else -1
        rows.append(Row((*cells, text_cell(", ".join((*left, *one.flags)))), arm, muted=one.animal in aside))
    return Table("organs", "Every organ on a tray", (*columns, Column("Flags")), tuple(rows))


def _share_cell(share: Estimate, below: bool) -> Cell:
    """A share; where there is only a bound, the bound."""
    shown = estimate_cell(share)
    if below and math.isfinite(share.high):
        return Cell(f"< {number(share.high)}", shown.copied)
    if math.isinf(share.high) and share.low > 0:
        return Cell(f"> {number(share.low)}", shown.copied)
    return shown


def _reference_cell(one: OrganReference | None) -> Cell:
    if one is None:
        return Cell(MISSING)
    return _share_cell(one.percent_dose_per_gram, OrganFlag.BELOW_LOD in one.flags)
