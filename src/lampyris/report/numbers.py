"""Numbers as a reader wants them: two or three digits, the interval in the same breath, powers properly set.

Everything here returns plain text (Unicode superscripts, no markup), so that one escaping rule holds for the page.
"""

import math
import re
import statistics
from collections.abc import Callable, Sequence

from lampyris.core.estimate import Estimate

MISSING = "n/a"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_THIN = "\u202f"  # narrow no-break space: keeps a number and its power on one line
_NOBREAK = "\u00a0"
_UNIT_POWER = re.compile(r"(?<=[A-Za-zµ])(-?[1-9])(?![0-9])")
# outside this range a number is set with a power of ten
_PLAIN_LOW, _PLAIN_HIGH = 1e-3, 1e4
# an end this many times the value is given a power of ten of its own
_FAR = 100.0


def superscript(value: int, /) -> str:
    """`value` in superscript digits, e.g. 5 as "⁵"."""
    return str(value).translate(_SUPERSCRIPT)


def unit_text(unit: str, /) -> str:
    """Unit with raised powers; a pure number has none.

    Examples
    --------
    >>> unit_text("ph s-1 cm-2 sr-1").replace("\\u00a0", " ")
    'ph s⁻¹ cm⁻² sr⁻¹'
    >>> unit_text("1")
    ''
    """
    if unit == "1":
        return ""
    raised = _UNIT_POWER.sub(lambda match: match.group(1).translate(_SUPERSCRIPT), unit)
    return raised.replace("log10", "log₁₀").replace(" ", _NOBREAK)


def with_unit(text: str, unit: str, /) -> str:
    """`text` followed by its unit, unbroken."""
    shown = unit_text(unit)
    return f"{text}{_NOBREAK}{shown}" if shown else text


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _fixed(value: float, decimals: int) -> str:
    # digits before the point are rounded as those behind it are
    text = f"{round(value, decimals) if decimals < 0 else value:.{max(decimals, 0)}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def _power(exponent: int) -> str:
    return f"{_THIN}×{_THIN}10{superscript(exponent)}"


def number(value: float, /, *, digits: int = 2) -> str:
    """A number in `digits` significant digits.

    Parameters
    ----------
    value : float
        What to print; NaN prints as "n/a".
    digits : int
        Significant digits.

    Returns
    -------
    str
        Plain below 10 000, with a power of ten beyond.

    Examples
    --------
    >>> number(0.4815), number(1234.0, digits=3), number(float("nan"))
    ('0.48', '1230', 'n/a')
    >>> number(213000.0).replace("\\u202f", " ")
    '2.1 × 10⁵'
    """
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = _exponent(rounded)
    if _PLAIN_LOW <= abs(rounded) < _PLAIN_HIGH:
        return _fixed(rounded, digits - 1 - exponent)
    return _fixed(rounded / 10.0**exponent, digits - 1) + _power(exponent)


def _interval_text(low: float, high: float, decimals: int) -> str:
    return _joined(*(_fixed(end, decimals) if math.isfinite(end) else number(end) for end in (low, high)))


def _joined(*ends: str) -> str:
    # a dash between signed numbers reads as a minus
    joiner = " to " if any(end.startswith("−") for end in ends) else "–"
    return joiner.join(ends)


def value_interval(value: float, low: float, high: float, /) -> str:
    """Value with its interval on one power of ten: ``2.1 (1.4–3.2) × 10⁵``.

    Three digits where the interval is narrow enough to earn them, else two.

    Examples
    --------
    >>> value_interval(213000.0, 140000.0, 320000.0).replace("\\u202f", " ")
    '2.1 (1.4–3.2) × 10⁵'
    >>> value_interval(0.2, -0.3, 0.7)
    '0.20 (−0.30 to 0.70)'
    >>> value_interval(0.0003, -0.5, 0.5)
    '0.00 (−0.50 to 0.50)'
    >>> value_interval(650.0, 0.0, 411000.0).replace("\\u202f", " ")
    '650 (0–4.1 × 10⁵)'
    """
    if math.isnan(value):
        return MISSING
    finite = [abs(v) for v in (value, low, high) if math.isfinite(v)]
    scale = abs(value) if value else max(finite, default=0.0)
    if scale == 0:
        return f"{number(value)} ({_interval_text(low, high, 0)})"
    if low < 0 < high and math.isfinite(high - low):
        # close to zero the interval, not the value, says how many digits mean something
        scale = max(scale, 0.25 * (high - low))
    digits = 3 if math.isfinite(high - low) and 0 < high - low < 0.2 * scale else 2
    exponent = _exponent(float(f"{scale:.{digits - 1}e}"))
    if _PLAIN_LOW <= scale < _PLAIN_HIGH and max(finite) < 10 * _PLAIN_HIGH:
        decimals = digits - 1 - exponent
        return f"{_fixed(value, decimals)} ({_interval_text(low, high, decimals)})"
    if low >= 0 and max(finite) > _FAR * scale:
        return f"{number(value)} ({_joined(number(low), number(high))})"
    unit = 10.0**exponent
    inside = _interval_text(low / unit, high / unit, digits - 1)
    return f"{_fixed(value / unit, digits - 1)} ({inside}){_power(exponent)}"


