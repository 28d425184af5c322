"""What the table of trays fits and changes: a known curve comes back, and sheets are off by the one row that is meant."""

import math

import numpy as np
import pytest

from lampyris.assays.exvivo.partings import CLEAR_ODDS
from lampyris.core.schemas import OrganRow


@pytest.fixture(scope="module")
def trays():
    from accuracy.animals import trays as table

    return table


def test_even_and_sure_of_a_known_curve(trays):
    """Borders drawn from a logistic curve that is even at 0.34 and `CLEAR_ODDS` to one at 0.43."""
    rng = np.random.default_rng(5)
    evidence = rng.uniform(0.0, 0.8, 4000)
    slope = np.log(CLEAR_ODDS) / 0.09
    parts = rng.random(4000) < 1.0 / (1.0 + np.exp(-slope * (evidence - 0.34)))
    borders = [trays.Border(0, float(x), bool(y), True) for x, y in zip(evidence, parts, strict=True)]
    even, sure = trays.even_and_sure(borders)
    # 500 of the borders lie where the curve rises: its middle is told to 0.003, its slope to a tenth
    assert even == pytest.approx(0.34, abs=0.01)
    assert sure - even == pytest.approx(0.09, rel=0.3)
    assert np.isnan(trays.even_and_sure([one for one in borders if one.parts])).all()


@pytest.mark.parametrize(("kind", "count"), [("right", 4), ("row_missing", 3), ("row_too_many", 5)])
def test_sheets_off_by_one(trays, kind, count):
    rows = [
        OrganRow(k + 2, "m1", f"organ {k}", 0.1 * (k + 1), 0.0, "", k + 1.0, math.nan, math.nan, math.nan, "")
        for k in range(4)
    ]
    changed = trays.off_by_one(rows, kind, np.random.default_rng(2))
    assert [row.place for row in changed] == [float(k + 1) for k in range(count)]
    kept = [row.organ for row in changed if row.organ != "none"]
    assert kept == [row.organ for row in rows if row.organ in kept] and len(kept) == min(count, 4)
