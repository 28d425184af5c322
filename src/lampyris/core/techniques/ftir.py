"""Options of infrared spectra."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lampyris.core.model import NonNegative, Positive
from lampyris.core.techniques.base import TechniqueSettings


class Settings(TechniqueSettings):
    """``[bench.ftir]``."""

    roles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"before": "the same dots before the exchange of ligands, recorded alike"}
    )

    low_cm: Positive | None = Field(default=None, description="start of what is looked at in 1/cm")
    high_cm: Positive | None = Field(default=None, description="end of what is looked at in 1/cm")
    baseline: Literal["penalised", "rubber-band", "none"] = Field(
        default="penalised",
        description="what is taken off under all bands: a stiff line below, the hull from below, or nothing",
    )
    baseline_cm: Positive = Field(
        default=600.0, description="about how far the penalised baseline stays straight, in 1/cm"
    )
    significance: Annotated[float, Field(ge=3, le=100)] = Field(
        default=5.0, description="height over its standard error from which a band is reported"
    )
    widest_cm: Positive = Field(default=250.0, description="widest band (full width) that is searched for, in 1/cm")
    highest_absorbance: Positive = Field(default=2.0, description="absorbance above which a band counts as saturated")
    reference_cm: Positive | None = Field(
        default=None, description="band by whose area before and after are divided, in 1/cm; none where left out"
    )
    calibration_cm: NonNegative = Field(
        default=0.5, description="standard uncertainty of the wavenumber scale in 1/cm; 0.5 is assumed"
    )
    signal: Literal["auto", "absorbance", "transmittance"] = Field(
        default="auto", description="what the signal is where the file does not say"
    )
    axis_unit: str = Field(default="", description="unit of the axis where the file does not say it: 1/cm, or um")
