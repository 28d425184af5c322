"""Files of microscopes by way of an optional package: pictures and spectra come back, damage is said, its absence too."""

import struct
import sys

import numpy as np
import pytest

from lampyris.core.errors import ImageError, MissingExtraError
from lampyris.io.instruments.micrographs import read_micrograph
from lampyris.io.instruments.spectra import read_spectra
from lampyris.io.instruments.spectrometers import rosetta

PIXELS = np.random.default_rng(3).integers(0, 60000, (18, 21)).astype(np.uint16)
PIXEL_NM = 0.25


def ser_bytes(pixels, pixel_nm):
    """A series of one picture as TIA writes it, version 0x210."""
    rows, columns = pixels.shape
    dimension = struct.pack("<iddii", 1, 0.0, 1.0, 0, 6) + b"Number" + struct.pack("<i", 0)
    head = struct.pack("<hhhiiiiii", 0x4949, 0x197, 0x210, 0x4122, 0x4152, 1, 1, 30 + len(dimension), 1)
    start = len(head) + len(dimension) + 8
    axes = struct.pack("<ddi", 0.0, 1e-9 * pixel_nm, 0) * 2
    # TIA counts rows from below
    body = axes + struct.pack("<hii", 2, columns, rows) + pixels[::-1].tobytes()
    places = struct.pack("<ii", start, start + len(body))
    return head + dimension + places + body + struct.pack("<hhi", 0x4152, 0, 0)


def written(path, data, axes, metadata=None):
    from rsciio.hspy import file_writer

    bare = ("original_metadata", "learning_results", "package_info", "tmp_parameters", "models")
    signal = {"data": data, "axes": axes, "metadata": {"General": {"title": "synthetic"}, **(metadata or {})}}
    file_writer(str(path), {**signal, **{name: {} for name in bare}, "attributes": {"_lazy": False}})


def axis(name, size, scale, units, *, navigate=False, offset=0.0, place=0):
    return {
        "_type": "UniformDataAxis", "name": name, "size": size, "scale": scale, "units": units, "offset": offset,
        "navigate": navigate, "is_binned": False, "index_in_array": place,
    }  # fmt: skip


def stack(path, count):
    axes = [axis("y", 18, PIXEL_NM, "nm", place=1), axis("x", 21, PIXEL_NM, "nm", place=2)]
    turned = [axis("t", count, 1.0, "s", navigate=True), *axes]
    written(path, np.stack([PIXELS + k for k in range(count)]), turned)
    return path


def test_a_picture_of_tia_comes_back(tmp_path):
    path = tmp_path / "a_1.ser"
    path.write_bytes(ser_bytes(PIXELS, PIXEL_NM))
    found = read_micrograph(path)
    np.testing.assert_array_equal(found.pixels, PIXELS)
    assert found.pixel_nm == pytest.approx(PIXEL_NM)


def test_a_page_of_a_stack_is_named(tmp_path):
    path = stack(tmp_path / "a.hspy", 3)
    with pytest.raises(ImageError) as caught:
        read_micrograph(path)
    assert caught.value.findings[0].rule == "micrograph.pages"
    found = read_micrograph(path, page=2)
    np.testing.assert_array_equal(found.pixels, PIXELS + 1)
    assert (found.pixel_nm, found.scale_source) == (PIXEL_NM, "calibration of the file")


def test_a_map_of_spectra_is_summed(tmp_path):
    counts = np.arange(2 * 3 * 40, dtype=np.uint16).reshape(2, 3, 40)
    axes = [axis("y", 2, 1.0, "nm", navigate=True), axis("x", 3, 1.0, "nm", navigate=True, place=1)]
    energy = axis("Energy", 40, 10.0, "eV", offset=-50.0, place=2)
    told = {"Acquisition_instrument": {"TEM": {"beam_energy": 200.0, "Detector": {"EDS": {"live_time": 30.0}}}}}
    written(tmp_path / "a.hspy", counts, [*axes, energy], told)
    (found,) = read_spectra(tmp_path / "a.hspy")
    np.testing.assert_array_equal(found.signal, counts.sum(axis=(0, 1)))
    np.testing.assert_allclose(found.axis, 0.01 * np.arange(40) - 0.05, atol=1e-12)
    assert (found.integration_s, found.words) == (30.0, {"BEAMKV": "200", "sum": "of 6 places"})
    with pytest.raises(ImageError) as caught:
        read_micrograph(tmp_path / "a.hspy")
    assert caught.value.findings[0].rule == "micrograph.none"


