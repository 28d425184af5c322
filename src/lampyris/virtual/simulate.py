"""Writes a virtual study: raw files, sheets and settings in one folder, the truth in another beside it."""

import math
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.constants import AVOGADRO_PER_MOL
from lampyris.core.errors import UsageError
from lampyris.core.images import Pose, RawImage
from lampyris.core.reporting import Reporting
from lampyris.core.schemas import ANIMALS, SAMPLESHEET, AnimalRow, SampleRow
from lampyris.core.seeds import seed_sequence
from lampyris.core.settings import AnalysisOptions, Group, StudyInfo, StudySettings
from lampyris.imaging.body.animal import stage_from_animal
from lampyris.imaging.forward import project
from lampyris.imaging.radiance.unmix import mixing_matrix
from lampyris.io.durable import write_bytes
from lampyris.io.settings import write_settings
from lampyris.io.sheets import write_sheet
from lampyris.metastasis.label import LabelLoss
from lampyris.metastasis.uptake import GRAMS_PER_CELL, InjectedUptake, dose_shares, grown_cells
from lampyris.probe.probe import probe_from_settings
from lampyris.tissue.anatomy import NOMINAL_LENGTH_MM, build_anatomy
from lampyris.virtual.depth import true_depth_mm
from lampyris.virtual.design import Design, default_design, session_name
from lampyris.virtual.exvivo import ExVivoPart, write_exvivo
from lampyris.virtual.frames import (
    DrawnCamera,
    choose_exposures,
    draw_camera,
    draw_counts,
    draw_dark,
    draw_flat,
    leakage_radiance,
)
from lampyris.virtual.histology import HistologyPart, write_histology
from lampyris.virtual.individual import Individual, arm_of, draw_individual, site_cells
from lampyris.virtual.raw_files import RawFormat, Shot, ShotFiles, dark_path, tiff, write_shot
from lampyris.virtual.scene import Scene, build_scene, excreted_share
from lampyris.virtual.section_truth import write_section_truth
from lampyris.virtual.stage import StageGroup, lane_middle_mm, on_wide_stage, stage_groups, with_nose_cones
from lampyris.virtual.tray import Excised
from lampyris.virtual.truth import TrueAnimal, TrueLesion, Truth, write_truth, written_files

SYNTHETIC_STUDY = "Synthetic study, simulated by Lampyris; no animal was imaged."
FIRST_DAY = date(2026, 3, 2)
# stations of a drawn midline, more than the analysis fits; where along the animal its chest is, and how far it reaches
SHAPE_STATIONS = 9
CHEST_SHARE, CHEST_WIDTH = 0.38, 0.15
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class SimulatedStudy:
    """Where a virtual study was written."""

    study: Path
    truth: Path


@dataclass(frozen=True, slots=True, eq=False)
class _World:
    """What all images of a study share."""

    directory: Path
    plan: Design
    drawn: DrawnCamera
    darks: dict[float, NDArray[np.uint16]]
    raw_format: RawFormat
    seed: int


@dataclass(slots=True, eq=False)
class _Member:
    """An animal on the stage, and what is noted of it as its images are made."""

    who: Individual
    scene: Scene
    rng: np.random.Generator
    poses: dict[str, dict[str, Pose]] = field(default_factory=dict)
    cells: dict[str, dict[str, float]] = field(default_factory=dict)
    rows: list[SampleRow] = field(default_factory=list)
    dose_j_cm2: float = 0.0


@dataclass(frozen=True, slots=True)
class _Made:
    """An animal's part of a study."""

    rows: list[SampleRow]
    entry: AnimalRow
    truth: TrueAnimal
    files: tuple[str, ...]
    excised: Excised


