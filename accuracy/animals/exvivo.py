"""Excised organs: outlines, names and %ID/g of virtual trays against what was drawn. All of it is synthetic.

Optics are drawn from the tabulated spread in both arms. In the matched arm outlines, domes and heights vary as the design's own, which is
what the analysis' spread stands for; in the mismatched one they vary twice as much, a fifth of the blood has drained, the tray shines
four times as brightly in the probe's colour, and every third organ lies against its neighbour.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from accuracy.figures import Figure, figure
from lampyris.study.exvivo.join import exvivo_study
from lampyris.trial.score_exvivo import OrganCase, exvivo_figures, score_exvivo
from lampyris.virtual.design import Design, default_design
from lampyris.virtual.simulate import simulate_trays
from lampyris.virtual.truth import read_truth

TABLE = "exvivo"
# organs of one study share the error of its wells: intervals need many studies
SEEDS = {"matched": tuple(range(14001, 14121)), "mismatched": tuple(range(14001, 14061))}
QUICK_SEEDS = tuple(range(101, 107))
ANIMALS = 2
ARMS: dict[str, dict[str, Any]] = {
    "matched": {"well_relative_sd": 0.15},
    "mismatched": {
        "irregularity": 0.1,
        "dome": (0.35, 0.65),
        "flatness_spread": 0.2,
        "drained_share": 0.2,
        "tray_glow": 0.3,
        "tray_probe_colour": 0.3,
        "well_relative_sd": 0.15,
        "touch_probability": 0.35,
    },
}
GOALS: dict[str, dict[str, float]] = {
    "outline_share": {"at_least": 1.0},
    "outline_share_touching": {"at_least": 0.95},
    "named": {"at_least": 1.0},
    "coverage": {"at_least": 0.93, "at_most": 0.97},
    "flux_ratio": {"at_least": 0.95, "at_most": 1.05},
}
# refusing a tray is safe, a person outlines it then; where a third of all organs touch, it is the rule rather than a fault
REFUSED_AT_MOST = {"matched": 0.1}
MEASURES = (
    "outline_share", "outline_share_touching", "outline_least", "outline_mean", "named", "coverage", "coverage_even",
    "coverage_percent", "flux_ratio", "per_gram_ratio", "per_gram_error", "uncorrected_ratio",
)  # fmt: skip


def tables(*, quick: bool) -> list[Figure]:
    """Both arms."""
    lines = []
    for arm in ARMS:
        cases, refused = organ_cases(arm, seeds=QUICK_SEEDS if quick else SEEDS[arm])
        lines += figures_of(arm, cases, refused)
    return lines


def tray_design(arm: str, /, *, animals: int = ANIMALS) -> Design:
    """Injected dots that circulate for hours, so that every organ holds some."""
    design = default_design()
    targeted = design.arms["targeted"].model_copy(update={"animals": animals, "label": "injected"})
    drawn = design.exvivo.model_copy(update={"trays": True, "icp": False, **ARMS[arm]})
    injection = {
        "dose_pmol": 20.0,
        "hours_before_imaging": 24.0,
        "blood_half_life_h": 10.0,
        "washout_half_life_h": 200.0,
        "lesion_percent_per_gram": 10.7,
        "liver_spleen_percent": 30.0,
    }
    return Design.model_validate(
        design.model_dump()
        | {
            "name": f"virtual-trays-{arm}",
            "days": [14],
            "arms": {"targeted": targeted.model_dump()},
            "injections": {"targeted-dot": injection},
            "exvivo": drawn.model_dump(),
        }
    )


def organ_cases(arm: str, /, *, seeds: tuple[int, ...]) -> tuple[tuple[OrganCase, ...], tuple[int, int]]:
    """Simulate, measure and score one study per seed; nothing is left on disk.

    Parameters
    ----------
    arm : str
    seeds : tuple of int

    Returns
    -------
    cases : tuple of OrganCase
    refused : (int, int)
        Trays whose organs could not be outlined or named, of all.
    """
    cases: list[OrganCase] = []
    refused = count = 0
    design = tray_design(arm)
    for seed in seeds:
        print(f"{TABLE}: {arm} arm, seed {seed}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            made = simulate_trays(Path(folder) / "study", seed=seed, design=design)
            found = exvivo_study(made.study)
            truth = read_truth(made.truth)
        cases += score_exvivo(found, truth, study=seed)
        count += len(truth.trays)
        refused += len(truth.trays) - len(found.trays)
    return tuple(cases), (refused, count)


def figures_of(arm: str, cases: tuple[OrganCase, ...], refused: tuple[int, int], /) -> list[Figure]:
    """Lines of one arm, judged by their goals."""
    found: dict[str, Any] = exvivo_figures(cases)
    lines = []
    for measure in MEASURES:
        interval = found[f"{measure}_interval"]
        lines.append(
            figure(TABLE, arm, measure, found[measure], interval, found[f"{measure}_n"], **GOALS.get(measure, {}))
        )
    share = refused[0] / refused[1] if refused[1] else None
    lines.append(figure(TABLE, arm, "trays_refused", share, None, refused[1], at_most=REFUSED_AT_MOST.get(arm)))
    return lines
