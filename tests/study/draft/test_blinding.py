"""Groups are coded, nothing in the study tells them, and only what was frozen while blind is revealed."""

import io
import json
import re
import shutil

import numpy as np
import pytest
import tifffile
from bare_folders import click, dark_frame, fill, frame, image, ome_tiff, plain_tiff
from camera_bytes import counts as camera_counts
from camera_bytes import sif_bytes, spe3_bytes
from cheap_step import cheap_follow, cheap_step
from small_study import write_small_study

from lampyris.core.errors import InputError, LampyrisError, UsageError
from lampyris.io.durable import sha256_file
from lampyris.io.settings import read_settings
from lampyris.study.check import check_study
from lampyris.study.draft import blinding
from lampyris.study.draft.begin import begin_study
from lampyris.study.draft.freezing import freeze_study, unblind_study
from lampyris.study.draft.telling import strike_out
from lampyris.study.run import Analysis, run_study

WORDS = ("verum", "placebo", "Wirkstoff", "secretdot", "otherdot", "LOT77", "unmarkiert")
SETTINGS_CHANGES = {
    '[groups.targeted]\ntitle = "Targeted dot"\nprobe = "qd"': (
        '[groups.verum]\ntitle = "Wirkstoff"\nprobe = "secretdot"\n\n[groups.unmarkiert]\nrole = "control"'
    ),
    '[groups.untargeted]\ntitle = "Untargeted dot"\nprobe = "qd"': '[groups.placebo]\nprobe = "otherdot"',
    "[probes.qd]": "[probes.secretdot]",
}
OTHER_PROBE = """
[probes.otherdot]
emission_nm = 800
fwhm_nm = 45
molar_extinction_per_m_cm = 1e6
quantum_yield = 0.4
per_cell = 4e4
"""


def three_arms(folder):
    """The small study with a third, unlabelled arm, and probes whose names tell."""
    study = write_small_study(folder)
    text = (study / "study.toml").read_text()
    for old, new in SETTINGS_CHANGES.items():
        assert old in text
        text = text.replace(old, new)
    (study / "study.toml").write_text(text.replace("Small hand-made study", "Verum against placebo") + OTHER_PROBE)
    for name in ("samplesheet.csv", "animals.csv"):
        lines = []
        for line in (study / name).read_text().splitlines():
            line = re.sub(r"(?<=,)targeted(?=,)", "verum", re.sub(r"(?<=,)untargeted(?=,)", "placebo", line))
            line = line.replace(",qd,L1", ",otherdot,LOT5" if ",placebo," in line else ",secretdot,LOT77")
            if line.startswith("b2,"):
                line = (
                    line.replace("placebo", "unmarkiert").replace(",otherdot,LOT5", ",,").replace("tail vein", "none")
                )
            lines.append(line)
        (study / name).write_text("\n".join(lines) + "\n")
    assert check_study(study).errors == ()
    return study


def told(folder):
    """Every word that stands anywhere in a folder, in a name or in bytes."""
    found = set()
    for path in folder.rglob("*"):
        # UTF-16 of Latin letters is these with zeros between
        data = path.read_bytes().lower().replace(b"\0", b"") if path.is_file() else b""
        name = path.relative_to(folder).as_posix().lower()
        found |= {(word, name) for word in WORDS if word.lower() in name or word.lower().encode() in data}
    return found


