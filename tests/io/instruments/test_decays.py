"""Decays in each format, beside independent readers, and whatever bytes come."""

import struct
import warnings
import zipfile
from io import BytesIO

import numpy as np
import pytest

from lampyris.core.errors import ImageError
from lampyris.io.images.conformance import check_text_reader
from lampyris.io.instruments.counters import picoquant, sdt, text
from lampyris.io.instruments.decays import read_decays
from lampyris.virtual.instruments.lifetime import Counter, das_text, phu_bytes, ptu_bytes, tag

COUNTS = np.array([0, 0, 3, 90, 250, 180, 120, 80, 55, 36, 25, 16, 11, 7, 5, 3, 2, 1, 0, 1], np.float64)
COUNTER = Counter(channels=20, channel_ns=0.05, repetition_mhz=20.0)


def rows(axis, separator=",", decimal="."):
    lines = (f"{a:.4f}".replace(".", decimal) + separator + f"{n:.0f}" for a, n in zip(axis, COUNTS, strict=True))
    return "\n".join(lines) + "\n"


NS = 0.05 * np.arange(20)
TEXTS = {
    "channels with a calibration": das_text(COUNTS, 0.05, "a", 20.0),
    "nanoseconds": "time_ns,counts\n" + rows(NS),
    "picoseconds": "Time (ps),counts\n" + rows(1000 * NS),
    "decimal commas": "Time [ns];counts\n" + rows(NS, ";", ","),
    "shifted axis": "t/ns\tcounts\n" + rows(NS + 7.3, "\t"),
    "PicoQuant's export": "#PicoHarp 300 Histogram Data\n#ns/bin\n0.05\n#counts\n"
    + "".join(f"{n:.0f}\n" for n in COUNTS),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_one_decay_in_many_clothes(tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    (one,) = read_decays(tmp_path / "a.txt")
    np.testing.assert_array_equal(one.counts, COUNTS)
    assert one.channel_ns == pytest.approx(0.05, rel=1e-6)


def test_text_tells_rate_and_time(tmp_path):
    (tmp_path / "a.txt").write_text(TEXTS["channels with a calibration"])
    (one,) = read_decays(tmp_path / "a.txt")
    assert (one.repetition_mhz, one.acquisition_s) == (20.0, 30.0)


REFUSED = {
    "no unit": ("time,counts\n" + rows(NS), "does not say how long a channel is"),
    "background taken off": ("time_ns,counts\n" + rows(NS).replace(",0\n", ",-2\n"), "holds -2 where a count belongs"),
    "a channel left out": ("time_ns,counts\n" + rows(NS).replace("0.2500,180\n", ""), "different width"),
    "not rising": ("time_ns,counts\n" + rows(NS[::-1]), "do not rise"),
    "wrong unit": ("time (s),counts\n" + rows(NS), "has channels of 5e"),
    "few": ("time_ns,counts\n0,1\n1,2\n", "2 channels"),
}


@pytest.mark.parametrize(("text", "seen"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_reason(tmp_path, text, seen):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ImageError) as caught:
        read_decays(tmp_path / "a.csv")
    assert seen in str(caught.value.findings[0].seen)


@pytest.fixture(scope="module")
def ptufile():
    return pytest.importorskip("ptufile")


def test_histogram_file_as_ptufile_reads_it(tmp_path, ptufile):
    path = tmp_path / "a.phu"
    path.write_bytes(phu_bytes(COUNTS, COUNTER))
    (one,) = read_decays(path)
    with ptufile.PhuFile(path) as peer:
        np.testing.assert_array_equal(one.counts, peer.histograms()[0])
        assert one.channel_ns == pytest.approx(peer.tcspc_resolution * 1e9, rel=1e-12)
    assert (one.repetition_mhz, one.acquisition_s) == (20.0, 30.0)


def test_stream_as_ptufile_counts_it(tmp_path, ptufile):
    path = tmp_path / "a.ptu"
    path.write_bytes(ptu_bytes(20 * COUNTS, COUNTER, rng=np.random.default_rng(0)))
    (one,) = read_decays(path)
    with ptufile.PtuFile(path) as peer:
        theirs = peer.decode_histogram(dtype=np.uint32).sum(axis=0)
    np.testing.assert_array_equal(one.counts[:20], 20 * COUNTS)
    np.testing.assert_array_equal(one.counts[: theirs.size], theirs[: one.counts.size])
    assert one.repetition_mhz == pytest.approx(20.0)


@pytest.mark.parametrize("kind", ["PicoHarpT3", "GenericT3"])
def test_stream_that_ptufile_writes(tmp_path, ptufile, kind):
    path = tmp_path / "a.ptu"
    image = np.zeros((2, 3, 2, 20), np.uint16)
    image[0, 1, 0], image[1, 2, 1] = COUNTS, 2 * COUNTS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ptufile.imwrite(path, image, 50e-9, 50e-12, record_type=ptufile.PtuRecordType[kind])
    found = read_decays(path)
    with ptufile.PtuFile(path) as peer:
        theirs = peer.decode_histogram(dtype=np.uint32)
    assert len(found) == 2
    for one, factor in zip(found, (1, 2), strict=True):
        np.testing.assert_array_equal(one.counts[:20], factor * COUNTS)
        assert one.counts.sum() == factor * COUNTS.sum()
    assert theirs.sum() == 3 * COUNTS.sum()


def test_stream_without_times_is_refused(tmp_path):
    data = b"PQTTTR\0\0" + b"1.0.00\0\0" + tag("TTResultFormat_TTTRRecType", 0x00010203) + tag("Header_End", None)
    (tmp_path / "a.ptu").write_bytes(data)
    with pytest.raises(ImageError) as caught:
        read_decays(tmp_path / "a.ptu")
    assert "T2" in caught.value.findings[0].seen


def sdt_bytes(curves, *, packed=False, revision=10):
    """A file of one decay block of 16-bit counts, laid out as the maker's header says."""
    identity = b"*IDENTIFICATION\r\n  ID : SPC Setup & Data File\r\n  Title : synthetic\r\n*END\r\n"
    about = bytearray(211)
    struct.pack_into("<fh", about, 64, 1e-9, 1)
    struct.pack_into("<h", about, 82, curves.shape[-1])
    struct.pack_into("<f", about, 92, 12.0)
    raw = curves.astype("<u2").tobytes()
    held = raw
    if packed:
        stream = BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("data_block"), raw)
        held = stream.getvalue()
    kind = 0x1001 if packed else 0x0001
    described = 42 + len(identity)
    first = described + len(about)
    start = first + 22
    following = start + len(held)
    if revision & 15 == 15:
        block = struct.pack("<BBIIHhII", 0, 0, start, following, kind, 0, 1, len(raw))
    else:
        block = struct.pack("<hiiHhII", 0, start, following, kind, 0, 1, len(raw))
    header = struct.pack(
        "<hihiHihIihhHIHH", revision | 0x280, 42, len(identity), described, 0, first, 1, len(raw), described, 1,
        len(about), 0x5555, 1, 0, 0x55AA,
    )  # fmt: skip
    return header + identity + bytes(about) + block + held


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("revision", [10, 15])
def test_sdt_as_sdtfile_reads_it(tmp_path, packed, revision):
    sdtfile = pytest.importorskip("sdtfile")
    path = tmp_path / "a.sdt"
    path.write_bytes(sdt_bytes(np.stack([COUNTS, 2 * COUNTS]), packed=packed, revision=revision))
    found = read_decays(path)
    with sdtfile.SdtFile(path) as peer:
        np.testing.assert_array_equal([one.counts for one in found], peer.data[0])
        assert found[0].channel_ns == pytest.approx(float(peer.times[0][1]) * 1e9, rel=1e-6)
    assert found[0].acquisition_s == 12.0


EXAMPLES = {
    "a.txt": (text.read, das_text(COUNTS, 0.05, "a", 20.0).encode()),
    "a.phu": (picoquant.read, phu_bytes(COUNTS, COUNTER)),
    "a.ptu": (picoquant.read, ptu_bytes(COUNTS, COUNTER, rng=np.random.default_rng(0))),
    "a.sdt": (sdt.read, sdt_bytes(COUNTS[None], packed=True)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_whatever_bytes_come(tmp_path, name):
    read, data = EXAMPLES[name]
    (tmp_path / name).write_bytes(data)
    report = check_text_reader(
        lambda path, file: read(path, max_bytes=10**6, file=file),
        tmp_path / name,
        truncations=256,
        mutations=1000,
        seed=2,
    )
    assert report.passed, str(report)
