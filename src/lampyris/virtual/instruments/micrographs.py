"""A virtual electron microscope: pictures of particles of known sizes, in files as microscopes write them.

Thickness is projected on a grid finer than the pixels and dims the beam by Beer's law; then come blur, the support's texture,
and counted electrons. Nothing of the model that measures is used, but its variance.
"""

import io
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.micrographs.contrast import variance_image
from lampyris.io.durable import write_bytes
from lampyris.virtual.instruments.crystals import Crystal, crystal

Array = NDArray[np.float64]
Shape = Literal["sphere", "faceted", "disc"]
Format = Literal["imagej", "fei", "zeiss", "dm3", "dm4", "plain"]
_FINE = 3
# how far crystals may reach, in radii
_LONG = 2.6
_MOST_TRIES = 3000


@dataclass(frozen=True, slots=True)
class MicrographTruth:
    """What is in a virtual micrograph and how it is taken.

    Parameters
    ----------
    mean_nm, sd_nm : float
        Of the particles' diameters.
    law : str
        ``lognormal`` or ``normal``.
    second : tuple of float
        Mean and standard deviation of a second kind, and its share; empty for none.
    pixel_nm : float
    size_px : int
        Side of the picture.
    count : int
        Expected particles with their centre in the picture.
    touching : float
        Share of particles laid against another.
    shape : str
        ``sphere``, ``disc`` of even height, or ``faceted``.
    crystal : str
        Of `crystals.CRYSTALS`, of faceted ones.
    face : int
        Face that they lie on; below 0: anyhow turned.
    aspect_sd : float
        Spread of the logarithm of the aspect, of spheres and discs.
    contrast : float
        Share of the beam that a particle of mean diameter takes at its centre.
    blur_px, electrons : float
        Standard deviation of the blur, and electrons per pixel of background.
    texture, gradient : float
        Of the support: standard deviation and slope across the picture, relative.
    bright : bool
        Particles bright on dark, as in a scanning or dark-field picture.
    """

    mean_nm: float = 6.8
    sd_nm: float = 0.9
    law: Literal["lognormal", "normal"] = "normal"
    second: tuple[float, ...] = ()
    pixel_nm: float = 0.35
    size_px: int = 512
    count: int = 60
    touching: float = 0.0
    shape: Shape = "sphere"
    crystal: str = "cut cube"
    face: int = -1
    aspect_sd: float = 0.05
    contrast: float = 0.25
    blur_px: float = 1.2
    electrons: float = 400.0
    texture: float = 0.0
    gradient: float = 0.15
    bright: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class TrueParticles:
    """Where particles lie and how large they are: x, y from the centre of the first pixel, dims (particle,)."""

    x_px: Array
    y_px: Array
    diameter_nm: Array


def drawn_diameters(truth: MicrographTruth, count: int, rng: np.random.Generator, /) -> Array:
    """Diameters of some particles, dims (particle,)."""
    if truth.law == "normal":
        found = rng.normal(truth.mean_nm, truth.sd_nm, count)
    else:
        spread = math.log1p((truth.sd_nm / truth.mean_nm) ** 2)
        found = rng.lognormal(math.log(truth.mean_nm) - spread / 2, math.sqrt(spread), count)
    if truth.second:
        mean, sd, share = truth.second
        other = rng.random(count) < share
        found[other] = rng.normal(mean, sd, int(other.sum()))
    return np.maximum(found, 0.1 * truth.mean_nm)