def precise_interval(value: float, low: float, high: float, /) -> str:
    """Value with its interval, to two digits of half its width: of instruments that are far more exact than an animal.

    Examples
    --------
    >>> precise_interval(808.80165, 808.64647, 808.95684)
    '808.80 (808.65–808.96)'
    >>> precise_interval(0.2, -0.3, 0.7)
    '0.20 (−0.30 to 0.70)'
    >>> precise_interval(1.4, 0.6, 44.7)
    '1.4 (0.6–44.7)'
    """
    half = 0.5 * (high - low)
    # a wide one says enough with the digits of the value
    if not (math.isfinite(half) and 0 < half < 0.1 * abs(value)):
        return value_interval(value, low, high)
    decimals = 1 - _exponent(float(f"{half:.1e}"))
    largest = max(abs(value), abs(low), abs(high))
    if not 0 <= decimals <= 4 or largest >= _PLAIN_HIGH:
        return value_interval(value, low, high)
    return f"{_fixed(value, decimals)} ({_interval_text(low, high, decimals)})"


def estimate_text(estimate: Estimate, /, *, unit: bool = True) -> str:
    """An estimate with interval and, unless it stands in the column's head, its unit."""
    text = value_interval(estimate.value, estimate.low, estimate.high)
    return with_unit(text, estimate.unit) if unit and text != MISSING else text


def ends_text(values: Sequence[float], shown: Callable[[float], str] = number, /) -> str:
    """The least and the most of some values, once where they read the same.

    Examples
    --------
    >>> ends_text([3.0, 1.0, 2.0]), ends_text([1.0, 1.001])
    ('1.0–3.0', '1.0')
    """
    return "–".join(dict.fromkeys((shown(min(values)), shown(max(values)))))


def median_range_text(values: Sequence[float], /) -> str:
    """The median of some values with their range in brackets; the median alone where all read the same.

    Examples
    --------
    >>> median_range_text([3.0, 1.0, 2.0]), median_range_text([4.0])
    ('2.0 (1.0–3.0)', '4.0')
    """
    ends = ends_text(values)
    return number(statistics.median(values)) + (f" ({ends})" if "–" in ends else "")


def p_text(p: float, /) -> str:
    """Exact p, two digits, never as a bare inequality, except where it is too small for any number.

    Examples
    --------
    >>> p_text(0.00431).replace("\u00a0", " ")
    'p = 0.0043'
    >>> p_text(0.0).replace("\u00a0", " ").replace("\u202f", " ")
    'p < 1.0 × 10⁻³⁰⁰'
    """
    if p < 1e-300:
        return f"p{_NOBREAK}<{_NOBREAK}{number(1e-300)}"
    return f"p{_NOBREAK}={_NOBREAK}{number(p)}"


def day_text(day: float, /) -> str:
    """Day since inoculation without needless decimals."""
    return f"{day:g}"


def percent_text(level: float, /) -> str:
    """A coverage level as per cent."""
    return f"{100 * level:g}{_NOBREAK}%"


def share_text(count: int, total: int, /) -> str:
    """A count of a total; zero reads as a word.

    Examples
    --------
    >>> share_text(4, 5), share_text(0, 3)
    ('4 of 5', 'none of 3')
    """
    return f"{count} of {total}" if count else f"none of {total}"
