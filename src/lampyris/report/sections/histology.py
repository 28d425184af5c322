"""Sections on the page: labelled cells per organ, and how the in vivo call holds against them."""

import math
from dataclasses import replace
from typing import Any

from lampyris.core.histology import SECTION_FLAG_MEANING, CallAccuracy, Histology, SectionFlag
from lampyris.core.study import StudyResults
from lampyris.report.arms import Arm
from lampyris.report.drawing.gallery import Gallery
from lampyris.report.headline import Sentence, joined
from lampyris.report.levels import level_text
from lampyris.report.numbers import MISSING, number
from lampyris.report.plots.histology import density_figure
from lampyris.report.tables import Cell, Column, Row, Table, estimate_cell, integer_cell, number_cell, text_cell

# organs in one panel, so that its words stay legible on a phone
_PER_PANEL = 3
_SAYS = {True: "yes", False: "no", None: MISSING}


def histology_section(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> dict[str, Any] | None:
    """What the template needs; None where the study has no sections.

    Parameters
    ----------
    results : StudyResults
    arms : dict of str to Arm
    gallery : Gallery
        Keeps the figure ``sections``.
    """
    found = results.histology
    if found is None:
        return None
    # the figure's legend says what the page calls an arm
    titles = {name: arm.title for name, arm in arms.items()}
    colours = {arm.title: arm.colour for arm in arms.values()}
    told = [
        replace(one, group=titles.get(one.group, one.group))
        for one in found.organs
        if math.isfinite(one.cells_per_mm2.value)
    ]
    groups = [replace(one, group=titles.get(one.group, one.group)) for one in found.groups]
    figures = []
    if told:
        gallery.keep("sections", density_figure(told, groups, colours, synthetic=found.synthetic))
        names = list(dict.fromkeys(one.organ for one in told))
        for first in range(0, len(names), _PER_PANEL):
            own = names[first : first + _PER_PANEL]
            scene = density_figure([one for one in told if one.organ in own], groups, colours)
            figures.append(
                gallery.show(scene, f"Labelled cells per mm2 of {joined(own)}: a point per animal with its interval")
            )
    used = {flag for section in found.sections for flag in section.flags}
    used |= {flag for organ in found.organs for flag in organ.flags}
    return {
        "figures": figures,
        "level": level_text([one.cells_per_mm2 for one in told]),
        "controls": _controls_text(found),
        "accuracy": _accuracy_text(found.accuracy) if found.accuracy is not None else "",
        "notes": _notes(found.accuracy) if found.accuracy is not None else [],
        "densities": _density_table(found, arms),
        "calls": _call_table(found),
        "flags": [(str(flag), SECTION_FLAG_MEANING[flag]) for flag in SectionFlag if flag in used],
    }


def histology_sentences(results: StudyResults, /) -> list[Sentence]:
    """A line of the headline where the in vivo call was judged by sections."""
    found = results.histology
    if found is None or found.accuracy is None:
        return []
    return [Sentence(f"By sections: {_accuracy_text(found.accuracy)}", target="exvivo")]


def _controls_text(found: Histology) -> str:
    cells, sections, animals = found.controls
    if not cells:
        return "There is no section of an unlabelled animal: no organ can be called positive or negative."
    text = (
        f"Of {cells} unlabelled cells in {sections} sections of {animals} control animal{'' if animals == 1 else 's'}, "
        f"{number(100 * found.false_positives)} % are called; as many are taken off."
    )
    seen = found.detection
    if seen is None:
        return f"{text} Which share of labelled cells is called is not known: densities are of called cells."
    ends = f"{level_text([seen])} {number(100 * seen.low)}–{number(100 * seen.high)}"
    return f"{text} Of labelled cells {number(100 * seen.value)} % ({ends}) are called; densities are of all of them."


def _accuracy_text(one: CallAccuracy) -> str:
    parts = [f"in vivo call of an organ, {one.positives + one.negatives} organs of {one.design.n[0]} animals judged"]
    for name, share, count in (
        ("sensitivity", one.sensitivity, one.positives), ("specificity", one.specificity, one.negatives)
    ):  # fmt: skip
        if count and math.isfinite(share.value):
            ends = f"{level_text([share])} {number(share.low)}–{number(share.high)}"
            parts.append(f"{name} {number(share.value)} ({ends}; {count} organs)")
        else:
            parts.append(f"{name} not known: no such organ")
    if one.area is not None:
        ends = f"{level_text([one.area])} {number(one.area.low)}–{number(one.area.high)}"
        parts.append(f"area under the curve {number(one.area.value)} ({ends})")
    return "; ".join(parts) + "."


def _notes(one: CallAccuracy) -> list[str]:
    return [*one.notes, *(f"Not judged, {count}: {reason}." for reason, count in one.not_called.items())]


def _density_table(found: Histology, arms: dict[str, Arm]) -> Table | None:
    if not found.organs:
        return None
    columns = (
        Column("Animal"), Column("Organ"), Column("Sections", "number"), Column("Nuclei", "number"), Column("Labelled", "number"),
        Column("Tissue", "number", "mm2"), Column("Labelled cells", "estimate", "mm-2"), Column("Above controls"), Column("Flags"),
    )  # fmt: skip
    rows = tuple(
        Row(
            (
                text_cell(one.animal), text_cell(one.organ), integer_cell(one.sections), integer_cell(one.nuclei),
                integer_cell(one.labelled), number_cell(one.tissue_mm2), estimate_cell(one.cells_per_mm2),
                Cell(_SAYS[one.positive]), text_cell(", ".join(one.flags)),
            ),
            arms[one.group].index if one.group in arms else -1,
        )
        for one in found.organs
    )  # fmt: skip
    return Table("densities", "Labelled cells in sections, by animal and organ", columns, rows)


def _call_table(found: Histology) -> Table | None:
    if not found.calls:
        return None
    columns = (
        Column("Animal"), Column("Organ"), Column("Called in vivo"), Column("Probability", "number"), Column("By sections"),
        Column("Why not judged"),
    )  # fmt: skip
    rows = tuple(
        Row(
            (
                text_cell(one.animal), text_cell(one.organ), Cell(_SAYS[one.called]), number_cell(one.score), Cell(_SAYS[one.truth]),
                text_cell(one.reason),
            ),
            muted=one.called is None or one.truth is None,
        )
        for one in found.calls
    )  # fmt: skip
    return Table("calls-judged", "In vivo calls beside sections", columns, rows)
