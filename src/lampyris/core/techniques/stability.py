"""Options of stability on storage."""

from typing import Annotated

from pydantic import Field

from lampyris.core.model import Positive
from lampyris.core.techniques.base import TechniqueSettings


class Settings(TechniqueSettings):
    """``[bench.stability]``."""

    day: tuple[Annotated[float, Field(ge=0, le=100_000)], ...] = Field(
        default=(), description="day of each file, in the order of the files (light-scattering files)"
    )
    day_column: str | None = Field(
        default=None, description="column of days of a table, where its name does not say it"
    )
    size_column: str | None = Field(default=None, description="column of sizes in nm, likewise")
    emission_column: str | None = Field(default=None, description="column of emission peaks in nm, likewise")
    sample_column: str | None = Field(default=None, description="column that names samples, each with its own line")
    size_margin_nm: Positive | None = Field(
        default=None,
        description="change of size over the storage that still counts as stable; 10 % of the size where left out",
    )
    emission_margin_nm: Positive = Field(
        default=5.0, description="change of the emission peak over the storage that still counts as stable"
    )
