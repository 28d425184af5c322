"""Diffractograms in every format: the same scan from each, what a source is, and files that are damaged or meant to harm."""

import io
import zipfile
from functools import partial

import numpy as np
import pytest

from lampyris.core.errors import ImageError
from lampyris.io.images.conformance import check_text_reader
from lampyris.io.instruments.diffractograms import read as read_file
from lampyris.virtual.instruments.xrd import XrdTruth, write_virtual_xrd

read = partial(read_file, max_bytes=10**7)
FORMATS = (".xrdml", ".brml", ".ras", ".xy")


def written(tmp_path, suffix, points=60):
    path = tmp_path / f"a{suffix}"
    step = 50.0 / points
    truth = XrdTruth(size_nm=1.5, dots=2)
    write_virtual_xrd(path, truth, rng=np.random.default_rng(1), start_deg=20.0, stop_deg=70.0, step_deg=step)
    return path


@pytest.mark.parametrize("suffix", FORMATS)
def test_each_format_gives_the_same_scan(tmp_path, suffix):
    (one,) = read(written(tmp_path, suffix), file="a")
    (text,) = read(written(tmp_path, ".xy"), file="a")
    # the formats print four decimals or more
    np.testing.assert_allclose(one.axis, text.axis, atol=1e-4)
    np.testing.assert_array_equal(one.signal, text.signal)
    assert (one.axis_name, one.signal_name, one.words["anode"]) == ("two_theta", "counts", "Cu")


@pytest.mark.parametrize("suffix", FORMATS)
def test_whatever_bytes_come(tmp_path, suffix):
    path = written(tmp_path, suffix, points=40)
    report = check_text_reader(read, path, truncations=256, mutations=1000, seed=1)
    assert report.passed, str(report)


AXES = {
    "q in 1/A": ("q (1/A),I\n1.0,5\n1.5,7\n2.0,6\n", "", "q", [1.0, 1.5, 2.0]),
    "q in 1/nm": ("q (nm^-1)\tI\n10\t5\n15\t7\n20\t6\n", "", "q", [1.0, 1.5, 2.0]),
    "distances": ("d (A) I\n4.0 5\n3.0 7\n2.0 6\n", "", "d", [2.0, 3.0, 4.0]),
    "by the user's word": ("1.0 5\n1.5 7\n2.0 6\n", "q", "q", [1.0, 1.5, 2.0]),
    "2 theta below 15 deg, named": ("2theta (deg),I\n2,5\n5,7\n9,6\n", "", None, [2.0, 5.0, 9.0]),
    "decimal commas": ("2theta;I\n20,0;5\n20,5;7\n21,0;6\n", "", None, [20.0, 20.5, 21.0]),
}


@pytest.mark.parametrize(("text", "axis", "kind", "expected"), AXES.values(), ids=AXES.keys())
def test_axes(tmp_path, text, axis, kind, expected):
    (tmp_path / "a.txt").write_text(text)
    (one,) = read(tmp_path / "a.txt", file="a.txt", axis=axis)
    np.testing.assert_allclose(one.axis, expected, rtol=1e-12)
    assert one.words.get("axis") == kind


def zipped(members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return packed.getvalue()


RAW = "Experiment0/RawData0.xml"
REFUSED = {
    "an axis that may be many": (b"0.5 5\n1.0 7\n4.0 6\n", "xrd.axis", "--axis"),
    "an axis beyond 180 deg": (b"100 5\n200 7\n400 6\n", "instrument.axis-range", "deg"),
    "a bomb": (zipped({RAW: "<RawData>" + " " * 9_000_000 + "</RawData>"}), "xrd.archive", "unpacks"),
    "a bomb under the cap of its own": (zipped({RAW: " " * 11_000_000}), "instrument.size", "max_file_mb"),
    "a document type": (zipped({RAW: '<!DOCTYPE a [<!ENTITY b "c">]><RawData>&b;</RawData>'}), "xrd.xml", "document type"),
    "a document type in UTF-16 without a mark": (
        zipped({RAW: '<!DOCTYPE a><RawData/>'.encode("utf-16-le")}), "xrd.xml", "document type",
    ),
    "an archive of something else": (zipped({"a.txt": "1 2"}), "xrd.no-data", "2 theta"),
    "RAW": (b"RAW1.01\0\0\0", "xrd.format", "xy"),
    "a document type in xrdml": (b'<!DOCTYPE a><xrdMeasurements></xrdMeasurements>', "xrd.xml", "document type"),
    "xrdml cut": (b"<xrdMeasurements><xrdMeasurement>", "xrd.xml", "truncated"),
    "ras cut": (b"*RAS_DATA_START\n*RAS_INT_START\n10 5 1\n10.1 5 1\n", "xrd.truncated", "again"),
    "a rocking curve": (
        b'*RAS_DATA_START\n*MEAS_SCAN_AXIS_X "Omega"\n*RAS_INT_START\n10 5\n*RAS_INT_END\n', "xrd.axis", "2 theta",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "rule", "word"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_mend(tmp_path, data, rule, word):
    (tmp_path / "a.dat").write_bytes(data)
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "a.dat", file="a.dat")
    (finding,) = caught.value.findings
    assert finding.rule == rule
    assert word in finding.seen + finding.mend


def test_attenuated_counts_are_no_counts(tmp_path):
    path = written(tmp_path, ".brml")
    with zipfile.ZipFile(path) as archive:
        text = archive.read(RAW).decode()
    (tmp_path / "b.brml").write_bytes(zipped({RAW: text.replace("<Datum>1,1,", "<Datum>1,10,")}))
    (one,), (two,) = read(path, file="a"), read(tmp_path / "b.brml", file="b")
    np.testing.assert_allclose(two.signal, 10 * one.signal)
    assert two.signal_name == "count_rate"
