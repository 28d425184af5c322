"""Sections: nuclei, labelled cells, densities, places and the in vivo call's accuracy against what was drawn. All of it is synthetic.

Arms of drawn micrographs go by crowding and by what is worse than the analysis expects: ``matched`` the usual field, ``crowded`` twice the
nuclei, half of them in clumps, ``mismatched`` faint label, blur and uneven light. Arms of drawn counts (``counts``) leave images aside and
ask whether intervals hold; ``nested`` does so where organs of one animal are alike, with the naive interval's failure beside it.
"""

import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from accuracy.figures import Figure, figure
from lampyris.assays.histology.cells import Threshold
from lampyris.assays.histology.density import group_densities, organ_densities
from lampyris.core.histology import SectionResult
from lampyris.core.seeds import seed_sequence
from lampyris.statistics.intervals import wilson_interval
from lampyris.statistics.relations.calls import sensitivity_specificity
from lampyris.study.histology import CountingOptions, histology_study
from lampyris.trial.score_histology import SectionScore, density_held, section_scores
from lampyris.virtual.design import Design, default_design
from lampyris.virtual.section_truth import read_section_truth
from lampyris.virtual.simulate import simulate_sections

TABLE = "histology"
SEEDS, QUICK_SEEDS = tuple(range(1401, 1421)), (201, 202)
SETS, QUICK_SETS = 2000, 300
ARMS: dict[str, dict[str, Any]] = {
    "matched": {},
    "crowded": {"nuclei_per_mm2": 6000.0, "crowded_share": 0.5},
    "mismatched": {
        "label_electrons": 100.0,
        "blur_um": 0.9,
        "illumination_fall": 0.5,
        "stain_spread": 0.45,
        "size_spread": 0.28,
    },
}
COVERAGE = {"at_least": 0.93, "at_most": 0.97}
GOALS: dict[str, dict[str, dict[str, float]]] = {
    "matched": {
        "nuclei_recall": {"at_least": 0.95},
        "nuclei_precision": {"at_least": 0.95},
        "nuclei_count_error": {"at_most": 0.05},
        "labelled_recall": {"at_least": 0.85},
        "labelled_precision": {"at_least": 0.85},
    },
    "crowded": {
        "nuclei_recall": {"at_least": 0.9},
        "nuclei_precision": {"at_least": 0.9},
        "nuclei_count_error": {"at_most": 0.1},
    },
}


def tables(*, quick: bool) -> list[Figure]:
    """Every arm."""
    lines = []
    for arm in ARMS:
        scores, held = drawn_sections(arm, seeds=QUICK_SEEDS if quick else SEEDS)
        lines += figures_of(arm, scores, held)
    return [*lines, *interval_figures(QUICK_SETS if quick else SETS)]


def section_design(
    arm: str,
    /,
    *,
    animals: int = 3,
    sections: int = 2,
    field_um: float = 300.0,
    organs: tuple[str, ...] = ("liver", "lungs"),
) -> Design:
    """A study of sections alone, with controls."""
    design = default_design()
    arms = {
        "targeted": design.arms["targeted"].model_dump() | {"animals": animals},
        "control": design.arms["control"].model_dump() | {"animals": 2},
    }
    drawn = {"sections": sections, "organs": organs, "field_um": field_um, **ARMS[arm]}
    return Design.model_validate(
        design.model_dump() | {"name": f"virtual-sections-{arm}", "days": [14], "arms": arms, "histology": drawn}
    )