def analysed(study):
    outcome = run_study(study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    assert outcome.exit_code == 0
    return outcome


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A blinded study, and the same analysed and frozen, each with its key beside it."""
    blind = tmp_path_factory.mktemp("blind")
    study = three_arms(blind / "study")
    before = {name: (study / name).read_text() for name in ("samplesheet.csv", "animals.csv")}
    begin_study(study, blind=True)
    frozen = shutil.copytree(blind, tmp_path_factory.mktemp("frozen") / "all")
    analysed(frozen / "study")
    freeze_study(frozen / "study")
    return blind, frozen, before


@pytest.fixture
def blinded(made, tmp_path):
    return shutil.copytree(made[0], tmp_path, dirs_exist_ok=True) / "study", made[2]


@pytest.fixture
def frozen(made, tmp_path):
    return shutil.copytree(made[1], tmp_path, dirs_exist_ok=True) / "study"


def test_nothing_in_the_study_tells_the_arms_until_it_is_unblinded(blinded):
    study, before = blinded
    assert told(study) == set()
    settings = read_settings(study / "study.toml")
    assert sorted(settings.groups) == ["A", "B", "C"]
    assert {group.role for group in settings.groups.values()} == {"labelled"}
    assert sorted(settings.probes) == ["probe-A", "probe-B", "probe-C"]
    analysed(study)
    assert told(study) == set()
    freeze_study(study)
    assert told(study) == set()
    revealed = unblind_study(study)
    assert sorted(revealed.groups.values()) == ["placebo", "unmarkiert", "verum"]
    settings = read_settings(study / "study.toml")
    assert settings.groups["unmarkiert"].role == "control"
    assert (settings.groups["verum"].title, settings.study.title) == ("Wirkstoff", "Verum against placebo")
    assert sorted(settings.probes) == ["otherdot", "secretdot"]
    for name, text in before.items():
        # the sheet has gained empty columns; what stood in it stands there again
        rows = [line.split(",") for line in text.splitlines()]
        again = [line.split(",") for line in (study / name).read_text().splitlines()]
        for column, title in enumerate(rows[0]):
            place = again[0].index(title)
            assert [row[place] or "no" for row in again] == [row[column] or "no" for row in rows]
    analysed(study)
    assert check_study(study).errors == ()


def test_letters_are_drawn(tmp_path):
    study = three_arms(tmp_path / "first")
    seen = set()
    for number in range(12):
        copy = shutil.copytree(study, tmp_path / f"study{number}")
        begin_study(copy, blind=True)
        seen.add(json.dumps(json.loads((tmp_path / f"study{number}-key/key.json").read_text())["groups"]))
    # of six orders, twelve draws show one only with probability 6 * 6**-12
    assert len(seen) > 1


def test_what_differs_between_arms_is_withheld_and_comes_back(blinded):
    study, _ = blinded
    assert all(row.inoculation == "" for row in check_study(study).animals)
    assert json.loads((study / "blinding.json").read_text())["withheld"] == ["inoculation"]
    rules = {finding.rule for finding in check_study(study).findings}
    assert {"blinding.blind", "blinding.probes-differ"} <= rules


REPORTED = """
[reporting]
objective = "whether Verum spreads less"
cell_line = "4T1"
no_difference_claims = ["weight under placebo"]

[probes.secretdot.characterisation]
composition = "secret shell"

[probes.otherdot.characterisation]
composition = "another shell"
"""


def test_what_is_reported_of_probes_and_arms_is_withheld_and_comes_back(tmp_path):
    study = three_arms(tmp_path / "s")
    text = (study / "study.toml").read_text() + REPORTED
    (study / "study.toml").write_text(text)
    before = read_settings(study / "study.toml")
    begin_study(study, blind=True)
    coded = (study / "study.toml").read_text()
    assert "shell" not in coded and "erum" not in coded and "placebo" not in coded and "4T1" in coded
    # what is written while blind stays
    (study / "study.toml").write_text(coded.replace('cell_line = "4T1"', 'cell_line = "4T1, passage 9"'))
    analysed(study)
    freeze_study(study)
    unblind_study(study)
    after = read_settings(study / "study.toml")
    assert after.reporting == before.reporting.model_copy(update={"cell_line": "4T1, passage 9"})
    assert {name: probe.characterisation for name, probe in after.probes.items()} == {
        name: probe.characterisation for name, probe in before.probes.items()
    }


def test_the_commitment_is_the_keys(blinded):
    study, _ = blinded
    key = study.with_name("study-key") / "key.json"
    assert json.loads((study / "blinding.json").read_text())["key_sha256"] == sha256_file(key)
    assert len(json.loads(key.read_text())["salt"]) == 64


def test_unblinding_needs_freezing(blinded):
    study, _ = blinded
    with pytest.raises(UsageError, match="is not frozen"):
        unblind_study(study)
    assert told(study) == set()


def test_freezing_needs_results_of_what_stands(blinded):
    study, _ = blinded
    with pytest.raises(LampyrisError, match=r"results/manifest.json: is missing"):
        freeze_study(study)
    analysed(study)
    sheet = study / "samplesheet.csv"
    sheet.write_text(sheet.read_text().replace("2026-03-09", "2026-03-10"))
    with pytest.raises(LampyrisError, match=r"samplesheet.csv: was changed after the analysis"):
        freeze_study(study)
    analysed(study)
    table = next((study / "results/tables").glob("*.csv"))
    table.write_text(table.read_text() + "\n")
    with pytest.raises(LampyrisError, match=r"results/tables/.*: is not as the analysis wrote it"):
        freeze_study(study)


CHANGES = {
    "a sheet": ("animals.csv", lambda path: path.write_text(path.read_text().replace("c0", "c9"))),
    "curation added": ("curation.csv", lambda path: path.write_text("animal,session\n")),
    "a region added": ("regions/m1.geojson", lambda path: (path.parent.mkdir(), path.write_text("{}"))),
    "results": ("results/manifest.json", lambda path: path.write_text(path.read_text() + " ")),
    "the statement": ("blinding.json", lambda path: path.write_text(path.read_text().replace("A", "B"))),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_changed_after_freezing_is_named_and_nothing_revealed(frozen, case):
    study = frozen
    name, change = CHANGES[case]
    change(study / name)
    with pytest.raises(InputError, match=re.escape(name)):
        unblind_study(study)
    assert told(study) == set()
    assert not (study / "unblinding.json").exists()


def test_another_key_is_refused(frozen, tmp_path):
    study = frozen
    shutil.move(tmp_path / "study-key", tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="there is no key"):
        unblind_study(study)
    text = (tmp_path / "elsewhere/key.json").read_text()
    (tmp_path / "elsewhere/key.json").write_text(text.replace('"verum": "A"', '"verum": "Z"').replace("salt", "salz"))
    with pytest.raises(InputError, match="is not the key"):
        unblind_study(study, key=tmp_path / "elsewhere")
    (tmp_path / "elsewhere/key.json").write_text(text)
    unblind_study(study, key=tmp_path / "elsewhere")


def test_unblinding_that_was_interrupted_goes_on(frozen):
    study = frozen
    coded = {name: (study / name).read_text() for name in ("samplesheet.csv", "study.toml")}
    unblind_study(study)
    whole = {name: (study / name).read_text() for name in ("samplesheet.csv", "study.toml")}
    # as a kill between the statement and the last file leaves it
    statement = json.loads((study / "unblinding.json").read_text())
    (study / "unblinding.json").write_text(json.dumps(statement | {"texts": whole}))
    (study / "study.toml").write_text(coded["study.toml"])
    assert "blinding.interrupted" in {finding.rule for finding in check_study(study).errors}
    unblind_study(study)
    assert (study / "study.toml").read_text() == whole["study.toml"]
    assert "blinding.interrupted" not in {finding.rule for finding in check_study(study).errors}


def test_curation_after_unblinding_is_told(frozen):
    study = frozen
    unblind_study(study)
    assert "blinding.curated-after" not in {finding.rule for finding in check_study(study).findings}
    (study / "landmarks.csv").write_text("animal,session,view,landmark,y_mm,x_mm\n")
    assert "blinding.curated-after" in {finding.rule for finding in check_study(study).warnings}


def test_blinding_twice_or_over_results_is_refused(blinded, tmp_path):
    study, _ = blinded
    with pytest.raises(UsageError, match="cannot be blinded"):
        begin_study(study, blind=True)
    other = three_arms(tmp_path / "other")
    analysed(other)
    with pytest.raises(UsageError, match="cannot be blinded"):
        begin_study(other, blind=True)


def test_names_that_tell_are_refused(tmp_path):
    study = three_arms(tmp_path / "study")
    sheet = study / "samplesheet.csv"
    sheet.write_text(sheet.read_text().replace("\na1,", "\nverum 1,"))
    with pytest.raises(InputError, match="'verum 1' tells the arm 'verum'"):
        begin_study(study, blind=True)
    assert not (tmp_path / "study-key").exists()


def test_a_file_that_tells_inside_is_refused(tmp_path):
    study = three_arms(tmp_path / "study")
    (study / "raw/notes.txt").write_text("a1 got Verum")
    with pytest.raises(InputError, match=r"raw/notes.txt: tells an arm: 'verum'"):
        begin_study(study, blind=True)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_bare_folder_is_drafted_blind(tmp_path, encoding):
    """Folders are named by arms, and the vendor's text says the arm: copies are renamed and struck out, originals stay."""
    for number, arm in enumerate(("Verum", "Placebo")):
        for day in (0, 7):
            labels = {"animal": str(number + 1), "group": arm, "time_point": f"Day {day}", "view": "Dorsal"}
            made = image((780,), seed=day + number, dark=dark_frame()[None], labels=labels)
            click(tmp_path / "bare" / arm, made, name=f"click{number}{day}", encoding=encoding)
    before = sorted(path.read_bytes() for path in (tmp_path / "bare").rglob("*") if path.is_file())
    study = tmp_path / "study"
    begun = begin_study(study, folder=tmp_path / "bare", blind=True)
    fill(study, emission_nm=800, pixel_mm=1.0)
    assert begun.key == tmp_path / "study-key"
    assert told(study) == set()
    assert sorted(path.read_bytes() for path in (tmp_path / "bare").rglob("*") if path.is_file()) == before
    checked = check_study(study)
    assert [str(finding) for finding in checked.errors] == []
    assert {row.group for row in checked.samples} == {"A", "B"}
    assert all(re.fullmatch(r"raw/i\d{5}", row.image) for row in checked.samples)
    analysed(study)
    assert told(study) == set()


def test_in_place_with_telling_folders_is_refused(tmp_path):
    for number, arm in enumerate(("vehicle", "sham")):
        plain_tiff(tmp_path / "study" / arm / f"m{number} d0.tif", frame(seed=number))
    with pytest.raises(InputError, match="Draft with --from into a new folder"):
        begin_study(tmp_path / "study", folder=tmp_path / "study", blind=True)


def test_one_group_cannot_be_blinded(tmp_path):
    ome_tiff(tmp_path / "bare/m1_d0.ome.tif", image())
    with pytest.raises(UsageError, match="nothing to blind"):
        begin_study(tmp_path / "study", folder=tmp_path / "bare", blind=True)


CURATION = (
    "animal,session,view,action,lesion,detection,y_mm,x_mm,into,kind,organ,reason,author,time,target_y_mm,target_x_mm\n"
    "a2,,,exclude animal,,,,,,,,moved,J. Doe,2026-03-10,,\n"
)


def test_a_region_drawn_after_the_analysis_is_frozen_only_with_its_result(blinded):
    study, _ = blinded
    analysed(study)
    (study / "regions").mkdir()
    (study / "regions/notes.txt").write_text("drawn on the second screen")
    freeze_study(study)
    corners = [[3, 3], [9, 3], [9, 9], [3, 3]]
    feature = {
        "type": "Feature",
        "properties": {"name": "x"},
        "geometry": {"type": "Polygon", "coordinates": [corners]},
    }
    drawn = study / "regions/a1_d07_dorsal.geojson"
    drawn.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    loose = study / "regions/of nobody.geojson"
    loose.write_text(drawn.read_text())
    with pytest.raises(LampyrisError, match=r"regions/a1_d07_dorsal.geojson: was added after the analysis") as refused:
        freeze_study(study)
    assert {finding.place.file for finding in refused.value.findings} == {
        f"regions/{path.name}" for path in (drawn, loose)
    }
    analysed(study)
    freeze_study(study)
    drawn.unlink()
    with pytest.raises(LampyrisError, match=r"regions/a1_d07_dorsal.geojson: is gone since the analysis"):
        freeze_study(study)


def test_curation_is_frozen_with_its_results_and_told_when_it_changes_later(blinded):
    study, _ = blinded
    analysed(study)
    curation = study / "curation.csv"
    curation.write_text(CURATION)
    with pytest.raises(LampyrisError, match=r"curation\.csv: was (added|changed) after the analysis"):
        freeze_study(study)
    analysed(study)
    assert "curation.csv" in freeze_study(study).files
    unblind_study(study)
    assert "blinding.curated-after" not in {finding.rule for finding in check_study(study).findings}
    curation.write_text(CURATION.replace("moved", "moved a lot"))
    assert "blinding.curated-after" in {finding.rule for finding in check_study(study).warnings}


def short_arms(folder, raw):
    """The small study with arms of few letters, and one more file below raw/."""
    study = write_small_study(folder)
    for name in ("study.toml", "samplesheet.csv", "animals.csv"):
        text = (study / name).read_text().replace("untargeted", "VEH").replace("targeted", "PBS")
        (study / name).write_text(text.replace('title = "Targeted dot"', "").replace('title = "Untargeted dot"', ""))
    for name, data in raw.items():
        path = study / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return study


def told_tiff(**fields):
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((4, 4), np.uint16), photometric="minisblack", **{"metadata": None} | fields)
    return stream.getvalue()


