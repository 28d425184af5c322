"""IVIS folders in every guise: case, encodings, wrapped values, missing files, several darks, sequences, unmixed ones.

All folders here are synthetic, made as public descriptions of the format say.
"""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from lampyris.core.errors import ImageError, UnsafeFileError
from lampyris.core.images import RawImage
from lampyris.io.images.ivis.click import click_metadata, read_ivis_click
from lampyris.io.images.ivis.info import coefficients, decoded, iso_time, number, parsed, wavelength_nm
from lampyris.io.images.ivis.sequence import read_ivis_sequence, sequence_clicks

CAPS: dict[str, Any] = {"max_pixels": 10_000, "max_pages": 16, "max_bytes": 1_000_000}
COUNTS = np.random.default_rng(5).integers(0, 65536, (6, 8), dtype=np.uint16)
BIAS = np.full((6, 8), 400, np.uint16)
BACKGROUND = np.full((6, 8), 430, np.uint16)
INFO = """\
# Synthetic
*** ClickNumber:\tKQ20261125090507
Living Image Version:\t4.7.3
#################################################################
# Acquisition
#################################################################
*** luminescent image:\tluminescent.TIF
Acquisition Date:\tWednesday, November 25, 2026
Acquisition Time:\t09:05:07
Luminescent Exposure (Seconds):\t60
Binning Factor:\t4
f Number:\t2
Field of View:\t12.5
Emission filter:\t780
Excitation filter:\t675
Saturated:\t1
*** photographic image:\tphotograph.TIF
Acquisition Time:\t09:04:59
f Number:\t8
Field of View:\t12.5
Saturated:\t0
*** readbiasonly image:\treadbiasonly.TIF
Background Exposure (Seconds):\t0
Binning Factor:\t4
Read Bias Level:\t400.25
*** Camera System Info:
Camera System ID:\tIS0000N0000
System Configuration:\tIVIS 200
 Spectrum at 37 °C
Coef C-ccd at FOV 4, f2:\t1.11E+06
Coef C-ccd at FOV 12.5, f1:\t5.0E+06
Coef C-ccd at FOV 12.5, f2:\t2.213E+07 # measured 2020
Coef C-ccd at FOV 12.6, f2:\t9.9E+09
*** User Label Name Set:\tLiving Image Universal
User:\tQ
Group:\t
Experiment:\tNäve cm² 蛍
Comment1:\tfirst
Comment2:\tsecond
Animal Number:\tm01
Animal Strain:\tNSG
IACUC Number:\t12
"""


def tiff(plane: np.ndarray) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, plane, photometric="minisblack" if plane.ndim == 2 else "rgb", metadata=None)
    return stream.getvalue()


def click(root: Path, changes: dict[str, bytes | None] | None = None, *, info: str = INFO) -> Path:
    """A click folder, with files changed or (None) left out."""
    files: dict[str, bytes | None] = {
        "ClickInfo.txt": info.encode("utf-8"),
        "luminescent.TIF": tiff(COUNTS),
        "photograph.TIF": tiff(np.ones((24, 32), np.uint16)),
        "readbiasonly.TIF": tiff(BIAS),
    }
    root.mkdir(parents=True, exist_ok=True)
    for name, data in (files | (changes or {})).items():
        if data is not None:
            (root / name).write_bytes(data)
    return root


def read(path: Path, **caps: int) -> RawImage:
    return read_ivis_click(path, **(CAPS | caps))


def refusal(path: Path, rule: str, *, reader: Any = read_ivis_click, file: str = "raw/c", **caps: int) -> str:
    """What is said of the folder; the finding names it."""
    with pytest.raises(ImageError) as caught:
        reader(path, **(CAPS | caps), file=file)
    (finding,) = caught.value.findings
    assert finding.rule == rule
    assert finding.place.file.startswith(file)
    assert finding.mend
    return str(finding)


# what a click says


