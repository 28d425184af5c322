"""A finished study as one HTML file that opens offline, and its figures as SVG and PNG."""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lampyris.core.images import RADIANCE_UNIT
from lampyris.core.study import SessionResult, StudyResults
from lampyris.report.arms import Arm, arms_of
from lampyris.report.comparisons.section import groups_context
from lampyris.report.curves import AnimalCurve, ArmDay, animal_curves, arm_means, flux_unit
from lampyris.report.drawing.colours import PALETTES
from lampyris.report.drawing.gallery import Gallery, side_by_side
from lampyris.report.figures import curves_figure, limits_figure
from lampyris.report.headline import at_a_glance, false_alarm_text, headline
from lampyris.report.levels import interval_level, level_text
from lampyris.report.limits import LimitGrid, limit_grids
from lampyris.report.numbers import day_text, number, unit_text
from lampyris.report.pictures.films import film_rows, scale_stops, scale_ticks, still_indices
from lampyris.report.pictures.montage import arm_montage
from lampyris.report.pictures.packing import packed_within
from lampyris.report.pictures.survey import Look, looks, survey
from lampyris.report.pictures.viewer import KEYS, viewer_data
from lampyris.report.script import asset, page_script
from lampyris.report.sections import measured
from lampyris.report.sections.amounts import amounts_section
from lampyris.report.sections.bench import bench_section, bench_sentences
from lampyris.report.sections.checks import checks_section
from lampyris.report.sections.corrections import correction_context, correction_sentences
from lampyris.report.sections.drawn import drawn_table
from lampyris.report.sections.exvivo import exvivo_section, exvivo_sentences
from lampyris.report.sections.histology import histology_section, histology_sentences
from lampyris.report.spread.page import spread_context

_MEGABYTE = 1e6
# still pictures may take this share of the pictures' budget; the viewer's data have the rest
_STILL_SHARE = 0.4
# characters that show nothing and can only mislead (controls, overrides of direction, halves of a pair): made visible
# a pattern, since almost all of the page's megabytes are pictures that hold none of them
_MISLEADING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def _policy_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _visible(value: Any) -> Any:
    """Data for the script with misleading characters made visible; JSON would carry them in as escapes."""
    if isinstance(value, str):
        return _MISLEADING.sub("\ufffd", value)
    if isinstance(value, dict):
        # names are keys too: they must match the same names elsewhere
        return {_visible(key): _visible(item) for key, item in value.items()}
    return [_visible(item) for item in value] if isinstance(value, list) else value


def page_style(results: StudyResults, /) -> str:
    """Style sheet of the page; of a synthetic study every printed page says so."""
    return asset("report.css") + (asset("synthetic.css") if results.synthetic else "")


def content_policy(style: str, script: str, /) -> str:
    """Content policy of the page: nothing is loaded, and only this style and this script apply.

    Parameters
    ----------
    style, script : str
        Exact text inside their elements.

    Returns
    -------
    str
        For the meta element.
    """
    return (
        f"default-src 'none'; img-src data:; style-src '{_policy_hash(style)}'; script-src '{_policy_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _curve_section(
    gallery: Gallery,
    arms: dict[str, Arm],
    curves: dict[str, list[AnimalCurve]],
    means: dict[str, list[ArmDay]],
    unit: str,
) -> list[Markup]:
    shown = [arm for arm in arms.values() if arm.key in curves]
    if not shown:
        return []
    panels = [curves_figure(arm, curves, means, unit) for arm in shown]
    gallery.keep("curves", side_by_side(panels, columns=2 if len(shown) in (2, 4) else 3))
    return [
        gallery.show(panel, f"{arm.title}: total lesion flux of each animal over days, with the arm's geometric mean")
        for arm, panel in zip(shown, panels, strict=True)
    ]


def _limit_section(grids: tuple[LimitGrid, ...], gallery: Gallery) -> list[Markup]:
    figures = []
    for k, grid in enumerate(grids, start=1):
        scene = limits_figure(grid)
        gallery.keep(f"limits-{k}", scene)
        label = f"{grid.view} view: limit of detection by region and day; the numbers stand in the table below"
        figures.append(gallery.show(scene, label))
    return figures


def _visible_map(context: dict[str, Any]) -> dict[str, Any]:
    """The spread's context with misleading characters made visible in what its script reads."""
    if context["body_map"] is not None:
        context["body_map"]["data"] = _visible(context["body_map"]["data"])
    return context


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("lampyris.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "separators": (",", ":"), "allow_nan": False}
    environment.filters.update(day=day_text, number=number, unit=unit_text)
    return environment


def _sections(results: StudyResults, arms: dict[str, Arm], gallery: Gallery) -> dict[str, Any]:
    """Everything on the page but its pictures."""
    unit = flux_unit(results)
    curves = animal_curves(results)
    means = arm_means(curves, unit, level=interval_level(results))
    grids = limit_grids(results)
    groups = groups_context(results, arms, gallery)
    return {
        "sentences": [
            *headline(results, arms),
            *exvivo_sentences(results),
            *histology_sentences(results),
            *bench_sentences(results),
            *correction_sentences(results),
        ],
        "corrections": correction_context(results, arms),
        "drawn": drawn_table(results, arms),
        "glance": at_a_glance(results, arms),
        "detections": measured.detection_tables(results),
        "detection_level": measured.detection_level(results),
        "organs": measured.organ_table(results, arms),
        **groups,
        # with a model of the courses these panels would show the same lines again
        "curves": [] if groups["courses"] else _curve_section(gallery, arms, curves, means, unit),
        "curve_level": level_text(day.estimate for days in means.values() for day in days),
        "limit_figures": _limit_section(grids, gallery),
        "limit_table": measured.limits_table(grids),
        "limit_terms": measured.limit_terms(results),
        "quality": measured.quality_tables(results, arms),
        "findings": measured.findings_table(results),
        "left_out": measured.left_out_table(results, arms),
        "false_alarms": false_alarm_text(results, arms),
        "amounts": amounts_section(results, arms, gallery),
        "exvivo": exvivo_section(results, arms, gallery),
        "sections": histology_section(results, arms, gallery),
        "dot": bench_section(results, gallery),
        "checks": checks_section(results),
        "record_tables": measured.record_tables(results),
        "lesion_count": measured.lesion_count_text,
        **_visible_map(spread_context(results, arms, gallery)),
    }


def _pictures(
    results: StudyResults,
    arms: dict[str, Arm],
    sessions: Sequence[SessionResult],
    seen: Iterator[Look],
    budget_bytes: float,
    gallery: Gallery,
    engine: Executor | None,
) -> dict[str, Any]:
    """The films and the viewer's data, within the budget; the films of each arm also as figures."""
    shared = survey(seen)
    frames, window = shared.frames, shared.window
    stills = still_indices(sessions, frames, window, engine=engine)
    for k, arm in enumerate(arms.values(), start=1):
        scene = arm_montage(results, arm, frames, stills, window)
        if scene is not None:
            # the pictures' own pixels are coarser than this already
            gallery.keep(f"films-{k}", scene, dots_per_inch=200)
    films = film_rows(results, arms, frames, stills, budget_bytes=_STILL_SHARE * budget_bytes, engine=engine)
    who = [session.animal for session in results.sessions]
    packs, plan = packed_within(sessions, who, frames, budget_bytes - films.size, engine=engine)
    return {
        "films": films,
        "packs": list(packs.values()),
        "viewer": _visible(viewer_data(results, arms, frames, window, packs, shared.layers)),
        "picture_note": plan.sentence(),
        "palettes": list(PALETTES.items()),
        "viewer_keys": KEYS,
        "ticks": scale_ticks(window),
        "stops": scale_stops(),
        "scale_low": number(window.low, digits=1),
        "radiance_unit": unit_text(RADIANCE_UNIT),
    }


def render_report(
    results: StudyResults,
    /,
    *,
    sessions: Sequence[SessionResult] | None = None,
    image_budget_mb: float = 8.5,
    engine: Executor | None = None,
) -> dict[str, bytes]:
    """Render a finished study.

    Nothing of science is recomputed: numbers are formatted and sorted, values coloured, pictures cropped and
    quantised for showing. The same results give the same bytes.

    Parameters
    ----------
    results : StudyResults
        The study, complete; its sessions may come without images.
    sessions : sequence of SessionResult, optional
        The same sessions with their images, each read when it is asked for and forgotten, so that memory does not grow
        with the study; those of `results` by default.
    image_budget_mb : float
        Most that all pictures inside the page may take, in megabytes of text; finer pictures are kept while they fit.
    engine : concurrent.futures.Executor, optional
        What reads, packs and deflates pictures, beside this thread; the bytes do not depend on it. To processes `sessions` travel, so
        they had better be small until they are asked.

    Returns
    -------
    dict of str to bytes
        ``report.html``, and ``figures/*.svg`` and ``figures/*.png`` for each figure.

    Raises
    ------
    ValueError
        If the budget is not positive.

    Examples
    --------
    >>> from lampyris.core.study import RunRecord, StudyResults
    >>> record = RunRecord("0.1.0", "", {}, {}, {}, "lampyris run study")
    >>> empty = StudyResults("demo", "", True, {}, (), (), (), (), (), record)
    >>> sorted(render_report(empty))
    ['report.html']
    """
    if not image_budget_mb > 0:
        raise ValueError(f"image_budget_mb must be positive, got {image_budget_mb}")
    arms = arms_of(results)
    gallery = Gallery()
    shown = results.sessions if sessions is None else sessions
    # the engine looks at the pictures while this thread draws the rest of the page
    seen = looks(shown, engine=engine)
    parts = _sections(results, arms, gallery)
    # the trays are pictures too; the films and the viewer have what they leave, and at least half
    budget = image_budget_mb * _MEGABYTE
    budget = max(0.5 * budget, budget - (parts["exvivo"] or {"size": 0})["size"])
    pictures = _pictures(results, arms, shown, seen, budget, gallery, engine)
    style, script = page_style(results), page_script()
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            results=results,
            arms=[arm for arm in arms.values() if any(o.group == arm.key for o in results.outcomes)],
            arm_of=arms,
            style=Markup(style),
            script=Markup(script),
            policy=content_policy(style, script),
            **parts,
            **pictures,
        )
    )
    return {"report.html": _MISLEADING.sub("\ufffd", page).encode(), **gallery.files}
