"""The doctor reports what is there, and says what is missing."""

import json
from importlib import metadata

import pytest

from lampyris.study import doctor


def test_versions_are_the_installed_ones():
    found = doctor.examine()
    assert found["packages"]["numpy"] == metadata.version("numpy")
    assert found["ready"]
    assert found["missing"] == []
    assert found["extras"].keys() == set(metadata.metadata("lampyris").get_all("Provides-Extra") or ())
    assert found["cores"] >= 1
    json.dumps(found, allow_nan=False)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(
        doctor.metadata, "requires", lambda name: ["numpy>=2.0", "no-such-package>=1; extra == 'x'", "nor-this"]
    )
    found = doctor.examine()
    assert found["missing"] == ["nor-this"]
    assert found["extras"] == {"x": {"no-such-package": None}}
    assert not found["ready"]
    text = doctor.describe(found)
    assert "missing: nor-this" in text
    assert "pip install lampyris[x]" in text


@pytest.mark.parametrize(
    ("what", "value", "said"),
    [
        ("_cores", 1, "1 core may be used"),
        ("_memory_gb", 0.9, "0.9 GB of memory"),
        ("_kernel_cache", False, "NUMBA_CACHE_DIR"),
    ],
)
def test_what_would_be_slow_is_said(monkeypatch, what, value, said):
    monkeypatch.setattr(doctor, what, lambda: value)
    found = doctor.examine()
    assert any(said in entry["seen"] + entry["mend"] for entry in found["slow"])
    assert said in doctor.describe(found)


def test_a_share_of_a_container_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(doctor, "_first_words", lambda _: ["150000", "100000"])
    assert doctor._cores() == 1
    monkeypatch.setattr(doctor, "_first_words", lambda _: ["max", "100000"])
    assert doctor._cores() == 8


def test_unknown_memory_is_no_number(monkeypatch):
    def unknown(name):
        raise ValueError(name)

    monkeypatch.setattr(doctor.os, "sysconf", unknown)
    found = doctor.examine()
    assert found["memory_gb"] is None
    assert "unknown" in doctor.describe(found)
