"""OPUS, SPC, SPA, EMSA and SPX: small files made by hand, their numbers, and damage that is told."""

import struct

import numpy as np
import pytest

from lampyris.core.errors import ImageError, LampyrisError
from lampyris.io.images.conformance import check_text_reader
from lampyris.io.instruments.spectra import read_spectra
from lampyris.io.instruments.spectrometers import emsa, opus, spa, spc, spx

Y = [0.5, 0.25, 1.0, -0.125, 2.0, 0.0]
AXIS = [1000.0, 1010.0, 1020.0, 1030.0, 1040.0, 1050.0]


def item(name, value):
    if isinstance(value, int):
        form, raw = 0, struct.pack("<i", value)
    elif isinstance(value, float):
        form, raw = 1, struct.pack("<d", value)
    else:
        raw = value.encode() + b"\0"
        form, raw = 2, raw + b"\0" * (len(raw) % 2)
    return name.encode() + b"\0" + struct.pack("<HH", form, len(raw) // 2) + raw


def opus_file(kind=4, integers=False, factor=1.0):
    """Falling axis, as OPUS writes it."""
    falling = Y[::-1]
    numbers = struct.pack("<6i", *(round(8 * v) for v in falling)) if integers else struct.pack("<6f", *falling)
    status = b"".join(
        item(*pair)
        for pair in (("DPF", 2 if integers else 1), ("NPT", 6), ("FXV", 1050.0), ("LXV", 1000.0),
                     ("CSF", 0.125 if integers else factor), ("DXU", "WN"))
    ) + item("END", 0)  # fmt: skip
    sample = item("SNM", "dots") + item("END", 0)
    base = 3 | 3 << 2 | kind << 10
    blocks = [(base, numbers), (base | 1 << 4, status), (10 << 4, sample)]
    at = 24 + 12 * len(blocks)
    directory = b""
    for code, raw in blocks:
        directory += struct.pack("<iii", code, len(raw) // 4 + (len(raw) % 4 > 0), at)
        at += len(raw) + -len(raw) % 4
    body = b"".join(raw + b"\0" * (-len(raw) % 4) for _, raw in blocks)
    return opus.MAGIC + struct.pack("<diii", 920622.0, 24, 40, len(blocks)) + directory + body


def spc_file(*, flags=0, y_kind=2, exponent=-128, numbers=None, curves=(Y,)):
    head = struct.pack("<BBBbiddiBB", flags, spc.NEW, 0, exponent, 6, 1000.0, 1050.0, len(curves), 1, y_kind)
    head = (head + b"\0" * (88 - len(head)) + b"dots").ljust(512, b"\0")
    x = struct.pack("<6f", *AXIS) if flags & 0x80 else b""
    subs = [struct.pack("<BbhfffiifI", 0, exponent, k, 0, 0, 0, 6, 0, 0, 0) for k in range(len(curves))]
    raw = [numbers if numbers is not None else struct.pack("<6f", *curve) for curve in curves]
    return head + x + b"".join(sub + one for sub, one in zip(subs, raw, strict=True))


def old_spc_file():
    head = struct.pack("<BBhfffBB", 0, spc.OLD, 4, 6.0, 1000.0, 1050.0, 1, 2)
    head = (head + b"\0" * (64 - len(head)) + b"dots").ljust(224, b"\0")
    whole = [round(v * 2**28) % 2**32 for v in Y]
    return head + b"\0" * 32 + b"".join(struct.pack("<HH", v >> 16, v & 0xFFFF) for v in whole)


def spa_file(kind=17, factor=1.0):
    head = bytearray(600)
    head[:18] = spa.MAGIC
    head[30:34] = b"dots"
    struct.pack_into("<H", head, 294, 2)
    struct.pack_into("<BBII", head, 304, 2, 0, 400, 100)
    struct.pack_into("<BBII", head, 320, 3, 0, 600, 24)
    struct.pack_into("<IB3sB", head, 404, 6, 1, b"\0\0\0", kind)
    struct.pack_into("<ff", head, 416, 1050.0, 1000.0)
    return bytes(head) + struct.pack("<6f", *(factor * v for v in Y[::-1]))


def emsa_file(unit="keV", kind="Y", marker="#ENDOFDATA   : End"):
    scale = 1000.0 if "eV" in unit and unit != "keV" else 1.0
    rows = (
        "1., 2., 3.,\n4., 5., 60.,"
        if kind == "Y"
        else "\n".join(f"{scale * 0.01 * k}, {v}" for k, v in enumerate([1, 2, 3, 4, 5, 60]))
    )
    head = ["#FORMAT      : EMSA/MAS Spectral Data File", "#TITLE       : dots", "#NPOINTS     : 6.", f"#XUNITS      : {unit}",
            f"#DATATYPE    : {kind}", f"#XPERCHAN    : {0.01 * scale}", "#OFFSET      : 0.0", "#BEAMKV   -kV: 200.0",
            "#LIVETIME  -s: 30.0", "#SPECTRUM    : here", rows, marker, ""]  # fmt: skip
    return "\n".join(head).encode()


def spx_file(declaration=""):
    return f"""<?xml version="1.0" encoding="UTF-8"?>{declaration}
<TRTSpectrum><ClassInstance Type="TRTSpectrum" Name="dots"><TRTHeaderedClass>
<ClassInstance Type="TRTSpectrumHardwareHeader"><RealTime>31000</RealTime><LifeTime>30000</LifeTime></ClassInstance>
<ClassInstance Type="TRTESMAHeader"><PrimaryEnergy>200</PrimaryEnergy></ClassInstance></TRTHeaderedClass>
<ClassInstance Type="TRTSpectrumHeader"><ChannelCount>6</ChannelCount><CalibAbs>0</CalibAbs><CalibLin>0.01</CalibLin></ClassInstance>
<Channels>1,2,3,4,5,60</Channels></ClassInstance></TRTSpectrum>""".encode()


INFRARED = {
    "OPUS": ("a.0", opus_file()),
    "OPUS, whole numbers": ("a.0", opus_file(integers=True)),
    "SPC": ("a.spc", spc_file()),
    "SPC, scaled whole numbers": ("a.spc", spc_file(exponent=4, numbers=struct.pack("<6i", *(round(v * 2**28) for v in Y)))),
    "SPC, 16 bits": ("a.spc", spc_file(flags=1, exponent=3, numbers=struct.pack("<6h", *(round(v * 2**13) for v in Y)))),
    "SPC, own axis": ("a.spc", spc_file(flags=0x80)),
    "SPC, old": ("a.spc", old_spc_file()),
    "SPA": ("a.spa", spa_file()),
}  # fmt: skip


def spectra(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    return read_spectra(tmp_path / name)


@pytest.mark.parametrize(("name", "content"), INFRARED.values(), ids=INFRARED.keys())
def test_infrared_formats_give_the_same(tmp_path, name, content):
    (one,) = spectra(tmp_path, name, content)
    np.testing.assert_allclose(one.axis, AXIS, rtol=1e-12)
    np.testing.assert_array_equal(one.signal, Y)
    assert (one.axis_name, one.signal_name, one.name) == ("wavenumber", "absorbance", "dots")


PERCENT = {
    "OPUS": ("a.0", opus_file(kind=5, factor=100.0)),
    "SPC": ("a.spc", spc_file(y_kind=128, numbers=struct.pack("<6f", *(100.0 * v for v in Y)))),
    "SPA": ("a.spa", spa_file(kind=16, factor=100.0)),
}


@pytest.mark.parametrize(("name", "content"), PERCENT.values(), ids=PERCENT.keys())
def test_transmittance_in_percent_becomes_a_share(tmp_path, name, content):
    (one,) = spectra(tmp_path, name, content)
    np.testing.assert_array_equal(one.signal, Y)
    assert (one.signal_name, one.words["percent"]) == ("transmittance", "divided by 100")


XRAY = {
    "EMSA": ("a.msa", emsa_file()),
    "EMSA in eV": ("a.msa", emsa_file("eV")),
    "EMSA pairs": ("a.msa", emsa_file("eV", "XY")),
    "EMSA with words about its unit": ("a.msa", emsa_file("Energy Loss (eV)")),
    "SPX": ("a.spx", spx_file()),
}


@pytest.mark.parametrize(("name", "content"), XRAY.values(), ids=XRAY.keys())
def test_xray_formats_give_the_same(tmp_path, name, content):
    (one,) = spectra(tmp_path, name, content)
    np.testing.assert_allclose(one.axis, 0.01 * np.arange(6), atol=1e-12)
    np.testing.assert_array_equal(one.signal, [1, 2, 3, 4, 5, 60])
    assert (one.axis_name, one.signal_name, one.name, one.integration_s) == ("xray_energy", "counts", "dots", 30.0)
    assert float(one.words["BEAMKV"]) == 200.0


def test_several_curves_of_one_file(tmp_path):
    numbers = [[k + value for value in Y] for k in range(3)]
    found = spectra(tmp_path, "a.spc", spc_file(flags=4, curves=numbers))
    assert [one.name for one in found] == ["dots 1", "dots 2", "dots 3"]
    np.testing.assert_array_equal([one.signal for one in found], numbers)


REFUSED = {
    "spc.version": ("a.spc", b"\0\x4c" + b"\0" * 600),
    "instrument.truncated": ("a.0", opus_file()[:-20]),
    "opus.no-spectrum": ("a.0", opus_file(kind=2)),
    "spa.no-spectrum": ("a.spa", spa_file()[:304] + b"\0" * 320),
    "emsa.unit": ("a.msa", emsa_file("nm")),
    "emsa.format": ("a.msa", b"#TITLE : a\n1,2\n"),
    "spx.doctype": ("a.spx", spx_file("<!DOCTYPE a>")),
    "spx.channels": ("a.spx", spx_file().replace(b"<ChannelCount>6", b"<ChannelCount>7")),
}


@pytest.mark.parametrize(("rule", "case"), REFUSED.items(), ids=REFUSED.keys())
def test_what_is_refused(tmp_path, rule, case):
    with pytest.raises(LampyrisError) as error:
        spectra(tmp_path, *case)
    assert rule in [one.rule for one in error.value.findings]


def test_a_cut_emsa_file_is_told(tmp_path):
    with pytest.raises(ImageError, match=r"a\.msa"):
        spectra(tmp_path, "a.msa", emsa_file(marker=""))


READERS = {
    "opus": (opus, opus_file()),
    "spc": (spc, spc_file()),
    "spc-old": (spc, old_spc_file()),
    "spa": (spa, spa_file()),
    "emsa": (emsa, emsa_file()),
    "spx": (spx, spx_file()),
}


@pytest.mark.parametrize(("module", "content"), READERS.values(), ids=READERS.keys())
def test_damage_is_told(tmp_path, module, content):
    path = tmp_path / "example"
    path.write_bytes(content)
    report = check_text_reader(
        lambda p, file: module.read(p, max_bytes=10**6, file=file), path, truncations=256, mutations=1000, seed=1
    )
    assert report.passed, str(report)


def test_a_real_opus_file(samples_of):
    (one,) = read_spectra(samples_of("ftir") / "opus_test.0000")
    assert (one.axis.size, one.axis_name, one.signal_name) == (2567, "wavenumber", "absorbance")
    # ends, largest and smallest value as the file's own parameters FXV, LXV, MXY and MNY state them
    np.testing.assert_allclose(one.axis[[0, -1]], [699.3889538645833, 3998.3449384537757], rtol=1e-12)
    np.testing.assert_allclose([one.signal.max(), one.signal.min()], [6.0, -0.00024895163369365036], rtol=1e-6)