def spectrum_file(path, told, counts=None, **changed):
    counts = np.arange(40, dtype=np.uint16) if counts is None else counts
    written(path, counts, [axis("Energy", 40, 10.0, "eV") | changed], told)
    return path


def test_what_a_file_says_wrongly_is_not_told(tmp_path):
    instrument = {"TEM": {"beam_energy": "high", "Detector": {"EDS": {"live_time": "long"}}}}
    told = {"Acquisition_instrument": instrument, "Signal": {"signal_type": "EELS"}}
    (found,) = read_spectra(spectrum_file(tmp_path / "a.hspy", told))
    # of energy losses, which the analysis of X-rays then refuses
    assert found.words == {"SIGNALTYPE": "ELS"}
    assert np.isnan(found.integration_s)


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("spectrum.axis", {"scale": -10.0}),
        ("spectrum.axis", {"scale": 0.0}),
        ("spectrum.numbers", {"counts": np.full(40, np.nan)}),
        ("spectrum.none", {"counts": np.full(40, 1j)}),
    ],
)
def test_spectra_without_a_rising_axis_or_counts_are_refused(tmp_path, rule, changed):
    with pytest.raises(ImageError) as caught:
        read_spectra(spectrum_file(tmp_path / "a.hspy", {}, **changed))
    assert caught.value.findings[0].rule == rule


def test_pixels_that_are_no_squares_have_no_scale(tmp_path):
    written(tmp_path / "a.hspy", PIXELS, [axis("y", 18, 2.0, "nm"), axis("x", 21, 0.5, "nm", place=1)])
    assert np.isnan(read_micrograph(tmp_path / "a.hspy").pixel_nm)


@pytest.mark.filterwarnings("ignore")
def test_whatever_bytes_come_the_file_is_refused_or_read(tmp_path):
    example = ser_bytes(PIXELS, PIXEL_NM)
    generator = np.random.default_rng(11)
    path = tmp_path / "a_1.ser"
    for cut in generator.integers(0, len(example) - 1, 40):
        path.write_bytes(example[:cut])
        with pytest.raises(ImageError):
            read_micrograph(path)
    for place in generator.integers(0, 120, 60):
        changed = bytearray(example)
        changed[place] ^= int(generator.integers(1, 255))
        path.write_bytes(changed)
        try:
            found = read_micrograph(path)
        except ImageError as error:
            assert error.findings[0].place.file == "a_1.ser"
        else:
            assert np.isfinite(found.pixels).all()


def test_without_the_package_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rsciio", None)
    monkeypatch.setitem(sys.modules, "rsciio.tia", None)
    (tmp_path / "a.ser").write_bytes(b"II")
    with pytest.raises(MissingExtraError) as caught:
        read_micrograph(tmp_path / "a.ser")
    assert "lampyris[microscopes]" in caught.value.findings[0].mend


def test_a_map_of_too_many_counts_is_refused_before_it_is_read(tmp_path, monkeypatch):
    counts = np.ones((3, 40), dtype=np.uint16)
    axes = [axis("x", 3, 1.0, "nm", navigate=True), axis("Energy", 40, 10.0, "eV", place=1)]
    written(tmp_path / "a.hspy", counts, axes, {})
    monkeypatch.setattr(rosetta, "MAX_COUNTS", 119)
    with pytest.raises(ImageError) as caught:
        read_spectra(tmp_path / "a.hspy")
    assert caught.value.findings[0].rule == "instrument.too-large"
    assert "120" in caught.value.findings[0].seen