def test_everything_is_read(tmp_path: Path) -> None:
    image = read(click(tmp_path / "c"))
    np.testing.assert_array_equal(image.counts, COUNTS[None])
    np.testing.assert_array_equal(image.dark, BIAS[None])
    assert image.photo is not None
    assert image.photo.shape == (24, 32)
    assert (image.channels, image.exposure_s, image.excitation_nm, image.emission_nm) == (
        ("780",), (60.0,), (675.0,), (780.0,),
    )  # fmt: skip
    assert image.pixel_mm == 125 / 8
    assert image.photo_pixel_mm == 125 / 32
    assert image.acquired == "2026-11-25T09:05:07"
    assert image.radiance_per_count_rate == (2.213e7 / 16,)
    assert image.synthetic
    assert image.labels == {
        "animal": "m01", "comment": "first; second", "experiment": "Näve cm² 蛍", "instrument": "IVIS 200 Spectrum at 37 °C",
        "saturated": "1", "strain": "NSG", "user": "Q",
    }  # fmt: skip


def test_the_vendors_formula(tmp_path: Path) -> None:
    image = read(click(tmp_path / "c"))
    assert image.dark is not None
    rate = (float(image.counts[0, 2, 3]) - float(image.dark[0, 2, 3])) / image.exposure_s[0]
    expected = (float(COUNTS[2, 3]) - 400) / (60 * 4**2) * 2.213e7
    assert rate * image.radiance_per_count_rate[0] == pytest.approx(expected, rel=1e-14)


def test_text_alone_needs_no_pixels(tmp_path: Path) -> None:
    said = click_metadata(click(tmp_path / "c", {"luminescent.TIF": b"", "photograph.TIF": None}))
    assert (said.binning, said.f_number, said.field_of_view_cm, said.coefficient) == (4, 2, 12.5, 2.213e7)
    assert (said.read_bias_counts, said.photograph, said.luminescent) == (400.25, "", "luminescent.TIF")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, end: str) -> None:
    text = INFO.replace("蛍", "").replace("\n", end)
    image = read(click(tmp_path / "c", {"ClickInfo.txt": text.encode(encoding)}))
    assert image.labels["experiment"] == "Näve cm²"
    assert image.labels["instrument"] == "IVIS 200 Spectrum at 37 °C"


def test_names_without_regard_to_case_and_odd_folders(tmp_path: Path) -> None:
    folder = tmp_path / "Tag 7 (Größe) 蛍"
    changes = {
        "CLICKINFO.txt": INFO.encode(), "LUMINESCENT.tif": tiff(COUNTS), "Photograph.tif": tiff(BIAS),
        "ReadBiasOnly.tif": tiff(BIAS), "ClickInfo.txt": None, "luminescent.TIF": None, "photograph.TIF": None,
        "readbiasonly.TIF": None,
    }  # fmt: skip
    image = read(click(folder, changes))
    assert image.photo is not None
    assert image.dark is not None
    np.testing.assert_array_equal(image.counts, COUNTS[None])


