"""What a virtual study is: arms, days, camera, probes, and how far the drawn world departs from the nominal one."""

import tomllib
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.model import Fraction, Model, Name, NonNegative, Positive
from lampyris.core.schemas import MOST_LANES
from lampyris.core.settings import Instrument, ProbeSettings

Share = Annotated[float, Field(ge=0, le=1)]


class LossSettings(Model):
    """How an arm's cells lose their label; see `lampyris.metastasis.label.LabelLoss`."""

    early_share: Share
    early_half_life_days: Positive
    late_half_life_days: Positive
    bleaching_per_j_cm2: NonNegative


class InjectionSettings(Model):
    """``[injections.PROBE]``: what an injected probe does in the body before each session."""

    dose_pmol: Positive
    hours_before_imaging: NonNegative = 24.0
    blood_half_life_h: Positive
    washout_half_life_h: Positive
    lesion_percent_per_gram: NonNegative
    liver_spleen_percent: NonNegative
    doubling_days: Positive = Field(default=3.0, description="of the cells of each lesion")


class Arm(Model):
    """``[arms.NAME]``: one group of animals.

    In a prelabelled arm the signal arrives with the cells and is only lost; in an injected one it follows the cells
    that are there and the circulation, anew before each session.
    """

    title: str
    role: Literal["labelled", "control"] = "labelled"
    label: Literal["prelabelled", "injected"] = "prelabelled"
    probe: str = ""
    animals: Annotated[int, Field(ge=1, le=200)]


class World(Model):
    """``[world]``: the animals and what lights up in them besides lesions."""

    voxel_mm: Positive = Field(default=0.7, description="grid of the drawn animals, finer than the analysis' own")
    anatomy_spread: NonNegative = Field(default=1.0, description="factor on the tabulated spread of organs")
    optics_spread: NonNegative = Field(default=1.0, description="factor on the tabulated spread of tissue optics")
    weight_g: Positive = 22.0
    weight_sd_g: NonNegative = 1.5
    size_relative_sd: NonNegative = 0.025
    brightness_spread: NonNegative = Field(
        default=0.5, description="share of the probe's stated spread of load per cell that lies between animals"
    )
    pose_shift_mm: NonNegative = 2.0
    pose_turn_deg: NonNegative = 3.0
    bend_mm: NonNegative = Field(
        default=2.0, description="spread of how far the middle of a C-shaped animal lies aside"
    )
    sway_mm: NonNegative = Field(default=0.8, description="spread of the S-shaped part of the midline")
    breathing: NonNegative = Field(default=0.02, description="spread of the chest's width between images, relative")
    autofluorescence_radiance: Positive = Field(
        description="of the purified diet, summed over bands, ph s-1 cm-2 sr-1 per mW cm-2"
    )
    texture_relative_sd: NonNegative = 0.12
    texture_mm: Positive = 3.0
    colour_relative_sd: NonNegative = Field(
        default=0.006, description="spread of autofluorescence colour over the skin, per 30 nm"
    )
    chow_factor: Positive = Field(default=6.0, description="gut signal of chow against purified diet")
    gut_relative: NonNegative = Field(
        default=0.4, description="gut content against tissue autofluorescence, purified diet"
    )
    secondary_sites: tuple[int, int] = (1, 2)
    primary_cells: Positive = 1e6
    secondary_cells: tuple[Positive, Positive] = (1e5, 1e6)
    site_distance_mm: NonNegative = 10.0
    freed_to_liver_share: Share = 0.06
    freed_to_bladder_share: Share = Field(
        default=0.03, description="of the label lost within a day, for dyes: dots are too large for the kidney"
    )
    trapped_in_lung_cells: tuple[NonNegative, NonNegative] = (5e4, 3e5)
    injection_site_cells: tuple[NonNegative, NonNegative] = (2e4, 1e5)
    halo_share: Share = 0.06
    halo_mm: Positive = 3.5
    food_spot_probability: Share = Field(default=0.0, description="of a lump in stomach or gut, per session")
    food_strength: tuple[Positive, Positive] = Field(
        default=(5.0, 50.0), description="glow of a lump against the same volume of other tissue"
    )
    food_probe_colour: tuple[Share, Share] = Field(
        default=(0.2, 0.8), description="share of the probe's colour in that of a lump, the rest autofluorescence"
    )
    artefact_probability: Share = Field(default=0.0, description="of fur, ink or lint on the skin, per session")
    artefact_strength: tuple[Positive, Positive] = Field(
        default=(0.3, 3.0), description="greatest radiance against the body's mean autofluorescence"
    )


