"""A study whose image has several times: it is analysed as their mean, and knows of how many. Synthetic."""

import numpy as np
import pytest
import tifffile
from cheap_step import cheap_follow, cheap_step
from small_study import counts_of

from lampyris.io.images.ome.tiff import read_ome_tiff
from lampyris.io.images.ome.zarr_image import write_ome_zarr_image
from lampyris.study.check import check_study
from lampyris.study.opening.headers import open_headers
from lampyris.study.rules.sheets import Sheets
from lampyris.study.run import Analysis, run_study

FULL = 60_000
SEEN = {}


def step(inputs, settings):
    image = inputs.views[0].image
    SEEN[inputs.animal, inputs.session] = image.frames, image.counts
    return cheap_step(inputs, settings)


@pytest.fixture
def frames(small_study):
    """Twenty frames in place of one animal's image, in one of which a pixel is full; and an OME-Zarr in place of another."""
    found = np.random.default_rng(1).poisson(counts_of(0, 7), (20, 2, 12, 10)).astype(np.uint16)
    found[3, 0, 5, 5] = FULL
    metadata = {
        "axes": "TCYX",
        "Channel": {"Name": ["b1", "b2"]},
        "PhysicalSizeX": 0.5,
        "PhysicalSizeXUnit": "mm",
        "PhysicalSizeY": 0.5,
        "PhysicalSizeYUnit": "mm",
        "Plane": {"ExposureTime": [2.0] * 40},
    }
    tifffile.imwrite(small_study / "raw/a1_d07.ome.tif", found, metadata=metadata, photometric="minisblack")
    first = small_study / "raw/a1_d00.ome.tif"
    image = read_ome_tiff(first, max_pixels=1000, max_pages=9, max_bytes=100_000)
    write_ome_zarr_image(small_study / "raw/a1_d00.ome.zarr", image)
    first.unlink()
    settings = small_study / "study.toml"
    settings.write_text(settings.read_text().replace("pixel_mm = 0.5", f"pixel_mm = 0.5\nfull_scale_counts = {FULL}.0"))
    sheet = small_study / "samplesheet.csv"
    sheet.write_text(sheet.read_text().replace("raw/a1_d00.ome.tif", "raw/a1_d00.ome.zarr"))
    return found


def test_a_sequence_is_analysed_as_its_mean(small_study, frames):
    assert check_study(small_study).errors == ()
    SEEN.clear()
    run_study(small_study, workers=1, only="a1", analysis=Analysis(step, cheap_follow))
    number, counts = SEEN["a1", "d07"]
    expected = frames.mean(axis=0)
    # a mean would hide that it was full once
    expected[0, 5, 5] = FULL
    assert number == 20
    np.testing.assert_array_equal(counts, expected)
    number, counts = SEEN["a1", "d00"]
    assert (number, counts.dtype) == (1, np.uint16)
    np.testing.assert_array_equal(counts, counts_of(0, 0))


def test_a_pixel_that_was_full_once_is_seen_by_the_check(small_study, frames):
    """As the analysis sees it: the mean alone would hide it."""
    check = check_study(small_study, images=False)
    sheets = Sheets(small_study, check.settings, check.samples, check.animals, True)
    headers, faults = open_headers(sheets, check.settings)
    assert faults == []
    assert headers["raw/a1_d07.ome.tif"].saturated == pytest.approx((1 / frames[0, 0].size, 0.0))
    assert headers["raw/a1_d07.ome.tif"].highest[0] == FULL
