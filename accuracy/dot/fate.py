"""Where a dose of dots goes, beside published figures: what the parameters were set by, and what was held out.

``python -m accuracy.dot.fate TABLE`` fits again and writes the table of parameters that the package holds.
"""

import csv
import io
import math
import sys
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accuracy.figures import Figure, figure
from lampyris.core.seeds import seed_sequence
from lampyris.io.durable import write_bytes
from lampyris.probe.fate import Comparison, calibrate, calibrated, compare_published
from lampyris.probe.fate.calibration import predicted, sample, stored_rows
from lampyris.probe.fate.tables import physiology, published

TABLE = "fate"
DRAWS, QUICK_DRAWS = 2000, 200
# quoted contents of organs as percent of the dose in the whole organ, not per gram: over the organ's mass in that study's mice
OTHER_READING = {
    row.name: 1.0 / (1000.0 * row.weight_kg * physiology("mouse")[row.organ, "mass_fraction"].value)
    for row in published()
    if row.study == "choi" and row.quantity == "content"
}


def tables(*, quick: bool) -> list[Figure]:
    """Each published figure: value and interval predicted, the goal its bounds; then what hangs on a reading and on weights."""
    compared = compare_published(draws=QUICK_DRAWS if quick else DRAWS)
    lines = [_line(one) for one in compared]
    held = [one for one in compared if one.row.role == "held out"]
    lines.append(
        figure(TABLE, "held out", "share inside", np.mean([bool(one.inside) for one in held]), None, len(held))
    )
    share = float(np.mean([bool(one.overlaps) for one in held]))
    lines.append(figure(TABLE, "held out", "share whose interval meets the bounds", share, None, len(held)))
    drift = np.abs(calibrate(start=calibrated().logs).values - calibrated().logs).max()
    lines.append(
        figure(
            TABLE,
            "calibrated",
            "largest change of a log parameter when fitted again",
            float(drift),
            None,
            1,
            at_most=0.02,
        )
    )
    if not quick:
        lines.extend(_held_out_organs("quoted figures read per organ", calibrate(factors=OTHER_READING).values))
        for study, factor in product(("choi", "schipper"), (-1.0, 1.0)):
            row = next(one for one in published() if one.study == study)
            weight = row.weight_kg * math.exp(factor * row.weight_log_sd)
            other = calibrate(weights_kg={study: weight}, start=calibrated().logs)
            lines.extend(_held_out_organs(f"mice of {study} of {1000.0 * weight:.1f} g", other.values))
    return lines


def _held_out_organs(arm: str, logs: NDArray[np.float64]) -> list[Figure]:
    """What another fit makes of the organs that the one stored never saw."""
    rows = [row for row in published() if row.name in ("schipper-liver", "schipper-spleen")]
    values = predicted(rows, logs)
    return [figure(TABLE, arm, row.name, float(value), None, 1) for row, value in zip(rows, values, strict=True)]


def _line(one: Comparison) -> Figure:
    row = one.row
    bounds = {name: end for name, end in (("at_least", row.low), ("at_most", row.high)) if math.isfinite(end)}
    interval = (one.low, one.high) if math.isfinite(one.low) else None
    printed = f"{row.value:g}" if math.isfinite(row.value) else f"{row.low:g}-{row.high:g}"
    return figure(TABLE, row.role, f"{row.name} (printed {printed} {row.unit})", one.value, interval, 1, **bounds)


if __name__ == "__main__":
    found = calibrate()
    rows = stored_rows(found, sample(found, rng=np.random.default_rng(seed_sequence("fate", "calibration"))))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(Path(sys.argv[1]), text.getvalue().encode("utf-8"))