class CameraDraw(Model):
    """``[camera]``: how the drawn camera departs from its data sheet."""

    pixels: tuple[int, int] = Field(
        default=(256, 224),
        description="rows and columns; columns follow from the lanes where several animals share an image",
    )
    animals_per_image: Annotated[int, Field(ge=1, le=MOST_LANES)] = Field(
        default=1, description="animals of one arm that lie side by side in each image"
    )
    lane_pitch_mm: Annotated[float, Field(ge=25, le=100)] = Field(
        default=40.0, description="from the middle of an animal's lane to that of the next"
    )
    nose_cones: bool = Field(default=True, description="bright discs ahead of the noses where several share an image")
    offset_counts: NonNegative = 300.0
    dark_e_per_s: NonNegative = 0.5
    hot_share: Share = 0.0003
    hot_e_per_s: Positive = 2000.0
    gain_spread: NonNegative = 0.005
    vignetting: Share = 0.25
    band_mismatch: NonNegative = 0.003
    cosmic_per_frame_s: NonNegative = Field(default=0.15, description="cosmic rays per frame and second")
    leak_od: Positive = 6.0
    flat_electrons: Positive = 2e6
    dark_frames: Annotated[int, Field(ge=1)] = 16
    exposures_s: tuple[Positive, ...] = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class ExVivo(Model):
    """``[exvivo]``: organs cut out after the last session, on trays under the same camera; nothing of it unless `trays` says so."""

    trays: bool = Field(default=False, description="write trays, weights, standards and doses")
    animals_per_tray: Annotated[int, Field(ge=1, le=6)] = 2
    touch_probability: Share = Field(default=0.2, description="that an organ lies against its neighbour")
    irregularity: NonNegative = Field(default=0.08, description="of outlines, relative")
    dome: tuple[Positive, Positive] = Field(
        default=(0.4, 0.6), description="exponent of the height's fall to the edge; 0.5 is an ellipsoid"
    )
    flatness_spread: NonNegative = Field(default=0.1, description="spread of an organ's mean height, relative")
    drained_share: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="of the blood that has left the organs: they absorb less by so much"
    )
    tumour_g: Positive = 0.2
    tray_glow: NonNegative = Field(default=0.08, description="of the tray against tissue autofluorescence")
    tray_probe_colour: Share = Field(default=0.1, description="share of the probe's colour in the tray's glow")
    weighing_sd_g: NonNegative = 0.0005
    well_relative_sd: NonNegative = Field(default=0.1, description="spread of what a well's walls keep or throw back")
    well_scatter: NonNegative = Field(default=0.02, description="of pipetted standards, relative")
    icp: bool = Field(default=True, description="write an ICP-MS table of the same organs")
    icp_relative_sd: NonNegative = Field(default=0.04, description="of one digest")
    icp_ng_per_pmol: Positive = Field(default=220.0, description="of the element in the probe")
    icp_lod_ppb: Positive = 0.05


class SectionDraw(Model):
    """``[histology]``: sections of organs under a fluorescence microscope; nothing of it unless `sections` says so."""

    sections: Annotated[int, Field(ge=0, le=40)] = Field(default=0, description="of each organ of each animal")
    organs: tuple[Name, ...] = ("liver", "lungs", "spleen")
    field_um: Annotated[float, Field(ge=60, le=5000)] = 400.0
    pixel_um: Annotated[float, Field(ge=0.1, le=2)] = 0.65
    thickness_um: Positive = 8.0
    daughters: Positive = Field(
        default=4.0, description="labelled cells per cell equivalent: cells divide, label is shared"
    )
    enrichment: Positive = Field(
        default=20.0,
        description="density where the fields lie against the whole organ's: fields are put where tumour is",
    )
    section_spread: NonNegative = Field(default=0.3, description="of density from section to section, log-normal")
    nuclei_per_mm2: Positive = 2500.0
    nucleus_um: Positive = Field(default=7.0, description="diameter")
    size_spread: NonNegative = Field(default=0.18, description="of diameters, relative")
    crowded_share: Share = Field(default=0.3, description="of nuclei drawn in clumps")
    stain_spread: NonNegative = Field(default=0.3, description="of nuclei's brightness, log-normal")
    nuclei_electrons: Positive = 300.0
    nuclei_glow_electrons: NonNegative = 40.0
    label_electrons: Positive = 200.0
    label_spread: NonNegative = Field(default=0.5, description="of the label per cell, log-normal")
    label_glow_electrons: NonNegative = 30.0
    glow_spread: NonNegative = Field(default=0.15, description="of the tissue's glow from place to place, log-normal")
    bleed_through: Share = Field(default=0.01, description="of the nuclear dye's light in the label's channel")
    debris_per_mm2: NonNegative = Field(default=15.0, description="bright grains that are no cells'")
    lipofuscin_per_mm2: NonNegative = Field(
        default=300.0, description="faint grains of aged cells, in controls as well"
    )
    blur_um: NonNegative = 0.5
    defocused_share: Share = Field(default=0.0, description="of fields that are out of focus")
    defocus_um: Positive = Field(default=3.0, description="blur of those")
    illumination_fall: Share = Field(default=0.3, description="of the lamp's light from the middle to the corners")
    glass_share: Annotated[float, Field(ge=0, le=0.8)] = Field(default=0.15, description="of a field beyond the tissue")
    vessels_per_mm2: NonNegative = 3.0
    read_noise_e: NonNegative = 2.0
    landmarks: Annotated[int, Field(ge=0, le=12)] = Field(default=5, description="pairs marked per section")
    landmark_sd_um: NonNegative = Field(default=60.0, description="of marking a landmark on the organ's image")