def drawn_sections(arm: str, /, *, seeds: Sequence[int]) -> tuple[tuple[SectionScore, ...], tuple[bool, ...]]:
    """Simulate, count and score one study per seed; nothing is left on disk."""
    scores: list[SectionScore] = []
    held: list[bool] = []
    for seed in seeds:
        print(f"{TABLE}: {arm} arm, seed {seed}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            made = simulate_sections(Path(folder) / "study", seed=seed, design=section_design(arm))
            found = histology_study(made.study, options=CountingOptions(views=True))
            truth = read_section_truth(made.truth)
        scores += section_scores(found, truth)
        held += density_held(found, truth)
    return tuple(scores), tuple(held)


def figures_of(arm: str, scores: Sequence[SectionScore], held: Sequence[bool], /) -> list[Figure]:
    """Lines of one arm of drawn micrographs."""
    goals = GOALS.get(arm, {})
    lines = []

    def share(measure: str, hits: int, of: int) -> None:
        interval = wilson_interval(hits, of) if of else None
        ends = (interval.low, interval.high) if interval else None
        lines.append(figure(TABLE, arm, measure, hits / of if of else None, ends, of, **goals.get(measure, {})))

    matched = sum(one.matched for one in scores)
    share("nuclei_recall", matched, sum(one.nuclei for one in scores))
    share("nuclei_precision", matched, sum(one.found for one in scores))
    share("nuclei_recall_crowded", sum(one.crowded_matched for one in scores), sum(one.crowded for one in scores))
    right = sum(one.right for one in scores)
    share("labelled_recall", right, sum(one.labelled for one in scores))
    share("labelled_precision", right, sum(one.called for one in scores))
    share("density_coverage", sum(held), len(held))
    medians = {
        "nuclei_count_error": [abs(one.found / one.nuclei - 1.0) for one in scores if one.nuclei],
        "nuclei_overlap": [one.overlap for one in scores],
        "tissue_error": [abs(one.tissue_error) for one in scores],
        "place_error_mm": [one.place_error_mm for one in scores],
        "place_error_sds": [one.place_error_mm / one.place_sd_mm for one in scores],
    }
    for measure, values in medians.items():
        known = [value for value in values if math.isfinite(value)]
        middle = float(np.median(known)) if known else None
        lines.append(figure(TABLE, arm, measure, middle, None, len(known), **goals.get(measure, {})))
    return lines


def interval_figures(sets: int, /) -> list[Figure]:
    """How often intervals hold, from drawn counts."""
    lines = []
    for spread in (0.0, 0.3):
        organs, groups = _density_sets(sets, spread)
        for measure, hits in (("organ_coverage", organs), ("arm_coverage", groups)):
            lines.append(_covered("counts", f"{measure}_spread_{spread:g}", hits, COVERAGE))
    for animals, goal in ((20, COVERAGE), (6, {"at_least": COVERAGE["at_least"]})):
        arm = "nested" if animals == 20 else f"nested-{animals}-animals"
        for name, (adjusted, naive) in _call_sets(sets, animals).items():
            lines.append(_covered(arm, f"{name}_coverage", adjusted, goal))
            lines.append(_covered(arm, f"{name}_coverage_naive", naive, {}))
    return lines


def _covered(arm: str, measure: str, hits: Sequence[bool], goal: dict[str, float]) -> Figure:
    interval = wilson_interval(sum(hits), len(hits))
    return figure(TABLE, arm, measure, sum(hits) / len(hits), (interval.low, interval.high), len(hits), **goal)


def _density_sets(sets: int, spread: float) -> tuple[list[bool], list[bool]]:
    """Five animals, three organs, three sections each; densities skew between animals, and controls known well."""
    rng = np.random.default_rng(seed_sequence(TABLE, "counts", str(spread)))
    threshold = Threshold(4.0, 0.005, 20_000, 20, 4)
    typical = {"liver": 300.0, "lungs": 60.0, "spleen": 20.0}
    held: list[bool] = []
    means: list[bool] = []
    for _ in range(sets // 5):
        rows, truth = [], {}
        for animal in range(5):
            for organ, middle in typical.items():
                density = middle * math.exp(rng.normal(0.0, 0.4))
                truth[f"m{animal}", organ] = density
                for section in range(3):
                    area, nuclei = float(rng.uniform(0.1, 0.2)), int(rng.integers(300, 600))
                    own = density * math.exp(rng.normal(-0.5 * spread**2, spread))
                    count = int(rng.poisson(own * area + 0.005 * nuclei))
                    rows.append(_row(f"m{animal}", organ, str(section), area, nuclei, count))
        organs = organ_densities(rows, threshold)
        for one in organs:
            held.append(one.cells_per_mm2.low <= truth[one.animal, one.organ] <= one.cells_per_mm2.high)
        for group in group_densities(organs):
            whole = typical[group.organ] * math.exp(0.5 * 0.4**2)
            means.append(group.cells_per_mm2.low <= whole <= group.cells_per_mm2.high)
    return held, means


def _row(animal: str, organ: str, section: str, area: float, nuclei: int, labelled: int) -> SectionResult:
    return SectionResult(
        animal, organ, "dots", section, f"{animal}_{organ}_{section}", False, 0.65, area, nuclei, labelled, 0.005 * nuclei, 4.0,
        0.9, 0.0, None, True, (),
    )  # fmt: skip


def _call_sets(sets: int, animals: int) -> dict[str, tuple[list[bool], list[bool]]]:
    """Animals of six organs each: some animals are seen better than others in all their organs.

    Of six animals few organs are positive: their shares come in steps, and intervals may only be too wide.
    """
    rng = np.random.default_rng(seed_sequence(TABLE, "nested", *([] if animals == 20 else [str(animals)])))
    found: dict[str, tuple[list[bool], list[bool]]] = {"sensitivity": ([], []), "specificity": ([], [])}
    shares = {"sensitivity": 0.75, "specificity": 0.85}
    for _ in range(sets):
        animal = np.repeat(np.arange(animals), 6)
        truth = rng.random(animal.size) < 0.5
        # a beta spread of the animals' own shares with a correlation within of 0.25
        own = {name: rng.beta(3.0 * share, 3.0 * (1.0 - share), animals)[animal] for name, share in shares.items()}
        called = np.where(
            truth, rng.random(animal.size) < own["sensitivity"], rng.random(animal.size) >= own["specificity"]
        )
        for place, cluster in enumerate((animal, None)):
            judged = sensitivity_specificity(called, truth, cluster=cluster)
            for name, share in shares.items():
                interval = getattr(judged, name)
                found[name][place].append(interval.low <= share <= interval.high)
    return found
