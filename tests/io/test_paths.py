"""Paths of sheets and metadata stay inside the study."""

from pathlib import Path

import pytest

from lampyris.core.errors import InputError
from lampyris.core.finding import Place
from lampyris.io.paths import inside, path_fault

PLACE = Place("samplesheet.csv", 3, "image")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    root = tmp_path / "study"
    (root / "raw").mkdir(parents=True)
    (root / "raw" / "a.tif").write_bytes(b"")
    (tmp_path / "outside.tif").write_bytes(b"")
    (root / "raw" / "out.tif").symlink_to(tmp_path / "outside.tif")
    (root / "raw" / "up").symlink_to(tmp_path)
    (root / "raw" / "good.tif").symlink_to("a.tif")
    (root / "raw" / "circle").symlink_to("circle")
    return root


@pytest.mark.parametrize(
    "text",
    ["raw/a.tif", "raw/good.tif", "./raw//a.tif", "raw/not there.tif", "raw/µ é.tif", "raw/..a.tif", "raw/a..tif",
     "raw/100%.tif", "raw/%41.tif", "raw/t=12:30.tif", "..."],
)  # fmt: skip
def test_inside_is_taken(study: Path, text: str) -> None:
    found = inside(study, text, place=PLACE)
    assert found.is_relative_to(study.resolve())
    assert found == (study / text).resolve()


REFUSED = {
    "empty": "",
    "blank": "  ",
    "absolute": "/etc/passwd",
    "climbing": "../outside.tif",
    "climbing within": "raw/../../outside.tif",
    "climbing but returning": "raw/../raw/a.tif",
    "climbing with a blank": "raw/.. /a.tif",
    "encoded": "%2e%2e/outside.tif",
    "half encoded": "raw/.%2E/a.tif",
    "twice encoded": "%252e%252e/outside.tif",
    "encoded slash": "..%2foutside.tif",
    "encoded NUL": "raw/a.tif%00.png",
    "NUL": "raw/a.tif\0.png",
    "line end": "raw/a.tif\n",
    "surrogate": "raw/\ud800.tif",
    "backslash": "raw\\a.tif",
    "climbing with backslash": "..\\outside.tif",
    "drive": "C:raw/a.tif",
    "address": "http://localhost/a.tif",
    "file address": "file:///etc/passwd",
    "data address": "data:image/tiff;base64,SUkqAA==",
    "link out": "raw/out.tif",
    "directory link out": "raw/up/outside.tif",
    "circle": "raw/circle/a.tif",
    "too long a name": "raw/" + "ä" * 128,
    "too long": "raw/" + "a/" * 3000,
    "study itself": ".",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_outside_is_refused_with_place_and_mend(study: Path, text: str) -> None:
    with pytest.raises(InputError) as caught:
        inside(study, text, place=PLACE)
    (finding,) = caught.value.findings
    assert finding.place == PLACE
    assert finding.rule == "path.refused"
    assert "raw/m01.ome.tif" in finding.mend
    assert finding.seen == path_fault(study, text)


def test_root_may_be_a_link(study: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(study)
    assert inside(tmp_path / "alias", "raw/a.tif", place=PLACE) == (study / "raw" / "a.tif").resolve()