SWAPS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "integer field": ("Field of View:\t12.5", "Field of View:\t4", {"radiance_per_count_rate": (1.11e6 / 16,)}),
    "field with unit": ("Field of View:\t12.5", "Field of View (cm):\t12.5", {"pixel_mm": 125 / 8}),
    "field in mm": ("Field of View:\t12.5", "Field of View (mm):\t125", {"pixel_mm": 125 / 8}),
    "decimal comma": ("Field of View:\t12.5", "Field of View:\t12,5", {"pixel_mm": 125 / 8}),
    "no coefficient": ("f Number:\t2\n", "f Number:\t1.4\n", {"radiance_per_count_rate": ()}),
    "no binning": ("Binning Factor:\t4\nf", "f", {"radiance_per_count_rate": ()}),
    "no field": ("Field of View:\t12.5\nEm", "Em", {"radiance_per_count_rate": ()}),
    "open": ("Emission filter:\t780", "Emission filter:\tOpen", {"channels": ("Open",)}),
    "named filter": ("Emission filter:\t780", "Emission filter:\tICG", {"channels": ("ICG",)}),
    "filter with unit": ("Emission filter:\t780", "Emission filter:\t780 nm", {"channels": ("780",)}),
    "no filter": ("Emission filter:\t780\n", "", {"channels": ("luminescent",)}),
    "block": ("Excitation filter:\t675", "Excitation filter:\tBlock", {"channels": ("780",)}),
    "milliseconds": ("Exposure (Seconds):\t60", "Exposure (ms):\t500", {"exposure_s": (0.5,)}),
    "short month": ("Wednesday, November 25", "Wed, Nov 25", {"acquired": "2026-11-25T09:05:07"}),
    "other date": ("Wednesday, November 25, 2026", "25.11.2026", {"acquired": ""}),
    "no such day": ("November 25", "November 31", {"acquired": ""}),
    "afternoon": ("09:05:07", "1:05:07 PM", {"acquired": "2026-11-25T13:05:07"}),
    "no mark": ("# Synthetic\n", "", {"synthetic": False}),
    "heading lost": ("*** luminescent image:\tluminescent.TIF\n", "", {"exposure_s": (60.0,), "pixel_mm": 125 / 8}),
    "blanks for tabs": ("\t", " ", {"exposure_s": (60.0,), "radiance_per_count_rate": (2.213e7 / 16,)}),
}


@pytest.mark.parametrize("name", SWAPS)
def test_quirks_of_the_text(tmp_path: Path, name: str) -> None:
    old, new, expected = SWAPS[name]
    assert old in INFO
    image = read(click(tmp_path / "c", info=INFO.replace(old, new)))
    for key, value in expected.items():
        assert getattr(image, key) == value


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Exposure (Seconds):\t60", "Exposure (Seconds):\t-1"),
        ("Exposure (Seconds):\t60", "Exposure (Seconds):\tauto"),
        ("Exposure (Seconds):\t60", "Exposure (fortnights):\t60"),
        ("Binning Factor:\t4\nf", "Binning Factor:\t0.5\nf"),
        ("Field of View:\t12.5\nEm", "Field of View:\t0\nEm"),
    ],
)
def test_numbers_that_cannot_be_true(tmp_path: Path, old: str, new: str) -> None:
    assert old in INFO
    assert "cannot be true" in refusal(click(tmp_path / "c", info=INFO.replace(old, new)), "image.metadata")


# files of a click


def test_stored_signed_is_read_unsigned(tmp_path: Path) -> None:
    image = read(click(tmp_path / "c", {"luminescent.TIF": tiff(COUNTS.view(np.int16))}))
    assert image.counts.dtype == np.uint16
    np.testing.assert_array_equal(image.counts[0], COUNTS)


def test_missing_photograph_is_no_fault(tmp_path: Path) -> None:
    image = read(click(tmp_path / "c", {"photograph.TIF": None}))
    assert image.photo is None
    assert math.isnan(image.photo_pixel_mm)


def test_colour_photograph_becomes_grey(tmp_path: Path) -> None:
    image = read(click(tmp_path / "c", {"photograph.TIF": tiff(np.full((4, 4, 3), (0, 30, 90), np.uint8))}))
    np.testing.assert_array_equal(image.photo, np.full((4, 4), 40))


def test_analysed_text_serves_alone_and_its_labels_count_first(tmp_path: Path) -> None:
    image = read(click(tmp_path / "a", {"ClickInfo.txt": None, "AnalyzedClickInfo.txt": INFO.encode()}))
    assert image.exposure_s == (60.0,)
    later = INFO.replace("m01", "m02").replace("Exposure (Seconds):\t60", "Exposure (Seconds):\t61")
    image = read(click(tmp_path / "b", {"AnalyzedClickInfo.txt": later.encode()}))
    assert (image.labels["animal"], image.exposure_s) == ("m02", (60.0,))


