"""Refusals of the dot's inputs: an error that names the field, what came, its bounds and the mend."""

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity


def refused(rule: str, field: str, seen: str, mend: str, /) -> InputError:
    """Error of one field, with its finding.

    Examples
    --------
    >>> str(refused("dot.size", "diameter_nm", "9 nm is outside 1 to 8 nm", "Give nm."))
    'diameter_nm: 9 nm is outside 1 to 8 nm\\n  diameter_nm: 9 nm is outside 1 to 8 nm. Give nm.'
    """
    return InputError(f"{field}: {seen}", [Finding(rule, Severity.ERROR, Place(column=field), seen + ".", mend)])
