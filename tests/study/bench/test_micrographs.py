"""Micrographs to particle sizes: known dots come back, doubts are flagged, and a person's word counts."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from lampyris import cli
from lampyris.bench.micrographs.legend import BAR_END_SD_PX
from lampyris.bench.micrographs.sizes import Diameters, fit_sizes
from lampyris.core.bench import BenchSource
from lampyris.core.errors import LampyrisError
from lampyris.core.techniques.sem import Settings as SemSettings
from lampyris.core.techniques.tem import Settings
from lampyris.statistics.intervals import NORMAL_95
from lampyris.study.bench import measure
from lampyris.study.bench.micrograph_remarks import size_flags
from lampyris.virtual.instruments.micrographs import (
    MicrographTruth,
    tiff_bytes,
    virtual_picture,
    write_virtual_micrograph,
)

PAPER = MicrographTruth(count=90)
SMALL = MicrographTruth(size_px=256, count=22)


def picture(path, truth, seed=1, **options):
    write_virtual_micrograph(path, truth, rng=np.random.default_rng(seed), **options)
    return BenchSource(path, path.name)


def test_the_papers_dot_comes_back(tmp_path):
    sources = [picture(tmp_path / f"{k}.tif", PAPER, seed=k) for k in range(3)]
    found = measure("tem", sources, settings=Settings())
    for record in (found.pooled, *found.records):
        assert record.values["diameter_nm"].low < 6.8 < record.values["diameter_nm"].high
        assert record.values["sd_nm"].low < 0.9 < record.values["sd_nm"].high
    assert found.replicate.startswith("3 pictures with")
    assert found.pooled.values["count"].value == sum(one.values["count"].value for one in found.records)


def test_the_command_line_gives_the_contract_keys_and_a_figure(tmp_path, capsys):
    source = picture(tmp_path / "a.tif", PAPER, kind="fei", bits=8, bar_nm=50.0, legend=True)
    plot, folder = tmp_path / "a.svg", tmp_path / "o"
    words = ["bench", "tem", str(source.path), "--json", "--plot", str(plot), "--outlines", str(folder)]
    assert cli.main([*words, "--core-nm", "4", "--core-nm-sd", "0.05"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"diameter_nm", "sd_nm", "count", "circularity", "flags"} <= set(document)
    assert document["scale"] == "0.35 nm per pixel, tag 34682 (FEI)"
    # half of what 6.8 nm exceed 4 nm by
    assert document["shell_nm_low"] < 1.4 < document["shell_nm_high"]
    assert plot.read_bytes().startswith(b"<")
    assert len(json.loads((folder / "a.tif.outlines.geojson").read_text())["features"]) >= document["count"]


def test_the_bar_in_the_picture_is_the_scale(tmp_path):
    for k, legend in enumerate((False, True)):
        source = picture(tmp_path / f"{k}.tif", PAPER, kind="plain", bar_nm=50.0, legend=legend)
        found = measure("tem", [source], settings=Settings(bar_nm=50.0)).pooled
        # 143 pixels: either end is known to half a pixel
        assert float(found.words["scale"].split()[0]) == pytest.approx(0.35, rel=0.5 / 143)
        assert found.values["diameter_nm"].low < 6.8 < found.values["diameter_nm"].high
        with pytest.raises(LampyrisError, match="--bar-nm"):
            measure("tem", [source], settings=Settings())


def test_pictures_share_the_error_of_their_bar_and_average_those_of_their_edges(tmp_path):
    truth = MicrographTruth(size_px=256, count=22, electrons=60.0)
    sources = [picture(tmp_path / f"{k}.tif", truth, seed=k, kind="plain", bar_nm=5.0) for k in range(4)]
    read = measure("tem", sources, settings=Settings(bar_nm=5.0))
    length = int(re.search(r"bar of (\d+) pixels", read.records[0].words["scale"])[1])
    given = measure("tem", sources, settings=Settings(pixel_nm=5.0 / length))

    def half(result, key):
        return 0.5 * (result.values[key].high - result.values[key].low) / result.values[key].value

    for key in ("diameter_nm", "diameter_of_particles_nm"):
        # however many pictures, the ends of their bars leave that much open
        added = math.sqrt(half(read.pooled, key) ** 2 - half(given.pooled, key) ** 2)
        assert added == pytest.approx(NORMAL_95 * BAR_END_SD_PX / length, rel=1e-6)
    alone = np.mean([half(one, "diameter_nm") for one in given.records])
    # of four pictures half of one's; errors of edges that did not average out left 0.69 of it
    assert half(given.pooled, "diameter_of_particles_nm") < 0.6 * alone


@pytest.mark.parametrize("cut", ["to two levels", "at its bright end"])
def test_grey_that_was_cut_is_refused_with_what_it_is(tmp_path, cut):
    pixels = virtual_picture(MicrographTruth(count=40, size_px=256), rng=np.random.default_rng(1))[0].astype(float)
    middle = 0.5 * (pixels.min() + pixels.max())
    left = (
        np.where(pixels < middle, 0, 1000) if cut == "to two levels" else np.minimum(pixels, np.quantile(pixels, 0.3))
    )
    (tmp_path / "a.tif").write_bytes(tiff_bytes(left.astype(np.uint16), 0.35, "imagej"))
    with pytest.raises(LampyrisError, match="their grey is cut"):
        measure("tem", [BenchSource(tmp_path / "a.tif", "a.tif")], settings=Settings())


def test_bright_particles_of_a_scanning_microscope(tmp_path):
    source = picture(tmp_path / "a.tif", replace(PAPER, bright=True))
    found = measure("sem", [source], settings=SemSettings()).pooled
    assert found.values["diameter_nm"].low < 6.8 < found.values["diameter_nm"].high
    assert "polarity" not in found.flags


def test_cores_and_shell(tmp_path):
    whole = picture(tmp_path / "a.tif", PAPER)
    core = replace(picture(tmp_path / "b.tif", replace(PAPER, mean_nm=4.8, sd_nm=0.6), seed=2), role="core")
    found = measure("tem", [whole, core], settings=Settings()).pooled
    assert found.values["core_nm"].low < 4.8 < found.values["core_nm"].high
    assert found.values["shell_nm"].low < 1.0 < found.values["shell_nm"].high


DIM = {
    "two-populations": replace(PAPER, count=130, second=(12.0, 0.6, 0.4), size_px=640),
    "few-particles": replace(SMALL, count=24),
    "unresolved": replace(SMALL, pixel_nm=1.6, count=60, blur_px=0.8),
    "out-of-focus": replace(PAPER, blur_px=6.0, count=30, electrons=4000.0),
    "polarity": replace(PAPER, bright=True),
    "faceted": replace(PAPER, shape="faceted", electrons=1500.0),
    "facets-not-excluded": replace(SMALL, electrons=40.0),
    "rough-support": replace(PAPER, texture=0.08),
}


@pytest.mark.parametrize(("flag", "truth"), DIM.items())
def test_doubts_are_flagged(tmp_path, flag, truth):
    source = picture(tmp_path / "a.tif", truth, seed=4)
    try:
        found = measure("tem", [source], settings=Settings())
    except LampyrisError as error:
        assert flag == "polarity", error
        assert "--particles" in error.findings[0].mend
        return
    assert flag in found.pooled.flags
    assert f"micrograph.{flag}" in [one.rule for one in found.findings]


def test_fringes_about_particles_are_flagged(tmp_path):
    import tifffile
    from scipy.ndimage import gaussian_laplace

    source = picture(tmp_path / "a.tif", PAPER)
    pixels = tifffile.imread(source.path).astype(float)
    rimmed = np.clip(pixels - 4.5 * gaussian_laplace(pixels, 1.5), 0, 65535).astype(np.uint16)
    source.path.write_bytes(tiff_bytes(rimmed, 0.35, "imagej"))
    assert "fringes" in measure("tem", [source], settings=Settings()).pooled.flags


def test_a_diameter_far_from_all_others_is_flagged():
    nm = np.random.default_rng(3).normal(7.0, 0.9, 60)
    for sizes, flagged in ((nm, False), (np.append(nm, 70.0), True)):
        one = Diameters(sizes, np.zeros(sizes.size), np.ones(sizes.size))
        findings = []
        flags, _ = size_flags("a.tif", one, fit_sizes(one)[0], (), findings)
        assert ("outliers" in flags) == flagged
        assert [found.rule for found in findings if found.rule.endswith("outliers")] == [
            "micrograph.outliers"
        ] * flagged


def test_a_saturated_picture_and_two_scales_are_flagged(tmp_path):
    import tifffile

    source = picture(tmp_path / "a.tif", PAPER, bits=8)
    pixels = np.clip(tifffile.imread(source.path), 0, 170)
    source.path.write_bytes(tiff_bytes(pixels, 0.35, "imagej"))
    found = measure("tem", [source], settings=Settings(pixel_nm=0.5)).pooled
    # half of the background at one level leaves no noise to tell particles by, or is flagged
    assert {"saturated", "scales-disagree"} <= set(found.flags)


def test_a_persons_outlines_count(tmp_path):
    source = picture(tmp_path / "a.tif", SMALL)
    before = measure("tem", [source], settings=Settings(outlines=str(tmp_path))).pooled
    path = tmp_path / "a.tif.outlines.geojson"
    told = json.loads(path.read_text())
    settings = Settings(corrections=(str(path),))
    assert measure("tem", [source], settings=settings).pooled.values == before.values
    kept = [one for one in told["features"] if one["properties"]["label"] == "measured"]
    kept[0]["properties"]["label"] = "rejected"
    ring = np.array(kept[1]["geometry"]["coordinates"][0])
    kept[1]["geometry"]["coordinates"] = [((ring - ring.mean(0)) * 1.5 + ring.mean(0)).tolist()]
    told["features"] = kept[:-1]
    path.write_text(json.dumps(told))
    after = measure("tem", [source], settings=Settings(corrections=(str(path),), outlines=str(tmp_path / "again")))
    assert after.pooled.values["count"].value == len(kept) - 2
    again = json.loads((tmp_path / "again" / "a.tif.outlines.geojson").read_text())
    old, new = (
        next(one["properties"]["diameter_nm"] for one in features if one["properties"]["reason"] == reason
             and one["properties"]["name"] == kept[1]["properties"]["name"])
        for features, reason in ((again["features"], ""), (again["features"], "drawn"))
    )  # fmt: skip
    # a polygon of 48 corners lies within its circle by 0.3 %
    assert new == pytest.approx(1.5 * old, rel=0.01)


def test_corrections_of_another_picture_are_said(tmp_path):
    source = picture(tmp_path / "a.tif", SMALL)
    measure("tem", [source], settings=Settings(outlines=str(tmp_path)))
    other = picture(tmp_path / "b.tif", SMALL, seed=2)
    corrections = (str(tmp_path / "a.tif.outlines.geojson"),)
    found = measure("tem", [other], settings=Settings(corrections=corrections))
    assert "micrograph.correction" in [one.rule for one in found.findings]


def test_one_file_that_fails_does_not_stop_the_other(tmp_path):
    (tmp_path / "b.tif").write_bytes(b"II*\0")
    blank = np.random.default_rng(1).poisson(200, (128, 128)).astype(np.uint16)
    (tmp_path / "c.tif").write_bytes(tiff_bytes(blank, 0.35, "imagej"))
    sources = [picture(tmp_path / "a.tif", SMALL), *(BenchSource(tmp_path / n, n) for n in ("b.tif", "c.tif"))]
    found = measure("tem", sources, settings=Settings())
    assert {one.place.file for one in found.findings if one.severity == "error"} == {"b.tif", "c.tif"}
    assert len(found.records) == 1
