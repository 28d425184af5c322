"""What a study reports beside its numbers: how it was done, and what its probe is. Everything is optional.

These tables of ``study.toml`` change no result. They fill the completeness tables of ARRIVE 2.0, MIRIBEL and in vivo imaging,
and the methods checks read them.
"""

from typing import Annotated, Literal

from pydantic import Field

from lampyris.core.model import Model, NonNegative, Percent, Positive, Wavelength

Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]


class Reporting(Model):
    """``[reporting]``: how the study was done, in words, as a paper must say it."""

    objective: Text | None = Field(default=None, description="research question or hypothesis")
    experimental_unit: Text | None = Field(
        default=None, description="what was allocated to arms on its own; animal where empty"
    )
    sample_size: Text | None = Field(default=None, description="how the number of animals was decided")
    exclusion_criteria: Text | None = Field(
        default=None, description="criteria for leaving animals or images out, and whether they were set beforehand"
    )
    randomisation: Text | None = Field(
        default=None, description="how animals were allocated to arms, or why not at random; init --allocate records it"
    )
    randomisation_seed: int | None = Field(default=None, description="seed of the allocation, where it had one")
    confounders: Text | None = Field(
        default=None, description="what was done about order of imaging, cage, batch and day"
    )
    blinding: Text | None = Field(
        default=None, description="who knew the arms at which stage, or why nobody was blind; init --blind records it"
    )
    primary_endpoint: Text | None = Field(
        default=None, description="outcome on which the number of animals was decided"
    )
    endpoint_selection: Literal["not stated", "set beforehand", "from other data", "from the tested data"] = Field(
        default="not stated", description="when regions, thresholds and days of the tests were chosen"
    )
    no_difference_claims: tuple[str, ...] = Field(
        default=(), description="endpoints that the paper will call not different; each needs an equivalence test"
    )
    equivalence_margin: Text | None = Field(
        default=None, description="margin of those tests, set beforehand, with its reason"
    )
    comparisons_made: Count | None = Field(
        default=None, description="tests made on these data in all, also those that are not shown"
    )
    species: Text | None = Field(default=None, description="species")
    age: Text | None = Field(default=None, description="age or developmental stage")
    genotype: Text | None = Field(default=None, description="genetic modification, health or immune status")
    supplier: Text | None = Field(default=None, description="where the animals came from")
    cell_line: Text | None = Field(default=None, description="cell line and where it came from")
    cell_authentication: Text | None = Field(default=None, description="how its identity was confirmed, and when")
    mycoplasma: Text | None = Field(default=None, description="test for mycoplasma, its date and result")
    cell_passage: Text | None = Field(default=None, description="passage number and culture conditions")
    cell_labelling: Text | None = Field(
        default=None, description="how cells were labelled: concentration, time, washing"
    )
    procedure: Text | None = Field(default=None, description="how cells or probe were given: site, volume, vehicle")
    anaesthesia: Text | None = Field(default=None, description="anaesthetic with dose, and temperature kept")
    fur_removal: Text | None = Field(default=None, description="how fur was removed, or that it was not")
    time_after_injection: Text | None = Field(default=None, description="time from dose to image")
    housing: Text | None = Field(default=None, description="housing, light cycle, feed and water")
    analgesia: Text | None = Field(default=None, description="what was done against pain and distress")
    humane_endpoints: Text | None = Field(default=None, description="humane end points and how often animals were seen")
    adverse_events: Text | None = Field(default=None, description="adverse events, expected or not")
    euthanasia: Text | None = Field(default=None, description="how animals were killed")
    ethics_approval: Text | None = Field(default=None, description="body that approved the study, and its number")
    protocol_registration: Text | None = Field(default=None, description="where the protocol was registered, or not")
    data_access: Text | None = Field(default=None, description="where raw data and code can be had")
    conflicts: Text | None = Field(default=None, description="conflicts of interest, or none")
    funding: Text | None = Field(default=None, description="who paid, and what part they had")
    limitations: Text | None = Field(default=None, description="limits of the study and sources of bias")
    translation: Text | None = Field(
        default=None, description="whether it is likely to hold for other models or species"
    )
    instrument_checks: Text | None = Field(
        default=None, description="how the imager was checked: dark, flat, standards"
    )


