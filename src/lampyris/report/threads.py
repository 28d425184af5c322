"""Pictures of a study on several threads: decoding, deflating and sums over pixels run beside each other."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def mapped(make: Callable[[Item], Made], items: Iterable[Item], /, *, workers: int) -> list[Made]:
    """What `make` gives for every item, in the order of the items, so that the number of threads changes nothing.

    Parameters
    ----------
    make : callable
        Independent of what it gives for other items; called in this thread where `workers` is 1.
    items : iterable
        Small: what is large, such as a session's images, is read inside `make` and forgotten there.
    workers : int
        Most calls at once.

    Returns
    -------
    list

    Examples
    --------
    >>> mapped(abs, [-2, 1, -1], workers=2)
    [2, 1, 1]
    """
    if workers == 1:
        return [make(item) for item in items]
    with ThreadPoolExecutor(workers) as threads:
        return list(threads.map(make, items))
