"""What is stored comes back bit for bit, NaN and infinity included."""

import json
import math
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum

import numpy as np
import pytest
from cheap_step import detection, endpoints_of, flux_of, lesion, limit, sighting, view_result
from hypothesis import given
from hypothesis import strategies as st

from lampyris.core.errors import LampyrisError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import Pose, Registration
from lampyris.core.study import AnimalOutcome, SessionResult, ViewTotal
from lampyris.study.graph.codec import decode, encode
from lampyris.study.graph.store import (
    ANIMAL,
    SESSION,
    StoredAnimal,
    read_noun,
    read_plane,
    read_session,
    write_noun,
    write_session,
)


def session():
    rng = np.random.default_rng(3)
    views = []
    for view in ("dorsal", "ventral"):
        radiance = rng.normal(100, 30, (2, 9, 7)).astype(np.float32)
        radiance[0, 0, 0], radiance[1, 2, 3] = np.nan, np.inf
        result = view_result(
            view,
            radiance,
            channels=("b1", "b2"),
            detections=(detection(1, 0.1 + 0.2), detection(2, 1e-300, kind="injection site")),
            limits=(limit("liver", 1 / 3),),
            photo=rng.random((9, 7)).astype(np.float32),
        )
        views.append(replace(result, flags=rng.integers(0, 64, (9, 7)).astype(np.uint16)))
    finding = Finding("image.dim", Severity.WARNING, Place("raw/µ.tif", None, "b1"), "seen", "mend")
    return SessionResult("m 01", "d07", 7.5, "2026-03-09", "ärm", "qd", tuple(views), (finding,))


def _equal(one, other):
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        # an object's keys have no order in JSON
        one, other = sorted(one.items()), sorted(other.items())
    return repr(one) == repr(other)


def _types(value):
    """The shape of a noun: types all the way down."""
    if is_dataclass(value):
        return (type(value), *(_types(getattr(value, field.name)) for field in fields(value)))
    if isinstance(value, tuple):
        return (tuple, *map(_types, value))
    if isinstance(value, dict):
        return (dict, *((key, _types(value[key])) for key in sorted(value)))
    return type(value)


def test_session_round_trip(tmp_path):
    written = session()
    write_session(written, tmp_path)
    back = read_session(tmp_path)
    for field in fields(SessionResult):
        if field.name != "views":
            assert getattr(back, field.name) == getattr(written, field.name)
    assert len(back.views) == 2
    for one, other in zip(written.views, back.views, strict=True):
        for field in fields(one):
            assert _equal(getattr(one, field.name), getattr(other, field.name)), field.name


def test_same_session_same_bytes(tmp_path):
    folders = (tmp_path / "one", tmp_path / "two")
    for folder in folders:
        folder.mkdir()
        write_session(session(), folder)
    one, two = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in folders)
    assert one == two


def test_a_plane_is_read_alone(tmp_path):
    written = session()
    write_session(written, tmp_path)
    for path in sorted(tmp_path.rglob("labels/**/c/**/*")):
        if path.is_file():
            path.unlink()
    for view in written.views:
        photo = read_plane(tmp_path, view.view, "photo")
        assert _equal(photo, view.photo)
        assert _equal(read_plane(tmp_path, view.view, "radiance:b2"), view.radiance[1])
    with pytest.raises(LampyrisError, match="cannot be read") as caught:
        read_plane(tmp_path, "dorsal", "foto")
    assert "not foto" in caught.value.findings[0].seen
    with pytest.raises(LampyrisError, match="cannot be read"):
        read_plane(tmp_path, "lateral", "photo")


def test_without_images_no_pixel_is_read(tmp_path):
    written = session()
    write_session(written, tmp_path)
    for path in sorted(tmp_path.rglob("c/0/**/*")):
        if path.is_file():
            path.unlink()
    back = read_session(tmp_path, images=False)
    assert repr(back.views[0].detections) == repr(written.views[0].detections)
    assert back.views[0].body.size == 0
    with pytest.raises(LampyrisError):
        read_session(tmp_path)


def test_json_has_no_word_that_json_lacks(tmp_path):
    write_session(session(), tmp_path)

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    json.loads((tmp_path / SESSION).read_text(), parse_constant=refuse)


