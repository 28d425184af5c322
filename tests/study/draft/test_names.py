"""What names of files and folders say, in three languages and any spelling; no name can break it."""

import math
import os
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lampyris.study.draft.files import safe_name
from lampyris.study.draft.names import natural_key, plain_text, read_name
from lampyris.study.draft.shots import clean_name, session_name

SUFFIXES = (".ome.tif", ".ome.tiff", ".tif", ".tiff", ".ome.zarr")

# path: what it says
CASES = {
    "raw/m01/d00_dorsal.ome.tiff": {"animals": ("m01",), "day": 0.0, "view": "dorsal", "role": "image"},
    "raw/calibration/dark_0.05s.ome.tiff": {"role": "dark", "exposure_s": 0.05, "animals": ()},
    "raw/calibration/flat_780.ome.tiff": {"role": "flat", "emission_nm": (780.0,)},
    "raw/m01/d00_dorsal_photo.ome.tiff": {"role": "photo", "animals": ("m01",), "day": 0.0},
    "Control/Mouse 3/day 7/belly em810 ex710 500ms.TIF": {
        "animals": ("m03",),
        "day": 7.0,
        "view": "ventral",
        "emission_nm": (810.0,),
        "excitation_nm": 710.0,
        "exposure_s": 0.5,
        "group": "control",
        "control": True,
    },
    "Gruppe 2/#12 Woche 2 Rückenlage 5s.tif": {
        "animals": ("m12",),
        "day": 14.0,
        "view": "ventral",
        "group": "group 2",
        "exposure_s": 5.0,
    },
    "témoin/souris 4 j14 dos.tif": {"animals": ("m04",), "day": 14.0, "view": "dorsal", "control": True},
    "Bauchlage Tag 3 Maus 2.tif": {"view": "dorsal", "day": 3.0, "animals": ("m02",)},
    "M01D07_810.tif": {"animals": ("m01",), "day": 7.0, "emission_nm": (810.0,)},
    "KJH20260302101112/x.tif": {"dates": ("2026-03-02",)},
    "3. März 2026/M5_back_780nm.tif": {"dates": ("2026-03-03",), "animals": ("m05",), "view": "dorsal"},
    "03-04-2026/m1-m5_dorsal.tif": {
        "dates": ("2026-04-03", "2026-03-04"),
        "animals": ("m01", "m02", "m03", "m04", "m05"),
    },
    "13-04-2026/m1.tif": {"dates": ("2026-04-13",)},
    "m01_260309_780.tif": {"dates": ("2026-03-09",), "emission_nm": (780.0,)},
    "scan 12/1,2,3.tif": {"animals": ("m01", "m02", "m03")},
    "24h p.i./mouse_7.tif": {"day": 1.0, "animals": ("m07",)},
    "baseline/m1.tif": {"day": 0.0},
    "hell/Hellfeld m1.tif": {"role": "photo"},
    "Dunkelbild 5 sek.tif": {"role": "dark", "exposure_s": 5.0},
    "IMG_0001.tif": {"animals": (), "role": "image"},
    "": {"animals": (), "role": "image"},
}


@pytest.mark.parametrize("path", CASES)
def test_what_a_name_says(path):
    says = read_name(path, suffixes=SUFFIXES)
    assert {field: getattr(says, field) for field in CASES[path]} == CASES[path]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_composed_or_not(form):
    says = read_name(unicodedata.normalize(form, "Mäuse/Rückenlage/souris 2 contrôle.tif"), suffixes=SUFFIXES)
    assert (says.view, says.animals, says.control) == ("ventral", ("m02",), True)


def test_bytes_of_an_old_code_page_are_read_as_windows_wrote_them():
    name = os.fsdecode("Kontrolle Mäuse Rücken.tif".encode("cp1252"))
    assert plain_text(name) == "Kontrolle Mäuse Rücken.tif"
    assert read_name(name).view == "dorsal"


@given(st.text(max_size=60).map(lambda text: text.replace("\0", "")))
@settings(max_examples=150, deadline=None)
def test_no_name_breaks_the_reading(text):
    says = read_name(text, suffixes=SUFFIXES)
    assert says.view in ("", "dorsal", "ventral")
    assert math.isnan(says.exposure_s) or 1e-6 <= says.exposure_s <= 1e5
    assert all(200 <= nm <= 2000 for nm in says.emission_nm)
    assert len(says.animals) <= 10
    assert clean_name(text).strip() == clean_name(text) != ""
    assert "/" not in clean_name(text)
    natural_key(text)


@given(st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_bytes_break_the_reading(data):
    text = os.fsdecode(data)
    read_name(text, suffixes=SUFFIXES)
    plain_text(text).encode("utf-8")
    safe = safe_name(text)
    assert 0 < len(safe.encode()) <= 200
    assert safe not in (".", "..")
    assert not set('<>:"|?*\\/%') & set(safe.replace("/", ""))


@pytest.mark.parametrize(("day", "name"), [(0.0, "d00"), (7.0, "d07"), (0.5, "d00.5"), (120.0, "d120")])
def test_sessions_sort_by_their_names(day, name):
    assert session_name(day) == name


def test_natural_order():
    assert sorted(["scan10", "scan2", "Scan1"], key=natural_key) == ["Scan1", "scan2", "scan10"]
