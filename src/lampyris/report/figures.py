"""Figures of the study, drawn once: as SVG for the page, and as SVG and PNG files in a journal's type and width.

Matplotlib is used through its objects alone; its settings are changed inside a context and given back.
"""

import io
import math
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from lampyris.core.study import Comparison
from lampyris.report.arms import Arm
from lampyris.report.curves import AnimalCurve, ArmDay
from lampyris.report.levels import level_text
from lampyris.report.limits import LimitCell, LimitGrid
from lampyris.report.numbers import day_text, number, superscript, unit_text

MM = 1 / 25.4
PNG_DPI = 300
# marks that the page re-colours for its light and dark faces; see `page_svg`
INK, PAPER, FAINT = "#010101", "#fefefe", "#c1c1c1"
_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.labelsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.edgecolor": "none",
    "svg.fonttype": "none",
    "axes.unicode_minus": True,
    "text.parse_math": False,
    "text.usetex": False,
    "figure.dpi": 72,
    "path.sketch": None,
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(slots=True)
class Drawing:
    """A figure being drawn, with the words that its marks show on hover.

    Parameters
    ----------
    figure : Figure
        Of matplotlib.
    words : dict of str to str
        Hover text by the mark's identity.
    svg : bytes
        The figure once it was written; empty before.
    """

    figure: Figure
    words: dict[str, str] = field(default_factory=dict)
    svg: bytes = b""

    def name(self, text: str, /) -> str:
        """Identity for a mark whose hover text is `text`."""
        key = f"mark-{len(self.words)}"
        self.words[key] = text
        return key


def figure_text(text: str, /, *, width: int = 0, longest: int = 60) -> str:
    """Text that any font file and XML can take: no control characters, shortened, wrapped at `width` characters."""
    clean = _CONTROL.sub("\ufffd", text.replace("\n", " ").replace("\t", " "))
    clean = clean if len(clean) <= longest else clean[: longest - 1] + "…"
    return "\n".join(textwrap.wrap(clean, width)) if width else clean


@contextmanager
def journal_settings(name: str) -> Iterator[None]:
    """Matplotlib's settings of these figures; `name` salts the identities inside the SVG."""
    settings: Any = {**_SETTINGS, "svg.hashsalt": name}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # a name in a script that the bundled font lacks is drawn as boxes in the PNG and right in the SVG
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        # very long names can leave no room for axes: a crowded figure is better than no report
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        yield


def svg_bytes(drawing: Drawing, /) -> bytes:
    """The drawing as SVG without date or maker; written once, however often it is asked for."""
    if not drawing.svg:
        _settle(drawing)
        out = io.BytesIO()
        none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        drawing.figure.savefig(out, format="svg", metadata=none)
        drawing.svg = out.getvalue()
    return drawing.svg


def _settle(drawing: Drawing) -> None:
    """Lay the figure out once, so that each file does not do it again."""
    if drawing.figure.get_layout_engine() is not None:
        drawing.figure.draw_without_rendering()
        drawing.figure.set_layout_engine("none")


def png_bytes(drawing: Drawing, /, *, dots_per_inch: int = PNG_DPI) -> bytes:
    """The drawing as PNG on white, without maker."""
    _settle(drawing)
    out = io.BytesIO()
    FigureCanvasAgg(drawing.figure)
    drawing.figure.savefig(out, format="png", dpi=dots_per_inch, facecolor="white", metadata={"Software": None})
    return out.getvalue()


def power_ticks(axis: Any, low: float, high: float, /) -> None:
    """Ticks of a logarithmic axis from `low` to `high`, labelled as powers of ten."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    stride = max(1, math.ceil(len(exponents) / 6))
    axis.set_major_locator(FixedLocator([10.0**n for n in exponents if n % stride == 0]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"10{superscript(round(math.log10(value)))}"))
    axis.set_minor_locator(FixedLocator([m * 10.0**n for n in exponents for m in range(2, 10)] if stride == 1 else []))
    # an axis that holds fewer than two powers of ten would have hardly a number on it
    whole = sum(low <= 10.0**n <= high for n in exponents)
    axis.set_minor_formatter(NullFormatter() if whole > 1 else FuncFormatter(_two_or_five))


def _two_or_five(value: float, _: int) -> str:
    mantissa = round(value / 10.0 ** math.floor(math.log10(value) + 1e-9))
    return number(value, digits=1).replace("\u202f", "") if mantissa in (2, 5) else ""


def _curve_panel(
    drawing: Drawing, axes: Any, arm: Arm, curves: Sequence[AnimalCurve], means: Sequence[ArmDay], unit: str
) -> None:
    """One arm: thin lines of animals, limits as triangles, the arm's geometric mean with interval."""
    for curve in curves:
        seen = [not limit for limit in curve.limited]
        axes.plot(curve.days, curve.values, color=arm.colour, linewidth=0.5, alpha=0.35, linestyle=(0, (1, 2)))
        solid = np.where(seen, curve.values, np.nan)
        axes.plot(curve.days, solid, color=arm.colour, linewidth=0.6, alpha=0.6)
        for day, value, limited in zip(curve.days, curve.values, curve.limited, strict=True):
            sort = "below the limit, " if limited else ""
            words = f"{curve.animal}, day {day_text(day)}: {sort}{number(value)} {unit_text(unit)}"
            axes.plot(
                [day], [value], gid=drawing.name(words), linestyle="none", marker="v" if limited else "o",
                markersize=3.5 if limited else 2.6, markeredgewidth=0.6, markeredgecolor=arm.colour,
                markerfacecolor=PAPER if limited else arm.colour, alpha=1 if limited else 0.75,
            )  # fmt: skip
    shift = 0.02 * (axes.get_xlim()[1] - axes.get_xlim()[0])
    for mean in means:
        _arm_mean(drawing, axes, arm, mean, unit, shift)
    sure = [mean for mean in means if not mean.upper_bound]
    axes.plot([m.day + shift for m in sure], [m.estimate.value for m in sure], color=arm.colour, linewidth=1.6)
    axes.set_title(figure_text(arm.title, width=30), loc="left", color=INK)


def _arm_mean(drawing: Drawing, axes: Any, arm: Arm, mean: ArmDay, unit: str, shift: float) -> None:
    estimate = mean.estimate
    # beside the animals' points, so that neither hides the other
    place = mean.day + shift
    if mean.upper_bound:
        words = f"{arm.title}, day {day_text(mean.day)}: geometric mean at most {number(estimate.value)}"
        words += f" {unit_text(unit)}; {mean.limited} of {mean.n} below their limit"
        axes.plot([place], [estimate.value], gid=drawing.name(words), marker="v", markersize=6, linestyle="none",
                  markeredgewidth=1.2, markeredgecolor=arm.colour, markerfacecolor=PAPER)  # fmt: skip
        return
    words = f"{arm.title}, day {day_text(mean.day)}: geometric mean {number(estimate.value)}"
    words += (
        f" ({level_text([estimate])} {number(estimate.low)}–{number(estimate.high)}) {unit_text(unit)}, n = {mean.n}"
    )
    if math.isfinite(estimate.high) and estimate.low > 0:
        axes.plot([place] * 2, [estimate.low, estimate.high], color=arm.colour, linewidth=1.6, solid_capstyle="butt")
    axes.plot([place], [estimate.value], gid=drawing.name(words), marker="D", markersize=4.5, linestyle="none",
              markeredgewidth=0.8, markeredgecolor=PAPER, markerfacecolor=arm.colour)  # fmt: skip


def curves_figure(
    arms: Sequence[Arm],
    curves: dict[str, list[AnimalCurve]],
    means: dict[str, list[ArmDay]],
    unit: str,
    /,
    *,
    columns: int,
    panel_mm: tuple[float, float] = (58.0, 52.0),
) -> Drawing:
    """Total lesion flux over days, a panel per arm on shared axes.

    Parameters
    ----------
    arms : sequence of Arm
        Panels, in order.
    curves, means : dict by arm
        From `lampyris.report.curves`, of all arms: they set the shared axes.
    unit : str
        Of the values.
    columns : int
        Panels side by side.
    panel_mm : (float, float)
        Width and height of one panel.

    Returns
    -------
    Drawing
        Ready to save.
    """
    values = [v for arm in curves.values() for curve in arm for v in curve.values if v > 0 and math.isfinite(v)]
    days = [d for arm in curves.values() for curve in arm for d in curve.days]
    low, high = (min(values) / 1.6, max(values) * 1.6) if values else (1.0, 10.0)
    margin = 0.06 * max(max(days, default=1) - min(days, default=0), 1)
    rows = math.ceil(len(arms) / columns)
    figure = Figure(figsize=(columns * panel_mm[0] * MM, rows * panel_mm[1] * MM), layout="constrained")
    drawing = Drawing(figure)
    for k, arm in enumerate(arms):
        axes = figure.add_subplot(rows, columns, k + 1)
        axes.set_yscale("log")
        axes.set_ylim(low, high)
        axes.set_xlim(min(days, default=0) - margin, max(days, default=1) + margin)
        power_ticks(axes.yaxis, low, high)
        axes.xaxis.set_major_locator(FixedLocator(sorted(set(days))))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: day_text(value)))
        _curve_panel(drawing, axes, arm, curves.get(arm.key, []), means.get(arm.key, []), unit)
        axes.set_xlabel("days since inoculation")
        if k % columns == 0:
            axes.set_ylabel(f"total lesion flux ({unit_text(unit)})")
    return drawing


