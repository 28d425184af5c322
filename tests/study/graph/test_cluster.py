"""A Dask cluster as engine: the same bytes, mismatched workers refused, a deadly task stops only itself."""

import shutil
import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from cheap_step import cheap_follow, cheap_step
from small_work import copy_and_count, die, fail

from lampyris.cli.command import main
from lampyris.core.errors import ImageError, LampyrisError, MissingExtraError, UsageError
from lampyris.io.durable import sha256_file, sha256_tree
from lampyris.study.graph import cluster
from lampyris.study.graph.tasks import Task, open_engine, run_tasks
from lampyris.study.run import Analysis, run_study

distributed = pytest.importorskip("distributed", reason="distributed is not installed")
# the cluster's own threads and sockets are closed by its finalisers, after the test that made them
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


PART = ("a1", "b1")


@pytest.fixture(scope="module")
def processes():
    """Two worker processes; a task that kills its worker is given up at once."""
    import dask

    with (
        dask.config.set(
            {"distributed.scheduler.allowed-failures": 0, "distributed.admin.system-monitor.gil.enabled": False}
        ),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as found,
    ):
        yield found.scheduler_address


@pytest.fixture(scope="module")
def threads():
    """A worker in this process, so that a test can change what it says of itself."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=":0"
    ) as found:
        yield found.scheduler_address


@pytest.fixture
def tasks(tmp_path):
    (tmp_path / "in.txt").write_text("light")
    (tmp_path / "study.toml").write_text("")
    first = Task("session", str(tmp_path), "out/0", ("in.txt",), ("copy.txt", "many"), "{}", copy_and_count)
    return [replace(first, folder=f"out/{number}") for number in range(4)]


def run(tasks, address):
    with open_engine(scheduler=address, study=Path(tasks[0].study)) as engine:
        return run_tasks(tasks, engine=engine)


def is_here():
    """Whether this is the test's own thread and not the worker's."""
    return threading.current_thread() is threading.main_thread()


def rules(error):
    return [finding.rule for finding in error.value.findings]


def test_same_bytes_as_alone(small_study, tmp_path_factory, processes):
    alone = Path(shutil.copytree(small_study, tmp_path_factory.mktemp("alone") / "study"))
    assert run_study(alone, workers=1, only=PART, analysis=Analysis(cheap_step, cheap_follow)).exit_code == 0
    assert (
        run_study(small_study, scheduler=processes, only=PART, analysis=Analysis(cheap_step, cheap_follow)).exit_code
        == 0
    )
    assert sha256_tree(small_study / "results") == sha256_tree(alone / "results")


def test_one_failure_and_one_death_leave_the_others(tasks, processes):
    tasks[1] = replace(tasks[1], work=partial(fail, ImageError("too dark")))
    tasks[2] = replace(tasks[2], work=die)
    outcomes = run(tasks, processes)
    assert [outcome.done for outcome in outcomes] == [True, False, False, True]
    assert outcomes[1].reason == "too dark"
    assert "worker process died" in outcomes[2].reason
    assert not (Path(tasks[2].study) / "out/2/copy.txt").exists()


def test_what_is_done_is_kept(tasks, processes):
    run(tasks, processes)
    assert all(outcome.reused for outcome in run(tasks, processes))


@pytest.mark.parametrize("changed", ["numpy", "lampyris source"])
def test_other_versions_are_refused(tasks, threads, monkeypatch, changed):
    own = cluster.versions()
    monkeypatch.setattr(cluster, "versions", lambda: own if is_here() else {**own, changed: "0.0"})
    with pytest.raises(LampyrisError) as caught:
        run(tasks, threads)
    assert rules(caught) == ["scheduler.versions"]
    assert f"{changed} 0.0" in caught.value.findings[0].seen
    assert not (Path(tasks[0].study) / "out").exists()


def test_a_worker_that_joined_later_is_refused_with_its_first_task(tasks, threads, monkeypatch):
    with (
        pytest.raises(LampyrisError, match="joined later") as caught,
        open_engine(scheduler=threads, study=Path(tasks[0].study)) as engine,
    ):
        engine._expected = {**engine._expected, "scipy": "0.0"}
        run_tasks(tasks, engine=engine)
    assert rules(caught) == ["scheduler.versions"]


def test_a_worker_without_the_study_is_refused(tasks, threads, monkeypatch):
    monkeypatch.setattr(cluster, "sha256_file", lambda path: sha256_file(path) if is_here() else "")
    with pytest.raises(LampyrisError) as caught:
        run(tasks, threads)
    assert rules(caught) == ["scheduler.no-study"]


def test_a_worker_that_cannot_run_it_is_refused(tasks, threads, monkeypatch):
    def broken(study):
        raise ModuleNotFoundError("No module named 'lampyris'")

    monkeypatch.setattr(cluster, "_answer", broken)
    with pytest.raises(LampyrisError) as caught:
        run(tasks, threads)
    assert rules(caught) == ["scheduler.worker"]


def test_tasks_of_a_killed_run_are_waited_for(tasks, threads, monkeypatch):
    monkeypatch.setattr(cluster, "BUSY_S", 0.3)
    monkeypatch.setitem(cluster._running, str(Path(tasks[0].study).resolve()), 1)
    with pytest.raises(LampyrisError) as caught:
        run(tasks, threads)
    assert rules(caught) == ["scheduler.busy"]


def test_a_cluster_without_workers_is_refused(tasks):
    with distributed.LocalCluster(
        n_workers=0, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=":0"
    ) as empty:
        with pytest.raises(LampyrisError) as caught:
            run(tasks, empty.scheduler_address)
        assert rules(caught) == ["scheduler.no-workers"]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense:\0", "ftp://127.0.0.1:9"])
def test_no_scheduler_is_said(tasks, monkeypatch, address):
    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    with pytest.raises(LampyrisError) as caught:
        run(tasks, address)
    assert rules(caught) == ["scheduler.unreachable"]


def test_a_missing_extra_is_named(tasks, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"lampyris\[dask\]"):
        run(tasks, "tcp://127.0.0.1:9")


def test_workers_and_scheduler_exclude_each_other(small_study, capsys):
    with pytest.raises(UsageError):
        run_study(small_study, workers=2, scheduler="tcp://127.0.0.1:9")
    assert main(["run", str(small_study), "--workers", "2", "--scheduler", "tcp://127.0.0.1:9"]) == 2
