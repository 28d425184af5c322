"""Colours of lesions and kinds in other programs: the colour-blind-safe set of Okabe and Ito, the same everywhere."""

from lampyris.core.flags import TUMOUR_KINDS

Colour = tuple[int, int, int]

OKABE_ITO: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
GREY: Colour = (153, 153, 153)


def lesion_colour(number: int, /) -> Colour:
    """Colour of a lesion, the same on every day and view of its animal; grey for 0, no lesion."""
    return OKABE_ITO[(number - 1) % len(OKABE_ITO)] if number > 0 else GREY


def kind_colour(kind: str, /) -> Colour:
    """Colour of a kind: lesions and primaries stand out, other signals are grey."""
    return {kind: OKABE_ITO[k] for k, kind in enumerate(sorted(TUMOUR_KINDS))}.get(kind, GREY)  # type: ignore[call-overload]