def comparison_figure(comparison: Comparison, arms: dict[str, Arm], /) -> Drawing:
    """Every animal as a point per arm, with mean and interval.

    Parameters
    ----------
    comparison : Comparison
        Its groups are drawn in their order.
    arms : dict of str to Arm
        Colours and titles.

    Returns
    -------
    Drawing
        88 mm wide, one column of a journal, for up to four arms.
    """
    drawing = Drawing(Figure(figsize=(max(88, 22 * len(comparison.groups)) * MM, 70 * MM), layout="constrained"))
    axes = drawing.figure.add_subplot()
    for k, group in enumerate(comparison.groups):
        arm = arms[group.group]
        order = np.argsort(np.argsort(group.values, kind="stable"))
        # side by side in order of value, so that equal values do not hide each other
        places = k - 0.1 + 0.16 * ((order % 3) - 1)
        for place, value, censored in zip(places, group.values, group.censored, strict=True):
            words = (
                f"{arm.title}: {'at most ' if censored else ''}{number(value, digits=3)} {unit_text(comparison.unit)}"
            )
            axes.plot(
                [place], [value], gid=drawing.name(words), marker="v" if censored else "o", markersize=4,
                linestyle="none", markeredgecolor=arm.colour, markeredgewidth=0.8,
                markerfacecolor=PAPER if censored else arm.colour, alpha=1 if censored else 0.75,
            )  # fmt: skip
        mean = group.mean
        if math.isnan(mean.value):
            continue
        words = (
            f"{arm.title}: mean {number(mean.value, digits=3)} ({level_text([mean])} {number(mean.low, digits=3)} to "
        )
        words += f"{number(mean.high, digits=3)}) {unit_text(mean.unit)}, n = {group.n}"
        if math.isfinite(mean.high - mean.low):
            axes.plot([k + 0.3] * 2, [mean.low, mean.high], color=arm.colour, linewidth=1.6, solid_capstyle="butt")
        axes.plot([k + 0.3], [mean.value], gid=drawing.name(words), marker="D", markersize=5, linestyle="none",
                  color=arm.colour, markeredgecolor=PAPER, markeredgewidth=0.8)  # fmt: skip
    axes.set_xlim(-0.5, len(comparison.groups) - 0.5)
    axes.set_xticks(range(len(comparison.groups)))
    axes.set_xticklabels(
        [f"{figure_text(arms[g.group].title, width=14, longest=42)}\nn = {g.n}" for g in comparison.groups]
    )
    axes.tick_params(axis="x", length=0)
    axes.margins(y=0.08)
    axes.set_ylabel(figure_text(unit_text(comparison.unit) or comparison.endpoint, longest=48))
    axes.set_title(figure_text(comparison.endpoint, width=52, longest=150), loc="left", color=INK)
    return drawing


def limits_figure(grid: LimitGrid, /) -> Drawing:
    """What could have been seen, by region and day, as a heat map with its numbers.

    Parameters
    ----------
    grid : LimitGrid
        One view.

    Returns
    -------
    Drawing
        88 mm wide for up to six days.
    """
    values = np.array([[_limit_value(grid, r, d) for d in grid.days] for r in grid.regions], dtype=float)
    height = 18 + 5.2 * len(grid.regions)
    width = max(88.0, 30 + 10.0 * len(grid.days))
    drawing = Drawing(Figure(figsize=(width * MM, height * MM), layout="constrained"))
    axes = drawing.figure.add_subplot()
    logs = np.log10(np.where(values > 0, values, np.nan))
    low, high = grid.log_range
    colours = matplotlib.colormaps["cividis"]
    for r, region in enumerate(grid.regions):
        for d, day in enumerate(grid.days):
            cell = grid.cells.get((region, day))
            if cell is None or not math.isfinite(logs[r, d]):
                continue
            share = (logs[r, d] - low) / (high - low) if high > low else 0.5
            face = colours(1 - share)
            words = drawing.name(_limit_words(region, day, cell, grid.unit))
            axes.fill([d - 0.48, d + 0.48, d + 0.48, d - 0.48], [r - 0.46, r - 0.46, r + 0.46, r + 0.46],
                      facecolor=face, edgecolor="none", gid=words)  # fmt: skip
            dark = 0.299 * face[0] + 0.587 * face[1] + 0.114 * face[2] < 0.45
            axes.text(d, r, number(values[r, d]).replace("\u202f", ""), ha="center", va="center", fontsize=6,
                      color="#ffffff" if dark else "#000000")  # fmt: skip
    axes.set_xlim(-0.5, len(grid.days) - 0.5)
    axes.set_ylim(len(grid.regions) - 0.5, -0.5)
    axes.set_xticks(range(len(grid.days)), [day_text(day) for day in grid.days])
    axes.set_yticks(range(len(grid.regions)), [figure_text(region, longest=24) for region in grid.regions])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("days since inoculation")
    axes.set_title(
        figure_text(f"{grid.view}: limit inside the outline ({unit_text(grid.unit)})"), loc="left", color=INK
    )
    return drawing


def _limit_value(grid: LimitGrid, region: str, day: float) -> float:
    cell = grid.cells.get((region, day))
    return cell.flux.value if cell else math.nan


def _limit_words(region: str, day: float, cell: LimitCell, unit: str) -> str:
    ends = f"{level_text([cell.flux])} {number(cell.flux.low)}–{number(cell.flux.high)}"
    flux = f"{number(cell.flux.value)} ({ends}) {unit_text(unit)} inside the outline"
    return f"{region}, day {day_text(day)}: {flux}, median of {cell.n} animals"
