"""Pictures of a study on an engine: decoding, deflating and sums over pixels run beside each other."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

# items that travel to a worker together: few enough that all workers end at about the same time
_TOGETHER = 4


def mapped(make: Callable[[Item], Made], items: Iterable[Item], /, *, engine: Executor | None) -> Iterator[Made]:
    """What `make` gives for every item, in the order of the items, so that the engine changes nothing.

    Parameters
    ----------
    make : callable
        Independent of what it gives for other items. For worker processes a module's function or a partial of one.
    items : iterable
        Small: what is large, such as a session's images, is read inside `make` and forgotten there.
    engine : concurrent.futures.Executor or None
        Begins at once; without one, each is made in this thread when it is asked for. Where its workers die, this thread makes
        what is left.

    Yields
    ------
    object

    Examples
    --------
    >>> list(mapped(abs, [-2, 1, -1], engine=None))
    [2, 1, 1]
    """
    every = list(items)
    if engine is None:
        return map(make, every)
    try:
        begun = engine.map(make, every, chunksize=_TOGETHER)
    except BrokenExecutor:
        return map(make, every)
    return _collected(make, every, begun)


def _collected(make: Callable[[Item], Made], items: list[Item], begun: Iterator[Made]) -> Iterator[Made]:
    for place in range(len(items)):
        try:
            one = next(begun)
        except BrokenExecutor:
            yield from map(make, items[place:])
            return
        yield one
