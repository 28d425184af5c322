"""Stability on storage from tables and runs."""

import json

import numpy as np
import pytest

from lampyris import cli
from lampyris.core.bench import BenchSource
from lampyris.core.errors import LampyrisError
from lampyris.core.techniques.stability import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.dls import CorrelogramTruth, Population, write_virtual_alv

STEADY = (
    "day,Z-average (nm),emission peak (nm)\n0,18.4,810.1\n7,18.5,810.4\n14,18.3,809.8\n21,18.5,810.2\n28,18.4,810.0\n"
)


def table(tmp_path, text, name="a.csv"):
    path = tmp_path / name
    path.write_text(text)
    return BenchSource(path, path.name)


def test_a_steady_dot(tmp_path, capsys):
    source = table(tmp_path, STEADY)
    assert cli.main(["bench", "stability", str(source.path), "--json", "--plot", str(tmp_path / "a.svg")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["stable"] == "yes"
    assert abs(document["size_slope_nm_per_day"]) < 0.01
    assert document["emission_slope_nm_per_day_low"] < 0 < document["emission_slope_nm_per_day_high"]


def test_samples_have_their_own_lines(tmp_path):
    rows = "".join(f"A,{d},18.4\nB,{d},{18 + 0.5 * d + 0.1 * (d % 2)}\n" for d in (0, 7, 14, 21, 28))
    found = measure("stability", [table(tmp_path, "sample,day,size (nm)\n" + rows)], settings=Settings())
    assert [one.words["stable"] for one in found.records] == ["yes", "no"]
    assert found.pooled.words["stable"] == "no"
    assert "aggregation" in found.records[1].flags


UNCLEAR = {
    "no days": ("size (nm)\n1\n2\n3\n", "day"),
    "hours": ("time (h),size (nm)\n0,18\n24,18\n48,18\n", "days"),
    "no size": ("day,x\n0,1\n1,2\n2,3\n", "size"),
    "micrometres unsaid": ("day,size\n0,0.018\n7,0.018\n14,0.018\n", "no size is"),
    "below zero": ("day,size (nm)\n0,18\n7,18\n14,-18\n", "row of data 3"),
    "energy": ("day,emission peak (eV)\n0,1.5\n7,1.5\n14,1.5\n", "energy"),
    "two days": ("day,size (nm)\n0,18\n7,19\n", "days"),
}


@pytest.mark.parametrize(("text", "word"), UNCLEAR.values(), ids=UNCLEAR.keys())
def test_what_is_missing_is_said(tmp_path, text, word):
    with pytest.raises(LampyrisError) as caught:
        measure("stability", [table(tmp_path, text)], settings=Settings())
    assert word in caught.value.findings[0].seen


def test_a_columns_own_unit_holds(tmp_path):
    text = "Tag;Größe (µm)\n0;0,0184\n7;0,0185\n14;0,0183\n"
    found = measure("stability", [table(tmp_path, text)], settings=Settings()).pooled
    assert found.values["size_start_nm"].value == pytest.approx(18.45, rel=1e-3)


def test_runs_with_days_in_their_names(tmp_path):
    sources = []
    for day in (0, 10, 20):
        path = tmp_path / f"lot1_day{day}.ASC"
        truth = CorrelogramTruth((Population(60.0 + 3.0 * day, 0.05),), duration_s=2.0)
        write_virtual_alv(path, truth, rng=np.random.default_rng(day))
        sources.append(BenchSource(path, path.name))
    found = measure("stability", sources, settings=Settings())
    assert found.pooled.values["size_slope_nm_per_day"].value == pytest.approx(3.0, rel=0.2)
    assert found.pooled.flags == ("aggregation",)
    with pytest.raises(LampyrisError, match="days"):
        measure("stability", sources, settings=Settings(day=(0.0, 1.0)))
