"""The thread: default virtual studies of several seeds, simulated, analysed and scored; figures pooled over seeds."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from accuracy.figures import Figure, figure
from lampyris.study.run import run_study
from lampyris.trial.demo import score_study
from lampyris.trial.score import LesionView, Score, accuracy, pooled
from lampyris.trial.shares import resampled_interval
from lampyris.virtual.design import Design, default_design
from lampyris.virtual.simulate import simulate_study

TABLE = "thread"
SEEDS = (1, 2, 3, 4, 5)
QUICK_SEEDS = (1,)


def tables(*, quick: bool) -> list[Figure]:
    """Both arms."""
    seeds = QUICK_SEEDS if quick else SEEDS
    arms = {"matched": matched_design(), "mismatched": default_design()}
    return [line for arm, design in arms.items() for line in _figures(arm, pooled(_scores(arm, design, seeds)))]


def matched_design() -> Design:
    """The default study with nominal animals and a camera whose bands are as its data sheet says.

    Noise, background texture, poses, label and losses are drawn all the same: they are what is measured, not what is assumed.
    """
    design = default_design()
    nominal = {"anatomy_spread": 0.0, "optics_spread": 0.0, "size_relative_sd": 0.0, "colour_relative_sd": 0.0}
    nominal |= {"weight_g": 25.0, "weight_sd_g": 0.0, "brightness_spread": 0.0}
    return design.model_copy(
        update={
            "world": design.world.model_copy(update=nominal),
            "camera": design.camera.model_copy(update={"band_mismatch": 0.0}),
        }
    )


def _scores(arm: str, design: Design, seeds: tuple[int, ...]) -> list[Score]:
    scores = []
    for seed in seeds:
        print(f"{TABLE}: {arm} arm, seed {seed}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            made = simulate_study(Path(folder) / "study", seed=seed, design=design)
            outcome = run_study(made.study)
            if outcome.exit_code != 0:
                raise RuntimeError(f"the {arm} study of seed {seed} was only partly analysed: {outcome.animals}")
            scores.append(score_study(made.study, made.truth))
    return scores


def _figures(arm: str, score: Score) -> list[Figure]:
    found = accuracy(score)
    hits = [row for row in score.lesions if row.found]
    fluxes = [row for row in hits if np.isfinite(row.outline_flux) and row.outline_flux > 0]

    def share(measure: str, n: int, **goal: float) -> Figure:
        interval = found[f"{measure}_interval"]
        return figure(TABLE, arm, measure, found[measure], tuple(interval) if interval else None, n, **goal)

    return [
        share("recall_above_limit", found["lesions_above_limit"], at_least=0.95),
        share("precision", found["detections"], at_least=0.95),
        share("recall_above_limit_of_spots", found["lesions_above_limit"]),
        share("precision_of_spots", len(score.spot_calls)),
        figure(
            TABLE, arm, "spot_rmse_mm", found["spot_rmse_mm"],
            _resampled(hits, lambda rows: float(np.sqrt(np.mean([row.error_mm**2 for row in rows])))), len(hits), at_most=1.0,
        ),
        share("interval_coverage", found["fluxes"], at_least=0.90, at_most=0.99),
        figure(
            TABLE, arm, "flux_relative_error_median", found["flux_relative_error_median"],
            _resampled(fluxes, lambda rows: float(np.median([_relative_error(row) for row in rows]))), len(fluxes),
        ),
        figure(
            TABLE, arm, "false_alarms_per_control_session", found["false_alarms_per_control_session"], None,
            found["control_sessions"],
        ),
    ]  # fmt: skip


def _relative_error(row: LesionView) -> float:
    return abs(row.flux_value - row.outline_flux) / row.outline_flux


def _resampled(rows: list[LesionView], figure_of: Callable[[list[LesionView]], float]) -> tuple[float, float] | None:
    """Lesions of one animal share its anatomy and optics: animals are resampled."""
    return resampled_interval([(f"{row.study}/{row.animal}", row) for row in rows], figure_of)
