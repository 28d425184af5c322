"""A line of a score table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of one arm.

    Parameters
    ----------
    table, arm, measure : str
        Stable names; the arm is ``matched`` where the virtual animals are as the analysis assumes, ``mismatched`` where
        they are drawn from the spread of anatomy, optics and colours.
    value, low, high : float or None
        The figure and its 95 % interval; None without cases.
    n : int
        Cases behind it.
    goal : str
        What must be reached; "" where nothing is asked.
    held : bool or None
        Whether the value reaches it; None where nothing is asked or there are no cases.
    """

    table: str
    arm: str
    measure: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    goal: str = ""
    held: bool | None = None


def figure(
    table: str, arm: str, measure: str, value: float | None, interval: tuple[float, float] | None, n: int,
    *, at_least: float | None = None, at_most: float | None = None,
) -> Figure:  # fmt: skip
    """A figure with its goal judged."""
    low, high = interval if interval is not None else (None, None)
    parts = [f">= {at_least:g}" if at_least is not None else "", f"<= {at_most:g}" if at_most is not None else ""]
    goal = ", ".join(part for part in parts if part)
    held = None
    if goal and value is not None:
        held = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    return Figure(table, arm, measure, value, low, high, n, goal, held)