def simulate_study(
    directory: Path,
    /,
    *,
    seed: int = 1,
    design: Design | None = None,
    raw_format: RawFormat = "ome-tiff",
    progress: Progress | None = None,
) -> SimulatedStudy:
    """Write a virtual study into `directory` and its truth into ``directory-truth``.

    Parameters
    ----------
    directory : Path
        New or empty folder, or one that holds an earlier virtual study with its truth beside it, which is replaced.
    seed : int
        Key of everything drawn.
    design : Design, optional
        The default design if left out.
    raw_format : str
        Of the images: ``ome-tiff``, ``ivis`` or ``ome-zarr``. It changes no count.
    progress : callable, optional
        Called with (done, total, what).

    Returns
    -------
    SimulatedStudy

    Raises
    ------
    UsageError
        If the folder, or the truth's, holds something that is not a virtual study.
    """
    plan = on_wide_stage(design if design is not None else default_design())
    # "." has no name to put "-truth" behind
    directory = directory if directory.name not in ("", "..") else directory.resolve()
    truth_folder = directory.with_name(directory.name + "-truth")
    _clear(directory, truth_folder)
    drawn = draw_camera(plan, seed=seed)
    darks = _write_calibration(directory, plan, drawn, seed, raw_format)
    world = _World(directory, plan, drawn, darks, raw_format, seed)
    groups = stage_groups(plan)
    done: list[_Made] = []
    # threads: the transport kernel and the file writes both release the interpreter lock
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(_write_group, world, group) for group in groups]
        for count, job in enumerate(jobs, start=1):
            done += job.result()
            if progress is not None:
                progress(count, len(jobs), f"simulated {', '.join(groups[count - 1].animals)}")
    part = _exvivo(world, done)
    cut = _histology(world, [made.excised for made in done])
    _write_sheets(directory, plan, done, part)
    truth = Truth(
        study=plan.name,
        seed=seed,
        shape=plan.camera.pixels,
        pixel_mm=plan.instrument.pixel_mm,
        blur_mm=plan.instrument.blur_mm,
        animals=tuple(made.truth for made in done),
        trays=part.truth,
    )
    write_truth(truth_folder, truth, files=sorted({*_written(done), *part.files, *cut.files}))
    write_section_truth(truth_folder, cut.truth)
    return SimulatedStudy(directory, truth_folder)


def simulate_trays(directory: Path, /, *, seed: int, design: Design) -> SimulatedStudy:
    """Write a virtual study of excised organs alone: trays, weights, standards and doses, no session of a living animal.

    Parameters
    ----------
    directory : Path
        As of `simulate_study`.
    seed : int
    design : Design
        Animals are cut open on its last day.

    Returns
    -------
    SimulatedStudy

    Raises
    ------
    UsageError
        If the folder, or the truth's, holds something that is not a virtual study.
    """
    truth_folder = directory.with_name(directory.name + "-truth")
    _clear(directory, truth_folder)
    drawn = draw_camera(design, seed=seed)
    world = _World(
        directory, design, drawn, _write_calibration(directory, design, drawn, seed, "ome-tiff"), "ome-tiff", seed
    )
    entries, excised = [], []
    for animal, arm, _ in arm_of(design):
        who = draw_individual(design, animal, arm, seed=seed)
        entries.append(_entry(design, who))
        excised.append(Excised(who, _amounts(design, who, max(design.days), 0.0)))
    part = write_exvivo(directory, design, drawn, world.darks, excised, seed=seed, date=_date_of(max(design.days)))
    write_sheet(directory / "animals.csv", ANIMALS, [part.with_dose(entry) for entry in entries])
    write_settings(directory / "study.toml", _settings(design), header_comment=SYNTHETIC_STUDY)
    truth = Truth(
        design.name, seed, design.camera.pixels, design.instrument.pixel_mm, design.instrument.blur_mm, (), part.truth
    )
    write_truth(truth_folder, truth, files=sorted({*part.files, "study.toml", "animals.csv"}))
    return SimulatedStudy(directory, truth_folder)


