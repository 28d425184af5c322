"""The graph of steps: sessions, then animals, then the study; what is done stays done, what is not is made again.

A task carries paths and options, never arrays. It opens its own inputs, writes its own outputs and leaves a record, which is
written last. A step is done if and only if its record matches the key and the outputs on disk, so a run may be killed at any
moment: the next one resumes, and ends with the same bytes.
"""

import hashlib
import json
import multiprocessing
import multiprocessing.connection
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lampyris.core.errors import LampyrisError
from lampyris.core.finding import Finding
from lampyris.io import durable
from lampyris.study.graph.blas import blas_limit
from lampyris.study.graph.cluster import ClusterEngine, cluster_engine
from lampyris.study.graph.provenance import package_versions, source_hash

RECORD = "record.json"
DISK = "store.write"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Task:
    """One step on one item.

    Parameters
    ----------
    step : str
        Name of the step: ``session``, ``animal`` or ``study``.
    study : str
        The study's directory.
    folder : str
        Where outputs and record go, relative to the study.
    inputs : tuple of str
        Files that it reads, relative to the study.
    outputs : tuple of str
        Files and directories that it writes, relative to `folder`.
    options : str
        Canonical JSON of everything else that decides the outputs.
    work : callable
        Writes the outputs; called with the study's directory and the folder. It travels to worker processes, so it is a
        module's function or a partial of one with small frozen arguments, all of which `options` also spells.
    seed_key : tuple of str
        Key of the chance that the step may use.
    """

    step: str
    study: str
    folder: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: str
    work: Callable[[Path, Path], None]
    seed_key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What became of a task.

    Parameters
    ----------
    folder : str
        The task's folder.
    done : bool
        Whether its outputs are whole.
    reused : bool
        Whether they were there before.
    reason : str
        Why it is not done.
    findings : tuple of Finding
        Places and mends behind the reason.
    """

    folder: str
    done: bool
    reused: bool = False
    reason: str = ""
    findings: tuple[Finding, ...] = ()


def task_key(task: Task, inputs: dict[str, str], /, *, source: str | None = None) -> str:
    """SHA-256 of everything that decides the outputs: step, source, versions, options, inputs, seed key.

    Parameters
    ----------
    task : Task
        The task.
    inputs : dict of str to str
        SHA-256 per input file.
    source : str, optional
        SHA-256 of the package's source; this package's own by default.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    parts = {
        "step": task.step,
        "source": source or source_hash(),
        "packages": package_versions(),
        "options": task.options,
        "inputs": inputs,
        "outputs": task.outputs,
        "seed": task.seed_key,
    }
    return hashlib.sha256(durable.canonical_json(parts).encode()).hexdigest()


def run_task(task: Task, /, *, force: bool = False) -> TaskOutcome:
    """Do one task unless it is done; its failure is its outcome.

    Parameters
    ----------
    task : Task
        What to do.
    force : bool
        Do it again even if it is done.

    Returns
    -------
    TaskOutcome
        Where the task failed, nothing of its outputs is left.

    Raises
    ------
    LampyrisError
        Only if the disk refuses to be written.
    """
    try:
        return do_task(task, force=force)
    except Exception as error:
        if isinstance(error, LampyrisError) and any(finding.rule == DISK for finding in error.findings):
            # a full or read-only disk is no fault of the item: the run stops, and resumes when there is space
            raise
        # one item's failure stops that item only, whatever it is; the reason is recorded and shown
        return _failure(task, error)


def do_task(task: Task, /, *, force: bool = False) -> TaskOutcome:
    """Do one task unless it is done.

    Parameters
    ----------
    task : Task
        What to do.
    force : bool
        Do it again even if it is done.

    Returns
    -------
    TaskOutcome
        Done.

    Raises
    ------
    Exception
        What the task's work raises; nothing of its outputs is left then.
    """
    folder = Path(task.study) / task.folder
    try:
        inputs = {path: _sha256(Path(task.study) / path) for path in sorted(set(task.inputs))}
        key = task_key(task, inputs)
        if not force and is_done(folder, key):
            return TaskOutcome(task.folder, True, reused=True)
        clear_outputs(folder, task.outputs)
        folder.mkdir(parents=True, exist_ok=True)
        task.work(Path(task.study), folder)
        _write_record(folder, task, key, inputs)
    except Exception:
        clear_outputs(folder, task.outputs)
        raise
    return TaskOutcome(task.folder, True)


def _sha256(path: Path) -> str:
    """Hash of an input: a file, or a folder that is one image."""
    return durable.sha256_tree(path) if path.is_dir() else durable.sha256_file(path)