def virtual_picture(truth: MicrographTruth, /, *, rng: np.random.Generator) -> tuple[NDArray[np.uint16], TrueParticles]:
    """Counts of a picture, and its particles; some of them lie beyond its border or across."""
    from scipy.ndimage import gaussian_filter

    side = truth.size_px
    margin = 2.5 * truth.mean_nm / truth.pixel_nm
    count = int(rng.poisson(truth.count * ((side + 2 * margin) / side) ** 2))
    diameter = drawn_diameters(truth, count, rng)
    x, y = _placed(0.5 * diameter / truth.pixel_nm, margin, truth, rng)
    thickness = np.zeros((side * _FINE, side * _FINE))
    for k in range(count):
        _lay(thickness, (x[k], y[k], 0.5 * diameter[k] / truth.pixel_nm), truth, rng)
    mean_px = truth.mean_nm / truth.pixel_nm
    taken = -math.log1p(-truth.contrast) / mean_px
    beam = np.exp(-taken * thickness)
    if truth.bright:
        beam = 1.3 - beam
    beam = gaussian_filter(beam, truth.blur_px * _FINE, truncate=5.0)
    beam = beam.reshape(side, _FINE, side, _FINE).mean(axis=(1, 3))
    v, u = np.mgrid[:side, :side] / side - 0.5
    ground = 1.0 + truth.gradient * (u * math.cos(1.0) + v * math.sin(1.0))
    if truth.texture:
        rough = gaussian_filter(rng.normal(size=(side, side)), 1.5)
        ground = ground + truth.texture * rough / rough.std()
    expected = truth.electrons * beam * ground
    sd = np.sqrt(variance_image(expected, electrons_per_level=1.0, read_levels=2.0))
    seen = np.where(sd < 30, rng.poisson(np.maximum(expected, 0)), expected + rng.normal(size=expected.shape) * sd)
    return np.clip(np.rint(seen), 0, 65535).astype(np.uint16), TrueParticles(x, y, diameter)


def _placed(radius: Array, margin: float, truth: MicrographTruth, rng: np.random.Generator) -> tuple[Array, Array]:
    """Centres that leave particles apart, or laid against another; all that were drawn are placed, so that no size is preferred."""
    side = truth.size_px
    x, y = np.zeros(radius.size), np.zeros(radius.size)
    done = np.zeros(0, np.intp)
    for k in np.argsort(-radius):
        against = done.size and rng.random() < truth.touching
        for _ in range(_MOST_TRIES):
            if against:
                j = int(rng.choice(done))
                turn = rng.uniform(0, 2 * np.pi)
                gap = radius[k] + radius[j] - rng.uniform(0.0, 0.06) * min(radius[k], radius[j])
                x[k], y[k] = x[j] + gap * math.cos(turn), y[j] + gap * math.sin(turn)
                others = done[done != j]
            else:
                x[k], y[k] = rng.uniform(-margin, side + margin, 2)
                others = done
            away = np.hypot(x[others] - x[k], y[others] - y[k]) - radius[others] - radius[k]
            if not others.size or away.min() > 2.0:
                break
        else:
            raise ValueError(f"{radius.size} particles find no room: fewer, or a larger picture")
        done = np.append(done, k)
    return x, y


def _lay(
    thickness: Array, particle: tuple[float, float, float], truth: MicrographTruth, rng: np.random.Generator
) -> None:
    """Add a particle's thickness in pixels to the fine grid."""
    x, y, radius = particle
    reach = (1.6 if truth.crystal == "cut cube" else _LONG) * radius + 1.0
    rows = slice(max(int((y + 0.5 - reach) * _FINE), 0), max(int((y + 0.5 + reach) * _FINE), 0))
    columns = slice(max(int((x + 0.5 - reach) * _FINE), 0), max(int((x + 0.5 + reach) * _FINE), 0))
    part = thickness[rows, columns]
    stretch, turn = math.exp(0.5 * rng.normal(0.0, truth.aspect_sd)), rng.uniform(0, np.pi)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    if not part.size:
        return
    dy = ((np.arange(part.shape[0]) + rows.start + 0.5) / _FINE - 0.5 - y)[:, None]
    dx = ((np.arange(part.shape[1]) + columns.start + 0.5) / _FINE - 0.5 - x)[None, :]
    if truth.shape == "faceted":
        own = crystal(truth.crystal)
        own = own.turned(axes) if truth.face < 0 else own.lying(truth.face, math.atan2(axes[1, 0], axes[0, 0]))
        part += _faceted(dx, dy, radius, own, 1.0 if truth.crystal == "cut cube" else 1.6 / _LONG)
        return
    along = (dx * math.cos(turn) + dy * math.sin(turn)) / stretch
    across = (dy * math.cos(turn) - dx * math.sin(turn)) * stretch
    left = 1.0 - (along**2 + across**2) / radius**2
    part += 2.0 * radius * (np.sqrt(np.maximum(left, 0.0)) if truth.shape == "sphere" else (left > 0))


