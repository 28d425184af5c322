"""A dot as its sheet says it: a TOML file with layers, sizes, coat and what was measured of it, read by ``lampyris probe``."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from lampyris.core.model import Model, Name, NonNegative, Percent, Positive, Wavelength


class LayerSettings(Model):
    """``[[layers]]``, from the core outwards: the core has its diameter, a shell its thickness."""

    material: Name = Field(description="name of the material, such as CdTe or CdSeTe; `probe materials` lists them")
    diameter_nm: Positive | None = Field(default=None, description="of the core only: its diameter in nm")
    thickness_nm: Positive | None = Field(default=None, description="of a shell only: its thickness in nm")
    composition: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="of an alloy only: share of the second end member, such as Te in CdSeTe"
    )


class CoatSettings(Model):
    """``[coat]``: what keeps the dot in water, and what it is targeted with."""

    kind: Name = Field(description="name of the coat, such as PEG5000 or amphiphilic polymer")
    thickness_nm: Positive | None = Field(default=None, description="its thickness in nm where it was measured")
    ligand: Name | None = Field(default=None, description="what it is targeted with, such as antibody, scFv or RGD")
    ligands_per_particle: NonNegative | None = Field(default=None, description="ligands on one particle")
    zeta_mv: Annotated[float, Field(ge=-200, le=200)] | None = Field(default=None, description="zeta potential in mV")
    ionic_strength_m: NonNegative | None = Field(default=None, description="ionic strength of the medium in mol/l")


class MeasuredDot(Model):
    """``[measured]``: what was measured of this very dot; predictions are set beside it and may be calibrated with it."""

    first_exciton_nm: Wavelength | None = Field(default=None, description="first absorption peak in nm")
    emission_nm: Wavelength | None = Field(default=None, description="emission peak in nm")
    emission_sd_nm: NonNegative | None = Field(default=None, description="its standard deviation in nm")
    fwhm_nm: Positive | None = Field(default=None, description="full width at half maximum of the emission in nm")
    quantum_yield: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="photons out per photon in"
    )
    quantum_yield_sd: NonNegative | None = Field(default=None, description="its standard deviation")
    molar_extinction_per_m_cm: Positive | None = Field(default=None, description="at the excitation wavelength")
    excitation_nm: Wavelength | None = Field(default=None, description="that wavelength in nm")
    lifetime_ns: Positive | None = Field(default=None, description="intensity-weighted mean lifetime in ns")
    hydrodynamic_nm: Positive | None = Field(default=None, description="diameter by light scattering in nm")
    hydrodynamic_sd_nm: NonNegative | None = Field(default=None, description="its standard deviation in nm")
    dispersity: NonNegative | None = Field(default=None, description="polydispersity index by light scattering")
    retained_percent: Percent | None = Field(default=None, description="signal left after `retained_minutes` of light")
    retained_minutes: Positive | None = Field(default=None, description="minutes of light of that")
    metal_ug_per_ml: NonNegative | None = Field(default=None, description="metal of concern in the stock in ug/ml")
    concentration_nmol_per_l: Positive | None = Field(default=None, description="particles in the stock in nM")


class DotSettings(Model):
    """A dot's sheet."""

    name: Name = Field(description="name of the dot")
    supplier: Name | None = Field(default=None, description="who made it")
    lot: Name | None = Field(default=None, description="lot or batch")
    layers: Annotated[tuple[LayerSettings, ...], Field(min_length=1, max_length=8)] = Field(
        description="from the core outwards"
    )
    core_sd_nm: NonNegative = Field(default=0.0, description="standard deviation of the core's diameter in nm")
    aspect_ratio: Annotated[float, Field(ge=1, le=20)] = Field(default=1.0, description="length over width")
    temperature_k: Annotated[float, Field(ge=4, le=500)] = Field(default=295.0, description="temperature in K")
    medium: Name = Field(default="water", description="what is around the dot")
    coat: CoatSettings | None = Field(default=None, description="coat, absent where the dot is bare")
    measured: MeasuredDot = Field(default=MeasuredDot(), description="what was measured of it")

    @model_validator(mode="after")
    def _core_then_shells(self) -> Self:
        for number, layer in enumerate(self.layers):
            if number == 0 and (layer.diameter_nm is None or layer.thickness_nm is not None):
                raise ValueError("the first layer is the core: say its diameter_nm, and no thickness_nm")
            if number and (layer.thickness_nm is None or layer.diameter_nm is not None):
                raise ValueError(f"layer {number + 1} is a shell: say its thickness_nm, and no diameter_nm")
        return self