def simulate_sections(directory: Path, /, *, seed: int, design: Design) -> SimulatedStudy:
    """Write a virtual study of tissue sections alone, no session of a living animal.

    Parameters
    ----------
    directory : Path
        As of `simulate_study`.
    seed : int
    design : Design
        Animals are cut open on its last day; its ``[histology]`` says how many sections.

    Returns
    -------
    SimulatedStudy

    Raises
    ------
    UsageError
        If the folder, or the truth's, holds something that is not a virtual study.
    """
    truth_folder = directory.with_name(directory.name + "-truth")
    _clear(directory, truth_folder)
    drawn_camera = draw_camera(design, seed=seed)
    darks = _write_calibration(directory, design, drawn_camera, seed, "ome-tiff")
    world = _World(directory, design, drawn_camera, darks, "ome-tiff", seed)
    drawn = [draw_individual(design, animal, arm, seed=seed) for animal, arm, _ in arm_of(design)]
    cut = _histology(world, [Excised(who, _amounts(design, who, max(design.days), 0.0)) for who in drawn])
    write_sheet(directory / "animals.csv", ANIMALS, [_entry(design, who) for who in drawn])
    write_settings(directory / "study.toml", _settings(design), header_comment=SYNTHETIC_STUDY)
    pixels, instrument = design.camera.pixels, design.instrument
    truth = Truth(design.name, seed, pixels, instrument.pixel_mm, instrument.blur_mm, ())
    write_truth(truth_folder, truth, files=sorted({*cut.files, "study.toml", "animals.csv"}))
    write_section_truth(truth_folder, cut.truth)
    return SimulatedStudy(directory, truth_folder)


def _histology(world: _World, excised: list[Excised]) -> HistologyPart:
    """Sections of the design's animals after their last session; nothing where the design has none."""
    plan = world.plan
    if not plan.histology.sections:
        return HistologyPart()
    return write_histology(world.directory, plan, excised, seed=world.seed, date=_date_of(max(plan.days)))


def _exvivo(world: _World, done: list[_Made]) -> ExVivoPart:
    """Trays of the design's animals after their last session; nothing where the design has none."""
    plan = world.plan
    if not plan.exvivo.trays:
        return ExVivoPart()
    excised = [made.excised for made in done]
    return write_exvivo(
        world.directory, plan, world.drawn, world.darks, excised, seed=world.seed, date=_date_of(max(plan.days))
    )


def _write_sheets(directory: Path, plan: Design, done: list[_Made], part: ExVivoPart) -> None:
    write_sheet(directory / "samplesheet.csv", SAMPLESHEET, [row for made in done for row in made.rows])
    write_sheet(directory / "animals.csv", ANIMALS, [part.with_dose(made.entry) for made in done])
    write_settings(
        directory / "study.toml",
        _settings(plan),
        header_comment=SYNTHETIC_STUDY,
    )


def _clear(directory: Path, truth_folder: Path) -> None:
    """Make room, but delete only what an earlier virtual study wrote: the files that its truth lists, and their results."""
    if not _holds_something(directory) and not _holds_something(truth_folder):
        directory.mkdir(parents=True, exist_ok=True)
        return
    written = written_files(truth_folder)
    if written is None:
        place = directory if _holds_something(directory) else truth_folder
        raise UsageError(f"{place} is not empty and is no virtual study with its truth beside it: give a new folder")
    for name in written:
        (directory / name).unlink(missing_ok=True)
        _remove_empty(directory, (directory / name).parent)
    if (directory / "results" / "manifest.json").is_file():
        shutil.rmtree(directory / "results")
    shutil.rmtree(truth_folder)
    directory.mkdir(parents=True, exist_ok=True)