def _faceted(dx: Array, dy: Array, radius: float, own: Crystal, first: float) -> Array:
    """Thickness of a crystal whose projected area is that of a circle of the radius; `first` is the first guess of its faces' distance,
    over the radius."""
    size = first * radius
    for _ in range(3):
        shape = np.broadcast(dx, dy).shape
        high, low, within = np.full(shape, np.inf), np.full(shape, -np.inf), np.ones(shape, bool)
        for (nx, ny, nz), reach in zip(own.normals, own.distances * size, strict=True):
            rest = reach - nx * dx - ny * dy
            if nz > 1e-9:
                high = np.minimum(high, rest / nz)
            elif nz < -1e-9:
                low = np.maximum(low, rest / nz)
            else:
                within &= rest > 0
        inside = (high > low) & within
        area = float(inside.sum()) / _FINE**2
        if not area:
            break
        if inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any():
            # cut by the border: the radius of the mean projection is near enough
            size = radius * 0.97
        else:
            size *= math.sqrt(np.pi * radius**2 / area)
    return np.where(inside, high - low, 0.0)


def write_virtual_micrograph(
    path: Path,
    truth: MicrographTruth,
    /,
    *,
    rng: np.random.Generator,
    kind: Format = "imagej",
    bits: Literal[8, 16] = 16,
    bar_nm: float = 0.0,
    legend: bool = False,
) -> TrueParticles:
    """Write a picture as a microscope does; its metadata say that it is synthetic.

    Parameters
    ----------
    path : Path
    truth : MicrographTruth
    rng : numpy.random.Generator
    kind : str
        Whose tags tell the scale: ImageJ's, FEI's or Zeiss's in TIFF, DigitalMicrograph's own files, or ``plain``: none do.
    bits : int
        Per pixel.
    bar_nm : float
        Length of a scale bar burnt into the picture; 0 for none.
    legend : bool
        The bar stands in a black legend below the picture.

    Returns
    -------
    TrueParticles
    """
    pixels, particles = virtual_picture(truth, rng=rng)
    shown = pixels if bits == 16 else _eight_bits(pixels)
    if bar_nm:
        shown = _with_bar(shown, bar_nm / truth.pixel_nm, legend=legend)
    if kind in ("dm3", "dm4"):
        write_bytes(path, dm_bytes(shown, truth.pixel_nm, version=3 if kind == "dm3" else 4))
    else:
        write_bytes(path, tiff_bytes(shown, truth.pixel_nm, kind, rows=truth.size_px))
    return particles


def _eight_bits(pixels: NDArray[np.uint16]) -> NDArray[Any]:
    low, high = float(pixels.min()), float(pixels.max())
    return np.clip(np.rint((pixels - low) / max(high - low, 1.0) * 235.0 + 10.0), 0, 255).astype(np.uint8)


