"""Telling a file's format: first bytes before the ending, and no reader imported before it is needed."""

import os
import subprocess
import sys
from functools import partial

import openpyxl
import pytest

from lampyris.core.errors import ImageError
from lampyris.io.instruments import correlograms, decays, diffractograms, micrographs, spectra
from lampyris.io.instruments.formats import FileFormat, format_of

MODULES = (correlograms, decays, diffractograms, micrographs, spectra)
TOLD = {
    "mark": ("a.txt", b"\x89PNG....", "PNG"),
    "mark against the ending": ("a.mrc", b"\x89PNG....", "PNG"),
    "mark not at the beginning": ("a.txt", b" \x89PNG", None),
    "ending": ("a.MRC", b"", "MRC"),
    "neither": ("a.txt", b"1 2", None),
}
FORMATS = (FileFormat("PNG", "picture", (".png",), rb"\x89PNG"), FileFormat("MRC", "mrc", (".mrc",)))


@pytest.mark.parametrize(("name", "start", "title"), TOLD.values(), ids=TOLD.keys())
def test_first_bytes_win_over_the_ending(tmp_path, name, start, title):
    (tmp_path / name).write_bytes(start)
    found = format_of(tmp_path / name, FORMATS)
    assert (found and found.title) == title


@pytest.mark.parametrize("one", [one for module in MODULES for one in module.FORMATS], ids=lambda one: one.title)
def test_every_format_refuses_a_missing_file_by_its_name(tmp_path, one):
    with pytest.raises(ImageError) as caught:
        one.read(tmp_path / "none", max_bytes=10, file="none")
    (finding,) = caught.value.findings
    assert (finding.rule, finding.place.file) == ("instrument.missing", "none")


HEADS = {
    "decay": (decays.read_decays, "Time [ns]", "Counts"),
    "correlogram": (correlograms.read_correlograms, "lag (us)", "g2-1"),
    "diffractogram": (partial(diffractograms.read, max_bytes=10**6, file="a.xlsx"), "2 theta", "Counts"),
    "spectrum": (spectra.read_spectra, "Wavelength (nm)", "Counts"),
}


@pytest.mark.parametrize(("read", "axis", "signal"), HEADS.values(), ids=HEADS.keys())
def test_what_a_workbook_hides_is_passed_on(tmp_path, read, axis, signal):
    made = openpyxl.Workbook()
    made.active.append([axis, signal])
    for k in range(151, 179):
        made.active.append([float(k), k % 5])
    made.active.row_dimensions[20].hidden = True
    made.save(tmp_path / "a.xlsx")
    (found,) = read(tmp_path / "a.xlsx")
    assert found.words["hidden cells"] == "1 rows (20)"


def test_blanks_before_a_text_mark_are_passed_over(tmp_path):
    (tmp_path / "a.txt").write_text("\n  ##TITLE= a\n")
    assert format_of(tmp_path / "a.txt", spectra.FORMATS).title == "JCAMP-DX"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jdx")
    with pytest.raises(ImageError) as caught:
        spectra.read_spectra(tmp_path / "a.jdx")
    assert caught.value.findings[0].rule == "instrument.missing"


def test_readers_are_imported_when_needed():
    names = ", ".join(module.__name__ for module in MODULES)
    readers = {f"lampyris.io.instruments.{one.module}" for module in MODULES for one in (*module.FORMATS,)}
    code = f"import sys, {names}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not readers & set(loaded)