class Characterisation(Model):
    """``[probes.NAME.characterisation]``: what the probe is, as its sheet or a bench says."""

    composition: Text | None = Field(default=None, description="core, shell and coat")
    synthesis: Text | None = Field(default=None, description="how it was made, or maker and catalogue number")
    core_nm: Positive | None = Field(default=None, description="diameter by electron microscopy in nm: mean")
    core_sd_nm: NonNegative | None = Field(default=None, description="its standard deviation between particles")
    core_count: Count | None = Field(default=None, description="particles that were measured for it")
    hydrodynamic_nm: Positive | None = Field(default=None, description="diameter by light scattering in nm")
    hydrodynamic_medium: Text | None = Field(default=None, description="medium in which it was measured")
    dispersity: NonNegative | None = Field(default=None, description="polydispersity index by light scattering")
    shape: Text | None = Field(default=None, description="shape as seen in the microscope")
    zeta_mv: Annotated[float, Field(ge=-200, le=200)] | None = Field(default=None, description="zeta potential in mV")
    zeta_medium: Text | None = Field(default=None, description="medium, ionic strength and pH of it")
    ligand: Text | None = Field(default=None, description="what it is targeted with, or none")
    ligands_per_particle: NonNegative | None = Field(default=None, description="ligands on one particle")
    concentration_nmol_per_l: Positive | None = Field(default=None, description="particles in the stock in nM")
    metal: Text | None = Field(default=None, description="metal of concern, such as Cd; none where there is none")
    metal_ug_per_ml: NonNegative | None = Field(default=None, description="that metal in the same stock in ug/ml")
    stability: Text | None = Field(
        default=None, description="stability of size and light in medium or serum, with times"
    )
    endotoxin: Text | None = Field(default=None, description="endotoxin test and result")
    dose: Text | None = Field(default=None, description="dose per cell, or per kg and route")
    toxicity: Text | None = Field(default=None, description="toxicity tests, with controls for the probe alone")
    alive_percent: Percent | None = Field(default=None, description="share of labelled cells counted alive: mean")
    alive_sd_percent: NonNegative | None = Field(default=None, description="its standard deviation between replicates")
    alive_count: Count | None = Field(default=None, description="replicates of it")


class YieldMeasurement(Model):
    """``[probes.NAME.yield_measurement]``: how the quantum yield was measured."""

    method: Literal["relative", "absolute"] = Field(description="against a standard, or with an integrating sphere")
    excitation_nm: Wavelength | None = Field(default=None, description="excitation wavelength in nm")
    absorbance: NonNegative | None = Field(
        default=None, description="largest absorbance at that wavelength in the cell used, of sample and standard"
    )
    emission_absorbance: NonNegative | None = Field(
        default=None, description="absorbance at the emission peak, for the correction of the inner filter"
    )
    inner_filter_corrected: bool = Field(
        default=False, description="fluorescence was multiplied by 10^((A_excitation + A_emission) / 2)"
    )
    standard: Text | None = Field(default=None, description="standard of a relative measurement")
    standard_yield: NonNegative | None = Field(default=None, description="its quantum yield")
    refractive_index: Positive | None = Field(default=None, description="refractive index of the sample's solvent")
    standard_refractive_index: Positive | None = Field(default=None, description="of the standard's solvent")
    quantum_yield: float | None = Field(
        default=None, description="the result, where it is not the probe's quantum_yield"
    )
    quantum_yield_sd: NonNegative | None = Field(
        default=None, description="its standard uncertainty, where it is not the probe's"
    )


class PhotostabilityMeasurement(Model):
    """``[probes.NAME.photostability]``: how the probe bleaches."""

    retained_percent: NonNegative = Field(description="signal that was left, of that at the start")
    minutes: Positive = Field(description="time of illumination in minutes")
    baseline_frames: Count | None = Field(default=None, description="frames whose mean is the start")
    dark_subtracted: bool | None = Field(default=None, description="the dark frame was taken off")
    dose_j_per_cm2: Positive | None = Field(default=None, description="light dose on the sample in J/cm2")


class SpectrumMeasurement(Model):
    """``[probes.NAME.spectrum]``: on which axis the emission spectrum is shown."""

    axis: Literal["nm", "eV"] = Field(description="axis on which width and peak are given")
    jacobian: bool = Field(
        default=False, description="intensities per nm were multiplied by wavelength squared over hc to be per eV"
    )
    peak_per_nm: Wavelength | None = Field(default=None, description="peak of the spectrum per nm, in nm")
    peak_per_ev: Wavelength | None = Field(default=None, description="peak of the spectrum per eV, in nm")