def is_done(folder: Path, key: str, /) -> bool:
    """Whether the folder's record has this key and its outputs are what the record says, byte for byte."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if record["key"] != key:
            return False
        tops = sorted({name.split("/")[0] for name in record["outputs"]})
        return bool(record["outputs"] == hash_files(folder, tops))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # a missing, cut or foreign record means the same: not done
        return False


def hash_files(folder: Path, names: Sequence[str], /) -> dict[str, str]:
    """SHA-256 of every file under these names, by its path inside `folder`; a missing name gives nothing."""
    hashes = {}
    for name in names:
        top = folder / name
        files = sorted(path for path in top.rglob("*") if path.is_file()) if top.is_dir() else [top]
        for path in files:
            if path.is_file():
                hashes[path.relative_to(folder).as_posix()] = durable.sha256_file(path)
    return dict(sorted(hashes.items()))


def clear_outputs(folder: Path, names: Sequence[str], /) -> None:
    """Remove the record first, then the outputs, so that no moment shows a record over half of them."""
    (folder / RECORD).unlink(missing_ok=True)
    for name in names:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def open_engine(
    workers: int | None = None, /, *, scheduler: str = "", study: Path = Path()
) -> Iterator[Executor | None]:
    """Give the engine for this number of workers, or for a cluster.

    Parameters
    ----------
    workers : int, optional
        Threads on every core by default; 1 works in this thread (no engine); more are processes.
    scheduler : str
        Address of a running Dask scheduler: its workers do the tasks.
    study : Path
        The study, for a cluster: each of its workers must see it.

    Yields
    ------
    concurrent.futures.Executor or None
        Cancelled on the way out where an interruption left work undone.
    """
    with _one_blas_thread():
        if scheduler:
            with cluster_engine(scheduler, study) as engine:
                yield engine
        else:
            yield from _engine(workers)


def _engine(workers: int | None) -> Iterator[Executor | None]:
    if workers == 1:
        yield None
        return
    engine: Executor
    if workers is None:
        engine = ThreadPoolExecutor(os.cpu_count() or 1)
    else:
        # spawn: forking a process that runs threads may deadlock
        context = multiprocessing.get_context("spawn")
        engine = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
        for _ in range(workers):
            # a process starts with its first task: what it imports can be had while this one does something else
            engine.submit(_wake)
    try:
        yield engine
    finally:
        engine.shutdown(wait=True, cancel_futures=True)


def run_tasks(
    tasks: Sequence[Task],
    /,
    *,
    engine: Executor | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> tuple[TaskOutcome, ...]:
    """Do one level of the graph.

    Parameters
    ----------
    tasks : sequence of Task
        Independent of each other.
    engine : concurrent.futures.Executor, optional
        What runs them; this thread by default.
    force : bool
        Do also what is done.
    progress : callable, optional
        Called in this thread with the number done, the total and the folder.

    Returns
    -------
    tuple of TaskOutcome
        In the order of `tasks`.
    """
    say = progress or (lambda done, total, text: None)
    if engine is None:
        outcomes = []
        for task in tasks:
            outcomes.append(run_task(task, force=force))
            say(len(outcomes), len(tasks), task.folder)
        return tuple(outcomes)
    futures: dict[Future[TaskOutcome], int] = {}
    collected: dict[int, TaskOutcome] = {}
    try:
        with suppress(BrokenExecutor):
            for place, task in enumerate(tasks):
                futures[engine.submit(run_task, task, force=force)] = place
        for future in as_completed(futures):
            # a worker that dies takes the others of its pool with it: what is left then follows below
            with suppress(BrokenExecutor):
                collected[futures[future]] = future.result()
                say(len(collected), len(tasks), tasks[futures[future]].folder)
        for place, task in enumerate(tasks):
            if place not in collected:
                # alone, so that the deadly one stops only itself
                collected[place] = _run_alone(task, force, engine)
                say(len(collected), len(tasks), task.folder)
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    return tuple(collected[place] for place in range(len(tasks)))


def _run_alone(task: Task, force: bool, broken: Executor) -> TaskOutcome:
    """Do one task with nothing else under way: on the cluster, or in a process of its own."""
    try:
        if isinstance(broken, ClusterEngine):
            return broken.submit(run_task, task, force=force).result()
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context, initializer=_begin_worker) as engine:
            return engine.submit(run_task, task, force=force).result()
    except BrokenExecutor:
        clear_outputs(Path(task.study) / task.folder, task.outputs)
        reason = "its worker process died, most often for lack of memory: run it with fewer workers"
        return TaskOutcome(task.folder, False, reason=reason)


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Hold linear algebra to one thread: sums split over threads differ in their last digits, and small ones are slower."""
    with blas_limit():
        yield


def _wake() -> None:
    """Import what the steps of a study need."""
    import lampyris.imaging.step
    import lampyris.study.graph.following  # noqa: F401


def _begin_worker() -> None:
    """Set up a worker process: one thread of linear algebra for all its life, and no life beyond the run's."""
    blas_limit()
    _leave_with_parent()


def _leave_with_parent() -> None:
    """End this worker when the run is killed, so that it cannot write into a study that another run has taken up."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _write_record(folder: Path, task: Task, key: str, inputs: dict[str, str]) -> None:
    record: dict[str, Any] = {
        "step": task.step,
        "key": key,
        "inputs": inputs,
        "options": json.loads(task.options),
        "outputs": hash_files(folder, task.outputs),
    }
    missing = [name for name in task.outputs if not (folder / name).exists()]
    if missing:
        raise LampyrisError(f"the step {task.step} did not write {', '.join(missing)} in {task.folder}")
    durable.write_json(folder / RECORD, record)


def _failure(task: Task, error: Exception) -> TaskOutcome:
    if isinstance(error, LampyrisError):
        reason = error.args[0] if error.args else type(error).__name__
        return TaskOutcome(task.folder, False, reason=_without_machine(str(reason), task), findings=error.findings)
    text = _without_machine(str(error), task)
    return TaskOutcome(task.folder, False, reason=f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _without_machine(text: str, task: Task) -> str:
    """Take the study's place on this machine out of a message that will stand in an output."""
    for place in {str(Path(task.study).resolve()), task.study}:
        text = text.replace(place.rstrip("/") + "/", "")
    return text
