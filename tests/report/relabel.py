"""The same results with every text rewritten that a user may have chosen."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

# words of our own vocabulary and what the page never shows; every other text in a study may be a user's
OUR_WORDS = {"view", "kind", "kinds", "status", "unit", "method", "severity", "date", "synthetic"}
KEYS_OF_USERS = {"groups", "organs", "quality", "packages", "inputs"}


def relabelled(value: Any, label: Callable[[str], str], name: str = "") -> Any:
    """The same results with every text rewritten, in every field of every noun, that is not one of our own words."""
    if (
        name in OUR_WORDS
        or isinstance(value, Enum)
        or (isinstance(value, str) and value in ("any", "dorsal", "ventral"))
    ):
        return value
    if isinstance(value, str):
        return label(value) if value else value
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: relabelled(getattr(value, f.name), label, f.name) for f in fields(value)})
    if isinstance(value, tuple):
        return tuple(relabelled(item, label, name) for item in value)
    if isinstance(value, dict):
        return {
            label(k) if name in KEYS_OF_USERS else k: v if k == "role" else relabelled(v, label)
            for k, v in value.items()
        }
    return value
