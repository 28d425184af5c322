"""Lesions followed over days: many animals with several lesions each, on three days; place, depth, organ, kind, amount, links.

What is said once of a lesion counts once, however many sessions show it. All of it is synthetic.
"""

from typing import Any

from accuracy.animals.studies import analysed
from accuracy.figures import Figure, figure
from lampyris.trial.demo import score_study
from lampyris.trial.score import Score, accuracy, pooled
from lampyris.virtual.design import Design, default_design

TABLE = "lesions"
# more than three lesions per animal are there and seen, so that an arm holds 500 and more
SEEDS = (21, 22, 23, 24, 25)
ANIMALS = 32
QUICK_SEEDS = (21,)
QUICK_ANIMALS = 6
DAYS = (0.0, 7.0, 14.0)

NOMINAL = {
    "anatomy_spread": 0.0,
    "optics_spread": 0.0,
    "size_relative_sd": 0.0,
    "weight_g": 25.0,
    "weight_sd_g": 0.0,
    "brightness_spread": 0.0,
}
# outside what the analysis assumes
ASTRAY = {
    "anatomy_spread": 1.5,
    "optics_spread": 1.5,
    "size_relative_sd": 0.0375,
    "texture_relative_sd": 0.18,
    "texture_mm": 2.0,
    "voxel_mm": 0.6,
}
ARMS = ("matched", "mismatched", "known optics")
# per measure: what must be reached where truth is drawn as the analysis states, where it lies outside, where it is nominal
GOALS: dict[str, dict[str, dict[str, float]]] = {
    "organ_confidence_gap": {"matched": {"at_most": 0.05}, "mismatched": {"at_most": 0.05}},
    "position_coverage": {"matched": {"at_least": 0.92, "at_most": 0.98}, "mismatched": {"at_least": 0.90}},
    "cells_coverage": {"matched": {"at_least": 0.92, "at_most": 0.98}, "mismatched": {"at_least": 0.90}},
    "depth_error_median_mm_to_2mm": {"known optics": {"at_most": 0.5}},
    "depth_error_median_mm_2_to_6mm": {"known optics": {"at_most": 1.0}},
    "depth_error_beyond_6mm_unflagged_relative_median": {"known optics": {"at_most": 0.2}},
}
# measure and the key that counts its cases
MEASURES: dict[str, str] = {
    "recall_above_limit": "lesions_above_limit",
    "precision": "detections",
    "position_median_mm": "lesions_matched",
    "position_coverage": "position_coverage_n",
    "position_coverage_z": "position_coverage_z_n",
    "position_coverage_y": "position_coverage_y_n",
    "position_coverage_x": "position_coverage_x_n",
    "organ_accuracy_forced": "organs_stated",
    "organ_accuracy_forced_spread": "organs_stated_spread",
    "organ_accuracy_confident_spread": "organs_stated_spread",
    "organ_confident_share_spread": "organs_stated_spread",
    "organ_confidence_gap": "organs_stated",
    "organ_confidence_gap_spread": "organs_stated_spread",
    "organ_calibration_error": "organs_stated",
    "kind_accuracy": "kind_accuracy_n",
    "depth_error_median_mm_to_2mm": "depth_error_median_mm_to_2mm_n",
    "depth_error_median_mm_2_to_6mm": "depth_error_median_mm_2_to_6mm_n",
    "depth_error_median_mm_beyond_6mm": "depth_error_median_mm_beyond_6mm_n",
    "depth_error_beyond_6mm_unflagged_relative_median": "depth_error_beyond_6mm_unflagged_relative_median_n",
    "depth_flagged_beyond_6mm": "depth_error_median_mm_beyond_6mm_n",
    "depth_coverage": "depth_coverage_n",
    "cells_coverage": "cells_coverage_n",
    "cells_limit_coverage": "cells_limit_coverage_n",
    "appearance_coverage": "appearance_coverage_n",
    "track_link_recall": "track_link_recall_n",
    "track_link_precision": "track_link_precision_n",
}


def tables(*, quick: bool) -> list[Figure]:
    """All three arms."""
    seeds, animals = (QUICK_SEEDS, QUICK_ANIMALS) if quick else (SEEDS, ANIMALS)
    return [line for arm in ARMS for line in figures_of(arm, lesion_score(arm, seeds=seeds, animals=animals))]


def lesion_design(arm: str, /, *, animals: int = ANIMALS) -> Design:
    """Several lesions per animal in distinct organs, labelled brightly, on three days.

    Parameters
    ----------
    arm : str
        ``matched``: animals drawn from the spread of anatomy and optics that the analysis states; ``mismatched``: half as
        much again, a finer and stronger texture, bands off by a hundredth, a finer grid; ``known optics``: nominal animals.
    animals : int
    """
    design = default_design()
    change = {"matched": {"brightness_spread": 1.0}, "mismatched": ASTRAY, "known optics": NOMINAL}[arm]
    world = {"secondary_sites": (3, 4), "secondary_cells": (3e5, 3e6), "site_distance_mm": 8.0, **change}
    camera = {"band_mismatch": 0.01} if arm == "mismatched" else {}
    return design.model_copy(
        update={
            "name": "virtual-lesions",
            "days": DAYS,
            "arms": {"targeted": design.arms["targeted"].model_copy(update={"animals": animals})},
            "world": design.world.model_copy(update=world),
            "camera": design.camera.model_copy(update=camera),
        }
    )


def lesion_score(arm: str, /, *, seeds: tuple[int, ...] = SEEDS, animals: int = ANIMALS) -> Score:
    """Simulate, analyse and score an arm's studies, one per seed; nothing is left on disk."""
    studies = analysed(lesion_design(arm, animals=animals), seeds=seeds, name=f"{TABLE}: {arm} arm")
    return pooled(score_study(made.study, made.truth) for made in studies)


def figures_of(arm: str, score: Score, /) -> list[Figure]:
    """Lines of one arm, judged by its goals."""
    found: dict[str, Any] = accuracy(score)
    lines = []
    for measure, count in MEASURES.items():
        interval = found.get(f"{measure}_interval")
        goal = GOALS.get(measure, {}).get(arm, {})
        lines.append(
            figure(TABLE, arm, measure, found[measure], tuple(interval) if interval else None, found[count], **goal)
        )
    return lines
