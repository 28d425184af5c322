"""What is said of corrections in the methods text."""

from collections import Counter
from collections.abc import Iterable

from lampyris.study.graph.store import StoredAnimal


def correction_methods(animals: Iterable[StoredAnimal], /) -> tuple[str, ...]:
    """A paragraph for the methods text; none where nothing was corrected.

    Parameters
    ----------
    animals : iterable of StoredAnimal
        With the rows that were applied.

    Returns
    -------
    tuple of str
    """
    rows = [row for animal in animals for row in animal.corrections]
    if not rows:
        return ()
    counts = Counter(row.action for row in rows)
    listed = ", ".join(f"{count} x {action}" for action, count in sorted(counts.items()))
    authors = ", ".join(sorted({row.author for row in rows}))
    return (
        f"Results were corrected by hand ({listed}; by {authors}); every correction with its reason, author and time is listed "
        "in the table of corrections. Spots that were moved, parted, joined or added were measured again on the unmixed probe "
        "image at the given place, by a joint fit with the structure of the background and the other spots; all other spots keep "
        "their automatic measurement. Animals with corrections were followed again over all their days. Group comparisons use "
        "the corrected results; those of the automatic analysis are reported beside them.",
    )
