"""Spectra as text: separators, decimal marks, preambles, several columns, and axes that cannot be what they are called."""

import math

import numpy as np
import pytest

from lampyris.core.errors import ImageError
from lampyris.io.images.conformance import check_text_reader
from lampyris.io.instruments.spectra import read_spectra
from lampyris.io.instruments.spectrometers.text import read

PLAIN = "400\t1.5\n401\t2.5\n402\t3.5\n"

CASES = {
    "tabs": PLAIN,
    "commas": "400,1.5\n401,2.5\n402,3.5\n",
    "commas at the end": "400,1.5,\n401,2.5,\n402,3.5,\n",
    "semicolons, decimal commas": "400;1,5\n401;2,5\n402;3,5\n",
    "tabs, decimal commas": "400,0\t1,5\n401,0\t2,5\n402,0\t3,5\n",
    "blanks": "  400   1.5\n  401   2.5\n  402   3.5\n",
    "fortran exponents": "400 0.15D+01\n401 0.25D+01\n402 0.35D+01\n",
    "descending": "402\t3.5\n401\t2.5\n400\t1.5\n",
    "doubled point": "400\t1.5\n401\t2.0\n401\t3.0\n402\t3.5\n",
    "preamble and footer": "Sample: a 3\nDate 1, 2\nWavelength (nm)\tIntensity\n" + PLAIN + "\nend of scan\nlamp 2\n",
    "micrometres": "Wavelength (um),Intensity\n0.400,1.5\n0.401,2.5\n0.402,3.5\n",
    "byte-order mark": "\ufeffWavelength (nm)\tIntensity\n" + PLAIN,
    "quoted": '"nm","I"\n"400","1.5"\n"401","2.5"\n"402","3.5"\n',
    "quoted, decimal commas": '"nm","I"\n"400,0","1,5"\n"401,0","2,5"\n"402,0","3,5"\n',
    "empty line within": "400\t1.5\n\n401\t2.5\n402\t3.5\n",
    "nothing measured at points": "nm,I\n399,OVER\n400,1.5\n400.4,\n400.7,OVER\n401,2.5\n402,3.5\n",
}


def spectra(tmp_path, text, **options):
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return read_spectra(path, **options)


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_one_spectrum_in_many_clothes(tmp_path, text):
    (one,) = spectra(tmp_path, text)
    np.testing.assert_allclose(one.axis, [400, 401, 402], rtol=1e-12)
    np.testing.assert_allclose(one.signal, [1.5, 2.5, 3.5], rtol=1e-12)
    assert one.axis_name == "wavelength"


def test_utf16_and_windows_text(tmp_path):
    assert spectra(tmp_path, ("Länge (nm)\tI\n" + PLAIN).encode("utf-16"))[0].axis.size == 3
    assert spectra(tmp_path, ("Länge (nm)\tI\n" + PLAIN).encode("cp1252"))[0].axis.size == 3


