"""The engine of more than one machine: any running Dask cluster whose workers see the study's folder under the same path.

Tasks carry paths and options. A worker of other versions than this process would write other bytes under the same record, so each
is asked before anything is sent, and one that joins later is refused with its first task.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from lampyris.core.errors import LampyrisError, MissingExtraError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.durable import sha256_file
from lampyris.study.graph.provenance import package_versions, source_hash

EXTRA = "dask"
CONNECT_S = 20.0
"""How long a scheduler may take to answer."""
BUSY_S = 60.0
"""How long tasks that a killed run left on the cluster may take to end."""
_MEND_VERSIONS = "Install the same Lampyris and the same packages on every worker as here, and restart the workers."
_MEND_ADDRESS = "Give the address that the scheduler prints, such as tcp://node7:8786, and check that it still runs."
_PROBE = "study.toml"

# tasks that run in this worker process now, by study
_running: Counter[str] = Counter()
_running_lock = threading.Lock()


class WorkerLost(BrokenExecutor):
    """The worker of a task died with it."""


class ClusterEngine(Executor):
    """An executor over a Dask client that checks each worker and knows a dead one.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    """

    def __init__(self, client: Any, /) -> None:
        # the same call twice is two pieces of work; and a task that a worker died with is run again by us, alone
        self._engine = client.get_executor(pure=False, retries=0)
        self._expected = versions()
        self._open: set[Future[Any]] = set()

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a call to the cluster; its future raises `WorkerLost` where its worker died."""
        inner = self._engine.submit(_work_here, self._expected, work, args, kwargs)
        outer: Future[Any] = Future()
        self._open.add(inner)
        inner.add_done_callback(self._open.discard)
        inner.add_done_callback(partial(_pass_on, outer))
        outer.add_done_callback(lambda future: inner.cancel() if future.cancelled() else None)
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take back what has not begun, and wait for the rest: it writes into the study."""
        if cancel_futures:
            for future in tuple(self._open):
                future.cancel()
        self._engine.shutdown(wait=wait)


def versions() -> dict[str, str]:
    """What decides the bytes of a result in this process: Lampyris' source and the packages under it."""
    return {"lampyris source": source_hash(), **package_versions()}


@contextmanager
def cluster_engine(address: str, study: Path, /) -> Iterator[ClusterEngine]:
    """Connect to a running Dask cluster for one study.

    Parameters
    ----------
    address : str
        Of its scheduler, or the path of its scheduler file.
    study : Path
        The study's folder, which each worker must see under this path.

    Yields
    ------
    ClusterEngine

    Raises
    ------
    MissingExtraError
        If `distributed` is not installed.
    LampyrisError
        If no scheduler answers, it has no workers, a worker has other versions or does not see the study, or tasks of an
        earlier run still write into it.
    """
    try:
        from distributed import Client
    except ImportError as error:
        seen = "the package distributed is not installed."
        mend = f"Install it: pip install 'lampyris[{EXTRA}]'."
        finding = Finding("scheduler.missing", Severity.ERROR, Place("--scheduler"), seen, mend)
        raise MissingExtraError("a Dask cluster needs an optional part that is missing", [finding]) from error
    study = Path(study).resolve()
    is_file = "://" not in address and Path(address).is_file()
    place = {"scheduler_file": address} if is_file else {"address": address}
    try:
        client = Client(**place, timeout=CONNECT_S, set_as_default=False, name="lampyris")
    except Exception as error:
        # a wrong address raises ValueError, OSError or TimeoutError, as the case may be
        seen = f"no Dask scheduler answers at {address!r} ({type(error).__name__}: {error})."
        raise _refusal([_fault("scheduler.unreachable", seen, _MEND_ADDRESS)]) from error
    with client:
        _check_workers(client, study)
        engine = ClusterEngine(client)
        try:
            yield engine
        except BaseException:
            engine.shutdown(wait=True, cancel_futures=True)
            # a task that was taken back while it ran goes on to its end, and the study is held until then
            _idle_answers(client, study)
            raise
        engine.shutdown(wait=True)


