"""What all techniques say of how a file was read."""

import math

import openpyxl
import pytest

from lampyris.core.bench import BenchSource
from lampyris.core.techniques import settings_of
from lampyris.study.bench import measure

OPTICS = {
    "angle_deg": 90.0,
    "wavelength_nm": 632.8,
    "temperature_c": 25.0,
    "count_rate_kcps": 200.0,
    "duration_s": 60.0,
}
LAGS = [1.25 * 1.25**k for k in range(40)]
WORKBOOKS = {
    "dls": (("lag (us)", "g2-1"), [(t, 0.9 * math.exp(-t / 100.0)) for t in LAGS], OPTICS),
    "lifetime": (("Time [ns]", "Counts"), [(0.1 * k, round(1e4 * math.exp(-k / 50.0)) + 3) for k in range(400)], {}),
    "blinking": (
        ("time (s)", "counts"),
        [(0.01 * k, 80 + k % 7 if k // 40 % 2 else 5 + k % 3) for k in range(400)],
        {},
    ),
}


@pytest.mark.parametrize("technique", WORKBOOKS)
def test_what_a_workbook_hides_flags_the_record(tmp_path, technique):
    heads, rows, options = WORKBOOKS[technique]
    made = openpyxl.Workbook()
    for row in (heads, *rows):
        made.active.append(list(row))
    told = []
    for hidden in (False, True):
        made.active.row_dimensions[20].hidden = hidden
        made.save(tmp_path / "a.xlsx")
        found = measure(
            technique, [BenchSource(tmp_path / "a.xlsx", "a.xlsx")], settings=settings_of(technique)(**options)
        )
        told.append(
            "hidden-cells" in found.pooled.flags and f"{technique}.hidden-cells" in {one.rule for one in found.findings}
        )
    assert told == [False, True]
