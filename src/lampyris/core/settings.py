"""Schema of ``study.toml``: small frozen models; a misspelt key is an error, never ignored.

Units stand in the names. Reading the file is `lampyris.io.settings`; rules across sheets are `lampyris.study.check`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lampyris.core.model import Fraction, Model, Name, NonNegative, Positive, Wavelength
from lampyris.core.reporting import (
    Characterisation,
    PhotostabilityMeasurement,
    Reporting,
    SpectrumMeasurement,
    YieldMeasurement,
)
from lampyris.core.techniques.table import BenchOptions


class StudyInfo(Model):
    """``[study]``: what the study is."""

    name: Name = Field(description="short name of the study")
    title: str = Field(default="", description="title of the report")
    synthetic: bool = Field(default=False, description="true where the images were simulated; then said everywhere")
    diet: Literal["purified", "chow", "unknown"] = Field(
        default="unknown", description="chow fluoresces and raises the detection limit"
    )


class Band(Model):
    """``[[instrument.bands]]``: one emission filter."""

    channel: Name = Field(description="name used in the sheet's channel column and in the image")
    centre_nm: Wavelength = Field(description="centre of the filter in nm")
    width_nm: Positive = Field(description="full width of the filter in nm")
    transmission: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.9, description="peak transmission of the filter"
    )
    autofluorescence: NonNegative = Field(
        1.0, description="relative autofluorescence of unlabelled tissue in this band"
    )
    leakage: NonNegative = Field(default=1.0, description="relative excitation light that leaks through this band")
    flat: str = Field(default="", description="path of the band's flat-field image inside the study")


class Instrument(Model):
    """``[instrument]``: the camera and its light."""

    name: str = Field(default="", description="maker and model")
    pixel_mm: Positive = Field(description="pixel pitch at the stage in mm, after binning")
    gain_e_per_count: Positive = Field(description="electrons per count")
    read_noise_e: NonNegative = Field(description="read noise in electrons per pixel")
    full_scale_counts: Positive = Field(default=65535.0, description="count at which the converter saturates")
    radiance_per_rate: Positive = Field(
        description="radiance in ph s-1 cm-2 sr-1 that gives one electron per second in the flat field's centre, per band of transmission 1"
    )
    radiance_relative_sd: NonNegative = Field(default=0.03, description="relative uncertainty of radiance_per_rate")
    blur_mm: NonNegative = Field(default=0.3, description="standard deviation of the lens blur at the stage")
    excitation_nm: Wavelength = Field(description="excitation wavelength in nm")
    excitation_mw_per_cm2: Positive = Field(description="excitation irradiance on the stage in mW/cm2")
    bands: tuple[Band, ...] = Field(min_length=1, description="emission bands, in the order of the image's channels")


class Stage(Model):
    """``[stage]``: how animals lie in the images, where the images do not say it themselves."""

    head: Literal["up", "down", "left", "right"] = Field(
        default="up", description="side of the images to which the heads point; images are turned head up"
    )
    lane_edges_mm: tuple[NonNegative, ...] = Field(
        default=(),
        description="borders of lanes, mm from the left edge of the image turned head up; empty: animals are counted from the left",
    )
    nose_cones_mm: NonNegative = Field(
        default=0.0,
        description="height of the strip at the heads' side that nose cones cover; nothing in it is an animal",
    )


class ProbeSettings(Model):
    """``[probes.NAME]``: a quantum dot or dye as its sheet gives it."""

    kind: Literal["quantum dot", "dye", "other"] = Field(default="quantum dot", description="what the label is")
    title: str = Field(default="", description="name in figures and tables")
    emission_nm: Wavelength = Field(description="emission peak in nm")
    fwhm_nm: Positive = Field(description="full width of the emission at half its peak in nm")
    molar_extinction_per_m_cm: Positive = Field(description="at the excitation wavelength, M-1 cm-1")
    quantum_yield: Annotated[float, Field(gt=0, le=1)] = Field(description="photons emitted per photon absorbed")
    quantum_yield_sd: NonNegative = Field(default=0.0, description="standard uncertainty of the quantum yield")
    per_cell: Positive = Field(description="probes per labelled cell at injection")
    per_cell_relative_sd: NonNegative = Field(default=0.2, description="relative uncertainty of per_cell")
    lots: tuple[str, ...] = Field(default=(), description="lots that the sheet may name")
    characterisation: Characterisation | None = Field(
        default=None,
        description="what the probe is made of, its sizes and its coat: table [probes.NAME.characterisation]",
    )
    yield_measurement: YieldMeasurement | None = Field(
        default=None, description="how quantum_yield was measured: table [probes.NAME.yield_measurement]"
    )
    photostability: PhotostabilityMeasurement | None = Field(
        default=None, description="how it bleaches, and how that was measured: table [probes.NAME.photostability]"
    )
    spectrum: SpectrumMeasurement | None = Field(
        default=None, description="on which axis the emission is shown: table [probes.NAME.spectrum]"
    )


class Group(Model):
    """``[groups.NAME]``: an arm of the study."""

    title: str = Field(default="", description="name in figures and tables")
    role: Literal["labelled", "control"] = Field(
        default="labelled",
        description="controls carry no label: they are described, not tested, and show false alarms",
    )
    probe: str = Field(default="", description="key of [probes]; empty for unlabelled controls")
    label: Literal["prelabelled", "injected"] = Field(
        default="prelabelled",
        description="cells labelled before they were put in, or a probe injected before each session",
    )
    injection_days: tuple[NonNegative, ...] = Field(
        default=(),
        description="days of an injected probe's doses since inoculation; empty where each session has its own: then no washout is given",
    )

    @model_validator(mode="after")
    def _doses_are_injected(self) -> Self:
        if self.injection_days and self.label != "injected":
            raise ValueError('injection_days are those of an injected probe: write label = "injected", or remove them')
        return self


class AnalysisOptions(Model):
    """``[analysis]``: every choice the analysis makes, with its default."""

    false_alarms_per_session: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.02, description="false detections to expect per animal and session"
    )
    detection_power: Fraction = Field(
        default=0.95, description="probability with which a source at the detection limit is found"
    )
    interval_level: Fraction = Field(default=0.95, description="coverage of every interval")
    template_depths_mm: tuple[Positive, ...] = Field(
        default=(0.5, 2.0, 4.0, 7.0, 11.0), description="depths whose spot shapes are searched for, in mm"
    )
    organ_model_error: NonNegative = Field(default=0.5, description="relative error of organ uptake templates")
    spot_model_error: NonNegative = Field(
        default=0.5, description="largest relative error of a fitted spot's profile away from its centre"
    )
    wide_spot_error: NonNegative = Field(
        default=0.15, description="relative error of a wide spot's flux from probe around it and from the background"
    )
    edge_error: NonNegative = Field(
        default=0.1, description="relative error of the flux of a spot whose outline touches the animal's edge"
    )
    spectral_error: NonNegative = Field(default=0.03, description="relative error of flux from the tissue's colour")
    outline_fraction: Fraction = Field(default=0.25, description="outline at this share of the fitted peak")
    voxel_mm: Positive = Field(default=0.8, description="grid of the nominal animal in mm")
    max_detections_per_view: Annotated[int, Field(ge=1, le=100)] = Field(
        default=12, description="the search stops after this many spots"
    )
    saturated_fraction_max: Fraction = Field(
        default=0.001, description="share of the animal's pixels that may be saturated"
    )
    primary_endpoint: Literal["", "flux", "ratio", "burden", "persistence", "course", "onset"] = Field(
        default="",
        description="endpoint that was chosen before the data were seen; its p alone is not adjusted for the others",
    )


class Growth(Model):
    """``[growth]``: what is assumed of the cells' growth; without it no current number of cells is given."""

    model: Literal["none", "exponential", "logistic", "gompertz"] = Field(
        default="none",
        description="law by which labelled cells divide from day 0, before and after they arrive; none gives no current cell number",
    )
    doubling_days: Positive | None = Field(
        default=None, description="doubling time at the start in days; needed by every law"
    )
    doubling_log_sd: NonNegative | None = Field(
        default=None,
        description="standard deviation of its logarithm between lesions; 0.3 is a factor of 1.8 either way at 95 %; needed by every law",
    )
    capacity_cells: Positive | None = Field(
        default=None, description="cells at which a lesion's growth ends; needed by logistic and gompertz alone"
    )
    capacity_log_sd: NonNegative = Field(default=0.0, description="standard deviation of its logarithm")

    @model_validator(mode="after")
    def _law_has_its_numbers(self) -> Self:
        doubling = {"doubling_days": self.doubling_days, "doubling_log_sd": self.doubling_log_sd}
        capacity = {"capacity_cells": self.capacity_cells}
        needed = {"none": {}, "exponential": doubling}.get(self.model, doubling | capacity)
        missing = [key for key, value in needed.items() if value is None]
        unused = [key for key, value in (doubling | capacity).items() if key not in needed and value is not None]
        if missing:
            raise ValueError(f"model {self.model} needs {' and '.join(missing)}")
        if unused:
            raise ValueError(f"model {self.model} has no {' and '.join(unused)}")
        return self