BACKGROUND_60 = "*** background image:\tbackground.tif\nBackground Exposure (Seconds):\t60\n"
DARKS: dict[str, tuple[dict[str, bytes | None], str, float | None]] = {
    "read bias": ({}, "", 400),
    "read bias, old name": ({"readbiasonly.TIF": None, "readbias.tif": tiff(BIAS)}, "", 400),
    "background of this exposure": ({"background.tif": tiff(BACKGROUND)}, BACKGROUND_60, 430),
    "background of another": ({"background.tif": tiff(BACKGROUND)}, BACKGROUND_60.replace("60", "5"), 400),
    "background of unknown": ({"background.tif": tiff(BACKGROUND)}, "", 400),
    "background less its bias": ({"background.tif": tiff(BACKGROUND - 400)}, BACKGROUND_60, 400),
    "of another binning": ({"readbiasonly.TIF": tiff(BIAS[:3, :4])}, "", 400.25),
    "level alone": ({"readbiasonly.TIF": None}, "", 400.25),
}


@pytest.mark.parametrize("name", DARKS)
def test_the_best_dark_is_taken(tmp_path: Path, name: str) -> None:
    changes, more, level = DARKS[name]
    image = read(click(tmp_path / "c", changes, info=INFO + more))
    np.testing.assert_array_equal(image.dark, np.full((1, 6, 8), level))


def test_no_dark_is_none(tmp_path: Path) -> None:
    info = INFO.replace("Read Bias Level:\t400.25\n", "")
    assert read(click(tmp_path / "c", {"readbiasonly.TIF": None}, info=info)).dark is None


