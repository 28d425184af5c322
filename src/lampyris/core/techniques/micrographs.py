"""Options that transmission and scanning micrographs share."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lampyris.core.model import NonNegative, Positive
from lampyris.core.techniques.base import TechniqueSettings


class MicrographSettings(TechniqueSettings):
    """Options of particle sizing."""

    roles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"core": "micrograph of the cores before a shell was grown: gives the shell's thickness"}
    )

    pixel_nm: Positive | None = Field(default=None, description="side of a pixel in nm; over what the file says")
    bar_nm: Positive | None = Field(
        default=None, description="length that the scale bar burnt into the picture stands for, in nm"
    )
    scale_uncertainty_percent: NonNegative = Field(
        default=0.0, description="standard uncertainty of the microscope's calibration, which all particles share"
    )
    particles: Literal["auto", "dark", "bright"] = Field(
        default="auto", description="whether particles are darker or brighter than what is between them"
    )
    contrast: Literal["auto", "sphere", "disc"] = Field(
        default="auto", description="contrast of a projected sphere or of a flat disc; auto fits what lies between"
    )
    sigmas: Annotated[float, Field(ge=3, le=50)] = Field(
        default=5.0, description="standard deviations of the background's noise from which a thing stands out"
    )
    least_diameter_nm: NonNegative = Field(default=0.0, description="smaller things are no particles")
    touching: Literal["use", "leave"] = Field(
        default="use", description="whether particles parted from touching ones count"
    )
    law: Literal["auto", "normal", "lognormal"] = Field(
        default="auto", description="law of sizes; auto takes that of the lesser AICc"
    )
    precision_percent: Positive = Field(
        default=2.0, description="how many particles hold the mean to within so many percent is told"
    )
    core_nm: Positive | None = Field(default=None, description="known mean diameter of the cores in nm")
    core_nm_sd: NonNegative = Field(default=0.0, description="standard error of that mean")
    ignore_bottom_px: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="rows at the bottom that are legend; looked for where it is not given"
    )
    page: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="which picture of a file of several, from 1"
    )
    outlines: str | None = Field(
        default=None, description="folder into which the outlines found are written as GeoJSON, to accept or mend"
    )
    corrections: tuple[str, ...] = Field(
        default=(), description="mended outlines of a picture as GeoJSON: what is not in it is rejected"
    )
