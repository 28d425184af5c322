"""Keys, records, resuming and failures of the graph's steps, on tasks that copy a file."""

import json
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import scipy.linalg  # noqa: F401  (loads the library whose threads are counted)
from small_work import copy_and_count, die, fail, write_nothing
from threadpoolctl import threadpool_info, threadpool_limits

from lampyris.core.errors import ImageError, LampyrisError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.study.graph import tasks as graph
from lampyris.study.graph.provenance import package_versions, source_hash
from lampyris.study.graph.tasks import RECORD, Task, do_task, is_done, open_engine, run_task, run_tasks, task_key


@pytest.fixture
def task(tmp_path):
    (tmp_path / "in.txt").write_text("light")
    return Task("session", str(tmp_path), "out/one", ("in.txt",), ("copy.txt", "many"), '{"a":1}', copy_and_count)


def _calls(task):
    path = Path(task.study) / f"calls-{Path(task.folder).name}"
    return len(path.read_text()) if path.exists() else 0


def test_done_once(task):
    first, second = run_task(task), run_task(task)
    assert (first.done, first.reused) == (True, False)
    assert (second.done, second.reused) == (True, True)
    assert _calls(task) == 1
    assert run_task(task, force=True).reused is False


def test_record_says_what_was_made(task):
    do_task(task)
    folder = Path(task.study) / task.folder
    record = json.loads((folder / RECORD).read_text())
    assert set(record) == {"step", "key", "inputs", "options", "outputs"}
    assert sorted(record["outputs"]) == ["copy.txt", "many/part"]
    assert record["inputs"] == {"in.txt": graph.durable.sha256_file(Path(task.study) / "in.txt")}
    assert record["options"] == {"a": 1}