REFUSED: dict[str, tuple[dict[str, bytes | None], str, str]] = {
    "no text": ({"ClickInfo.txt": None}, "image.missing", "holds no ClickInfo.txt"),
    "no counts": ({"luminescent.TIF": None}, "image.missing", "holds no luminescent.TIF"),
    "corrected only": (
        {"luminescent.TIF": None, "luminescentFloatCorrected.TIF": b""}, "image.missing", "corrected, not raw",
    ),
    "cut counts": ({"luminescent.TIF": tiff(COUNTS)[:100]}, "image.truncated", "luminescent.TIF"),
    "cut photograph": ({"photograph.TIF": b"II*\0"}, "image.header", "photograph.TIF"),
    "cut dark": ({"readbiasonly.TIF": tiff(BIAS)[:-1]}, "image.truncated", "readbiasonly.TIF"),
    "colours for counts": ({"luminescent.TIF": tiff(np.ones((4, 4, 3), np.uint8))}, "image.channel", "3 images"),
    "endless text": ({"ClickInfo.txt": b"a" * 4_000_001}, "image.size", "ClickInfo.txt"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_faulty_folders_are_refused(tmp_path: Path, name: str) -> None:
    changes, rule, words = REFUSED[name]
    assert words in refusal(click(tmp_path / "c", changes), rule)


@pytest.mark.parametrize("caps", [{"max_pixels": 47}, {"max_pixels": 6 * 8 + 24 * 32}, {"max_bytes": 500}])
def test_caps_hold_for_all_files_together(tmp_path: Path, caps: dict[str, int]) -> None:
    refusal(click(tmp_path / "c"), "image.size" if "max_bytes" in caps else "image.pixels", **caps)


def test_nothing_outside_is_followed(tmp_path: Path) -> None:
    click(tmp_path / "other")
    info = INFO.replace("luminescent.TIF", "../other/luminescent.TIF")
    folder = click(tmp_path / "c", {"luminescent.TIF": None}, info=info)
    refusal(folder, "image.missing")
    (folder / "luminescent.TIF").symlink_to(tmp_path / "other" / "luminescent.TIF")
    refusal(folder, "image.missing")


@pytest.mark.parametrize("name", ["KQ_UMX1_SEQ", "UMX_KQ", "kq-umx"])
def test_unmixed_folders_are_refused(tmp_path: Path, name: str) -> None:
    assert "spectrally unmixed" in refusal(click(tmp_path / name), "image.unmixed")
    assert "spectrally unmixed" in refusal(click(tmp_path / name), "image.unmixed", reader=read_ivis_sequence)
    info = INFO.replace("KQ20261125090507", "KQ_UMX1")
    assert "spectrally unmixed" in refusal(click(tmp_path / "c", info=info), "image.unmixed")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"")
    assert "as a folder" in refusal(tmp_path / "c", "image.missing")


# sequences

FILTERS = [("675", "780"), ("675", "810"), ("710", "840")]


def sequence(root: Path, filters: list[tuple[str, str]], listed: str | None = None, **changes: str) -> Path:
    """A sequence folder with a click per pair of filters; only the first has a photograph."""
    root.mkdir()
    for count, (excitation, emission) in enumerate(filters, 1):
        info = INFO.replace("filter:\t780", f"filter:\t{emission}").replace("filter:\t675", f"filter:\t{excitation}")
        info = info.replace(*changes[f"c{count}"].split("|")) if f"c{count}" in changes else info
        click(root / f"KQ_{count:03d}", {} if count == 1 else {"photograph.TIF": None}, info=info)
    if listed is None:
        listed = "\n".join(f"ClickNumber {count}:\tKQ_{count:03d}" for count in range(1, len(filters) + 1))
    if listed:
        (root / "sequenceinfo.TXT").write_text(f"*** Sequence:\tKQ_SEQ\n{listed}\n", "cp1252")
    return root


def read_sequence(path: Path) -> RawImage:
    return read_ivis_sequence(path, **CAPS)


def test_sequence_becomes_one_image(tmp_path: Path) -> None:
    image = read_sequence(sequence(tmp_path / "KQ_SEQ", FILTERS))
    assert image.channels == ("780", "810", "840")
    assert image.excitation_nm == (675.0, 675.0, 710.0)
    assert image.counts.shape == (3, 6, 8)
    assert image.dark is not None
    assert image.dark.shape == (3, 6, 8)
    assert image.photo is not None
    assert len(image.radiance_per_count_rate) == 3
    assert image.labels["animal"] == "m01"


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([("675", "780"), ("640", "780")], ("780 ex 675", "780 ex 640")),
        ([("675", "780"), ("640", "780"), ("640", "810")], ("780 ex 675", "780 ex 640", "810")),
        ([("Block", "Open"), ("675", "Open")], ("Open ex Block", "Open ex 675")),
        ([("675", "780"), ("675", "780")], ("780 ex 675 #1", "780 ex 675 #2")),
    ],
)
def test_channel_names_are_distinct(tmp_path: Path, filters: list[tuple[str, str]], names: tuple[str, ...]) -> None:
    assert read_sequence(sequence(tmp_path / "KQ_SEQ", filters)).channels == names


@pytest.mark.parametrize(
    "listed",
    [
        "*** ClickNumber:\tkq_002\n*** ClickNumber:\tKQ_001",
        "ClickNumber 1:\tKQ_002\nClickNumber 2:\tKQ_001",
        "*** ClickNumber:\tD:\\data\\KQ_SEQ\\KQ_002\nClickNumber 2:\t/data/KQ_SEQ/KQ_001/",
        "ClickNumber:\t2\nClickNumber:\t1",
        "ClickNumber:\tKQ_002\nClickNumber:\tKQ_UMX1\nClickNumber:\tKQ_001\nClickNumber:\tKQ_001",
    ],
)
def test_order_is_that_of_the_list(tmp_path: Path, listed: str) -> None:
    folder = sequence(tmp_path / "KQ_SEQ", FILTERS[:2], listed)
    assert sequence_clicks(folder) == ("KQ_002", "KQ_001")


