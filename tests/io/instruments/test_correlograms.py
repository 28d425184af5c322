"""Correlograms of Zetasizer databases, ALV files, text and workbooks: what they say, and what breaks them."""

import sqlite3

import numpy as np
import pytest

from lampyris.core.errors import ImageError
from lampyris.io.images.conformance import check_text_reader
from lampyris.io.instruments.correlograms import read_correlograms
from lampyris.virtual.instruments.dls import CorrelogramTruth, write_virtual_alv, write_virtual_zmes

LAG = np.geomspace(1e-6, 1e-2, 24)
G = 0.9 * np.exp(-2e4 * LAG)


@pytest.fixture(scope="module")
def samples(samples_of):
    return samples_of("dls")


def written(tmp_path, text, name="a.txt"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def table(head, lag, level):
    return head + "\n" + "\n".join(f"{a:.9g}\t{b:.9g}" for a, b in zip(lag, level, strict=True)) + "\n"


TEXTS = {
    "s": table("lag (s)\tg2-1", LAG, G),
    "us": table("lag time (us)\tg2 - 1", LAG * 1e6, G),
    "micro sign": table("tau [µs]\tg(2)-1", LAG * 1e6, G),
    "ms": table("Lag (ms)\tCorrelation Coefficient (g2-1)", LAG * 1e3, G),
    "ns": table("t (ns)\tg2(t)-1", LAG * 1e9, G),
    "g2": table("lag (s)\tg2", LAG, G + 1),
    "g1": table("lag (s)\tg1", LAG, np.sqrt(G)),
    "decimal commas": table("lag (s)\tg2-1", LAG, G).replace(".", ","),
    "preamble": "Angle: 90 deg\nTemperature: 25 C\nViscosity (mPa s): 0.89\n" + table("lag (s)\tg2-1", LAG, G),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_one_correlogram_in_many_clothes(tmp_path, text):
    (one,) = read_correlograms(written(tmp_path, text))
    np.testing.assert_allclose(one.lag_s, LAG, rtol=1e-7)
    # written with nine digits
    np.testing.assert_allclose(one.correlation, G, atol=1e-8)


def test_a_preamble_gives_the_geometry(tmp_path):
    (one,) = read_correlograms(written(tmp_path, TEXTS["preamble"]))
    assert (one.angle_deg, one.viscosity_mpa_s) == (90.0, 0.89)
    assert one.temperature_k == pytest.approx(298.15)


def test_several_columns_and_their_deviation(tmp_path):
    rows = "\n".join(f"{a:.9g},{b:.9g},{0.01},{b * 0.5:.9g}" for a, b in zip(LAG, G, strict=True))
    one, two = read_correlograms(written(tmp_path, "lag (s),run 1 g2-1,sd,run 2 g2-1\n" + rows))
    assert one.sd is not None
    assert two.sd is None
    np.testing.assert_allclose(two.correlation, 0.5 * G, atol=1e-8)


UNCLEAR = {
    "no unit of lags": (table("lag\tg2-1", LAG, G), "correlogram.lag-unit"),
    "no kind": (table("lag (s)\tdata", LAG, G), "correlogram.kind"),
    "counts": (table("lag (s)\tg2-1", LAG, 1e5 * G), "correlogram.range"),
    "few": (table("lag (s)\tg2-1", LAG[:5], G[:5]), "correlogram.lag"),
    "words": ("nothing here\n", "instrument.no-numbers"),
}


@pytest.mark.parametrize(("text", "rule"), UNCLEAR.values(), ids=UNCLEAR.keys())
def test_what_is_unclear_is_asked(tmp_path, text, rule):
    with pytest.raises(ImageError) as caught:
        read_correlograms(written(tmp_path, text))
    assert caught.value.findings[0].rule == rule


def test_what_was_asked_can_be_said(tmp_path):
    path = written(tmp_path, table("lag\tdata", LAG * 1e6, G))
    (one,) = read_correlograms(path, lag_unit="us", correlation="g2-1")
    np.testing.assert_allclose(one.lag_s, LAG, rtol=1e-7)


def test_a_workbook(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["lag (us)", "g2-1"])
    for a, b in zip(LAG * 1e6, G, strict=True):
        book.active.append([float(a), float(b)])
    book.save(tmp_path / "a.xlsx")
    (one,) = read_correlograms(tmp_path / "a.xlsx")
    np.testing.assert_allclose(one.correlation, G, rtol=1e-12)


ANGLES = """ALV-7004 CGS-8F Data
Samplename : \t"a"
Temperature [K] :\t  298.15
Angle(1)[\xb0] :\t  30.0
Angle(2)[\xb0] :\t  90.0
Angle(3)[\xb0] :\t   0.0
MeanCR1 [kHz] :\t  99.0
MeanCR2 [kHz] :\t  98.0

"Correlation"
{correlation}

"Count Rate"
 0.5  10.0  40.0  0.0
 1.0  12.0  44.0  0.0
"""


def test_each_detector_of_an_alv_file_has_its_own_angle_and_rate(tmp_path):
    # the two angles differ ninefold in rate: their mean would be the correlogram of nothing
    curves = np.column_stack([1e3 * LAG, G, G**3, np.zeros_like(G)])
    rows = "\n".join(" ".join(f"{one:.6E}" for one in row) for row in curves)
    (tmp_path / "a.ASC").write_bytes(ANGLES.format(correlation=rows).encode("latin-1"))
    found = read_correlograms(tmp_path / "a.ASC")
    assert [(one.angle_deg, one.count_rate_kcps) for one in found] == [(30.0, 11.0), (90.0, 42.0)]
    np.testing.assert_allclose(found[1].correlation, G**3, rtol=1e-6)
    text = ANGLES.format(correlation=rows).replace("  90.0", "   0.0").replace("   0.0\nMean", "  90.0\nMean")
    (tmp_path / "b.ASC").write_bytes(text.encode("latin-1"))
    with pytest.raises(ImageError, match=r"b\.ASC"):
        read_correlograms(tmp_path / "b.ASC")


SHORT = CorrelogramTruth(duration_s=0.02)


@pytest.mark.parametrize("name", ["a.ASC", "a.zmes", "a.txt"])
def test_damaged_files_are_refused_and_never_misread(tmp_path, name):
    path = tmp_path / name
    if name == "a.ASC":
        write_virtual_alv(path, SHORT, rng=np.random.default_rng(1))
    elif name == "a.zmes":
        write_virtual_zmes(path, [SHORT], rng=np.random.default_rng(1))
    else:
        path.write_text(TEXTS["preamble"], "utf-8")
    report = check_text_reader(
        lambda path, *, file: read_correlograms(path, file=file), path, truncations=256, mutations=1000, seed=11
    )
    assert report.passed, str(report)


def test_an_alv_file_that_ends_within_its_correlation_is_cut_short(tmp_path):
    path = tmp_path / "a.ASC"
    write_virtual_alv(path, SHORT, rng=np.random.default_rng(1))
    text = path.read_text()
    path.write_text(text[: text.index('"Count Rate"') - 60])
    with pytest.raises(ImageError, match="cut short"):
        read_correlograms(path)


def test_the_real_database_stands_mutations(samples):
    report = check_text_reader(
        lambda path, *, file: read_correlograms(path, file=file),
        samples / "2peaks.zmes",
        truncations=8,
        mutations=24,
        seed=3,
    )
    assert report.passed, str(report)


def hostile(path, script):
    base = sqlite3.connect(path)
    base.executescript(script)
    base.close()
    return path


HOSTILE = {
    "other tables": "CREATE TABLE a (b INTEGER);",
    "views for tables": "CREATE VIEW RecordParameterData AS SELECT 1; CREATE VIEW RecordParameterTypes AS SELECT 1;"
    "CREATE VIEW RecordParameterTreeNodes AS SELECT 1; CREATE VIEW StandardRecords AS SELECT 1;",
    "parents in a ring": "CREATE TABLE RecordParameterTypes (Id, UniformResourceName); INSERT INTO RecordParameterTypes VALUES (1, 'a:b');"
    "CREATE TABLE RecordParameterTreeNodes (Id, ParameterTypeId, ParentNodeId); INSERT INTO RecordParameterTreeNodes VALUES (1, 1, 1);"
    "CREATE TABLE StandardRecords (Id); INSERT INTO StandardRecords VALUES (1);"
    'CREATE TABLE RecordParameterData (RecordId, ParameterTreeNodeId, "Index", Data_Blob, Data_Double, Data_Single, Data_Int32,'
    " Data_Int64, Data_Text); INSERT INTO RecordParameterData VALUES (1, 1, 1, NULL, 1.0, NULL, NULL, NULL, NULL);",
    "a column that computes": "CREATE TABLE RecordParameterTypes (Id, UniformResourceName);"
    "CREATE TABLE RecordParameterTreeNodes (Id, ParameterTypeId, ParentNodeId); CREATE TABLE RecordParameterData (RecordId);"
    "CREATE TABLE StandardRecords (x, Id AS (abs(x)));INSERT INTO StandardRecords (x) VALUES (1);",
}


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_database_is_refused(tmp_path, script):
    with pytest.raises(ImageError) as caught:
        read_correlograms(hostile(tmp_path / "a.zmes", script))
    assert caught.value.findings[0].rule.startswith("zmes.")


def test_nothing_is_written_beside_a_database(samples, tmp_path):
    copy = tmp_path / "a.zmes"
    copy.write_bytes((samples / "2peaks.zmes").read_bytes())
    read_correlograms(copy)
    assert [one.name for one in tmp_path.iterdir()] == ["a.zmes"]


def test_the_real_database_says_everything(samples):
    found = read_correlograms(samples / "2peaks.zmes")
    assert [round(one.vendor["z_average_nm"], 2) for one in found] == [249.05, 265.34, 229.0]
    assert found[0].angle_deg == pytest.approx(175.139, abs=1e-3)
    assert found[0].viscosity_mpa_s == pytest.approx(1.74)
    # 20 runs of 1.68 s; of the third record 15 % were rejected
    assert [one.duration_s for one in found] == pytest.approx([33.6, 33.6, 28.56])
    assert "transient" in found[2].vendor


def test_the_real_alv_files_say_their_radius(samples):
    for path in sorted((samples / "alv_cgs3").glob("*.ASC")):
        (one,) = read_correlograms(path)
        assert one.lag_s.size == 199
        assert one.wavelength_nm == 632.8
        assert 200 < one.vendor["cumulant_2_nm"] < 300
        assert one.sd is not None