def nested_tiff(description):
    stream, pixels = io.BytesIO(), np.zeros((4, 4), np.uint16)
    with tifffile.TiffWriter(stream) as file:
        file.write(pixels, subifds=1, metadata=None)
        file.write(pixels, subfiletype=1, description=description, metadata=None)
    return stream.getvalue()


CARRIED = {
    "a note in UTF-16 with its mark": ("note.txt", "group: PBS".encode("utf-16")),
    "a note in UTF-16 of the other order": ("note.txt", b"\xfe\xff" + "group: PBS".encode("utf-16-be")),
    "a note in UTF-16 without a mark": ("note.txt", "group: PBS".encode("utf-16-le")),
    "the description of a TIFF": ("x.tif", told_tiff(description="group PBS")),
    "a tag of a TIFF": ("x.tif", told_tiff(extratags=[(315, 2, None, "pbs", True)])),
    "a description in a BigTIFF of the other order": (
        "x.tif",
        told_tiff(description="a PBS", bigtiff=True, byteorder=">"),
    ),
    "bytes of UTF-16 in a TIFF": ("x.tif", told_tiff(extratags=[(40095, 1, None, "PBS".encode("utf-16-le"), True)])),
    "a page below a page": ("x.tif", nested_tiff("group PBS")),
    "XML": ("x.tif", told_tiff(description='<OME><Image Description="&#80;BS &amp; more"/></OME>')),
    "an attribute of OME-Zarr": ("x.ome.zarr/.zattrs", b'{"group": "P\\u0042S"}'),
    "the header of a SIF": ("x.sif", sif_bytes(camera_counts(), note=b"group PBS")),
    "the end of a SPE": ("x.spe", spe3_bytes(camera_counts()).replace(b"</SpeFormat>", b"<!--PBS--></SpeFormat>")),
}


