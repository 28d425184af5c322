"""Composition from X-ray spectra of a virtual dot."""

import numpy as np
import pytest

from lampyris.core.bench import BenchSource
from lampyris.core.errors import LampyrisError
from lampyris.core.techniques.eds import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.eds import XrayTruth, write_virtual_xray


def test_a_known_composition_comes_back(tmp_path):
    truth = XrayTruth({"Cd": 0.5, "Se": 0.5})
    write_virtual_xray(tmp_path / "a.msa", truth, rng=np.random.default_rng(1))
    found = measure("eds", [BenchSource(tmp_path / "a.msa", "a.msa")], settings=Settings())
    rows = {row["element"]: row["atomic_percent"] for row in found.pooled.tables["atomic_percent"]}
    for element in ("Cd", "Se"):
        assert rows[element].low < 50.0 < rows[element].high


def test_a_file_that_is_no_spectrum_is_refused(tmp_path):
    (tmp_path / "a.msa").write_text("nothing")
    with pytest.raises(LampyrisError):
        measure("eds", [BenchSource(tmp_path / "a.msa", "a.msa")], settings=Settings())