def test_a_workbook_with_free_text_above_its_numbers(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    for row in (["Gerät", "Käthe"], [], ["Wellenlänge (nm)", "Intensität"], *([400 + k, k / 2] for k in range(6))):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    (one,) = read_spectra(tmp_path / "a.xlsx")
    np.testing.assert_array_equal([one.axis, one.signal], [400 + np.arange(6), np.arange(6) / 2])
    book.active["B5"] = "n.d."
    book.create_sheet("second").append([1, 2])
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(ImageError, match="Keep one sheet"):
        read_spectra(tmp_path / "a.xlsx")
    del book["second"]
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(ImageError, match=r"row 5.*'n\.d\.'"):
        read_spectra(tmp_path / "a.xlsx")


def test_columns_keep_their_names_and_lose_their_blanks(tmp_path):
    a, b = spectra(tmp_path, "Wavelength (nm),lot A,lot B\n400,1,\n401,2,5\n402,,6\n")
    assert (a.name, b.name) == ("lot A", "lot B")
    np.testing.assert_array_equal(a.axis, [400, 401])
    np.testing.assert_array_equal(b.signal, [5, 6])


def test_an_axis_before_each_signal(tmp_path):
    text = "blank,,lot A,\nWavelength (nm),Abs,Wavelength (nm),Abs\n600,0.1,500,0.3\n599,0.2,499,0.4\n"
    a, b = spectra(tmp_path, text)
    assert (a.name, b.name, a.signal_name) == ("blank", "lot A", "absorbance")
    np.testing.assert_array_equal(b.axis, [499, 500])
    np.testing.assert_array_equal(a.signal, [0.2, 0.1])


def test_percent_becomes_a_share(tmp_path):
    (one,) = spectra(tmp_path, "cm-1,%T\n4000,98\n3999,50\n")
    assert (one.axis_name, one.signal_name) == ("wavenumber", "transmittance")
    np.testing.assert_allclose(one.signal, [0.5, 0.98], rtol=1e-12)


@pytest.mark.parametrize(
    ("line", "seconds", "bandpass"),
    [
        ("Integration Time (sec): 1.000000E-1", 0.1, None),
        ("Integration Time (sec): 1,000000E-1", 0.1, None),
        ("Integration Time (usec): 50000 (USB4)", 0.05, None),
        ("Integration time [ms]: 250", 0.25, None),
        ("Integration time: 2 s; EX Slit: 5.0 nm, EM Slit: 2.5 nm", 2.0, "2.5"),
        ("Ex slit (nm): 5, slit of the lamp 3 mm", math.nan, None),
        ("Emission slit: 0.5 mm, 600 to 900 nm", math.nan, None),
        ("Spectral Bandwidth (nm); 1,5", math.nan, "1.5"),
    ],
)
def test_exposure_and_slits_as_programs_write_them(tmp_path, line, seconds, bandpass):
    (tmp_path / "a.txt").write_text(line + "\n" + "\n".join(f"{500 + k}\t{k}.5" for k in range(9)))
    (one,) = read_spectra(tmp_path / "a.txt", signal="intensity")
    assert one.integration_s == pytest.approx(seconds, nan_ok=True)
    assert one.words.get("bandpass_nm") == bandpass


def test_settings_of_the_instrument_are_read(tmp_path):
    (one,) = spectra(tmp_path, "Excitation wavelength: 450 nm\nIntegration time: 200 ms\nnm\tcps\n" + PLAIN)
    assert one.excitation_nm == 450.0
    assert one.integration_s == pytest.approx(0.2)
    assert one.signal_name == "count_rate"


@pytest.mark.parametrize(
    ("head", "kind"),
    [("%T", "transmittance"), ("kcounts/s", "count_rate"), ("OD 0.05", "absorbed"), ("lot 7", "absorbed")],
)
def test_a_column_that_says_what_it_is_wins_over_what_is_expected(tmp_path, head, kind):
    (tmp_path / "a.csv").write_text(f"nm,{head}\n" + "\n".join(f"{500 + k},{k}.5" for k in range(9)))
    expected = "absorbance" if kind == "absorbed" else kind
    assert read_spectra(tmp_path / "a.csv", signal="absorbance")[0].signal_name == expected


REFUSED = {
    "axis in micrometres without a name": ("0.4 1\n0.5 2\n0.6 3\n", "instrument.axis-range", "um"),
    "angstrom without a name": ("4000 1\n5000 2\n6000 3\n", "instrument.axis-range", "angstrom"),
    "one column": ("1\n2\n3\n", "instrument.no-numbers", "columns"),
    "empty": ("", "instrument.no-numbers", "columns"),
    "a page": ("<html><table>1,2</table></html>", "instrument.binary", "HTML"),
    "binary": ("a\0b 1 2", "instrument.binary", "text"),
    "a word early": ("nm,I\n400,1\n401,n.d.\n402,2\n403,3\n404,4\n", "instrument.number", "'n.d.'"),
    "a word late": ("400,1,1\n401,1,1\n402,2,1\n403,2,x\n404,4,1\n", "instrument.number", "'x'"),
    "a remark": ("400,1\n401,1\n402,2\nlamp changed,\n404,4\n", "instrument.number", "'lamp changed'"),
    "decimal commas between commas": ("nm,I\n400,0,1,5\n401,0,2,5\n402,0,3,5\n", "instrument.decimal-comma", "points"),
    "the same without names": ("400,50,1,05\n401,50,2,5\n402,50,3,5\n", "instrument.decimal-comma", "points"),
    "swapped by name": ("Counts,Wavelength (nm)\n500,400\n501,401\n502,402\n", "spectrum.columns-swapped", "'Counts'"),
    "swapped by look": (
        "".join(f"{500 + 7 * (-1) ** k},{400 + k}\n" for k in range(20)),
        "spectrum.columns-swapped",
        "to and fro",
    ),
    "beyond numbers": ("400 1\n401 1e9999\n", "instrument.number", "cell"),
}


@pytest.mark.parametrize(("text", "rule", "word"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_mend(tmp_path, text, rule, word):
    with pytest.raises(ImageError) as caught:
        spectra(tmp_path, text)
    (finding,) = caught.value.findings
    assert finding.rule == rule
    assert word in finding.seen + finding.mend
    assert finding.place.file == "a.txt"


def test_places_that_come_again_with_another_signal_are_told(tmp_path):
    (one,) = spectra(tmp_path, PLAIN + PLAIN)
    assert one.words["points averaged"] == "3" and "points disagree" not in one.words
    (one,) = spectra(tmp_path, PLAIN + PLAIN.replace("3.5", "7"))
    assert "points disagree" in one.words


def test_the_users_word_on_the_unit_holds(tmp_path):
    (one,) = spectra(tmp_path, "4000 1\n5000 2\n6000 3\n", axis_unit="A")
    np.testing.assert_allclose(one.axis, [400, 500, 600])
    with pytest.raises(ImageError, match="no unit 'furlong'"):
        spectra(tmp_path, PLAIN, axis_unit="furlong")


def test_whatever_bytes_come(tmp_path):
    path = tmp_path / "a.csv"
    lines = [f"{400 + k},{k * 1.5:.3f},{k * 2.5:.3f}" for k in range(40)]
    path.write_text("Sample,lot A,lot B\nWavelength (nm),Int,Int\n" + "\n".join(lines) + "\n")
    report = check_text_reader(
        lambda p, file: read(p, max_bytes=10**7, file=file), path, truncations=256, mutations=1000, seed=1
    )
    assert report.passed, str(report)
