"""Options of X-ray spectra of electron microscopes."""

from typing import Annotated, Literal

from pydantic import Field

from lampyris.core.model import Positive
from lampyris.core.techniques.base import TechniqueSettings


class Settings(TechniqueSettings):
    """``[bench.eds]``."""

    element: tuple[str, ...] = Field(
        default=(), description="element that may be there, such as Cd; all of the table are tried where left out"
    )
    not_counted: tuple[str, ...] = Field(
        default=("C", "N", "O"), description="element that is fitted but not part of the composition (film, ligands)"
    )
    grid: Literal["Cu", "Au", "Ni", "Mo", "none"] = Field(
        default="Cu", description="metal of the grid: fitted, but not part of the composition"
    )
    beam_kv: Positive | None = Field(default=None, description="voltage of the beam in kV where the file does not say")
    fwhm_ev: Annotated[float, Field(ge=50, le=300)] = Field(
        default=130.0, description="about the detector's full width at Mn Ka in eV; it is fitted"
    )
    low_kev: Positive | None = Field(
        default=None, description="start of what is fitted in keV; 0.8, or 0.2 where C, N or O is named"
    )
    high_kev: Positive | None = Field(default=None, description="end of what is fitted in keV; 20, or the file's end")
    k_factor: tuple[str, ...] = Field(
        default=(),
        description="Cliff-Lorimer factor of an element's line with its standard uncertainty, as in Cd_L=3.1:0.2; computed where left out",
    )
    thickness_nm: Positive | None = Field(
        default=None,
        description="thickness in nm for the absorption within the sample; none is corrected where left out",
    )
    density_g_cm3: Positive = Field(default=5.8, description="density of what absorbs, in g/cm3; 5.8 is that of CdSe")
    takeoff_deg: Annotated[float, Field(gt=0, le=90)] = Field(
        default=20.0, description="angle of the detector above the sample, in degrees"
    )
    significance: Annotated[float, Field(ge=3, le=100)] = Field(
        default=5.0, description="counts over their standard error from which an element is there"
    )
    axis_unit: str = Field(default="", description="unit of the energy where a text does not say it, such as keV")
