"""Schema of ``study.toml``: small frozen models; a misspelt key is an error, never ignored.

Units stand in the names. Reading the file is `lampyris.io.settings`; rules across sheets are `lampyris.study.check`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Wavelength = Annotated[float, Field(ge=200, le=2000, description="nm")]
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$")]


class Model(BaseModel):
    """Base of all settings: frozen, unknown keys forbidden, no silent conversion of text to numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, str_strip_whitespace=True)


class StudyInfo(Model):
    """``[study]``: what the study is."""

    name: Name
    title: str = ""
    synthetic: bool = Field(default=False, description="true where the images were simulated; then said everywhere")
    seed: int | None = Field(default=None, ge=0, description="seed of a simulated study; unused by the analysis")
    diet: Literal["purified", "chow", "unknown"] = "unknown"


class Band(Model):
    """``[[instrument.bands]]``: one emission filter."""

    channel: Name = Field(description="name used in the sheet's channel column and in the image")
    centre_nm: Wavelength
    width_nm: Positive
    transmission: Annotated[float, Field(gt=0, le=1)] = 0.9
    autofluorescence: NonNegative = Field(
        1.0, description="relative autofluorescence of unlabelled tissue in this band"
    )
    leakage: NonNegative = Field(default=1.0, description="relative excitation light that leaks through this band")
    flat: str = Field(default="", description="path of the band's flat-field image inside the study")


class Instrument(Model):
    """``[instrument]``: the camera and its light."""

    name: str = ""
    pixel_mm: Positive = Field(description="pixel pitch at the stage in mm, after binning")
    gain_e_per_count: Positive
    read_noise_e: NonNegative
    full_scale_counts: Positive = 65535.0
    radiance_per_rate: Positive = Field(
        description="radiance in ph s-1 cm-2 sr-1 that gives one electron per second in the flat field's centre, per band of transmission 1"
    )
    radiance_relative_sd: NonNegative = 0.03
    blur_mm: NonNegative = Field(default=0.3, description="standard deviation of the lens blur at the stage")
    excitation_nm: Wavelength
    excitation_mw_per_cm2: Positive
    bands: tuple[Band, ...] = Field(min_length=1)


class ProbeSettings(Model):
    """``[probes.NAME]``: a quantum dot or dye as its sheet gives it."""

    kind: Literal["quantum dot", "dye", "other"] = "quantum dot"
    title: str = ""
    emission_nm: Wavelength
    fwhm_nm: Positive
    molar_extinction_per_m_cm: Positive = Field(description="at the excitation wavelength, M-1 cm-1")
    quantum_yield: Annotated[float, Field(gt=0, le=1)]
    quantum_yield_sd: NonNegative = 0.0
    per_cell: Positive = Field(description="probes per labelled cell at injection")
    per_cell_relative_sd: NonNegative = 0.2
    lots: tuple[str, ...] = ()


class Group(Model):
    """``[groups.NAME]``: an arm of the study."""

    title: str = ""
    role: Literal["labelled", "control"] = "labelled"
    probe: str = Field(default="", description="key of [probes]; empty for unlabelled controls")


class AnalysisOptions(Model):
    """``[analysis]``: every choice the analysis makes, with its default."""

    false_alarms_per_session: Annotated[float, Field(gt=0, le=1)] = 0.02
    detection_power: Fraction = 0.95
    interval_level: Fraction = 0.95
    template_depths_mm: tuple[Positive, ...] = (0.5, 2.0, 4.0, 7.0)
    organ_model_error: NonNegative = Field(default=0.3, description="relative error of organ uptake templates")
    spot_model_error: NonNegative = Field(
        0.1, description="relative error of a fitted spot's profile away from its centre"
    )
    spectral_error: NonNegative = Field(default=0.03, description="relative error of flux from the tissue's colour")
    outline_fraction: Fraction = Field(default=0.25, description="outline at this share of the fitted peak")
    voxel_mm: Positive = Field(default=0.8, description="grid of the nominal animal")
    max_detections_per_view: Annotated[int, Field(ge=1, le=100)] = 12
    saturated_fraction_max: Fraction = Field(
        default=0.001, description="share of the animal's pixels that may be saturated"
    )


class Limits(Model):
    """``[limits]``: caps against hostile or broken files."""

    max_pixels: Annotated[int, Field(ge=1)] = 64_000_000
    max_pages: Annotated[int, Field(ge=1)] = 4096
    max_file_mb: Positive = 2048.0


class StudySettings(Model):
    """The whole of ``study.toml``."""

    study: StudyInfo
    instrument: Instrument
    groups: dict[str, Group] = Field(min_length=1)
    probes: dict[str, ProbeSettings] = Field(default_factory=dict)
    analysis: AnalysisOptions = Field(default_factory=AnalysisOptions)
    limits: Limits = Field(default_factory=Limits)