def test_animal_round_trip(tmp_path):
    nothing = Estimate.unknown(0.95, "ph s-1", "none")
    outcome = AnimalOutcome("m01", "arm", "done", "", (0.0, 7.0), (flux_of(3.25), nothing), (False, True), (1, 0))
    views = ((ViewTotal("dorsal", flux_of(3.25), False), ViewTotal("ventral", nothing, True)), ())
    own = Registration(Pose(1.0, 2.0, bend_mm=(0.0, 0.1), girth=(1.0, 0.9)), 0.3, math.nan, "landmarks")
    found = (
        lesion(1, [sighting("d00", 0.0), sighting("d07", 7.0, (), shared_with=(2,))]),
        lesion(2, [], organ="subcutis"),
    )
    spread = replace(endpoints_of((0.0, 7.0), found), washout_half_life={"liver": nothing, "a": flux_of(2.0)})
    outcome = replace(outcome, views=views, lesions=found, endpoints=spread, registrations=((own, own), ()))
    finding = Finding("image.cut", Severity.ERROR, Place("raw/a.tif", 3, "image"), "seen", "mend")
    write_noun(tmp_path / ANIMAL, StoredAnimal(outcome, (finding,)))
    back = read_noun(tmp_path / ANIMAL, StoredAnimal)
    # an object's keys have no order in JSON
    assert list(back.outcome.lesions[0].kinds) == ["artefact", "lesion"]
    assert back.outcome.lesions[0].kinds == found[0].kinds
    assert math.isinf(back.outcome.endpoints.first_spread[0])
    written = StoredAnimal(outcome, (finding,))
    assert json.dumps(encode(back), sort_keys=True) == json.dumps(encode(written), sort_keys=True)
    assert _types(back) == _types(written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"format": "lampyris-results/3"}',
        '{"format": "lampyris-results/2"}',
        '{"format": "other", "outcome": {}}',
        "\x00",
    ],
)
def test_what_was_not_written_is_refused(tmp_path, text):
    (tmp_path / ANIMAL).write_text(text)
    with pytest.raises(LampyrisError, match="cannot be read"):
        read_noun(tmp_path / ANIMAL, StoredAnimal)


def test_cut_session_is_refused(tmp_path):
    write_session(session(), tmp_path)
    whole = (tmp_path / SESSION).read_text()
    data = json.loads(whole)
    del data["views"][0]["registration"]
    for text in (whole[:-40], json.dumps(data), json.dumps({**data, "more": 1})):
        (tmp_path / SESSION).write_text(text)
        with pytest.raises(LampyrisError, match="cannot be read"):
            read_session(tmp_path)


class Colour(StrEnum):
    RED = "red"


VALUES = [
    (float, 1.5),
    (float, math.nan),
    (float, -math.inf),
    (int, 7),
    (bool, True),
    (str, "NaN"),
    (str | None, None),
    (float | None, math.inf),
    (Colour, Colour.RED),
    (tuple[tuple[float, float], ...], ((1.0, math.nan), (2.0, 3.0))),
    (tuple[str, int], ("a", 1)),
    (dict[str, float], {"a": math.inf, "b": 2.0}),
    (Place, Place("a", None, "b")),
]


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=[repr(value) for _, value in VALUES])
def test_codec_round_trip(kind, value):
    back = decode(kind, json.loads(json.dumps(encode(value), allow_nan=False)))
    assert repr(back) == repr(value)
    assert type(back) is type(value)


@given(st.floats(allow_nan=False))
def test_every_float_keeps_its_bits(value):
    back = decode(float, json.loads(json.dumps(encode(value), allow_nan=False)))
    assert math.copysign(1, back) == math.copysign(1, value)
    assert back == value


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (float, "1.5"),
        (float, True),
        (int, 1.5),
        (int, True),
        (str, 3),
        (tuple[str, int], ["a"]),
        (tuple[str, ...], "abc"),
        (Place, {"file": "a", "row": None, "column": "", "more": 1}),
        (Place, []),
        (Estimate, {"value": 1.0}),
        (Colour, "blue"),
    ],
)
def test_codec_refuses_what_is_of_another_form(kind, data):
    with pytest.raises(ValueError, match=r".+"):
        decode(kind, data)


def test_codec_refuses_arrays():
    with pytest.raises(TypeError, match="ndarray"):
        encode({"a": np.zeros(3)})


def test_codec_takes_numpy_numbers():
    assert encode((np.float64(1.5), np.int32(2), np.bool_(True), np.float32(math.nan))) == [1.5, 2, True, "NaN"]