def _remove_empty(directory: Path, folder: Path) -> None:
    """A vendor's folder without its files is no image any more."""
    while folder != directory and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _holds_something(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _written(done: list[_Made]) -> list[str]:
    """Every file of the study, relative to it, dark frames included."""
    images = {name for made in done for name in made.files}
    images |= {row.background for made in done for row in made.rows if row.background}
    return sorted(images | {"study.toml", "samplesheet.csv", "animals.csv"})


def _settings(plan: Design) -> StudySettings:
    bands = tuple(
        band.model_copy(update={"flat": f"raw/calibration/flat_{band.channel}.ome.tiff"})
        for band in plan.instrument.bands
    )
    return StudySettings(
        study=StudyInfo(name=plan.name, title=plan.title, synthetic=True, diet=plan.diet),
        instrument=plan.instrument.model_copy(update={"bands": bands}),
        groups={
            name: Group(title=arm.title, role=arm.role, probe=arm.probe, label=arm.label)
            for name, arm in plan.arms.items()
        },
        probes=plan.probes,
        analysis=AnalysisOptions(false_alarms_per_session=plan.false_alarms_per_session),
        reporting=Reporting(
            objective="to show the analysis on images whose truth is known",
            sample_size="set by the design file, not by a power calculation: this is a demonstration",
            randomisation="animals are drawn alike for all arms; arms differ only by design",
            blinding="nobody looked: images are simulated, and the analysis does not read the truth",
            endpoint_selection="set beforehand",
            ethics_approval="none needed: no animal was used",
        ),
    )


def _write_calibration(
    directory: Path, plan: Design, drawn: DrawnCamera, seed: int, raw_format: RawFormat
) -> dict[float, NDArray[np.uint16]]:
    """Write flats, and dark frames where the images do not bring them along; dark frames by exposure."""
    rng = np.random.default_rng(seed_sequence("virtual", plan.name, "calibration", seed))
    folder = directory / "raw" / "calibration"
    for channel, band in enumerate(plan.instrument.bands):
        flat = draw_flat(drawn.camera, channel, rng, electrons=plan.camera.flat_electrons)
        image = _calibration(plan, flat, "flat", 1.0, band.centre_nm)
        write_bytes(folder / f"flat_{band.channel}.ome.tiff", tiff(image))
    darks = {}
    for exposure in plan.camera.exposures_s:
        dark = draw_dark(drawn.camera, exposure, rng, frames=plan.camera.dark_frames)
        darks[exposure] = dark[0]
        if raw_format != "ivis":
            write_bytes(directory / dark_path(exposure), tiff(_calibration(plan, dark, "dark", exposure, float("nan"))))
    return darks


def _calibration(
    plan: Design, counts: NDArray[np.uint16], channel: str, exposure_s: float, emission_nm: float
) -> RawImage:
    instrument = plan.instrument
    return RawImage(
        counts,
        (channel,),
        instrument.pixel_mm,
        (exposure_s,),
        (instrument.excitation_nm,),
        (emission_nm,),
        synthetic=True,
    )


def _write_group(world: _World, group: StageGroup) -> list[_Made]:
    """All images of animals that lie on the stage together."""
    plan, seed = world.plan, world.seed
    members = []
    for animal in group.animals:
        who = draw_individual(plan, animal, group.arm, seed=seed)
        rng = np.random.default_rng(seed_sequence("virtual", plan.name, animal, "frames", seed))
        members.append(_Member(who, build_scene(plan, who, seed=seed), rng))
    noise = members[0].rng
    if group.shared:
        # what falls on a shared frame is no one's own
        noise = np.random.default_rng(seed_sequence("virtual", plan.name, group.name, "stage", seed))
    files: list[str] = []
    for day in plan.days:
        session = session_name(day)
        amounts = [_amounts(plan, one.who, day, one.dose_j_cm2) for one in members]
        for one, lit in zip(members, amounts, strict=True):
            one.poses[session] = {}
            for name, amount in lit.items():
                one.cells.setdefault(name, {})[session] = amount
        for view in plan.views:
            shot = _take(world, group, members, amounts, day, view, noise)
            written = write_shot(world.directory, plan, shot, world.raw_format)
            files += written.written
            for one in members:
                one.rows += _rows(plan, group, one.who, day, shot, written)
                one.dose_j_cm2 += float(shot.exposure_s.sum()) * plan.instrument.excitation_mw_per_cm2 * 1e-3
    # the group's files go with its first animal
    return [_made(plan, one, tuple(files) if one is members[0] else ()) for one in members]


def _take(
    world: _World,
    group: StageGroup,
    members: list[_Member],
    amounts: list[dict[str, float]],
    day: float,
    view: str,
    noise: np.random.Generator,
) -> Shot:
    """One frame of everyone on the stage."""
    plan, drawn = world.plan, world.drawn
    session, index = session_name(day), plan.views.index(view)
    laid, noses = [], []
    for one, lit in zip(members, amounts, strict=True):
        lane = group.lane(one.who.animal, view) if group.shared else None
        pose = _draw_pose(plan, one.who, view, one.rng, lane=lane)
        one.poses[session][view] = pose
        noses.append((pose.y_mm, pose.x_mm))
        laid.append(_laid(plan, drawn, one.scene, index, [lit[name] for name in one.scene.sources], pose))
    light = np.sum([light for light, _ in laid], axis=0)
    # the stage is black paper that sends back a few per cent
    reflectance = np.maximum(np.max([shade for _, shade in laid], axis=0), 0.03)
    if group.shared and plan.camera.nose_cones:
        reflectance = with_nose_cones(reflectance, noses, pixel_mm=plan.instrument.pixel_mm)
    leak = leakage_radiance(plan) * drawn.leakage_factor
    radiance = light + leak[:, None, None] * reflectance[None]
    exposure = choose_exposures(drawn.camera, radiance, plan.camera.exposures_s)
    counts = draw_counts(drawn.camera, radiance, exposure, noise, cosmic_per_s=plan.camera.cosmic_per_frame_s)
    grey = reflectance * 50000.0 * (1.0 + noise.normal(0.0, 0.01, reflectance.shape))
    return Shot(
        folder=f"raw/{group.name}",
        session=session,
        view=view,
        acquired=f"{_date_of(day)}T10:00:00",
        counts=counts,
        exposure_s=exposure,
        picture=np.clip(np.rint(grey), 0, 65535).astype(np.uint16),
        darks=np.stack([world.darks[seconds] for seconds in exposure.tolist()]),
        labels={
            "animal": ", ".join(sorted(group.animals, key=lambda name: group.lane(name, view))),
            "group": group.arm,
            "experiment": plan.name,
            "time_point": session,
            "view": view,
            "instrument": plan.instrument.name,
        },
    )


def _date_of(day: float) -> str:
    return (FIRST_DAY + timedelta(days=day)).isoformat()


def _made(plan: Design, member: _Member, files: tuple[str, ...]) -> _Made:
    who, scene = member.who, member.scene
    lesions = _true_lesions(plan, who, member.cells)
    others = {name: amounts for name, amounts in member.cells.items() if not name.startswith("lesion ")}
    entry = _entry(plan, who)
    truth = TrueAnimal(
        animal=who.animal,
        arm=who.arm,
        lesions=lesions,
        sources=others,
        poses=member.poses,
        grid=scene.grid,
        views=plan.views,
        maps=scene.probe[: len(lesions)].sum(axis=2).astype(np.float32),
        scale=who.parameters.scale,
        places={name: scene.places[name] for name in others},
        other_maps=_taken_for_probe(plan, who, scene, tuple(others)),
    )
    last = session_name(max(plan.days))
    held = {name: amounts[last] for name, amounts in member.cells.items()}
    return _Made(member.rows, entry, truth, files, Excised(who, held))


def _entry(plan: Design, who: Individual) -> AnimalRow:
    """An animal's row of animals.csv."""
    return AnimalRow(
        row=0,
        animal=who.animal,
        group=who.arm,
        strain="BALB/c nude (virtual)",
        sex="female",
        weight_g=round(who.parameters.weight_g, 1),
        cage=f"c{(int(who.animal[1:]) - 1) % 4 + 1}",
        inoculation=who.inoculation,
        injection="tail vein" if who.sites else "none",
        labelled_cells=plan.world.primary_cells if who.sites else 0.0,
        excluded=False,
        exclusion_reason="",
        exclusion_author="",
        exclusion_time="",
    )


def _taken_for_probe(plan: Design, who: Individual, scene: Scene, names: tuple[str, ...]) -> NDArray[np.float32]:
    """What unmixing takes for probe of each of the named sources, dims (source, view, y, x)."""
    name = who.probe or next(iter(plan.probes))
    mixing = mixing_matrix(plan.instrument, probe_from_settings(name, plan.probes[name]))
    bands = scene.probe[[scene.sources.index(one) for one in names]]
    return np.einsum("c,svcyx->svyx", np.linalg.pinv(mixing)[0], bands).astype(np.float32)


def _true_lesions(plan: Design, who: Individual, cells: dict[str, dict[str, float]]) -> tuple[TrueLesion, ...]:
    anatomy = build_anatomy(who.parameters, voxel_mm=plan.world.voxel_mm)
    return tuple(
        TrueLesion(
            number=site.number,
            organ=site.organ,
            position_mm=site.position_mm,
            cells=cells[f"lesion {site.number}"],
            arrival_day=site.arrival_day,
            depth_mm={view: true_depth_mm(anatomy, site.position_mm, view=view) for view in plan.views},
        )
        for site in who.sites
    )


def _amounts(plan: Design, who: Individual, day: float, dose_j_cm2: float) -> dict[str, float]:
    """Cell equivalents of each of the scene's sources on a day; of what holds no probe, its strength."""
    strays = {one.name: one.strength if one.day == day else 0.0 for one in who.strays}
    if not who.sites:
        return strays
    if plan.arms[who.arm].label == "injected":
        return _injected_amounts(plan, who, day) | strays
    loss = LabelLoss(**plan.losses[who.probe].model_dump())
    amounts = {f"lesion {site.number}": site_cells(site, loss, day, dose_j_cm2=dose_j_cm2) for site in who.sites}
    primary = who.sites[0].cells
    # bleached probe is freed by no one: what left the cells is counted without the light's share
    lost = primary - site_cells(who.sites[0], loss, day, dose_j_cm2=0.0)
    world = plan.world
    amounts["halo"] = world.halo_share * amounts["lesion 1"]
    amounts["liver and spleen"] = world.freed_to_liver_share * lost
    amounts["lungs"] = who.trapped_cells if day < 1.0 else 0.0
    amounts["injection site"] = who.injection_cells * 0.5 ** (day / 2.0)
    excreted = excreted_share(plan, who)
    if excreted > 0:
        # urine holds what was freed within a day or so
        before = site_cells(who.sites[0], loss, max(day - 1.0, 0.0), dose_j_cm2=0.0)
        amounts["bladder"] = excreted * (before - (primary - lost))
    return amounts | strays


def _injected_amounts(plan: Design, who: Individual, day: float) -> dict[str, float]:
    """The same for a probe injected before each session; nothing is left of the injection before."""
    given = plan.injections[who.probe]
    uptake = InjectedUptake(
        blood_half_life_h=given.blood_half_life_h,
        washout_half_life_h=given.washout_half_life_h,
        lesion_share_per_gram=given.lesion_percent_per_gram / 100.0,
        liver_spleen_share=given.liver_spleen_percent / 100.0,
    )
    shares = dose_shares(given.hours_before_imaging, uptake)
    # amounts are in cell equivalents throughout: the dose in units of a labelled cell's load
    dose = given.dose_pmol * 1e-12 * AVOGADRO_PER_MOL / plan.probes[who.probe].per_cell
    amounts = {}
    for site in who.sites:
        there = day >= site.arrival_day
        cells = grown_cells(site.cells, day - site.arrival_day, doubling_days=given.doubling_days) if there else 0.0
        amounts[f"lesion {site.number}"] = dose * shares.lesion_per_gram * cells * GRAMS_PER_CELL
    amounts["halo"] = 0.0
    amounts["liver and spleen"] = dose * shares.liver_spleen
    amounts["lungs"] = 0.0
    amounts["blood"] = dose * shares.blood
    amounts["injection site"] = 0.002 * dose
    return amounts


def _draw_pose(
    plan: Design, who: Individual, view: str, rng: np.random.Generator, /, *, lane: int | None = None
) -> Pose:
    """Lay the animal near the middle of the stage, or of its lane, head up, a little shifted, turned and bent, at some moment
    of a breath."""
    world, pixel = plan.world, plan.instrument.pixel_mm
    turn = float(np.deg2rad(rng.normal(0.0, world.pose_turn_deg)))
    shift = rng.normal(0.0, world.pose_shift_mm, 2)
    middle = np.array(plan.camera.pixels) * pixel / 2.0
    if lane is not None:
        middle[1] = lane_middle_mm(plan, lane)
    middle = middle + shift
    half_length = NOMINAL_LENGTH_MM / 2.0 * who.parameters.scale[1]
    bend, girth = _draw_shape(plan, rng)
    ahead = Pose(0.0, 0.0, turn, 1.0, 1.0, view == "ventral", bend, girth)
    y, x = stage_from_animal(ahead, np.array(half_length), np.array(0.0))
    return replace(ahead, y_mm=float(middle[0] - y), x_mm=float(middle[1] - x))


def _draw_shape(plan: Design, rng: np.random.Generator) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Offset of the midline and relative width at the pose's stations: an arc with a smaller S, and a breath."""
    world = plan.world
    share = np.linspace(0.0, 1.0, SHAPE_STATIONS)
    arc, sway = rng.normal(0.0, world.bend_mm), rng.normal(0.0, world.sway_mm)
    breath = rng.normal(0.0, world.breathing)
    bend = arc * 4.0 * share * (1.0 - share) + sway * np.sin(2.0 * np.pi * share)
    girth = 1.0 + breath * np.exp(-0.5 * ((share - CHEST_SHARE) / CHEST_WIDTH) ** 2)
    return tuple(bend.tolist()), tuple(girth.tolist())


def _laid(
    plan: Design, drawn: DrawnCamera, scene: Scene, view: int, amounts: list[float], pose: Pose
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """An animal's own light of each band on the camera's pixels, and its reflectance there."""
    maps = scene.autofluorescence[view] * drawn.autofluorescence_factor[:, None, None]
    if amounts:
        probe = np.einsum("s,scyx->cyx", np.array(amounts), scene.probe[:, view])
        maps = maps + probe * drawn.probe_factor[:, None, None]
    stacked = np.concatenate([maps, scene.reflectance[view][None]])
    laid = project(stacked, scene.grid, pose, shape=plan.camera.pixels, pixel_mm=plan.instrument.pixel_mm)
    return laid[:-1], laid[-1]


def _rows(
    plan: Design, group: StageGroup, who: Individual, day: float, shot: Shot, files: ShotFiles
) -> list[SampleRow]:
    """An animal's rows of one view."""
    return [
        SampleRow(
            row=0,
            animal=who.animal,
            session=shot.session,
            day=day,
            date=_date_of(day),
            group=who.arm,
            view=shot.view,
            channel=band.channel,
            excitation_nm=plan.instrument.excitation_nm,
            emission_nm=band.centre_nm,
            exposure_s=float(seconds),
            image=files.image,
            photo=files.photo,
            background=background,
            probe=who.probe,
            lot=plan.probes[who.probe].lots[0] if who.probe and plan.probes[who.probe].lots else "",
            lane=group.lane(who.animal, shot.view) if group.shared else math.nan,
        )
        for band, seconds, background in zip(plan.instrument.bands, shot.exposure_s, files.backgrounds, strict=True)
    ]
