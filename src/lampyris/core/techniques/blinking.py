"""Options of blinking."""

from typing import Annotated, Literal

from pydantic import Field

from lampyris.core.model import NonNegative, Positive
from lampyris.core.techniques.base import TechniqueSettings


class Settings(TechniqueSettings):
    """``[bench.blinking]``."""

    time_unit: Literal["s", "min", "h"] | None = Field(
        default=None, description="unit of the time column, where its name does not say it"
    )
    signal_is: Literal["counts", "rate"] | None = Field(
        default=None, description="counts per bin or counts per second; told by the column's name, else counts"
    )
    dark: NonNegative = Field(
        default=0.0, description="counts per bin of the empty background, told beside the off level"
    )
    penalty: Positive | None = Field(
        default=None, description="what a change point costs in twice the log likelihood; 2 log(bins) where left out"
    )
    most_levels: Annotated[int, Field(ge=1, le=8)] = Field(
        default=4, description="most levels of brightness that are told apart"
    )
    shortest_bins: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="bins of the shortest stay that counts; the shortest that can be seen where left out"
    )