def _check_workers(client: Any, study: Path) -> None:
    """Refuse a cluster that would not give this process's bytes, all faults at once."""
    digest = sha256_file(study / _PROBE)
    answers, busy = _idle_answers(client, study)
    findings = []
    if not answers:
        mend = "Start workers, for example: dask worker ADDRESS --nworkers 4 --nthreads 1."
        findings.append(_fault("scheduler.no-workers", "the cluster has no workers.", mend))
    for worker, answer in sorted(answers.items()):
        if not isinstance(answer, dict):
            seen = f"the worker {worker} cannot run Lampyris ({type(answer).__name__}: {answer})."
            findings.append(_fault("scheduler.worker", seen, _MEND_VERSIONS))
            continue
        if other := _differences(versions(), answer["versions"]):
            findings.append(_fault("scheduler.versions", f"the worker {worker} has {other}.", _MEND_VERSIONS))
        if answer["study"] != digest:
            seen = f"the worker {worker} does not see this study's {_PROBE} under {study}."
            mend = "Put the study on a file system that all workers mount under the same path."
            findings.append(_fault("scheduler.no-study", seen, mend))
    if busy:
        seen = f"{busy} tasks of an earlier run still work on this study."
        findings.append(_fault("scheduler.busy", seen, "Wait until they have ended, or restart the workers."))
    if findings:
        raise _refusal(findings)


def _idle_answers(client: Any, study: Path) -> tuple[dict[str, Any], int]:
    """What each worker says of itself once nothing works on the study any more, and how many tasks still do after a while."""
    until = time.monotonic() + BUSY_S
    while True:
        answers = client.run(_answer, str(study), on_error="return")
        busy = sum(answer["running"] for answer in answers.values() if isinstance(answer, dict))
        if not busy or time.monotonic() > until:
            return answers, busy
        time.sleep(0.2)


def _answer(study: str) -> dict[str, Any]:
    """What a worker says of itself; runs on the worker."""
    probe = Path(study) / _PROBE
    with _running_lock:
        running = _running[study]
    return {"versions": versions(), "study": sha256_file(probe) if probe.is_file() else "", "running": running}


def _work_here(
    expected: dict[str, str], work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Do a call on the worker, unless its versions differ."""
    if other := _differences(expected, versions()):
        seen = f"a worker that joined later has {other}."
        raise _refusal([_fault("scheduler.versions", seen, _MEND_VERSIONS)])
    _hold_blas()
    study = next((one.study for one in args if hasattr(one, "study")), "")
    with _running_lock:
        _running[study] += 1
    try:
        return work(*args, **kwargs)
    finally:
        with _running_lock:
            _running[study] -= 1


@cache
def _hold_blas() -> Any:
    """One thread of linear algebra for the life of the worker: sums split over threads differ in their last digits."""
    from lampyris.study.graph.blas import blas_limit

    return blas_limit()


def _differences(ours: dict[str, str], theirs: dict[str, str]) -> str:
    """What differs, as a list for a message."""
    names = sorted({*ours, *theirs})
    told = [
        f"{name} {_short(theirs.get(name))} (here {_short(ours.get(name))})"
        for name in names
        if ours.get(name) != theirs.get(name)
    ]
    return ", ".join(told)


def _short(version: str | None) -> str:
    return "none" if version is None else version if len(version) < 20 else version[:12]


def _pass_on(outer: Future[Any], inner: Future[Any]) -> None:
    """Give a future the outcome of Dask's own, with a lost worker as `WorkerLost`."""
    if outer.cancelled():
        outer.set_running_or_notify_cancel()
        return
    if inner.cancelled():
        outer.set_exception(_lost_scheduler())
        return
    error = inner.exception()
    if error is None:
        outer.set_result(inner.result())
    elif type(error).__name__ == "KilledWorker":
        outer.set_exception(WorkerLost(str(error)))
    else:
        outer.set_exception(error)


def _lost_scheduler() -> LampyrisError:
    return _refusal([_fault("scheduler.lost", "the scheduler took a task back.", "Run again: what is done is kept.")])


def _fault(rule: str, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.ERROR, Place("--scheduler"), seen, mend)


def _refusal(findings: list[Finding]) -> LampyrisError:
    return LampyrisError("the Dask cluster cannot be used", findings)
