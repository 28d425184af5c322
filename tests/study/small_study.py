"""A small hand-made study on disk: four animals in two arms, two days, one view, two bands."""

import math

import numpy as np

from lampyris.core.images import RawImage
from lampyris.io.images.ome.tiff import write_ome_tiff

SETTINGS = """\
[study]
name = "small"
title = "Small hand-made study"

[instrument]
pixel_mm = 0.5
gain_e_per_count = 1.0
read_noise_e = 2.0
radiance_per_rate = 1.0
excitation_nm = 745
excitation_mw_per_cm2 = 10

[[instrument.bands]]
channel = "b1"
centre_nm = 780
width_nm = 20
autofluorescence = 1.6
leakage = 0.0
flat = "raw/flat.ome.tif"

[[instrument.bands]]
channel = "b2"
centre_nm = 820
width_nm = 20
autofluorescence = 1.0
leakage = 0.0

[groups.targeted]
title = "Targeted dot"
probe = "qd"

[groups.untargeted]
title = "Untargeted dot"
probe = "qd"

[probes.qd]
emission_nm = 800
fwhm_nm = 45
molar_extinction_per_m_cm = 1e6
quantum_yield = 0.4
per_cell = 1e5
"""

HEADER = (
    "animal,session,day,date,group,view,channel,excitation_nm,emission_nm,exposure_s,image,photo,background,probe,lot"
)
ANIMALS = ("a1", "a2", "b1", "b2")
GROUP = {"a": "targeted", "b": "untargeted"}
DAYS = ((0, "d00", "2026-03-02"), (7, "d07", "2026-03-09"))
SHAPE = (12, 10)


def image(values, *, channels=("b1", "b2"), exposure=2.0, **changes):
    counts = np.broadcast_to(np.asarray(values, np.uint16), (len(channels), *SHAPE)).copy()
    fields = {
        "counts": counts,
        "channels": channels,
        "pixel_mm": 0.5,
        "exposure_s": (exposure,) * len(channels),
        "excitation_nm": (745.0,) * len(channels),
        "emission_nm": tuple({"b1": 780.0, "b2": 820.0}.get(channel, math.nan) for channel in channels),
    }
    return RawImage(**{**fields, **changes})


def counts_of(number, day):
    """Background with a spot that grows with the day and differs between animals."""
    rng = np.random.default_rng([number, day])
    counts = rng.poisson(120, (2, *SHAPE)).astype(np.uint16)
    counts[:, 2, 2] += 400 + 130 * number + 60 * day
    return counts


def write_small_study(folder):
    (folder / "raw").mkdir(parents=True)
    (folder / "study.toml").write_text(SETTINGS)
    write_ome_tiff(folder / "raw/dark.ome.tif", image(np.arange(10) % 3 + 20))
    write_ome_tiff(folder / "raw/flat.ome.tif", image(np.arange(10) + 1000, channels=("b1",)))
    lines = [HEADER]
    for number, animal in enumerate(ANIMALS):
        for day, session, date in DAYS:
            path = f"raw/{animal}_{session}.ome.tif"
            write_ome_tiff(folder / path, image(counts_of(number, day)))
            for channel, nm in (("b1", 780), ("b2", 820)):
                group = GROUP[animal[0]]
                lines.append(
                    f"{animal},{session},{day},{date},{group},dorsal,{channel},745,{nm},2,{path},,raw/dark.ome.tif,qd,L1"
                )
    (folder / "samplesheet.csv").write_text("\n".join(lines) + "\n")
    rows = [f"{animal},{GROUP[animal[0]]},c{number % 2},tail vein,,," for number, animal in enumerate(ANIMALS)]
    header = "animal,group,cage,inoculation,excluded,exclusion_reason,exclusion_author"
    (folder / "animals.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder
