"""The random part of a model, and the sums of products that its likelihood needs.

Rows fall into blocks that share no random effect (an animal with all that lies inside it; with crossed effects one block).
Of each block only sums of products are kept, so that the cost of a likelihood does not depend on the number of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class RandomTerm:
    """Effects drawn per level of a grouping: an intercept, and with a covariate a slope.

    Parameters
    ----------
    name : str
        Of the grouping: "animal", "animal:region".
    labels : tuple of str, dims (row,)
        Level of each row. Levels inside another grouping need names of their own: see `nested_labels`.
    slope_name : str
        Covariate of the slope; empty for an intercept alone.
    slope : ndarray or None, dims (row,)
        Its values.
    correlated : bool
        Whether intercept and slope may be correlated.
    intercept : bool
        False for a slope alone.

    Raises
    ------
    ValueError
        If lengths differ or nothing is drawn.
    """

    name: str
    labels: tuple[str, ...]
    slope_name: str = ""
    slope: Array | None = None
    correlated: bool = True
    intercept: bool = True

    def __post_init__(self) -> None:
        if self.slope is None and not self.intercept:
            raise ValueError(f"random term {self.name} has neither intercept nor slope")
        if self.slope is not None and len(self.slope) != len(self.labels):
            raise ValueError(f"random term {self.name}: {len(self.labels)} labels and {len(self.slope)} values")


def nested_labels(*columns: Sequence[str]) -> tuple[str, ...]:
    """Labels of levels inside others: region 1 of animal A is not region 1 of animal B.

    Examples
    --------
    >>> nested_labels(["A", "B"], ["1", "1"])
    ('A / 1', 'B / 1')
    """
    return tuple(" / ".join(parts) for parts in zip(*columns, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A term as the likelihood sees it: one covariance matrix of one or two effects per level.

    Parameters
    ----------
    term : int
        Place of the term.
    names : tuple of str
        "intercept" and the covariate's name.
    columns : ndarray, dims (row, effect)
        Values that multiply the effects, centred and scaled where that changes nothing but the parameters.
    back : ndarray, dims (effect, effect)
        From the effects of `columns` to those of the user's covariate.
    """

    term: int
    names: tuple[str, ...]
    columns: Array
    back: Array


@dataclass(frozen=True, slots=True, eq=False)
class RandomPart:
    """All random terms, laid out in blocks.

    Parameters
    ----------
    terms : tuple of RandomTerm
        As given.
    pieces : tuple of Piece
        Covariance matrices to be estimated.
    block : ndarray of int, dims (row,)
        Block of each row.
    starts : tuple of int
        First place of each piece in a block.
    counts : tuple of int
        Most levels of each piece in any block.
    places : tuple of ndarray of int, dims (row,)
        Per piece: place in the block of the level's first effect.
    """

    terms: tuple[RandomTerm, ...]
    pieces: tuple[Piece, ...]
    block: Places
    starts: tuple[int, ...]
    counts: tuple[int, ...]
    places: tuple[Places, ...]

    @property
    def size(self) -> int:
        """Effects in a block, those of absent levels included."""
        return sum(count * len(piece.names) for count, piece in zip(self.counts, self.pieces, strict=True))

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return int(self.block.max()) + 1

    def spread(self, small: Sequence[Array], /) -> Array:
        """One matrix per piece, dims (effect, effect), repeated along the diagonal of a block."""
        whole = np.zeros((self.size, self.size))
        for start, count, matrix in zip(self.starts, self.counts, small, strict=True):
            d = matrix.shape[0]
            for level in range(count):
                at = start + level * d
                whole[at : at + d, at : at + d] = matrix
        return whole

    def gathered(self, whole: Array, /) -> list[Array]:
        """Adjoint of `spread`: sums over levels (and blocks) of the diagonal's matrices."""
        summed = whole.sum(axis=0) if whole.ndim == 3 else whole
        found = []
        for start, count, piece in zip(self.starts, self.counts, self.pieces, strict=True):
            d = len(piece.names)
            inner = summed[start : start + count * d, start : start + count * d].reshape(count, d, count, d)
            found.append(np.einsum("iaib->ab", inner))
        return found

    def products(self, columns: Array, /) -> tuple[Array, Array]:
        """Sums of products per block: Z'Z, dims (block, effect, effect), and Z' times `columns`."""
        q = self.size
        entries = [
            (place + k, piece.columns[:, k])
            for place, piece in zip(self.places, self.pieces, strict=True)
            for k in range(len(piece.names))
        ]
        own = np.zeros(self.blocks * q * q)
        other = np.zeros((self.blocks * q, columns.shape[1]))
        for at, value in entries:
            row = self.block * q + at
            for at_too, value_too in entries:
                own += np.bincount(row * q + at_too, value * value_too, minlength=own.size)
            order = np.argsort(row, kind="stable")
            first = np.flatnonzero(np.diff(row[order], prepend=-1))
            other[row[order][first]] += np.add.reduceat((value[:, None] * columns)[order], first, axis=0)
        return own.reshape(self.blocks, q, q), other.reshape(self.blocks, q, -1)

    def applied(self, effects: Array, /) -> Array:
        """Z times effects, dims (block, effect) to (row,)."""
        total = np.zeros(len(self.block))
        for place, piece in zip(self.places, self.pieces, strict=True):
            for k in range(len(piece.names)):
                total += piece.columns[:, k] * effects[self.block, place + k]
        return total


