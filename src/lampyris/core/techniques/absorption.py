"""Options of absorption."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lampyris.core.model import NonNegative, Positive, Wavelength
from lampyris.core.techniques.base import TechniqueSettings


class Settings(TechniqueSettings):
    """``[bench.absorption]``."""

    roles: ClassVar[Mapping[str, str]] = MappingProxyType({"blank": "absorbance of the solvent alone, recorded alike"})

    material: str | None = Field(
        default=None, description="material of the core, such as CdSe: gives size and concentration"
    )
    path_cm: Positive = Field(default=1.0, description="length of the cell in cm")
    dilution: Annotated[float, Field(ge=1)] = Field(default=1.0, description="how many times the stock was diluted")
    low_nm: Wavelength | None = Field(default=None, description="start of what is looked at in nm")
    high_nm: Wavelength | None = Field(default=None, description="end of what is looked at in nm")
    near_nm: Wavelength | None = Field(
        default=None, description="about where the first exciton lies in nm, where several peaks are"
    )
    scattering: Literal["auto", "none"] = Field(
        default="auto", description="auto takes off what rises as a power of the wavelength where dots are transparent"
    )
    highest_absorbance: Positive = Field(default=2.5, description="points above count as saturated and are left out")
    axis_unit: str = Field(default="", description="unit of the wavelength where the file does not say it, such as um")
    calibration_nm: NonNegative = Field(
        default=0.5, description="standard uncertainty of the wavelength scale in nm; 0.5 is assumed"
    )
