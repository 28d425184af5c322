"""One thread for the products of small matrices, on which more threads only wait for each other."""

import functools
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


@functools.cache
def _controller() -> "ThreadpoolController":
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Keep linear algebra to one thread, so that digits do not depend on the machine's cores either."""
    limited: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limited
