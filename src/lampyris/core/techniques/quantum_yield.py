"""Options of the quantum yield."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lampyris.core.model import NonNegative, Positive, Wavelength
from lampyris.core.techniques.base import TechniqueSettings

Absorbance = Annotated[float, Field(ge=0, le=5)]


class Settings(TechniqueSettings):
    """``[bench.quantum-yield]``."""

    roles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "empty": "sphere without sample (absolute)",
            "indirect": "sample in the sphere, beam beside it (absolute)",
            "direct": "sample in the sphere, in the beam (absolute)",
            "dilute": "emission of a very dilute sample, for self-absorption (absolute)",
            "correction": "factor of the instrument by wavelength",
            "standard": "emission of the standard, a file per dilution (relative)",
            "absorption": "absorption of the sample, a file per dilution in the order of the emissions (relative)",
            "standard-absorption": "absorption of the standard, likewise (relative)",
            "blank": "emission of the solvent alone (relative)",
        }
    )

    method: Literal["relative", "absolute"] | None = Field(
        default=None, description="relative or absolute; told by the roles of the files where left out"
    )
    excitation_nm: Wavelength | None = Field(default=None, description="excitation wavelength in nm")
    excitation_half_width_nm: Positive = Field(
        default=12.0, description="half of the band that counts as excitation in nm (absolute)"
    )
    emission_low_nm: Wavelength | None = Field(default=None, description="start of the emission band in nm")
    emission_high_nm: Wavelength | None = Field(default=None, description="end of the emission band in nm")
    signal_is: Literal["energy", "photons"] = Field(
        default="energy", description="what the corrected signal is proportional to: energy or photons per nm"
    )
    saturation: Positive | None = Field(default=None, description="signal at which the detector saturates")
    calibration_relative_sd: NonNegative = Field(
        default=0.03,
        description="relative standard uncertainty of the correction between excitation and emission; 0.03 is assumed",
    )
    standard: str | None = Field(default=None, description="name of the standard, such as IR-125 (relative)")
    standard_solvent: str = Field(default="ethanol", description="solvent of the standard (relative)")
    solvent: str = Field(default="water", description="solvent of the sample (relative)")
    standard_yield: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="quantum yield of the standard, where it is not in the table (relative)"
    )
    standard_yield_sd: NonNegative | None = Field(default=None, description="its standard uncertainty (relative)")
    refractive_index: Positive | None = Field(default=None, description="of the sample's solvent (relative)")
    standard_refractive_index: Positive | None = Field(default=None, description="of the standard's (relative)")
    absorbance: tuple[Absorbance, ...] = Field(
        default=(), description="absorbance of each dilution of the sample at the excitation (relative)"
    )
    standard_absorbance: tuple[Absorbance, ...] = Field(
        default=(), description="absorbance of each dilution of the standard at its excitation (relative)"
    )
    absorbance_sd: Positive = Field(
        default=0.001, description="standard uncertainty of an absorbance, of the instrument (relative)"
    )
    highest_absorbance: Annotated[float, Field(gt=0, le=0.3)] = Field(
        default=0.1, description="dilutions above are left out: the inner filter bends the line (relative)"
    )
    excitation_ratio: Positive = Field(
        default=1.0,
        description="excitation photons on the standard over those on the sample, if not the same (relative)",
    )