class Limits(Model):
    """``[limits]``: caps against hostile or broken files."""

    max_pixels: Annotated[int, Field(ge=1)] = Field(default=64_000_000, description="pixels that a file may declare")
    max_pages: Annotated[int, Field(ge=1)] = Field(default=4096, description="pages that a TIFF may hold")
    max_file_mb: Positive = Field(default=2048.0, description="size that a file may have, in MB")


REPORTED_OF_PROBES = ("characterisation", "yield_measurement", "photostability", "spectrum")
"""Tables of a probe that are reported and checked, and change no result."""


class StudySettings(Model):
    """The whole of ``study.toml``."""

    study: StudyInfo
    instrument: Instrument
    stage: Stage = Field(default_factory=Stage)
    groups: dict[str, Group] = Field(min_length=1)
    probes: dict[str, ProbeSettings] = Field(default_factory=dict)
    analysis: AnalysisOptions = Field(default_factory=AnalysisOptions)
    growth: Growth = Field(default_factory=Growth)
    reporting: Reporting = Field(default_factory=Reporting)
    limits: Limits = Field(default_factory=Limits)
    bench: BenchOptions = Field(default_factory=BenchOptions)

    def analysed(self, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
        """What an analysis of images depends on: all but `without`, what is only reported, what only the bench asks, and what
        only the study's own statistics ask, so that filling that in repeats nothing."""
        kept = self.model_dump(mode="json", exclude={"reporting", "bench", *without})
        kept.get("analysis", {}).pop("primary_endpoint", None)
        for probe in kept.get("probes", {}).values():
            for key in REPORTED_OF_PROBES:
                del probe[key]
        return kept
