"""Files are complete or absent, whatever kills their writer; the lock ends with its holder."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lampyris.core.errors import LampyrisError
from lampyris.io import durable
from lampyris.io.durable import (
    StudyLock,
    canonical_json,
    durable_directory,
    passing_directory,
    sha256_file,
    sha256_tree,
    sweep,
    write_bytes,
    write_json,
    write_text,
)

KILL = """
import os, signal, sys
from pathlib import Path
from lampyris.io import durable

path, point, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def reach(name):
    if name == point:
        os.kill(os.getpid(), signal.SIGKILL)

durable.reach = reach
if kind == "file":
    durable.write_bytes(path, b"new")
else:
    with durable.durable_directory(path) as folder:
        (folder / "part").mkdir()
        (folder / "part" / "a.txt").write_text("new")
        (folder / "b.txt").write_text("new")
"""


def killed_at(point: str, path: Path, kind: str) -> None:
    """Run a writer in a child process that dies by SIGKILL at a named point."""
    child = subprocess.run([sys.executable, "-c", KILL, str(path), point, kind], capture_output=True, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()


def fill(folder: Path, text: str) -> None:
    (folder / "part").mkdir(parents=True)
    (folder / "part" / "a.txt").write_text(text)
    (folder / "b.txt").write_text(text)


@pytest.mark.parametrize(("point", "content"), [("written", b"old"), ("synced", b"old"), ("renamed", b"new")])
def test_killed_writer_leaves_old_or_new_file(tmp_path: Path, point: str, content: bytes) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    killed_at(point, path, "file")
    assert path.read_bytes() == content
    sweep(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("point", "content"), [("written", "old"), ("synced", "old"), ("aside", "old"), ("renamed", "new")]
)
def test_killed_writer_leaves_old_or_new_directory(tmp_path: Path, point: str, content: str) -> None:
    path = tmp_path / "view"
    fill(path, "old")
    killed_at(point, path, "directory")
    sweep(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["view"]
    expected = tmp_path.parent / f"{tmp_path.name}-expected"
    fill(expected, content)
    assert sha256_tree(path) == sha256_tree(expected)


def test_killed_writer_of_a_new_directory_leaves_none(tmp_path: Path) -> None:
    killed_at("synced", tmp_path / "deep" / "view", "directory")
    assert len(sweep(tmp_path)) == 1
    assert list((tmp_path / "deep").iterdir()) == []


def test_points_are_reached_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(durable, "reach", seen.append)
    write_bytes(tmp_path / "a", b"")
    fill(tmp_path / "view", "old")
    with durable_directory(tmp_path / "view"):
        pass
    assert seen == ["written", "synced", "renamed", *durable.POINTS]


def test_write_makes_parents_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.txt"
    write_text(path, "µ\r\n")
    write_text(path, "ß\n")
    assert path.read_bytes() == "ß\n".encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["c.txt"]


def test_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 127)
    write_bytes(path, b"x")
    assert path.read_bytes() == b"x"


def test_file_mode_follows_umask(tmp_path: Path) -> None:
    write_bytes(tmp_path / "durable", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "durable").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_refused_write_names_file_and_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LampyrisError) as caught:
        write_bytes(tmp_path / "file" / "a.csv", b"x")
    (finding,) = caught.value.findings
    assert finding.place.file == "a.csv"
    assert "space" in finding.mend


def test_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a.bin", b"old")
    script = """
import resource, sys
from pathlib import Path
from lampyris.core.errors import LampyrisError
from lampyris.io.durable import write_bytes
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(Path(sys.argv[1]), bytes(5000))
except LampyrisError as error:
    print(error.findings[0].place.file)
