"""Options of photoluminescence."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lampyris.core.model import NonNegative, Positive, Wavelength
from lampyris.core.techniques.base import TechniqueSettings


class Settings(TechniqueSettings):
    """``[bench.photoluminescence]``."""

    roles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "correction": "factor of the instrument by wavelength",
            "blank": "emission of the solvent alone, recorded alike",
            "absorption": "absorption of the sample, for the inner filter",
        }
    )

    profile: Literal["auto", "gaussian", "asymmetric", "voigt"] = Field(
        default="auto", description="shape of a line in photon energy; auto takes that of the least AICc"
    )
    lines: Annotated[int, Field(ge=1, le=4)] | None = Field(
        default=None,
        description="number of lines, 1 to 4; one where left out, two where that lowers AICc by more than 10",
    )
    baseline: Literal["none", "constant", "linear"] = Field(default="constant", description="what lies under the lines")
    low_nm: Wavelength | None = Field(default=None, description="start of what is fitted in nm")
    high_nm: Wavelength | None = Field(default=None, description="end of what is fitted in nm")
    excitation_nm: Wavelength | None = Field(
        default=None, description="excitation in nm: light within 12 nm of it and of twice it is left out"
    )
    bandpass_nm: NonNegative | None = Field(
        default=None,
        description="full width at half height of what the emission slits let through, in nm; as the file says it where left out",
    )
    axis: Literal["wavelength", "photon_energy"] = Field(
        default="wavelength", description="what the axis is where the file does not say"
    )
    axis_unit: str = Field(default="", description="its unit where the file does not say, such as um")
    signal_is: Literal["photons", "energy"] = Field(
        default="photons", description="what the corrected signal is proportional to per nm"
    )
    saturation: Positive | None = Field(default=None, description="signal at which the detector saturates")
    path_cm: Positive = Field(default=1.0, description="length of the cell in cm, for the inner filter")
    calibration_nm: NonNegative = Field(
        default=0.5, description="standard uncertainty of the wavelength scale in nm; 0.5 is assumed"
    )
