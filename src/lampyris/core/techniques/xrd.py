"""Options of X-ray diffraction."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lampyris.core.model import NonNegative, Positive
from lampyris.core.techniques.base import TechniqueSettings

Angle = Annotated[float, Field(gt=0, lt=180)]


class Settings(TechniqueSettings):
    """``[bench.xrd]``."""

    roles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"standard": "pattern of a powder with sharp lines, LaB6 or Si, recorded alike: gives the instrument's width"}
    )

    phase: tuple[str, ...] = Field(
        default=(),
        description="phase or formula that it may be, such as 'CdSe zinc blende' or CdSe; all are tried if none",
    )
    anode: Literal["Cu", "Co", "Cr", "Fe", "Mo", "Ag"] | None = Field(
        default=None, description="anode of the tube, where the file does not say"
    )
    wavelength_A: Annotated[float, Field(gt=0.05, lt=5)] | None = Field(  # noqa: N815
        default=None, description="the one wavelength in A, of a synchrotron or a tube with K alpha 1 alone"
    )
    axis: Literal["two_theta", "q", "q_nm", "d"] | None = Field(
        default=None,
        description="what the axis of a text is: two_theta in deg, q in 1/A, q_nm in 1/nm or d in A; the file says it or is asked",
    )
    low_deg: Angle | None = Field(default=None, description="start of what is fitted, in deg of 2 theta")
    high_deg: Angle | None = Field(default=None, description="end of what is fitted, in deg of 2 theta")
    instrument_width_deg: Positive | None = Field(
        default=None, description="full width of the instrument's line in deg of 2 theta; 0.1 within a half is assumed"
    )
    standard_phase: str = Field(default="LaB6 powder", description="phase of the file of role standard")
    shift_sd_deg: NonNegative = Field(
        default=0.05,
        description="by how much a sample that lies too high may move lines, as a standard deviation in deg",
    )
    monochromator_deg: Annotated[float, Field(ge=0, lt=180)] = Field(
        default=0.0, description="scattering angle 2 theta of a monochromator, 26.6 of graphite with Cu; 0 without"
    )
    method: Literal["auto", "lines", "whole"] = Field(
        default="auto",
        description="size by single lines or by Debye's sum of the whole pattern; auto takes the sum for dots below 9 nm",
    )
    shape_factor: Positive | None = Field(
        default=None,
        description="K of Scherrer's equation on full widths at half maximum, such as 0.89 or 0.94; the diameter of a sphere if none",
    )
    background_terms: Annotated[int, Field(ge=2, le=15)] = Field(
        default=8, description="terms of the background, a Chebyshev polynomial"
    )
    second_phase: bool = Field(default=True, description="look for a second phase in what the first one leaves")
    saturation: Positive | None = Field(default=None, description="signal at which the detector saturates")