CHANGES = {
    "step": lambda task: replace(task, step="other"),
    "options": lambda task: replace(task, options='{"a":2}'),
    "outputs": lambda task: replace(task, outputs=("copy.txt",)),
    "seed key": lambda task: replace(task, seed_key=("study", "m01")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_key_changes_with(task, change):
    inputs = {"in.txt": "0" * 64}
    assert task_key(CHANGES[change](task), inputs) != task_key(task, inputs)


def test_key_changes_with_inputs_source_and_versions(task, monkeypatch):
    inputs = {"in.txt": "0" * 64}
    key = task_key(task, inputs)
    assert task_key(task, {"in.txt": "1" * 64}) != key
    assert task_key(task, {"in.TXT": "0" * 64}) != key
    assert task_key(task, inputs, source="0" * 64) != key
    assert task_key(task, inputs, source=source_hash()) == key
    monkeypatch.setattr(graph, "package_versions", lambda: {**package_versions(), "numpy": "0.0"})
    assert task_key(task, inputs) != key


def test_key_does_not_know_where_the_study_lies(task, tmp_path):
    inputs = {"in.txt": "0" * 64}
    assert task_key(replace(task, study="/elsewhere"), inputs) == task_key(task, inputs)


def test_source_hash_covers_every_file(tmp_path, monkeypatch):
    import lampyris

    package = tmp_path / "lampyris"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "data/table.csv").write_text("1")
    monkeypatch.setattr(lampyris, "__file__", str(package / "__init__.py"))
    compute = source_hash.__wrapped__
    before = compute()
    (package / "__pycache__").mkdir()
    (package / "__pycache__/a.pyc").write_text("x")
    assert compute() == before
    (package / "data/table.csv").write_text("2")
    changed = compute()
    assert changed != before
    (package / "data/table.csv").rename(package / "data/other.csv")
    assert compute() not in (before, changed)


def _cut_output(folder):
    (folder / "copy.txt").write_text("ligh")


def _lose_output(folder):
    (folder / "copy.txt").unlink()


def _lose_part(folder):
    (folder / "many/part").unlink()


def _add_part(folder):
    (folder / "many/more").write_text("stray")


def _cut_record(folder):
    (folder / RECORD).write_text((folder / RECORD).read_text()[:50])


def _foreign_record(folder):
    (folder / RECORD).write_text("[]")


def _lose_record(folder):
    (folder / RECORD).unlink()


@pytest.mark.parametrize(
    "damage", [_cut_output, _lose_output, _lose_part, _add_part, _cut_record, _foreign_record, _lose_record]
)
def test_damage_is_mended(task, damage):
    do_task(task)
    folder = Path(task.study) / task.folder
    whole = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    damage(folder)
    assert run_task(task).reused is False
    assert {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == whole


def test_new_input_is_taken_up(task):
    do_task(task)
    (Path(task.study) / "in.txt").write_text("more light")
    assert run_task(task).reused is False
    assert (Path(task.study) / task.folder / "copy.txt").read_text() == "more light"


IMAGE_ERROR = ImageError(
    "a.tif is cut short", [Finding("image.cut", Severity.ERROR, Place("a.tif"), "is cut short.", "Copy it again.")]
)


def test_failure_is_an_outcome_and_leaves_no_outputs(task):
    do_task(task)
    outcome = run_task(replace(task, options="{}", work=partial(fail, IMAGE_ERROR)))
    assert (outcome.done, outcome.reason) == (False, "a.tif is cut short")
    assert [finding.rule for finding in outcome.findings] == ["image.cut"]
    folder = Path(task.study) / task.folder
    assert sorted(path.name for path in folder.iterdir()) == []


def test_reason_names_no_place_on_this_machine(task):
    outcome = run_task(replace(task, work=partial(fail, OSError(f"cannot read {task.study}/raw/a.tif"))))
    assert outcome.reason == "OSError: cannot read raw/a.tif"


def test_missing_input_is_an_outcome(task):
    outcome = run_task(replace(task, inputs=("gone.txt",)))
    assert not outcome.done
    assert "gone.txt" in outcome.reason


def test_what_is_not_written_is_noticed(task):
    outcome = run_task(replace(task, work=write_nothing))
    assert "did not write copy.txt, many" in outcome.reason


def test_a_full_disk_stops_the_run(task):
    full = LampyrisError("disk", [Finding("store.write", Severity.ERROR, Place("a"), "no space left.", "")])
    with pytest.raises(LampyrisError, match="disk"):
        run_task(replace(task, work=partial(fail, full)))


def test_interruption_is_not_swallowed(task):
    with pytest.raises(KeyboardInterrupt):
        run_task(replace(task, work=partial(fail, KeyboardInterrupt())))
    assert not is_done(Path(task.study) / task.folder, "")
    assert run_task(task).done


def _tasks(task, count=4):
    return [replace(task, folder=f"out/{place}") for place in range(count)]


def note_threads(study, folder):
    (folder / "copy.txt").write_text(
        json.dumps([one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"])
    )
    (folder / "many").mkdir()


@pytest.mark.parametrize("workers", [None, 1])
def test_linear_algebra_of_a_task_has_one_thread(task, workers):
    """Whatever holds outside: here two, though the tests themselves begin with one."""
    with threadpool_limits(2, user_api="blas"):
        assert 2 in [one["num_threads"] for one in threadpool_info()]
        with open_engine(workers) as engine:
            run_tasks([replace(task, work=note_threads)], engine=engine)
    seen = json.loads((Path(task.study) / task.folder / "copy.txt").read_text())
    assert seen and set(seen) == {1}


@pytest.mark.parametrize("workers", [None, 1, 2])
def test_one_failure_leaves_the_others(task, workers):
    tasks = _tasks(task)
    tasks[1] = replace(tasks[1], work=partial(fail, ValueError("odd")))
    seen = []
    with open_engine(workers) as engine:
        outcomes = run_tasks(tasks, engine=engine, progress=lambda *args: seen.append(args))
    assert [outcome.done for outcome in outcomes] == [True, False, True, True]
    assert outcomes[1].reason == "ValueError: odd"
    assert [outcome.folder for outcome in outcomes] == [task.folder for task in tasks]
    assert [(done, total) for done, total, _ in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {text for _, _, text in seen} == {task.folder for task in tasks}


def test_a_dying_worker_stops_only_its_task(task):
    tasks = _tasks(task, 3)
    tasks[1] = replace(tasks[1], work=die)
    with open_engine(2) as engine:
        outcomes = run_tasks(tasks, engine=engine)
    assert [outcome.done for outcome in outcomes] == [True, False, True]
    assert "worker process died" in outcomes[1].reason


def test_interruption_cancels_what_has_not_begun(task):
    started = []
    gate = threading.Event()

    def work(study, folder):
        started.append(folder.name)
        gate.wait(5)
        copy_and_count(study, folder)

    tasks = [replace(task, folder=f"out/{place}", work=work) for place in range(20)]

    def interrupt(done, total, text):
        raise KeyboardInterrupt

    threading.Timer(0.2, gate.set).start()
    with pytest.raises(KeyboardInterrupt), graph.ThreadPoolExecutor(2) as engine:
        run_tasks(tasks, engine=engine, progress=interrupt)
    # two ran, and few more can have been taken up before the interruption was seen
    assert 1 <= len(started) <= 6