@pytest.mark.parametrize("case", CARRIED)
def test_few_letters_are_found_wherever_a_file_says_something(tmp_path, case):
    name, data = CARRIED[case]
    study = short_arms(tmp_path / "study", {name: data})
    with pytest.raises(InputError, match=rf"raw/{re.escape(name)}: tells an arm: 'PBS'"):
        begin_study(study, blind=True)
    assert not (study / "blinding.json").exists()


def test_few_letters_in_pixels_are_chance(tmp_path):
    pixels = np.frombuffer(b"\x07\x01 PBS \x02\x03" * 32, np.uint16).reshape(9, 16)
    raw = {"x.tif": told_tiff(), "x.ome.zarr/c/0/0": pixels.tobytes(), "x.sif": sif_bytes(camera_counts())}
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, photometric="minisblack", metadata=None)
    study = short_arms(tmp_path / "study", raw | {"y.tif": stream.getvalue()})
    begin_study(study, blind=True)
    assert (study / "raw/x.ome.zarr/c/0/0").read_bytes() == pixels.tobytes()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig", "cp1252"])
def test_a_word_is_struck_out_in_the_encoding_of_its_text(tmp_path, encoding):
    text = "User Group:\tPBS\r\nWeight:\t20 g, 37 °C\r\n"
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    (tmp_path / "raw").mkdir()
    path = tmp_path / "raw/ClickInfo.txt"
    path.write_bytes(mark + text.encode(encoding))
    strike_out(tmp_path / "raw", ("PBS",))
    assert path.read_bytes() == mark + text.replace("PBS", "xxx").encode(encoding)


