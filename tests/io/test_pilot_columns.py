"""The spread of a pilot, and of an earlier study."""

import math
import statistics

import pytest

from lampyris.core.errors import InputError
from lampyris.io.data_tables import read_table
from lampyris.io.pilot_columns import pilot_summary


def table(tmp_path, text):
    path = tmp_path / "pilot.csv"
    path.write_text(text, "utf-8")
    return read_table(path)


def test_several_values_of_an_animal_are_averaged(tmp_path):
    text = "animal,group,flux\nm1,a,1\nm1,a,3\nm2,a,4\nm3,b,5\nm4,b,7\nm5,b,\n"
    found = pilot_summary(table(tmp_path, text), value="flux", group="group", subject="animal")
    assert (found.groups, found.n) == (("a", "b"), (2, 2))
    assert found.sd == pytest.approx((statistics.stdev([2, 4]), statistics.stdev([5, 7])))
    assert found.notes == ("1 units had several values, which were averaged.",)


def test_without_groups_and_one_unit(tmp_path):
    found = pilot_summary(table(tmp_path, "flux\n3\n"), value="flux")
    assert found.n == (1,) and math.isnan(found.sd[0])


def test_faults(tmp_path):
    with pytest.raises(InputError, match="m1 is in a and in b"):
        pilot_summary(
            table(tmp_path, "animal,group,flux\nm1,a,1\nm1,b,2\n"), value="flux", group="group", subject="animal"
        )
    with pytest.raises(InputError, match="holds text"):
        pilot_summary(table(tmp_path, "flux\nmuch\n"), value="flux")
