"""Least squares under non-negativity for many pixels and few components: which components are present, and how much.

For a given set of present components everything is linear: one small matrix gives the abundance of each present component
and, for each absent one, the slope along which the residual would fall if it were added. The solution's set is the one in
which the former are positive and the latter are not (Karush, Kuhn, Tucker).

1. `set_responses` makes these matrices, a set each;
2. `try_every_set` tries them all, in NumPy;
3. `exchange_sets` goes from set to set, compiled, several times as fast and with the same result.

References
----------
Portugal, Judice, Vicente 1994, Math Comp 63:625, doi:10.1090/S0025-5718-1994-1250776-4 (exchange of whole sets).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# a slope below this share of the largest that a pixel can have is rounding
_SLACK = 1e-12
# whole sets are exchanged at most this often; four components take two or three rounds
_ROUNDS = 8


@dataclass(frozen=True, slots=True, eq=False)
class SetResponses:
    """What every set of components answers to a pixel; bit i of a set's number stands for component i.

    Parameters
    ----------
    basis : ndarray, dims (channel, component)
        Orthonormal basis of the mixing matrix' columns: a pixel's coordinates in it are all that matters.
    matrix : ndarray, dims (set, component, component)
        Coordinates to abundance (present components) or slope (absent ones).
    floor : ndarray, dims (set, component)
        What an answer must exceed, per length of the coordinates, for its component to be wanted.
    """

    basis: Floats
    matrix: Floats
    floor: Floats


def set_responses(mixing: Floats, /) -> SetResponses:
    """Prepare all sets of the components of a mixing matrix.

    Parameters
    ----------
    mixing : ndarray, dims (channel, component)
        Full column rank.

    Returns
    -------
    SetResponses
    """
    basis, triangle = np.linalg.qr(mixing)
    count = mixing.shape[1]
    present = (np.arange(2**count)[:, None] >> np.arange(count)) & 1 == 1
    matrix = np.zeros((2**count, count, count))
    for number, held in enumerate(present):
        part = triangle[:, held]
        inverse = np.linalg.pinv(part)
        matrix[number, held] = inverse
        matrix[number, ~held] = triangle[:, ~held].T @ (np.eye(count) - part @ inverse)
    steepest = _SLACK * float(np.linalg.norm(mixing, axis=0).max())
    return SetResponses(np.ascontiguousarray(basis), matrix, np.where(present, 0.0, steepest))


def try_every_set(reduced: Floats, responses: SetResponses, /) -> Floats:
    """Solve every pixel by trying every set.

    Parameters
    ----------
    reduced : ndarray, dims (pixel, component)
        Coordinates of the pixels in ``responses.basis``.
    responses : SetResponses

    Returns
    -------
    ndarray, dims (pixel, component)
        0 throughout for a pixel that holds NaN.

    Examples
    --------
    >>> try_every_set(np.array([[1.0, -1.0]]), set_responses(np.eye(2))).tolist()
    [[1.0, 0.0]]
    """
    coordinates = reduced.T
    length = np.sqrt(np.einsum("cp,cp->p", coordinates, coordinates))
    found = np.zeros(coordinates.shape)
    settled = np.zeros(len(reduced), bool)
    # from all components to none: rarely do two sets both hold within rounding
    for number in range(len(responses.matrix) - 1, -1, -1):
        answer = responses.matrix[number] @ coordinates
        holds = ~settled
        for component, one in enumerate(answer):
            wanted = one > responses.floor[number, component] * length
            holds &= wanted if number >> component & 1 else ~wanted
        for component in range(len(answer)):
            if number >> component & 1:
                found[component, holds] = answer[component, holds]
        settled |= holds
    return np.ascontiguousarray(found.T)


@njit(cache=True, nogil=True)
def exchange_sets(reduced: Floats, matrix: Floats, floor: Floats, found: Floats) -> int:
    """Solve pixels into `found`, starting from all components and taking the wanted ones until they are the present ones.

    Parameters
    ----------
    reduced : ndarray, dims (pixel, component)
    matrix, floor : ndarray
        Of `SetResponses`.
    found : ndarray, dims (pixel, component)
        Overwritten; NaN where the exchange went round in a circle.

    Returns
    -------
    int
        Number of pixels that went round in a circle.
    """
    count = reduced.shape[1]
    answer = np.zeros(count)
    circling = 0
    for pixel in range(reduced.shape[0]):
        length = 0.0
        for j in range(count):
            length += reduced[pixel, j] * reduced[pixel, j]
        length = np.sqrt(length)
        wanted, held, rounds = matrix.shape[0] - 1, -1, 0
        while wanted != held and rounds < _ROUNDS:
            held, wanted = wanted, 0
            for i in range(count):
                value = 0.0
                for j in range(count):
                    value += matrix[held, i, j] * reduced[pixel, j]
                answer[i] = value
                if value > floor[held, i] * length:
                    wanted |= 1 << i
            rounds += 1
        settled = wanted == held
        for i in range(count):
            found[pixel, i] = (answer[i] if held >> i & 1 else 0.0) if settled else np.nan
        circling += not settled
    return circling
