"""The nominal animal's light, computed once for a study's worker processes, which share it through files of the run.

A worker that finds no files computes the same by itself. The files lie in a hidden folder that ends with the run; after a
kill the next run sweeps it away.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from lampyris.core.settings import Instrument


def begin_light(instrument: Instrument, engine: Executor | None, folder: Path, /) -> list[Future[None]]:
    """Let worker processes compute the light's parts before all that is given to them later.

    Parameters
    ----------
    instrument : Instrument
    engine : concurrent.futures.Executor or None
        Only processes need files; threads, and one worker, keep what they computed, and a cluster may share no fast disk.
    folder : Path
        Where the parts go.

    Returns
    -------
    list of concurrent.futures.Future
        One per part; empty where nothing is to be shared. A part that this process has from an earlier run is written
        by itself.
    """
    if not isinstance(engine, ProcessPoolExecutor):
        return []
    from lampyris.imaging.light.light_table import LIGHT_PARTS, has_light_part

    parts: list[Future[None]] = []
    try:
        for part in LIGHT_PARTS:
            known = has_light_part(instrument, part)
            parts.append((_at_once if known else engine.submit)(_write_part, instrument, part, folder / part))
    except BrokenExecutor:
        return []
    return parts


def light_is_shared(parts: Sequence[Future[None]], /) -> bool:
    """Wait for the parts; whether all of them are there."""
    # what went wrong, if anything, a worker meets again where it computes the part by itself
    return bool(parts) and all([part.exception() is None for part in parts])


def use_light(instrument: Instrument, folder: Path, /) -> None:
    """Take the parts that other processes computed, unless this process has them.

    Parameters
    ----------
    instrument : Instrument
    folder : Path
        Where they lie.
    """
    from lampyris.imaging.light.light_table import LIGHT_PARTS, has_light_part, keep_light_part

    for part in LIGHT_PARTS:
        if not has_light_part(instrument, part):
            with np.load(_file(folder / part)) as arrays:
                keep_light_part(instrument, part, dict(arrays))


def _at_once(write: Callable[..., None], /, *options: Any) -> Future[None]:
    """What `Executor.submit` gives, done by this process."""
    done: Future[None] = Future()
    try:
        write(*options)
    except OSError as error:
        done.set_exception(error)
    else:
        done.set_result(None)
    return done


def _write_part(instrument: Instrument, part: str, path: Path) -> None:
    from lampyris.imaging.light.light_table import light_part

    np.savez(_file(path), allow_pickle=False, **light_part(instrument, part))


def _file(path: Path) -> Path:
    return path.with_suffix(".npz")
