"""Growth of real xenografts: fish as the unit, beside statsmodels and beside tests of one number per fish."""

import csv
import os
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from lampyris.statistics.mixed import ColumnNames, compare_over_time

SHIPPED = Path(__file__).parents[3] / "docs" / "data" / "zebrafish_xenografts.csv"
# folder of the samples as they were published; the shipped table is a part of them
SAMPLES = os.environ.get("LAMPYRIS_SAMPLES", "")
PUBLISHED = Path(SAMPLES) / "longitudinal" / "zebrafish_xenograft"
NAMES = ColumnNames("log10 volume", "line", "fish", experimental_unit="fish")


def shipped():
    with SHIPPED.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [(row["fish"], row["line"], float(row["day"]), float(row["hour"]), float(row["volume_um3"])) for row in rows]


def published():
    rows = []
    for day in (1, 5):
        with (PUBLISHED / f"tumor_volumes_and_distances_{day}dpi.csv").open(newline="") as stream:
            rows += [
                (r["fish_id"], r["cancer_cells"], float(r["dpi"]), float(r["time_in_h"]), float(r["tumor_volume_um"]))
                for r in csv.DictReader(stream)
            ]
    seen = defaultdict(set)
    for fish, _, day, *_ in rows:
        seen[fish].add(day)
    return [row for row in rows if len(seen[row[0]]) == 2]


SOURCES = {"shipped": shipped}
if SAMPLES and PUBLISHED.exists():
    SOURCES["published, all times"] = published


@pytest.fixture(scope="module", params=SOURCES)
def table(request):
    fish, line, day, _, volume = zip(*SOURCES[request.param](), strict=True)
    return np.log10(volume), line, fish, np.array(day)


@pytest.fixture(scope="module")
def found(table):
    return compare_over_time(*table, names=NAMES)


def test_the_unit_is_the_fish(found):
    assert sum(found.design.n) == 71
    assert found.design.experimental_unit == "fish"
    assert found.time == "factor"
    # 71 fish less eight lines, and not the hundreds or thousands of images
    assert found.tests[0].df[1] == pytest.approx(63, abs=1.5)


def test_the_fit_is_that_of_statsmodels(table, found):
    pytest.importorskip("statsmodels")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

        y, line, fish, day = table
        lines = list(dict.fromkeys(line))
        cells = [(one, at) for one in lines for at in (1.0, 5.0)]
        matrix = np.array([[(a, b) == cell for cell in cells] for a, b in zip(line, day, strict=True)], dtype=float)
        names = sorted(set(fish))
        rows = {name: [k for k, other in enumerate(fish) if other == name] for name in names}
        sessions = [[np.column_stack([day[rows[n]] == 1, day[rows[n]] == 5]).astype(float) for n in names]]
        spec = VCSpec(["session"], [[["1", "5"] for _ in names]], sessions)
        fit = MixedLM(y, matrix, np.array(fish), exog_re=np.ones((len(y), 1)), exog_vc=spec).fit(
            reml=True, method=["bfgs", "cg"]
        )
    assert fit.converged
    means = {(mean.group, mean.day): mean.mean for mean in found.means}
    ours = [means[cell].value for cell in cells]
    # the peer's search leaves about five digits of the variances, and more of the means
    assert ours == pytest.approx(list(fit.fe_params), abs=1e-5)
    variances = [component.variance for component in found.components]
    theirs = [float(np.asarray(fit.cov_re)[0, 0]), float(fit.vcomp[0]), float(fit.scale)]
    assert variances == pytest.approx(theirs, rel=2e-3)


def test_growth_is_that_of_one_number_per_fish(table, found):
    y, line, fish, day = table
    sessions = defaultdict(list)
    for value, one, name, at in zip(y, line, fish, day, strict=True):
        sessions[one, name, at].append(value)
    growth = defaultdict(list)
    for one, name in dict.fromkeys(zip(line, fish, strict=True)):
        growth[one].append(np.mean(sessions[one, name, 5.0]) - np.mean(sessions[one, name, 1.0]))
    plain = stats.f_oneway(*growth.values())
    # sessions have unequal numbers of images, so the two weigh fish a little differently
    assert found.tests[0].statistic == pytest.approx(plain.statistic, rel=0.06)
    for change in found.changes:
        assert change.difference.value == pytest.approx(np.mean(growth[change.group]), abs=0.02)
        # tumours shrink in every line
        assert change.difference.value < 0


@pytest.mark.skipif(len(SOURCES) == 1, reason="LAMPYRIS_SAMPLES names no folder with the published tables")
def test_the_shipped_table_is_part_of_the_published_one():
    every = {row[:4]: row[4] for row in published()}
    for row in shipped():
        assert row[4] == round(every[row[:4]])
    assert {row[0] for row in shipped()} == {row[0] for row in published()}
