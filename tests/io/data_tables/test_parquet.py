"""Tables of the package's own results."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lampyris.core.errors import InputError
from lampyris.io.data_tables import read_table
from lampyris.io.tables import write_table


def test_a_result_reads_alike_from_both_of_its_files(tmp_path):
    columns = {"animal": ["m01", None], "flux": np.array([1.5e9, np.nan]), "count": [1, 2], "seen": [True, False]}
    write_table(tmp_path, "t", columns, units={"flux": "ph s-1"})
    found = read_table(tmp_path / "t.parquet")
    assert found.columns["animal"] == ("m01", "")
    assert found.columns["seen"] == ("yes", "no")
    np.testing.assert_array_equal(found.numbers("flux"), read_table(tmp_path / "t.csv").numbers("flux"))


def test_lists_are_left_out_and_told(tmp_path):
    pq.write_table(pa.table({"a": [1], "b": [[1, 2]]}), tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet")
    assert list(found.columns) == ["a"]
    assert "column 'b' holds lists and is left out" in found.notes


def test_an_empty_or_too_large_table(tmp_path, monkeypatch):
    from lampyris.io.data_tables import parquet

    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match="0 cells"):
        read_table(tmp_path / "t.parquet")
    pq.write_table(pa.table({"a": [1, 2, 3]}), tmp_path / "t.parquet")
    monkeypatch.setattr(parquet, "MAX_CELLS", 2)
    with pytest.raises(InputError, match="3 cells"):
        read_table(tmp_path / "t.parquet")
