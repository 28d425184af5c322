"""``[bench.TECHNIQUE]`` of ``study.toml``: the options of every technique, as one table."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model

from lampyris.core.model import Model
from lampyris.core.technique_names import TECHNIQUES
from lampyris.core.techniques import settings_of
from lampyris.core.techniques.base import TechniqueSettings


class BenchTable(Model):
    """``[bench]``: what a study sets of its techniques; those that it does not name keep their defaults."""

    def of(self, technique: str, /) -> TechniqueSettings:
        """Options of a technique.

        Raises
        ------
        ValueError
            If there is no such technique.
        """
        kind = settings_of(technique)
        found: TechniqueSettings | None = getattr(self, technique, None)
        return kind() if found is None else found

    @property
    def named(self) -> tuple[str, ...]:
        """Techniques of which something is set."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)


def known_techniques() -> tuple[str, ...]:
    """Techniques that can be measured here."""
    home = settings_of.__module__
    return tuple(name for name in TECHNIQUES if find_spec(f"{home}.{name.replace('-', '_')}") is not None)


if TYPE_CHECKING:
    BenchOptions = BenchTable
else:
    _FIELDS: dict[str, Any] = {
        name: (settings_of(name) | None, Field(default=None, description=TECHNIQUES[name]))
        for name in known_techniques()
    }
    BenchOptions = create_model("BenchOptions", __base__=BenchTable, **_FIELDS)