def test_without_a_list_the_clicks_within_count(tmp_path: Path) -> None:
    folder = sequence(tmp_path / "KQ_SEQ", FILTERS, "")
    click(folder / "KQ_UMX1")
    (folder / "notes").mkdir()
    assert read_sequence(folder).channels == ("780", "810", "840")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("Field of View:\t12.5|Field of View:\t4", "field of view 4 cm"),
        ("Binning Factor:\t4|Binning Factor:\t8", "binning 8"),
    ],
)
def test_clicks_of_one_image_agree(tmp_path: Path, change: str, words: str) -> None:
    folder = sequence(tmp_path / "KQ_SEQ", FILTERS, c2=change)
    said = refusal(folder, "image.mixed", reader=read_ivis_sequence)
    assert words in said
    assert "Name each click by itself" in said


def test_clicks_of_another_size_are_refused(tmp_path: Path) -> None:
    folder = sequence(tmp_path / "KQ_SEQ", FILTERS)
    (folder / "KQ_003" / "luminescent.TIF").write_bytes(tiff(COUNTS[:3]))
    assert "3 x 8 pixels" in refusal(folder, "image.mixed", reader=read_ivis_sequence)


@pytest.mark.parametrize("entry", ["KQ_009", "../KQ_SEQ2/KQ_009", "..", "7"])
def test_listed_clicks_lie_within(tmp_path: Path, entry: str) -> None:
    click(tmp_path / "KQ_SEQ2" / "KQ_009")
    folder = sequence(tmp_path / "KQ_SEQ", FILTERS, f"ClickNumber:\t{entry}")
    assert "does not lie in it" in refusal(folder, "image.missing", reader=read_ivis_sequence)


def test_a_sequence_without_clicks_is_refused(tmp_path: Path) -> None:
    refusal(sequence(tmp_path / "KQ_SEQ", [], "Sequence:\tKQ"), "image.empty", reader=read_ivis_sequence)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "KQ_UMX1_SequenceInfo.txt").write_bytes(b"")
    refusal(tmp_path / "b", "image.unmixed", reader=read_ivis_sequence)


def test_clicks_are_capped_like_pages(tmp_path: Path) -> None:
    folder = sequence(tmp_path / "KQ_SEQ", FILTERS)
    with pytest.raises(UnsafeFileError):
        read_ivis_sequence(folder, **(CAPS | {"max_pages": 2}))


# the grammar


def test_wrapped_values_and_colons_in_them() -> None:
    (section,) = parsed("Comment1:\tone\n two: 2\nthree\nComment2:\n\tfour\nKey (Unit X):\t5\n").sections
    assert [(entry.key, entry.unit, entry.value) for entry in section.entries] == [
        ("comment1", "", "one two: 2 three"), ("comment2", "", "four"), ("key", "unit x", "5"),
    ]  # fmt: skip


def test_regions_need_no_tab() -> None:
    (_, section) = parsed("*** ROIs:\nROI 1:Shape=Square;Xc=1;\nROI 2:Shape=Circle;\n").sections
    assert [entry.key for entry in section.entries] == ["roi 1", "roi 2"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.213E+07", 2.213e7),
        ("12,5", 12.5),
        ("-3 # old", -3),
        ("1e999", math.nan),
        ("nan", math.nan),
        ("1.2.3", math.nan),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert number(text) == pytest.approx(value, nan_ok=True, rel=0)


@pytest.mark.parametrize(
    ("text", "value"), [("780", 780), ("780nm", 780), ("#18 780", math.nan), ("50", math.nan), ("Cy5.5", math.nan)]
)
def test_wavelengths(text: str, value: float) -> None:
    assert wavelength_nm(text) == pytest.approx(value, nan_ok=True, rel=0)


def test_coefficients_of_every_spelling() -> None:
    lines = [
        "Coef C-ccd at FOV 4, f1:\t1E+06",
        "Coef C-CCD at  FOV 12,5, f/1.4:\t2E+06",
        "Coef C-ccd at FOV 9, f1:\t-1",
    ]
    assert coefficients(parsed("\n".join(lines))) == {(4.0, 1.0): 1e6, (12.5, 1.4): 2e6}


def test_bytes_without_meaning_do_not_stop() -> None:
    assert decoded(b"\x81\xff\0a") == "�ÿa"
    assert iso_time("Smarch 13, 2020", "") == ""
