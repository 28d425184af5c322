"""What a study states of what ARRIVE 2.0, MIRIBEL and in vivo imaging ask to be reported, filled from its sheets.

The items' wording is this package's own; their sources are named in each row. Numbers of ARRIVE are the guideline's, the others
are counted here.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from lampyris.core.checks import ReportingItem, Stated
from lampyris.core.settings import ProbeSettings
from lampyris.io.package_tables import rows_of
from lampyris.study.checks.design import blinding_of, randomisation_of
from lampyris.study.checks.evidence import Evidence
from lampyris.study.rules.sheets import SETTINGS, SHEET_ANIMALS

SOURCES = {
    "ARRIVE": "Percie du Sert N et al. (2020) PLoS Biol 18:e3000410, doi:10.1371/journal.pbio.3000410",
    "MIRIBEL": "Faria M et al. (2018) Nat Nanotechnol 13:777, doi:10.1038/s41565-018-0246-4",
    "STOUT": "Stout D et al. (2013) Mol Imaging 12:1, doi:10.2310/7290.2013.00055",
    "SCHMIED": "Schmied C et al. (2024) Nat Methods 21:170, doi:10.1038/s41592-023-01987-9",
}
ARRIVE = "ARRIVE 2.0"
MANUSCRIPT = "manuscript"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class AskedItem:
    """A row of the list: what is asked, and which keys fill it."""

    guideline: str
    item: str
    title: str
    asks: str
    fill: tuple[str, ...]
    source: str


@cache
def asked_items() -> tuple[AskedItem, ...]:
    """All items, in their order.

    Examples
    --------
    >>> [item.item for item in asked_items()][:3]
    ['1a', '1b', '2a']
    """
    return tuple(
        AskedItem(
            row["guideline"],
            row["item"],
            row["title"],
            row["asks"],
            tuple(row["fill"].split(";")),
            SOURCES[row["source"]],
        )
        for row in rows_of("lampyris.study.checks", "reporting_items.csv")
    )


def reporting_items(evidence: Evidence, /) -> tuple[ReportingItem, ...]:
    """What a study states, item by item.

    Parameters
    ----------
    evidence : Evidence
        With valid settings; results where there are any.

    Returns
    -------
    tuple of ReportingItem
        One per item of `asked_items`; none where settings are not valid.
    """
    if evidence.settings is None:
        return ()
    return tuple(_filled(item, evidence) for item in asked_items())


def _filled(item: AskedItem, evidence: Evidence) -> ReportingItem:
    if item.fill == (MANUSCRIPT,):
        return ReportingItem(item.guideline, item.item, item.title, item.asks, Stated.MANUSCRIPT, "", "", item.source)
    said = [(key, _said(key, evidence)) for key in item.fill]
    texts = [text for _, text in said if text]
    missing = [key for key, text in said if not text]
    if all(key.startswith("probe.") for key in item.fill) and not _dots(evidence):
        state, missing = Stated.NOT_APPLICABLE, []
    else:
        state = Stated.YES if not missing else Stated.PARTLY if texts else Stated.NO
    told = "; ".join(dict.fromkeys(texts))
    where = ", ".join(dict.fromkeys(_where(key, evidence) for key in missing))
    told = told if len(told) <= _LONGEST else told[: _LONGEST - 1].rstrip() + "…"
    return ReportingItem(item.guideline, item.item, item.title, item.asks, state, told, where, item.source)


def _said(key: str, evidence: Evidence) -> str:
    """What the study says under a key; "" where nothing, or not of every probe."""
    table, _, name = key.partition(".")
    if table == "reporting" and name:
        return str(getattr(evidence.reporting, name) or "")
    if table == "probe" and name:
        return _of_dots(evidence, lambda probe: getattr(probe.characterisation, name, None))
    return _FILLERS[key](evidence)


def _where(key: str, evidence: Evidence) -> str:
    """Where to write what a key lacks."""
    table, _, name = key.partition(".")
    if table == "reporting" and name:
        return f"{name} under [reporting] in {SETTINGS}"
    if table == "probe" and name:
        return f"{name} under [probes.NAME.characterisation] in {SETTINGS}"
    return _PLACES.get(key, "in the report, after the analysis")


def _dots(evidence: Evidence) -> dict[str, ProbeSettings]:
    """Quantum dots that an arm uses."""
    arms = evidence.settings.groups.values() if evidence.settings is not None else ()
    used = {arm.probe for arm in arms}
    return {name: probe for name, probe in evidence.probes.items() if name in used and probe.kind == "quantum dot"}


def _of_dots(evidence: Evidence, value: Callable[[ProbeSettings], object]) -> str:
    """A value of each dot with its name; "" unless each has one."""
    found = {name: value(probe) for name, probe in _dots(evidence).items()}
    if not found or any(one is None or one == "" for one in found.values()):
        return ""
    texts = {name: f"{one:g}" if isinstance(one, float) else str(one) for name, one in found.items()}
    return (
        next(iter(texts.values())) if len(texts) == 1 else ", ".join(f"{name} {text}" for name, text in texts.items())
    )


def _range(values: Iterable[float], unit: str) -> str:
    known = sorted(value for value in values if math.isfinite(value))
    if not known:
        return ""
    span = f"{known[0]:g}" if known[0] == known[-1] else f"{known[0]:g} to {known[-1]:g}"
    return f"{span} {unit}"


def _words(values: Iterable[str]) -> str:
    counts = Counter(value for value in values if value)
    return ", ".join(f"{word} {count}" if len(counts) > 1 else word for word, count in sorted(counts.items()))


def _groups(evidence: Evidence) -> str:
    arms = evidence.settings.groups if evidence.settings is not None else {}
    return ", ".join(f"{arm.title or name} ({arm.role})" for name, arm in arms.items())


def _numbers(evidence: Evidence) -> str:
    counts = Counter(evidence.groups.values())
    return (
        ", ".join(f"{name} {count}" for name, count in counts.items()) + f"; {counts.total()} in all" if counts else ""
    )


def _exclusions(evidence: Evidence) -> str:
    rows = [(entry.animal, entry.group, entry.exclusion_reason) for entry in evidence.sheets.animals if entry.excluded]
    rows += [(one.animal, one.group, one.reason) for one in evidence.outcomes or () if one.status == "failed"]
    return ", ".join(f"{animal} of {group}: {reason}" for animal, group, reason in rows) if rows else "none left out"


def _analysed(evidence: Evidence) -> str:
    if not evidence.comparisons:
        return ""
    return "; ".join(
        f"{one.endpoint}: {', '.join(f'{group.group} {group.n}' for group in one.groups)}"
        for one in evidence.comparisons
    )


def _schedule(evidence: Evidence) -> str:
    days = sorted({row.day for row in evidence.sheets.samples})
    views = sorted({row.view for row in evidence.sheets.samples})
    return f"days {', '.join(f'{day:g}' for day in days)}; {' and '.join(views)}" if days else ""


def _summaries(evidence: Evidence) -> str:
    return "mean with interval of every arm in the report" if evidence.comparisons else ""


def _effects(evidence: Evidence) -> str:
    told = any(one.effect_size is not None or one.pairs for one in evidence.comparisons or ())
    return "effect sizes and differences with intervals in the report" if told else ""


def _methods(evidence: Evidence) -> str:
    return "paragraphs of the report, with every parameter, version and citation"


def _assumptions(evidence: Evidence) -> str:
    made = [one for one in evidence.comparisons or () if math.isfinite(one.p)]
    judged = [test.name for one in made for test in one.tests if test.role == "assumption"]
    beforehand = [f"{one.test}, set beforehand" for one in made if "welch" in one.test.lower()]
    return "; ".join(dict.fromkeys((*beforehand, *judged)))


def _outcomes(evidence: Evidence) -> str:
    return "; ".join(one.endpoint for one in evidence.comparisons or ())


def _label(evidence: Evidence) -> str:
    return _of_dots(
        evidence,
        lambda p: (
            f"{p.emission_nm:g} nm, {p.molar_extinction_per_m_cm:.3g} M-1 cm-1, quantum yield {p.quantum_yield:g}"
        ),
    )


def _ligand_density(evidence: Evidence) -> str:
    return _of_dots(
        evidence,
        lambda p: (
            None
            if p.characterisation is None
            else "none"
            if str(p.characterisation.ligand).casefold() == "none"
            else p.characterisation.ligands_per_particle
        ),
    )


def _metal_amount(evidence: Evidence) -> str:
    return _of_dots(
        evidence,
        lambda p: (
            None
            if p.characterisation is None
            else "none"
            if str(p.characterisation.metal).casefold() == "none"
            else p.characterisation.metal_ug_per_ml
        ),
    )


def _controls(evidence: Evidence) -> str:
    arms = evidence.settings.groups if evidence.settings is not None else {}
    return ", ".join(f"control arm {name}" for name, arm in arms.items() if arm.role == "control")


def _per_cell(evidence: Evidence) -> str:
    return _of_dots(evidence, lambda probe: f"{probe.per_cell:.3g} per cell")


def _arrive(evidence: Evidence) -> str:
    stated, asked = _arrive_counts(evidence)
    return f"{stated} of {asked} items of ARRIVE 2.0"


def _arrive_whole(evidence: Evidence) -> str:
    stated, asked = _arrive_counts(evidence)
    return _arrive(evidence) if stated == asked else ""


def _arrive_counts(evidence: Evidence) -> tuple[int, int]:
    own = [_filled(item, evidence) for item in asked_items() if item.guideline == ARRIVE]
    return filled_counts(own)[ARRIVE]


def _instrument(evidence: Evidence) -> str:
    return evidence.settings.instrument.name if evidence.settings is not None else ""


def _filters(evidence: Evidence) -> str:
    if evidence.settings is None:
        return ""
    bands = ", ".join(f"{band.centre_nm:g}/{band.width_nm:g}" for band in evidence.settings.instrument.bands)
    return f"excitation {evidence.settings.instrument.excitation_nm:g} nm; emission {bands} nm"


def _light(evidence: Evidence) -> str:
    return f"{evidence.settings.instrument.excitation_mw_per_cm2:g} mW/cm2" if evidence.settings is not None else ""


def _pixel(evidence: Evidence) -> str:
    return f"{evidence.settings.instrument.pixel_mm:g} mm a pixel" if evidence.settings is not None else ""


def _darks(evidence: Evidence) -> str:
    darks = len({row.background for row in evidence.sheets.samples if row.background})
    flats = sum(bool(band.flat) for band in evidence.settings.instrument.bands) if evidence.settings is not None else 0
    return f"{darks} dark frames, flat fields of {flats} bands" if darks or flats else ""


def _regions(evidence: Evidence) -> str:
    hand = [
        name
        for name, rows in (("regions.csv", evidence.sheets.regions), ("curation.csv", evidence.sheets.curation))
        if rows
    ]
    return "outlined by one rule for all arms" + (f"; by hand as in {' and '.join(hand)}" if hand else "")


def _figures(evidence: Evidence) -> str:
    return "every animal and day in the report, on one scale with its colour bar"


def _diet(evidence: Evidence) -> str:
    diet = evidence.settings.study.diet if evidence.settings is not None else "unknown"
    return "" if diet == "unknown" else f"{diet} diet"


_FILLERS: dict[str, Callable[[Evidence], str]] = {
    "groups": _groups,
    "unit": lambda evidence: evidence.reporting.experimental_unit or "animal",
    "numbers": _numbers,
    "exclusions": _exclusions,
    "analysed": _analysed,
    "randomisation": randomisation_of,
    "blinding": blinding_of,
    "outcomes": _outcomes,
    "methods": _methods,
    "assumptions": _assumptions,
    "strain": lambda evidence: _words(entry.strain for entry in evidence.sheets.animals),
    "sex": lambda evidence: _words(entry.sex for entry in evidence.sheets.animals if entry.sex != "unknown"),
    "weight": lambda evidence: _range((entry.weight_g for entry in evidence.sheets.animals), "g"),
    "inoculation": lambda evidence: _words(entry.inoculation for entry in evidence.sheets.animals),
    "schedule": _schedule,
    "summaries": _summaries,
    "effects": _effects,
    "diet": _diet,
    "label": _label,
    "ligand_density": _ligand_density,
    "metal_amount": _metal_amount,
    "controls": _controls,
    "per_cell": _per_cell,
    "arrive": _arrive,
    "arrive_whole": _arrive_whole,
    "instrument": _instrument,
    "exposures": lambda evidence: _range((row.exposure_s for row in evidence.sheets.samples), "s"),
    "light": _light,
    "filters": _filters,
    "pixel": _pixel,
    "darks": _darks,
    "regions": _regions,
    "figures": _figures,
}
_SHEET = {key: f"{key} in {SHEET_ANIMALS}" for key in ("strain", "sex", "inoculation")}
_PLACES = {
    **_SHEET,
    "weight": f"weight_g in {SHEET_ANIMALS}",
    "randomisation": f"randomisation under [reporting] in {SETTINGS}",
    "blinding": f"blinding under [reporting] in {SETTINGS}",
    "diet": f"diet under [study] in {SETTINGS}",
    "instrument": f"name under [instrument] in {SETTINGS}",
    "controls": f"an arm with role control in {SETTINGS}",
    "ligand_density": f"ligands_per_particle under [probes.NAME.characterisation] in {SETTINGS}",
    "metal_amount": f"metal_ug_per_ml under [probes.NAME.characterisation] in {SETTINGS}",
    "label": f"[probes.NAME] in {SETTINGS}",
    "per_cell": f"per_cell under [probes.NAME] in {SETTINGS}",
    "arrive_whole": "what the table of ARRIVE 2.0 lacks",
    "darks": f"background in samplesheet.csv, flat under [[instrument.bands]] in {SETTINGS}",
}


def filled_counts(items: Iterable[ReportingItem], /) -> dict[str, tuple[int, int]]:
    """Per guideline how many items are stated, and how many a study can state.

    Examples
    --------
    >>> one = ReportingItem("ARRIVE 2.0", "5", "Blinding", "who knew", Stated.YES, "nobody", "", "")
    >>> filled_counts([one])
    {'ARRIVE 2.0': (1, 1)}
    """
    counts: dict[str, tuple[int, int]] = {}
    for item in items:
        stated, asked = counts.get(item.guideline, (0, 0))
        if item.state in (Stated.MANUSCRIPT, Stated.NOT_APPLICABLE):
            continue
        counts[item.guideline] = (stated + (item.state is Stated.YES), asked + 1)
    return counts