def session_name(day: float, /) -> str:
    """Name of a session from its day, e.g. ``d07`` or ``d00.5``: two digits before the point, so that names sort.

    Examples
    --------
    >>> session_name(7.0), session_name(0.5)
    ('d07', 'd00.5')
    """
    whole, _, rest = f"{day:g}".partition(".")
    return f"d{int(whole):02d}" + (f".{rest}" if rest else "")


class Design(Model):
    """A whole virtual study."""

    name: Name
    title: str = ""
    diet: Literal["purified", "chow"] = "purified"
    days: tuple[NonNegative, ...]
    views: tuple[Literal["dorsal", "ventral"], ...] = ("dorsal", "ventral")
    arms: dict[str, Arm] = Field(min_length=1)
    probes: dict[str, ProbeSettings]
    losses: dict[str, LossSettings]
    injections: dict[str, InjectionSettings] = Field(default_factory=dict)
    instrument: Instrument
    world: World
    camera: CameraDraw = Field(default_factory=CameraDraw)
    exvivo: ExVivo = Field(default_factory=ExVivo)
    histology: SectionDraw = Field(default_factory=SectionDraw)
    false_alarms_per_session: Fraction = 0.02

    @model_validator(mode="after")
    def _sessions_differ(self) -> Self:
        names = [session_name(day) for day in self.days]
        if len(set(names)) < len(names):
            raise ValueError(f"days must differ, got {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _arms_have_their_probe(self) -> Self:
        for name, arm in self.arms.items():
            if arm.role == "control":
                continue
            table = self.losses if arm.label == "prelabelled" else self.injections
            kind = "losses" if arm.label == "prelabelled" else "injections"
            if arm.probe not in self.probes or arm.probe not in table:
                raise ValueError(f"arm {name} needs a probe that stands in [probes] and in [{kind}], got {arm.probe!r}")
        return self


@lru_cache(maxsize=1)
def default_design() -> Design:
    """The default study: targeted dot, untargeted dot and dye, five animals each, and three unlabelled controls.

    Examples
    --------
    >>> sum(arm.animals for arm in default_design().arms.values())
    18
    """
    return Design.model_validate(_default_table())


def _default_table() -> dict[str, Any]:
    text = resources.files("lampyris.virtual").joinpath("data", "default.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def with_animals_per_image(design: Design, count: int, /) -> Design:
    """The design with so many animals side by side in each image.

    Examples
    --------
    >>> with_animals_per_image(default_design(), 5).camera.animals_per_image
    5
    """
    return design.model_copy(update={"camera": design.camera.model_copy(update={"animals_per_image": count})})


def read_design(path: Path, /) -> Design:
    """Read a design file: the default design with what the file changes.

    Tables are merged key by key, but a file that names arms names all of them.

    Raises
    ------
    InputError
        With every fault, its key and what came.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        found = Finding("design.unreadable", Severity.ERROR, Place(file=path.name), f"{fault}.", "Give a TOML file.")
        raise InputError(f"{path.name} cannot be read as a design", [found]) from fault
    try:
        return Design.model_validate(_merged(_default_table(), table))
    except ValidationError as fault:
        findings = [
            Finding(
                "design.value",
                Severity.ERROR,
                Place(file=path.name, column=".".join(str(part) for part in one["loc"])),
                # a fault between keys has no key of its own, and its input is the whole file
                f"{one['msg']}; got {one['input']!r}." if one["loc"] else f"{one['msg']}.",
                "See the default design for every key and its unit.",
            )
            for one in fault.errors()
        ]
        raise InputError(f"{path.name} is no valid design", findings) from fault


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """`base` with the keys of `change` laid over it."""
    merged = dict(base)
    for key, value in change.items():
        inner = merged.get(key)
        if isinstance(value, dict) and isinstance(inner, dict) and key != "arms":
            merged[key] = _merged(inner, value)
        else:
            merged[key] = value
    return merged
