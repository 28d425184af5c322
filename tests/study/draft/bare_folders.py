"""Bare folders of images as labs have them, synthetic, a few pixels each: no sheet, no settings."""

import math
import re
import tomllib
from pathlib import Path

import numpy as np
import tifffile

from lampyris.core.images import RawImage
from lampyris.io.images.ivis.writer import click_files, sequence_files
from lampyris.io.images.ome.tiff import write_ome_tiff
from lampyris.io.images.ome.zarr_image import write_ome_zarr_image

SHAPE = (112, 80)
GAIN, READ_E, OFFSET = 2.0, 6.0, 200.0
PIXEL_MM = 1.0
COLOURS = {780: 1.0, 810: 0.7, 840: 0.5}


def frame(*, rate=600.0, seconds=2.0, seed=0):
    """A glowing oval on a dark stage, with photon and read noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    body = np.exp(-((((y - 56) / 40) ** 2 + ((x - 40) / 18) ** 2) ** 1.5))
    electrons = (20.0 + rate * body) * seconds
    counts = OFFSET + (rng.poisson(electrons) + rng.normal(0, READ_E, SHAPE)) / GAIN
    return np.clip(np.rint(counts), 0, 65535).astype(np.uint16)


def dark_frame(seed=99):
    rng = np.random.default_rng(seed)
    return np.rint(OFFSET + rng.normal(0, READ_E / GAIN, SHAPE)).astype(np.uint16)


def image(bands=(780,), *, seconds=2.0, seed=0, said=True, **changes):
    """An image of some bands; one that says nothing of itself but its pixels where `said` is False."""
    planes = [frame(rate=600 * COLOURS.get(band, 1.0), seconds=seconds, seed=seed + n) for n, band in enumerate(bands)]
    known = (float,) if said else (lambda value: math.nan,)
    fields = {
        "counts": np.stack(planes),
        "channels": tuple(f"{band}" for band in bands),
        "pixel_mm": PIXEL_MM if said else math.nan,
        "exposure_s": tuple(known[0](seconds) for _ in bands),
        "excitation_nm": tuple(known[0](710.0) for _ in bands),
        "emission_nm": tuple(known[0](float(band)) for band in bands),
    }
    return RawImage(**{**fields, **changes})


def plain_tiff(path, counts):
    """A TIFF that says nothing of itself."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, counts, photometric="minisblack", metadata=None)


def ome_tiff(path, made):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_ome_tiff(path, made)


def ome_zarr(path, made):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_ome_zarr_image(path, made)


def click(folder, made, *, name, encoding="cp1252"):
    _write(folder, click_files(made, name=name, encoding=encoding), prefix=name)


def sequence(folder, made, *, name, encoding="cp1252"):
    _write(folder, sequence_files(made, name=name, encoding=encoding), prefix="")


def _write(folder, files, *, prefix):
    for name, data in files.items():
        path = folder / name if not prefix or name.startswith(f"{prefix}/") else folder / prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def fill(study, **values):
    """Fill in what a draft left open, as a person does, and say how many fields that were."""
    path = study / "study.toml"
    text = path.read_text(encoding="utf-8")
    count = 0
    for key, value in values.items():
        text, here = re.subn(rf'^{key} = "\?"', f"{key} = {value}", text, flags=re.MULTILINE)
        count += here
    path.write_text(text, encoding="utf-8")
    tomllib.loads(text)
    return count