COLUMNS = {
    "other numbers of cells": ({"labelled_cells": ("1e6", "1e4")}, ["labelled_cells"]),
    "the same numbers of cells": ({"labelled_cells": ("1e6", "1e6")}, []),
    "other doses": (
        {
            "dose_syringe_full_g": ("5.4", "5.4"),
            "dose_syringe_empty_g": ("5.3", "5.2"),
            "dose_concentration_pmol_per_ml": ("1000", "1000"),
        },
        ["dose_concentration_pmol_per_ml", "dose_syringe_empty_g", "dose_syringe_full_g"],
    ),
    "a tail for one arm": ({"dose_tail_percent": ("", "4")}, ["dose_tail_percent"]),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_columns_whose_values_differ_between_arms_are_withheld(tmp_path, case):
    columns, withheld = COLUMNS[case]
    study = short_arms(tmp_path / "study", {})
    head, *rows = (study / "animals.csv").read_text().splitlines()
    rows = [",".join([row, *(pair[",VEH," in row] for pair in columns.values())]) for row in rows]
    (study / "animals.csv").write_text("\n".join([",".join([head, *columns]), *rows]) + "\n")
    begin_study(study, blind=True)
    assert json.loads((study / "blinding.json").read_text())["withheld"] == withheld
    for row in check_study(study).animals:
        assert all(np.isnan(getattr(row, column)) for column in withheld)
    # half a dose is a fault: it is withheld whole
    assert "animals.dose-weight" not in {finding.rule for finding in check_study(study).errors}


OUTLINE = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "tumour"}, "geometry": '
    '{"type": "Polygon", "coordinates": [[[2, 2], [7, 2], [7, 8], [2, 8], [2, 2]]]}}]}'
)
STANDARD = "standard,kind,amount,unit,value,value_unit,probe\ns1,well plate,1,pmol,1e5,ph s-1,qd\n"
CAME_OR_WENT = {
    "a region": "regions/x.geojson",
    "standards": "standards.csv",
    "landmarks": "landmarks.csv",
    "the list of what was drafted": "draft.csv",
}
TEXTS = {"regions/x.geojson": OUTLINE, "regions/note.txt": "drawn by J. Doe", "standards.csv": STANDARD}
TEXTS |= {
    "landmarks.csv": "animal,session,view,landmark,y_mm,x_mm\na1,d00,dorsal,nose,1,2\na1,d00,dorsal,tail base,5,2\n"
}
TEXTS |= {"draft.csv": "field,value,source,confidence,do,confirmed\n"}


