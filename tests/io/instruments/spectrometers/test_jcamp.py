"""JCAMP-DX: one array in every form of the standard, damage that is told, and real files."""

from itertools import pairwise

import numpy as np
import pytest

from lampyris.core.errors import ImageError
from lampyris.io.images.conformance import check_text_reader
from lampyris.io.instruments.spectrometers.jcamp import read

VALUES = [1000, 1003, 1003, 1003, 1003, 990, -5, -25, 0, 7, 7, 8, 9, 10, 11, 200, 123456]
SQUEEZED = {"+": "@ABCDEFGHI", "-": "@abcdefghi"}
DIFFERENCE = {"+": "%JKLMNOPQR", "-": "%jklmnopqr"}
REPEATS = " STUVWXYZ"


def squeezed(value, table):
    text = str(abs(value))
    return table["-" if value < 0 else "+"][int(text[0])] + text[1:]


def counted(tokens):
    """Tokens with runs of one token replaced by their count."""
    out, k = [], 0
    while k < len(tokens):
        run = 1
        while k + run < len(tokens) and tokens[k + run] == tokens[k] and run < 8:
            run += 1
        out.append(tokens[k] + (REPEATS[run] if run > 1 else ""))
        k += run
    return "".join(out)


def lines(form):
    """Data lines of `VALUES` at x = 400, 399, ... in a form, six per line."""
    made, at = [], 0
    while at < len(VALUES):
        own = VALUES[at : at + 6]
        x = 400 - at
        if form == "AFFN":
            made.append(f"{x} " + " ".join(map(str, own)))
        elif form == "PAC":
            made.append(f"{x}" + "".join(f"{value:+d}" for value in own))
        elif form == "SQZ":
            made.append(f"{x}" + "".join(squeezed(value, SQUEEZED) for value in own))
        else:
            steps = [squeezed(b - a, DIFFERENCE) for a, b in pairwise(own)]
            made.append(f"{x}" + squeezed(own[0], SQUEEZED) + ("".join(steps) if form == "DIF" else counted(steps)))
        if at + len(own) == len(VALUES):
            break
        # a line of differences is followed by its last ordinate again
        at += len(own) - form.startswith("DIF")
    return made


def text(data, *, count=17, y_units="ABSORBANCE", kind="XYDATA= (X++(Y..Y))"):
    head = f"##TITLE= a\n##JCAMP-DX= 4.24 $$ made by hand\n##XUNITS= 1/CM\n##YUNITS= {y_units}\n##XFACTOR= 1\n"
    ends = f"##YFACTOR= 0.01\n##FIRSTX= 400\n##LASTX= {401 - count}\n##NPOINTS= {count}\n"
    return head + ends + f"##{kind}\n" + "\n".join(data) + "\n##END=\n"


def read_text(tmp_path, content):
    path = tmp_path / "a.jdx"
    path.write_text(content)
    return read(path, max_bytes=10**6, file="a.jdx")


@pytest.mark.parametrize("form", ["AFFN", "PAC", "SQZ", "DIF", "DIFDUP"])
def test_every_form_gives_the_same_array(tmp_path, form):
    (one,) = read_text(tmp_path, text(lines(form)))
    np.testing.assert_array_equal(one.signal, np.array(VALUES[::-1]) * 0.01)
    np.testing.assert_array_equal(one.axis, 401 - np.arange(len(VALUES), 0, -1.0))
    assert (one.axis_name, one.signal_name, one.name) == ("wavenumber", "absorbance", "a")


def test_a_step_and_other_words_for_the_axis_serve_as_well(tmp_path):
    (tmp_path / "a.jdx").write_text(
        "##TITLE=a\n##XUNITS=Wavelength (nm)\n##YUNITS=ABSORBANCE\n##FIRSTX=400\n##DELTAX=2\n##NPOINTS=3\n"
        "##XYDATA=(X++(Y..Y))\n400 1 2 3\n##END=\n"
    )
    (one,) = read(tmp_path / "a.jdx", max_bytes=1000, file="a.jdx")
    assert (one.axis_name, one.axis.tolist(), one.signal.tolist()) == ("wavelength", [400.0, 402.0, 404.0], [1, 2, 3])


def test_pairs(tmp_path):
    data = [f"{400 - k}, {value}; " for k, value in enumerate(VALUES)]
    (one,) = read_text(tmp_path, text(data, kind="XYPOINTS= (XY..XY)"))
    np.testing.assert_array_equal(one.signal, np.array(VALUES[::-1]) * 0.01)


DAMAGE = {
    "a check ordinate that differs": (["400A000J3", "399A004J1"], "the last ordinate of the line before"),
    "a line that is missing": ([lines("AFFN")[0], lines("AFFN")[2]], "begins at x"),
    "points that are missing": (lines("AFFN")[:-1], "NPOINTS says 17"),
    "a form that is none": (["400 12 # 13"], "no form of a number"),
    "a difference first": (["400J3"], "begins with a difference"),
    "repeats beyond the points": (["400A3S99999999"], "beyond NPOINTS"),
}


@pytest.mark.parametrize(("data", "seen"), DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_told(tmp_path, data, seen):
    with pytest.raises(ImageError, match=seen):
        read_text(tmp_path, text(data))


def test_percent_transmittance_is_a_share(tmp_path):
    (one,) = read_text(tmp_path, text(lines("SQZ"), y_units="%TRANSMITTANCE"))
    assert one.signal.max() == pytest.approx(12.3456)


def test_whatever_bytes_come(tmp_path):
    path = tmp_path / "a.jdx"
    path.write_text(text(lines("DIFDUP")) + text(lines("PAC")))
    report = check_text_reader(
        lambda p, file: read(p, max_bytes=10**6, file=file), path, truncations=256, mutations=1000, seed=1
    )
    assert report.passed, str(report)


@pytest.fixture
def samples(samples_of):
    return samples_of("ftir")


REAL = {
    "ethanol.jdx": (1, 3570, "transmittance"),
    "jcamp_forms/compound.jdx": (5, 1976, "transmittance"),
    "jcamp_forms/dupdec1.jdx": (1, 3951, "transmittance"),
    "jcamp_forms/dupinc1.jdx": (1, 440, "absorbance"),
    "jcamp_forms/fixdec3.jdx": (1, 360, "unknown"),
    "jcamp_forms/pktab1.jdx": (1, 46, "unknown"),
    "jcamp_forms/sqzdec1.jdx": (1, 16384, "unknown"),
}


@pytest.mark.parametrize(("name", "known"), REAL.items())
def test_real_files(samples, name, known):
    found = read(samples / name, max_bytes=10**8, file=name)
    assert (len(found), found[0].axis.size, found[0].signal_name) == known


def test_a_sine_wave_comes_back(samples):
    # the file holds 360 points of a sine, a degree apart, as whole numbers times 9.3132E-10
    (one,) = read(samples / "jcamp_forms/fixdec3.jdx", max_bytes=10**8, file="a")
    # the factor has five digits
    np.testing.assert_allclose(one.signal, np.sin(np.radians(one.axis)), atol=2e-5)


def test_a_spliced_file_is_refused_at_its_line(samples):
    with pytest.raises(ImageError, match="row 35"):
        read(samples / "jcamp_forms/xyinc2.jdx", max_bytes=10**8, file="xyinc2.jdx")
