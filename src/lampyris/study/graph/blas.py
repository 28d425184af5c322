"""Linear algebra held to one thread, so that results do not depend on how many cores a machine has."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import threadpool_limits


def blas_limit() -> "threadpool_limits":
    """Hold linear algebra of this process to one thread, until the limit is left."""
    import scipy.linalg  # noqa: F401  (its library must be loaded to be held)
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")
