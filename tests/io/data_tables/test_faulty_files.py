"""Files cut short or changed in single bytes: a table or a typed error, never anything else."""

import importlib.util
import random
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lampyris.core.errors import InputError
from lampyris.io.data_tables import read_table

spec = importlib.util.spec_from_file_location("table_files", Path(__file__).parent / "table_files.py")
files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(files)

CUTS, CHANGES = 24, 120


def xlsx(folder):
    made = openpyxl.Workbook()
    for row in (["animal", "w"], ["m1", 1.5], ["m2", 2.5]):
        made.active.append(row)
    made.save(folder / "t")
    return (folder / "t").read_bytes()


def parquet(folder):
    pq.write_table(pa.table({"animal": ["m1", "m2"], "w": [1.5, 2.5]}), folder / "t")
    return (folder / "t").read_bytes()


GOOD = {
    "csv": lambda folder: b'animal;w\n"m1";1,5\nm2;2,5\n',
    "utf-16": lambda folder: "animal\tw\nm1\t1.5\n".encode("utf-16"),
    "xlsx": xlsx,
    "ods": lambda folder: files.ods([["animal", "w"], ["m1", 1.5], ["m2", 2.5]]),
    "pzfx": lambda folder: files.pzfx(files.column_table()),
    "prism": lambda folder: files.prism(),
    "parquet": parquet,
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_faulty_file_is_a_table_or_a_typed_error(tmp_path, kind):
    data = GOOD[kind](tmp_path)
    path = tmp_path / "t"
    path.write_bytes(data)
    assert len(read_table(path)) >= 1
    draw = random.Random(11)
    cases = [data[: len(data) * k // CUTS] for k in range(CUTS)]
    for _ in range(CHANGES):
        changed = bytearray(data)
        for _ in range(draw.choice((1, 1, 4))):
            changed[draw.randrange(len(data))] = draw.randrange(256)
        cases.append(bytes(changed))
    refused = 0
    for case in cases:
        path.write_bytes(case)
        try:
            found = read_table(path)
        except InputError as error:
            refused += 1
            assert all(finding.place.file == "t" and finding.mend for finding in error.findings)
            assert error.findings
        else:
            assert {len(cells) for cells in found.columns.values()} == {len(found)}
    assert refused > 0