"""
    command = [sys.executable, "-B", "-c", script, str(tmp_path / "a.bin")]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.stdout.strip() == "a.bin", child.stderr
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_failed_block_leaves_no_directory(tmp_path: Path) -> None:
    fill(tmp_path / "view", "old")
    with pytest.raises(KeyError), durable_directory(tmp_path / "view") as folder:
        (folder / "half").write_text("x")
        raise KeyError("half")
    assert (tmp_path / "view" / "b.txt").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["view"]


def test_passing_directory_ends_with_its_block_or_with_the_next_sweep(tmp_path: Path) -> None:
    with pytest.raises(KeyError), passing_directory(tmp_path) as folder:
        (folder / "part").write_text("x")
        raise KeyError("half")
    assert not list(tmp_path.iterdir())
    with passing_directory(tmp_path) as folder:
        (folder / "part").write_text("x")
        # as the run after a killed one does
        assert sweep(tmp_path) == (folder.name,)
    assert not list(tmp_path.iterdir())


def test_directory_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "view").write_text("a file")
    with durable_directory(tmp_path / "view") as folder:
        (folder / "a").write_text("x")
    assert (tmp_path / "view" / "a").read_text() == "x"
    assert len(list(tmp_path.iterdir())) == 1


def test_sweep_touches_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".lampyris.lock").write_text("1")
    (tmp_path / "a.partial").write_text("x")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / ".lampyris-1.partial").write_text("x")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "link").symlink_to(tmp_path / "outside")
    before = sha256_tree(tmp_path)
    assert sweep(tmp_path / "study") == ()
    assert sha256_tree(tmp_path) == before


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": "µ"}, '{\n  "a": "µ",\n  "b": 1\n}\n'),
        ({"x": np.float32(0.5), "n": np.int64(3), "f": np.True_}, '{\n  "f": true,\n  "n": 3,\n  "x": 0.5\n}\n'),
        ((1, None), "[\n  1,\n  null\n]\n"),
        (np.array([0.1]), "[\n  0.1\n]\n"),
    ],
)
def test_json_is_canonical(tmp_path: Path, value: object, text: str) -> None:
    write_json(tmp_path / "a.json", value)
    assert (tmp_path / "a.json").read_bytes() == text.encode()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.float32("-inf"), np.array([1.0, np.nan])])
def test_json_refuses_what_it_cannot_hold(bad: object) -> None:
    with pytest.raises(ValueError, match=r"value\.a\.b"):
        canonical_json({"a": {"b": bad}})
    assert "null" in canonical_json({"a": {"b": bad}}, not_finite="null")


@pytest.mark.parametrize("bad", [{1: "a"}, {"a": {1, 2}}, {"a": b"x"}])
def test_json_refuses_other_types(bad: object) -> None:
    with pytest.raises(TypeError, match="value"):
        canonical_json(bad)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8))  # fmt: skip
def test_json_reads_back_exactly(value: object) -> None:
    assert json.loads(canonical_json(value)) == value


def test_tree_hash_sees_names_and_contents_only(tmp_path: Path) -> None:
    fill(tmp_path / "one", "x")
    fill(tmp_path / "two", "x")
    os.utime(tmp_path / "two" / "b.txt", (0, 0))
    (tmp_path / "two" / "empty").mkdir()
    first = sha256_tree(tmp_path / "one")
    assert sha256_tree(tmp_path / "two") == first
    (tmp_path / "two" / "b.txt").rename(tmp_path / "two" / "c.txt")
    assert sha256_tree(tmp_path / "two") != first
    (tmp_path / "one" / "b.txt").write_text("y")
    assert sha256_tree(tmp_path / "one") != first


def test_tree_hash_separates_name_from_content(tmp_path: Path) -> None:
    for folder, name in (("one", "ab"), ("two", "a")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text("b"[: len(name) - 1])
    assert sha256_tree(tmp_path / "one") != sha256_tree(tmp_path / "two")
    with pytest.raises(NotADirectoryError):
        sha256_tree(tmp_path / "none")


def test_file_hash_is_the_published_one(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    published = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_file(tmp_path / "abc") == published


HOLD = r"""
import os, sys
from pathlib import Path
from lampyris.io.durable import StudyLock
with StudyLock(Path(sys.argv[1])):
    if sys.argv[2] == "fork" and os.fork() == 0:
        # an orphan worker that outlives its killed parent
        os.write(1, f"{os.getpid()}\n".encode())
        sys.stdin.read()
        os._exit(0)
    os.write(1, b"held\n")
    sys.stdin.read()
"""


def holder(study: Path, kind: str = "plain") -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HOLD, str(study), kind]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_second_process_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    with holder(tmp_path) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(LampyrisError, match=f"process {child.pid}") as caught, StudyLock(tmp_path):
            pass
        assert caught.value.findings[0].rule == "study.locked"
        child.kill()
        child.wait()
        with StudyLock(tmp_path):
            pass
    assert list(tmp_path.iterdir()) == []


def test_orphan_worker_does_not_hold_the_lock(tmp_path: Path) -> None:
    with holder(tmp_path, "fork") as child:
        assert child.stdout is not None
        lines = {child.stdout.readline().strip() for _ in range(2)}
        child.kill()
        child.wait()
        orphan = int(next(line for line in lines if line != "held"))
        os.kill(orphan, 0)
        with StudyLock(tmp_path):
            pass


def test_lock_is_exclusive_in_one_process_and_reusable(tmp_path: Path) -> None:
    lock = StudyLock(tmp_path)
    for _ in range(2):
        with lock:
            with pytest.raises(LampyrisError), StudyLock(tmp_path):
                pass
            with pytest.raises(LampyrisError), lock:
                pass
            assert (tmp_path / durable.LOCK_NAME).exists()
    assert list(tmp_path.iterdir()) == []


def test_lock_of_a_missing_study_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(LampyrisError), StudyLock(tmp_path / "none"):
        pass
