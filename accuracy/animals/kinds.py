"""Kinds: animals in which much lights up that is no lesion - food, things on the skin, bladder, uptake, trapped cells, needles.

What each followed source was taken for stands against what truly lit it. All of it is synthetic.
"""

import sys
from pathlib import Path
from typing import Any

from accuracy.animals.studies import analysed
from accuracy.figures import Figure, figure
from lampyris.study.graph.store import ANIMAL, StoredAnimal, read_noun, read_session
from lampyris.trial.score_kinds import TRUE_KINDS, KindCase, confusion, kind_figures, score_kinds
from lampyris.virtual.design import Design, default_design
from lampyris.virtual.truth import read_truth

TABLE = "kinds"
ARM = "strays"
SEEDS = (31, 32, 33, 34, 35)
# per arm: dot, dye, controls
ANIMALS = (10, 10, 4)
QUICK_SEEDS = (31,)
QUICK_ANIMALS = (3, 2, 2)
# outside the default design, in which nothing strays
STRAYS = {
    "food_spot_probability": 0.3,
    "artefact_probability": 0.3,
    # bright enough to be seen, although unmixing removes most of what has not the colour of a probe
    "artefact_strength": (3.0, 30.0),
    "freed_to_bladder_share": 0.1,
}
# what is stated must come true as often as said, as for organs
GOALS: dict[str, dict[str, float]] = {"kind_confidence_gap": {"at_most": 0.05}}
MEASURES = (
    "kind_accuracy", "tumour_precision", "tumour_recall", "tumour_precision_of_spots", "kind_confidence_gap",
    "tumour_confidence_gap", "kind_calibration_error",
    *(f"{figure}_{kind}" for kind in TRUE_KINDS for figure in ("named", "tumour", "spots")),
)  # fmt: skip


def tables(*, quick: bool) -> list[Figure]:
    """The one arm; the confusion table goes to the error stream."""
    seeds, animals = (QUICK_SEEDS, QUICK_ANIMALS) if quick else (SEEDS, ANIMALS)
    cases = stray_cases(seeds=seeds, animals=animals)
    for (true, stated), count in confusion(cases).items():
        print(f"{TABLE}: {true} called {stated}: {count}", file=sys.stderr)
    return figures_of(cases)


def stray_design(animals: tuple[int, int, int] = ANIMALS, /) -> Design:
    """The default design's dot, dye and unlabelled control, with all that strays."""
    design = default_design()
    arms = zip(("targeted", "dye", "control"), animals, strict=True)
    return design.model_copy(
        update={
            "name": "virtual-kinds",
            "arms": {name: design.arms[name].model_copy(update={"animals": count}) for name, count in arms},
            "world": design.world.model_copy(update=STRAYS),
        }
    )


def stray_cases(*, seeds: tuple[int, ...] = SEEDS, animals: tuple[int, int, int] = ANIMALS) -> tuple[KindCase, ...]:
    """Simulate, analyse and score one study per seed; nothing is left on disk."""
    studies = analysed(stray_design(animals), seeds=seeds, name=f"{TABLE}: {ARM} arm")
    return tuple(case for made in studies for case in study_cases(made.study, made.truth))


def study_cases(study: Path, truth: Path, /) -> tuple[KindCase, ...]:
    """Cases of an analysed study's stored results."""
    results = study / "results"
    outcomes = [read_noun(path, StoredAnimal).outcome for path in sorted(results.glob(f"sub-*/{ANIMAL}"))]
    sessions = (read_session(one) for one in sorted(results.glob("sub-*/ses-*")))
    return score_kinds(sessions, read_truth(truth), outcomes=outcomes)


def figures_of(cases: tuple[KindCase, ...], /) -> list[Figure]:
    """Lines of the arm, judged by its goals."""
    found: dict[str, Any] = kind_figures(cases)
    lines = []
    for measure in MEASURES:
        interval = found[f"{measure}_interval"]
        ends = (interval[0], interval[1]) if interval else None
        lines.append(figure(TABLE, ARM, measure, found[measure], ends, found[f"{measure}_n"], **GOALS.get(measure, {})))
    return lines
