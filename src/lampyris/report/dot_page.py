"""The sheet of one dot as a page that opens offline: levels, spectra, and each prediction beside what was measured."""

import base64
import hashlib
import math

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from lampyris.core.estimate import Estimate
from lampyris.probe.design import DotSheet, SheetRow
from lampyris.probe.fate import Fate
from lampyris.report.drawing.gallery import Gallery
from lampyris.report.drawing.scene import Scene
from lampyris.report.numbers import MISSING, estimate_text, number, percent_text, unit_text
from lampyris.report.plots.band_profile import BandProfile, band_figure
from lampyris.report.plots.dot_spectra import WINDOWS_NM, Curve, spectra_figure
from lampyris.report.plots.fate import fate_figure, urine_text
from lampyris.report.script import asset
from lampyris.report.tables import Cell, Column, Row, Table, text_cell
from lampyris.tissue.optics import WAVELENGTH_RANGE_NM, tissue_names, tissue_optics

_TISSUES = ("muscle", "liver", "skin")
_TISSUE_STEP_NM = 5.0
# lengths of dots are below, wavelengths above
_WAVELENGTH_NM = 200.0


def render_dot(sheet: DotSheet, /, *, fate: Fate | None = None) -> str:
    """Render the sheet of a dot.

    Parameters
    ----------
    sheet : DotSheet
        Predictions beside measurements.
    fate : Fate, optional
        Where a dose of it goes; the page has no such section without it.

    Returns
    -------
    str
        HTML in one file: no script, nothing is loaded from anywhere.
    """
    gallery = Gallery()
    style = asset("report.css") + asset("dot.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    found = sheet.prediction
    measured = any(not math.isnan(row.measured) for row in sheet.rows)
    return _environment().get_template("dot.html.j2").render(
        policy=policy,
        # our own style sheet, whose hash stands in the policy: escaping would change it
        style=Markup(style),
        sheet=sheet,
        name=sheet.dot.name,
        answer=_answer(sheet),
        facts=_facts(sheet),
        levels=gallery.show(levels_scene(sheet), f"Level diagram of {found.structure.label}: band edges and wave functions"),
        spectra=gallery.show(spectra_scene(sheet), "Absorption and emission, the windows of tissue, and what tissue absorbs"),
        rows=_row_table(sheet.rows, measured=measured),
        layers=_layer_table(sheet),
        measured=measured,
        windows=[f"{name}, {low:g} to {high:g} nm" for name, low, high in WINDOWS_NM],
        fate=gallery.show(fate_figure(fate), "Share of the dose in each organ over time") if fate else None,
        fate_words=_fate_words(fate) if fate else "",
        fate_notes=[f"{one.seen} {one.mend}" for one in fate.findings] if fate else [],
    )  # fmt: skip


def levels_scene(sheet: DotSheet, /) -> Scene:
    """Level diagram of a dot with its band profile and wave functions."""
    found = sheet.prediction
    transition, dot = found.transition, found.structure
    ends = np.cumsum([layer.thickness_nm for layer in dot.layers])
    absorbed = f"{found.absorption_ev.value:.2f} eV, {found.absorption_nm.value:.0f} nm"
    return band_figure(
        BandProfile(
            layers=tuple((layer.label, float(end)) for layer, end in zip(dot.layers, ends, strict=True)),
            radius_nm=transition.radius_nm,
            conduction_ev=transition.conduction_ev,
            valence_ev=transition.valence_ev,
            electron_ev=transition.electron_ev,
            hole_ev=transition.hole_ev,
            electron=_radial(transition.radius_nm, transition.electron),
            hole=_radial(transition.radius_nm, transition.hole),
            transition=absorbed,
            title=f"{dot.label}, {dot.diameter_nm:.1f} nm",
            below=f"{transition.kind}, overlap {transition.overlap:.2f}; shaded: where electron and hole are, per nm of radius",
        )
    )


def _radial(radius_nm: NDArray[np.float64], envelope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability per nm of radius."""
    return np.asarray((radius_nm * envelope) ** 2)


def spectra_scene(sheet: DotSheet, /) -> Scene:
    """Spectra of a dot against the windows, with the absorption of some tissues where their tables hold."""
    dot, low = sheet.dot.measured, sheet.wavelengths_nm[0]
    first = float(sheet.absorption[int(np.argmin(np.abs(sheet.wavelengths_nm - sheet.prediction.absorption_nm.value)))])
    measured = [
        (name, value)
        for name, value in (("absorption peak", dot.first_exciton_nm), ("emission peak", dot.emission_nm))
        if value is not None and value >= low
    ]
    return spectra_figure(
        Curve("absorption, its first peak as 1", sheet.wavelengths_nm, sheet.absorption / max(first, 1e-12)),
        Curve("emission", sheet.wavelengths_nm, sheet.emission),
        tuple(_tissue(name) for name in _TISSUES if name in tissue_names()),
        measured_nm=measured,
        excitation_nm=dot.excitation_nm,
    )


def _tissue(name: str) -> Curve:
    low, high = WAVELENGTH_RANGE_NM
    wavelengths = np.arange(low, high + 0.5, _TISSUE_STEP_NM)
    return Curve(
        name, wavelengths, np.array([tissue_optics(name, float(one)).absorption_per_mm for one in wavelengths])
    )


def _answer(sheet: DotSheet) -> str:
    """The sheet in a sentence or two."""
    found = sheet.prediction
    emission, width = found.emission_nm, found.width.total_nm
    words = (
        f"Predicted to emit at {emission.value:.0f} nm ({percent_text(emission.level)} interval {emission.low:.0f} to "
        f"{emission.high:.0f} nm), {width.value:.0f} nm wide, {found.size.diameter.value:.1f} nm in water."
    )
    verdicts = [row.verdict for row in sheet.rows]
    agreed, differing = verdicts.count("agrees"), [row.title for row in sheet.rows if row.verdict == "differs"]
    if agreed or differing:
        words += f" Of {agreed + len(differing)} measured quantities {agreed} agree"
        words += f"; {', '.join(differing)} {'differs' if len(differing) == 1 else 'differ'}." if differing else "."
    return words


def _fate_words(fate: Fate) -> str:
    """Dose, animal, half-life and excretion in a sentence."""
    question, half = fate.question, fate.half_life_h
    words = f"Predicted for {question.dosing.amount:g} {question.dosing.unit} into the blood of a {question.species}, "
    words += f"{question.diameter_nm:.1f} nm in water, coat {fate.coat.name}: "
    known = math.isfinite(half.value)
    words += f"half of it leaves the plasma in {estimate_text(half)}; " if known else ""
    return words + f"{urine_text(fate.renal_percent)} is in the urine after {question.hours:g}\u00a0h."


def _facts(sheet: DotSheet) -> list[tuple[str, str]]:
    """Short facts at the head of the page."""
    found = sheet.prediction
    window = next(
        (name for name, low, high in WINDOWS_NM if low <= found.emission_nm.value <= high), "outside the windows"
    )
    facts = [
        ("Structure", found.structure.label),
        ("All layers", f"{found.structure.diameter_nm:.2f} nm"),
        ("Alignment", f"{found.transition.kind}, overlap {found.transition.overlap:.2f}"),
        ("Window", window),
        ("Hazard class", found.toxicity),
        ("Elements of concern", ", ".join(found.metals) or "none"),
    ]
    made = [one for one in (sheet.dot.supplier, f"lot {sheet.dot.lot}" if sheet.dot.lot else None) if one]
    return facts + ([("From", ", ".join(made))] if made else [])


def _row_table(rows: tuple[SheetRow, ...], *, measured: bool) -> Table:
    """Predictions, and where anything was measured what that was and whether it agrees."""
    columns: tuple[Column, ...] = (Column("Quantity"), Column("Predicted", "estimate"), Column("Note"))
    if not measured:
        return Table("quantities", "Predicted with 95 % interval", columns, tuple(_row(row)[0] for row in rows))
    columns = (
        Column("Quantity"),
        Column("Predicted", "estimate"),
        Column("Measured", "number"),
        Column("Verdict"),
        Column("Note"),
    )
    caption = "Predicted with 95 % interval, and measured"
    return Table("quantities", caption, columns, tuple(_row(row)[1] for row in rows))


def _row(row: SheetRow) -> tuple[Row, Row]:
    """A quantity without and with its measurement."""
    unit, found = unit_text(row.unit), row.predicted
    copied = "\t".join(f"{value:.6g}" for value in (found.value, found.low, found.high)) if found else ""
    measured = "" if math.isnan(row.measured) else number(row.measured, digits=3)
    measured += "" if math.isnan(row.measured_sd) else f" ± {number(row.measured_sd)}"
    measured += f"\u00a0{unit}" if measured and unit else ""
    predicted = Cell(predicted_text(found), copied)
    title, note = text_cell(row.title), text_cell(row.note)
    full = (title, predicted, Cell(measured), text_cell(row.verdict), note)
    return Row((title, predicted, note)), Row(full, muted=row.verdict == "not measured")


def predicted_text(found: Estimate | None, /) -> str:
    """A prediction with its interval; wavelengths to the nanometre, as spectra are read.

    Examples
    --------
    >>> predicted_text(Estimate(817.2, 70.0, 699.6, 980.4, 0.95, "nm", "normal")).replace("\\u00a0", " ")
    '817 (700–980) nm'
    """
    if found is None:
        return MISSING
    if found.unit == "nm" and found.value >= _WAVELENGTH_NM and math.isfinite(found.high):
        return f"{found.value:.0f} ({found.low:.0f}–{found.high:.0f})\u00a0nm"
    return estimate_text(found)


def _layer_table(sheet: DotSheet) -> Table:
    found = sheet.prediction
    transition, rows, radius = found.transition, [], 0.0
    for place, layer in enumerate(found.structure.layers):
        radius += layer.thickness_nm
        cells: tuple[Cell, ...] = (
            text_cell(layer.label),
            text_cell("core" if place == 0 else "shell"),
            text_cell(
                f"{2 * layer.thickness_nm:.2f} nm across" if place == 0 else f"{layer.thickness_nm:.2f} nm thick"
            ),
            text_cell(f"{100 * float(transition.electron_share[place]):.0f} %"),
            text_cell(f"{100 * float(transition.hole_share[place]):.0f} %"),
            text_cell(f"{100 * float(transition.strain[place]):.1f} %".replace("-", "−")),
        )
        rows.append(Row(cells))
    columns = tuple(
        Column(title)
        for title in ("Layer", "Part", "Size", "Electron in it", "Hole in it", "Change of volume by strain")
    )
    return Table("layers", "Layers from the core outwards", columns, tuple(rows))


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("lampyris.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
