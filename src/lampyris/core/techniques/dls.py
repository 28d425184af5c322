"""Options of dynamic light scattering."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lampyris.core.model import NonNegative, Positive, Wavelength
from lampyris.core.techniques.base import TechniqueSettings


class Settings(TechniqueSettings):
    """``[bench.dls]``."""

    roles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"zeta": "table with a column of zeta potentials in mV, or a .zmes file: told and flagged, nothing more"}
    )

    lag_unit: Literal["s", "ms", "us", "ns"] | None = Field(
        default=None, description="unit of the lag times of a text or workbook, where their name does not say it"
    )
    correlation: Literal["g2-1", "g2", "g1"] | None = Field(
        default=None, description="what the columns of a text or workbook hold, where their names do not say it"
    )
    angle_deg: Annotated[float, Field(gt=0, le=180)] | None = Field(
        default=None, description="scattering angle in degrees; wins over the file"
    )
    wavelength_nm: Wavelength | None = Field(
        default=None, description="wavelength of the laser in nm; wins over the file"
    )
    temperature_c: Annotated[float, Field(ge=-50, le=150)] | None = Field(
        default=None, description="temperature of the sample in C; wins over the file"
    )
    viscosity_mpa_s: Positive | None = Field(
        default=None, description="viscosity of the medium in mPa s; wins over the file; water's where nothing says it"
    )
    refractive_index: Positive | None = Field(
        default=None, description="of the medium; wins over the file; water's where nothing says it"
    )
    duration_s: Positive | None = Field(default=None, description="duration of a run in s; wins over the file")
    count_rate_kcps: Positive | None = Field(
        default=None, description="count rate in thousands per s; wins over the file"
    )
    particle_index: Positive | None = Field(
        default=None,
        description="refractive index of the particle: weights by volume and number then follow Mie, else the sixth power",
    )
    particle_absorption: NonNegative = Field(default=0.0, description="imaginary part of that index")
    first_lag_us: Positive = Field(default=1.0, description="shorter lags are left out of the fits, in us")
    cutoff: Annotated[float, Field(ge=0.02, le=0.9)] = Field(
        default=0.1, description="share of the intercept down to which cumulants are fitted"
    )
    vendor_range: bool = Field(
        default=True,
        description="fit cumulants over the lags and baseline that the instrument's program states, if any",
    )
    expected_nm: Positive | None = Field(default=None, description="size that is printed elsewhere, to compare with")
    expected_sd_nm: NonNegative | None = Field(default=None, description="the deviation printed with it")
