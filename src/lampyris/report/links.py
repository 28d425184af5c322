"""What a mark, a row or a picture is about, as attributes by which the page's script shows the same thing everywhere."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """An animal, or one of its lesions, on a day or over all days.

    Parameters
    ----------
    animal : str
        Who; "" for nothing that could be shown.
    lesions : tuple of int
        Numbers of its lesions; none where the whole animal is meant.
    day : float
        NaN for all days.
    view : str
        Empty for any view.
    detection : int
        Number of the detection in that view; 0 for none.
    """

    animal: str = ""
    lesions: tuple[int, ...] = ()
    day: float = math.nan
    view: str = ""
    detection: int = 0

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names and values of its attributes, those that are known.

        Examples
        --------
        >>> Link("m01", (2,), 7.0).pairs
        (('animal', 'm01'), ('lesion', '2'), ('day', '7'))
        """
        values = {
            "animal": self.animal,
            "lesion": " ".join(map(str, self.lesions)),
            "day": f"{self.day:g}" if math.isfinite(self.day) else "",
            "view": self.view,
            "detection": str(self.detection) if self.detection else "",
        }
        return tuple((key, value) for key, value in values.items() if value) if self.animal else ()


NOTHING = Link()