def random_part(terms: Sequence[RandomTerm], /) -> RandomPart:
    """Lay the random terms out in blocks.

    Parameters
    ----------
    terms : sequence of RandomTerm
        At least one, all of one length.

    Returns
    -------
    RandomPart

    Raises
    ------
    ValueError
        If there is none or lengths differ.
    """
    if len({len(term.labels) for term in terms}) != 1:
        raise ValueError(f"random terms need one label per row, got {[len(term.labels) for term in terms]} labels")
    codes = [np.unique(np.asarray(term.labels, dtype=object).astype(str), return_inverse=True)[1] for term in terms]
    block = _blocks(codes)
    pieces = [piece for k, term in enumerate(terms) for piece in _pieces(k, term)]
    starts, counts, places = [], [], []
    at = 0
    for piece in pieces:
        d = len(piece.names)
        local, count = _local(block, codes[piece.term])
        starts.append(at)
        counts.append(count)
        places.append(at + local * d)
        at += count * d
    return RandomPart(tuple(terms), tuple(pieces), block, tuple(starts), tuple(counts), tuple(places))


def _pieces(place: int, term: RandomTerm) -> list[Piece]:
    one = np.ones((len(term.labels), 1))
    if term.slope is None:
        return [Piece(place, ("intercept",), one, np.eye(1))]
    x = np.asarray(term.slope, dtype=np.float64)
    both = term.intercept and term.correlated
    # shifting the covariate changes the parameters, not the model, only where intercept and slope are free together
    centre = float(x.mean()) if both else 0.0
    size = float(np.sqrt(np.mean((x - centre) ** 2))) or 1.0
    scaled = ((x - centre) / size)[:, None]
    if both:
        back = np.array([[1.0, -centre / size], [0.0, 1.0 / size]])
        return [Piece(place, ("intercept", term.slope_name), np.hstack([one, scaled]), back)]
    alone = Piece(place, (term.slope_name,), scaled, np.array([[1.0 / size]]))
    return [Piece(place, ("intercept",), one, np.eye(1)), alone] if term.intercept else [alone]


def _blocks(codes: Sequence[Places]) -> Places:
    """Rows that are connected through any level are in one block; blocks in the order of their first row."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    block = codes[0]
    for code in codes[1:]:
        levels = int(block.max()) + 1
        total = levels + int(code.max()) + 1
        graph = coo_array((np.ones(len(code)), (block, code + levels)), shape=(total, total))
        block = connected_components(graph, directed=False)[1][block]
    first = np.unique(block, return_index=True)[1]
    rank = np.argsort(np.argsort(first))
    return np.asarray(rank[np.unique(block, return_inverse=True)[1]], dtype=np.intp)


def _local(block: Places, code: Places) -> tuple[Places, int]:
    """Place of each row's level among the levels of its block, and the most levels of a block."""
    pairs, inverse = np.unique(np.column_stack([block, code]), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    first = np.searchsorted(pairs[:, 0], pairs[:, 0])
    local = np.arange(len(pairs)) - first
    return np.asarray(local[inverse], dtype=np.intp), int(local.max()) + 1
