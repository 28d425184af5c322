"""What worker processes share of the nominal animal's light is what each would compute."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from lampyris.imaging.light import light_table
from lampyris.study.graph.light import begin_light, light_is_shared, use_light
from lampyris.virtual.design import default_design

INSTRUMENT = default_design().instrument


@pytest.fixture
def one_part(monkeypatch):
    """The quickest part alone, none of which this process has."""
    monkeypatch.setattr(light_table, "LIGHT_PARTS", ("ensemble",))
    monkeypatch.setattr(light_table, "_PARTS", {})


def test_a_part_of_another_process_is_the_own_one(one_part, tmp_path):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as engine:
        missing = begin_light(INSTRUMENT, engine, tmp_path / "missing")
        parts = begin_light(INSTRUMENT, engine, tmp_path)
        assert light_is_shared(parts)
        assert not light_is_shared(missing), "a part that could not be written is no part"
    own = light_table.light_part(INSTRUMENT, "ensemble")
    light_table._PARTS.clear()
    use_light(INSTRUMENT, tmp_path)
    taken = light_table.light_part(INSTRUMENT, "ensemble")
    assert taken is not own
    assert {name: (one.dtype, one.shape, one.tobytes()) for name, one in taken.items()} == {
        name: (one.dtype, one.shape, one.tobytes()) for name, one in own.items()
    }


def test_a_part_that_is_there_is_not_read_again(one_part, tmp_path):
    light_table.keep_light_part(INSTRUMENT, "ensemble", {})
    use_light(INSTRUMENT, tmp_path / "missing")
    assert light_table.light_part(INSTRUMENT, "ensemble") == {}


def test_a_part_that_is_there_is_written_by_this_process(one_part, tmp_path, monkeypatch):
    light_table.keep_light_part(INSTRUMENT, "ensemble", {"share": np.arange(3.0)})
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as engine:
        monkeypatch.setattr(engine, "submit", None)
        assert light_is_shared(begin_light(INSTRUMENT, engine, tmp_path))
        assert not light_is_shared(begin_light(INSTRUMENT, engine, tmp_path / "missing"))
    light_table._PARTS.clear()
    use_light(INSTRUMENT, tmp_path)
    assert light_table.light_part(INSTRUMENT, "ensemble")["share"].tolist() == [0.0, 1.0, 2.0]


def test_one_process_shares_nothing(tmp_path):
    with ThreadPoolExecutor(2) as threads:
        for engine in (None, threads):
            parts = begin_light(INSTRUMENT, engine, tmp_path)
            assert parts == []
            assert not light_is_shared(parts)


def test_parts_of_few_wavelengths_are_kept(one_part):
    several = [INSTRUMENT.model_copy(update={"excitation_nm": 700.0 + k}) for k in range(4)]
    for one in several:
        light_table.keep_light_part(one, "ensemble", {})
    assert [light_table.has_light_part(one, "ensemble") for one in several] == [False, False, True, True]
    # a camera's pixels change nothing in the animal
    assert light_table.has_light_part(several[-1].model_copy(update={"pixel_mm": 0.3}), "ensemble")
