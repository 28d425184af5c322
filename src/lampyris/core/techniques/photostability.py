"""Options of photostability."""

from typing import Literal

from pydantic import Field

from lampyris.core.model import NonNegative, Positive
from lampyris.core.techniques.base import TechniqueSettings


class Settings(TechniqueSettings):
    """``[bench.photostability]``."""

    law: Literal["auto", "single", "double", "stretched", "power"] = Field(
        default="auto", description="law of bleaching; auto takes that of the least AICc"
    )
    at_min: Positive = Field(default=60.0, description="minutes of light after which the share left is told")
    time_unit: Literal["s", "min", "h"] | None = Field(
        default=None, description="unit of the time column, where its name does not say it"
    )
    dark: NonNegative = Field(default=0.0, description="signal without light, taken off")
    saturation: Positive | None = Field(default=None, description="signal at which the detector saturates")
    irradiance_mw_per_cm2: Positive | None = Field(
        default=None, description="irradiance on the sample in mW/cm2: gives the dose"
    )
    lamp_relative_sd: NonNegative = Field(
        default=0.01,
        description="relative standard uncertainty of the lamp over the time asked for; 0.01 is assumed, 0 with a reference divided by",
    )
    control: str | None = Field(default=None, description="arm that the others are compared with, such as the dye")
