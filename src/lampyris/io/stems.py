"""Names for what is made of files: their own without the suffix of an image, and never one name for two files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lampyris.io.images.readers import known_suffixes


def distinct_stems(files: Sequence[Path], /) -> tuple[str, ...]:
    """A name for each file, in their order.

    Parameters
    ----------
    files : sequence of Path

    Returns
    -------
    tuple of str
        The file's name without its suffix; with its folder's name before it, and then a number behind it, where two would be alike.
        Names that differ in case alone are alike: some file systems take them for one.

    Examples
    --------
    >>> distinct_stems([Path("a/liver.1.ome.tif"), Path("a/liver.2.ome.tif"), Path("b/Liver.1.ome.tif")])
    ('a-liver.1', 'liver.2', 'b-Liver.1')
    >>> distinct_stems([Path("a/tray.tif"), Path("a/tray.png")])
    ('a-tray', 'a-tray-2')
    """
    suffixes = sorted((one.casefold() for one in known_suffixes()), key=len, reverse=True)
    own = [_stem(file.name, suffixes) for file in files]
    many = Counter(name.casefold() for name in own)
    told = [
        f"{file.parent.name}-{name}" if many[name.casefold()] > 1 and file.parent.name else name
        for file, name in zip(files, own, strict=True)
    ]
    taken: set[str] = set()
    found = []
    for name in told:
        count, tried = 1, name
        while tried.casefold() in taken:
            count += 1
            tried = f"{name}-{count}"
        taken.add(tried.casefold())
        found.append(tried)
    return tuple(found)


def _stem(name: str, suffixes: Sequence[str]) -> str:
    ending = next((one for one in suffixes if name.casefold().endswith(one) and len(name) > len(one)), "")
    return name[: len(name) - len(ending)] if ending else Path(name).stem or name