@pytest.mark.parametrize("case", CAME_OR_WENT)
def test_what_came_or_went_after_the_analysis_is_not_frozen(made, tmp_path, case):
    study = shutil.copytree(made[1] / "study", tmp_path / "study")
    path = study / CAME_OR_WENT[case]
    path.parent.mkdir(exist_ok=True)
    path.write_text(TEXTS[CAME_OR_WENT[case]])
    with pytest.raises(LampyrisError, match=rf"{re.escape(CAME_OR_WENT[case])}: was added after the analysis"):
        freeze_study(study)
    if case != "standards":
        # an analysis records it, though no lesion depends on it
        analysed(study)
        assert CAME_OR_WENT[case] in freeze_study(study).files
        path.unlink()
        with pytest.raises(LampyrisError, match=rf"{re.escape(CAME_OR_WENT[case])}: is gone since the analysis"):
            freeze_study(study)


def test_unblinding_twice_says_the_groups_again(frozen):
    study = frozen
    first = unblind_study(study)
    shutil.rmtree(study.with_name("study-key"))
    analysed(study)
    written = (study / "unblinding.json").read_bytes()
    assert unblind_study(study).groups == first.groups
    assert (study / "unblinding.json").read_bytes() == written


STEPS = ("blinding.json", "key.json", "study.toml", "animals.csv", "samplesheet.csv", "blinding.json again")


@pytest.mark.parametrize("kill", range(len(STEPS)), ids=STEPS)
def test_blinding_that_was_interrupted_goes_on(tmp_path, monkeypatch, kill):
    study = three_arms(tmp_path / "study")
    written = []

    def until_killed(write):
        def writes(path, *args):
            if len(written) == kill:
                raise KeyboardInterrupt
            written.append(path.name)
            write(path, *args)

        return writes

    with monkeypatch.context() as patch:
        for name in ("write_text", "write_json"):
            patch.setattr(blinding, name, until_killed(getattr(blinding, name)))
        with pytest.raises(KeyboardInterrupt):
            begin_study(study, blind=True)
    assert written == [step.split()[0] for step in STEPS[:kill]]
    if kill:
        assert "blinding.interrupted" in {finding.rule for finding in check_study(study).errors}
    assert begin_study(study, blind=True).key == tmp_path / "study-key"
    assert told(study) == set()
    assert sorted(read_settings(study / "study.toml").groups) == ["A", "B", "C"]
    statement = json.loads((study / "blinding.json").read_text())
    assert statement["key_sha256"] == sha256_file(tmp_path / "study-key/key.json")
    assert "texts" not in statement
    assert check_study(study).errors == ()
    key = json.loads((tmp_path / "study-key/key.json").read_text())
    assert {animal.animal: animal.group for animal in check_study(study).animals} == {
        animal: key["groups"][arm]
        for animal, arm in (("a1", "verum"), ("a2", "verum"), ("b1", "placebo"), ("b2", "unmarkiert"))
    }


def test_blinding_does_not_go_on_without_its_key(blinded):
    study, _ = blinded
    statement = json.loads((study / "blinding.json").read_text())
    texts = {"study.toml": (study / "study.toml").read_text()}
    (study / "blinding.json").write_text(json.dumps(statement | {"texts": texts}))
    shutil.rmtree(study.with_name("study-key"))
    with pytest.raises(UsageError, match="Put the key's folder back as study-key"):
        begin_study(study, blind=True)