def _with_bar(pixels: NDArray[Any], length: float, *, legend: bool) -> NDArray[Any]:
    """The picture with a white bar and a few strokes as of a text."""
    height, width = pixels.shape
    most = np.iinfo(pixels.dtype).max
    rows = max(height // 12, 24)
    if legend:
        pixels = np.vstack([pixels, np.zeros((rows, width), pixels.dtype)])
    else:
        pixels = pixels.copy()
    top = pixels.shape[0] - rows // 2
    left = width // 12
    pixels[top : top + max(rows // 8, 3), left : left + round(length)] = most
    for k in range(5):
        pixels[top - 10 : top - 3, left + 5 * k : left + 5 * k + 2] = most
    return pixels


def tiff_bytes(pixels: NDArray[Any], pixel_nm: float, kind: str, /, *, rows: int = 0) -> bytes:
    """TIFF of a picture with a microscope's or ImageJ's tags.

    Parameters
    ----------
    pixels : numpy.ndarray, dims (y, x)
    pixel_nm : float
    kind : str
        ``imagej``, ``fei``, ``zeiss``, ``digital_micrograph`` or ``plain``.
    rows : int
        Of the picture without its legend, as FEI's tag says it.

    Returns
    -------
    bytes
    """
    import tifffile

    extra: list[tuple[int, str, int, Any, bool]] = []
    description, resolution = "synthetic micrograph", None
    match kind:
        case "imagej":
            description = f"ImageJ=1.53t\nunit=nm\nmin=0.0\nmax=1.0\nInfo=synthetic\npixel_width={pixel_nm}\n"
            resolution = (1.0 / pixel_nm, 1.0 / pixel_nm)
        case "fei":
            text = f"[User]\r\nUserText=synthetic\r\n[Scan]\r\nPixelWidth={pixel_nm * 1e-9:.10g}\r\nPixelHeight={pixel_nm * 1e-9:.10g}\r\n"
            text += f"[Image]\r\nResolutionX={pixels.shape[1]}\r\nResolutionY={rows or pixels.shape[0]}\r\n"
            extra = [(34682, "s", 0, text, True)]
        case "zeiss":
            text = f"\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = {pixel_nm:.6g} nm\r\nSV_USER_TEXT\r\nUser Text = synthetic\r\n"
            extra = [(34118, "s", 0, text, True)]
        case "digital_micrograph":
            extra = [(65003, "s", 0, "nm", True), (65009, "d", 1, pixel_nm, True)]
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, byteorder="<", ome=False) as writer:
        writer.write(
            pixels, photometric="minisblack", metadata=None, software=False, description=description,
            resolution=resolution, resolutionunit="NONE", extratags=extra,
        )  # fmt: skip
    return stream.getvalue()


def dm_bytes(pixels: NDArray[Any], pixel_nm: float, /, *, version: Literal[3, 4]) -> bytes:
    """DigitalMicrograph file of a picture, with a coloured thumbnail before it as the program writes one."""
    large = version == 4
    whole = "q" if large else "i"

    def named(kind: int, name: str, body: bytes) -> bytes:
        label = name.encode("latin-1")
        size = struct.pack(">q", len(body)) if large else b""
        return struct.pack(">BH", kind, len(label)) + label + size + body

    def group(name: str, entries: Sequence[bytes]) -> bytes:
        return named(20, name, b"\1\0" + struct.pack(">" + whole, len(entries)) + b"".join(entries))

    def value(name: str, described: Sequence[int], data: bytes) -> bytes:
        head = b"%%%%" + struct.pack(f">{1 + len(described)}{whole}", len(described), *described)
        return named(21, name, head + data)

    def number(name: str, one: int) -> bytes:
        return value(name, [5], struct.pack("<I", one))

    def text(name: str, words: str) -> bytes:
        return value(name, [20, 4, len(words)], words.encode("utf-16-le"))

    def image(array: NDArray[Any], kind: int, code: int, name: str) -> bytes:
        sides = [number("", array.shape[1]), number("", array.shape[0])]
        axis = group(
            "",
            [
                value("Origin", [6], struct.pack("<f", 0.0)),
                value("Scale", [6], struct.pack("<f", pixel_nm)),
                text("Units", "nm"),
            ],
        )
        data = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).tobytes()
        body = [
            group("Calibrations", [group("Dimension", [axis, axis])]),
            value("Data", [20, code, array.size], data),
            number("DataType", kind),
            group("Dimensions", sides),
            number("PixelDepth", array.dtype.itemsize),
        ]
        tags = group("ImageTags", [text("Origin", "synthetic")])
        return group("", [group("ImageData", body), tags, text("Name", name)])

    kind, code = {"uint8": (6, 10), "uint16": (10, 4), "float32": (2, 6), "int16": (1, 2), "int32": (7, 3)}[
        pixels.dtype.name
    ]
    thumbnail = np.zeros((8, 8), np.uint32)
    entries = [
        group("ImageList", [image(thumbnail, 23, 5, "thumbnail"), image(pixels, kind, code, "synthetic")]),
        group("Thumbnails", [group("", [number("ImageIndex", 0)])]),
        value("Origin of tags", [15, 0, 2, 0, 6, 0, 6], struct.pack("<ff", 0.0, 0.0)),
        # the program draws the picture that an annotation of this kind shows
        group("DocumentObjectList", [group("", [number("AnnotationType", 20), number("ImageSource", 0)])]),
        group("ImageSourceList", [group("", [number("ImageRef", 1)])]),
    ]
    root = b"\1\0" + struct.pack(">" + whole, len(entries)) + b"".join(entries)
    return struct.pack(">i" + whole + "i", version, len(root), 1) + root + b"\0" * 8
