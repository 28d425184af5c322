"""A micrograph of 4,096 x 4,096 pixels with 2,000 particles, beside the textbook's threshold and watershed of scikit-image."""

import resource
import statistics

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.micrographs.contrast import predict_image
from lampyris.bench.micrographs.measure import measure_particles
from speed.measurement import Measurement, core_seconds, one_core

ROW = "micrograph"
SIDE, PARTICLES, ROUNDS = 4096, 2000, 3
GOAL_S = 10.0
PEER = "scikit-image threshold, watershed, regionprops"


def measure() -> list[Measurement]:
    """Core-seconds from pixels to diameters; the peer must find the same particles, its diameters hang on its threshold."""
    pixels, truth = picture()
    measure_particles(pixels[:512, :512], brighter=False)
    with one_core():
        ours = statistics.median(core_seconds(lambda: measure_particles(pixels, brighter=False)) for _ in range(ROUNDS))
        theirs = statistics.median(core_seconds(lambda: textbook(pixels)) for _ in range(ROUNDS))
    found = measure_particles(pixels, brighter=False)
    own, other = found.diameter_px[found.used()], textbook(pixels)
    agree = bool(
        abs(len(found.kinds) / truth.size - 1.0) < 0.01
        and abs(other.size / truth.size - 1.0) < 0.05
        and abs(own.mean() / truth.mean() - 1.0) < 0.01
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    note = (
        f"{own.size} of {truth.size} particles; mean diameter {own.mean():.2f} px, textbook {other.mean():.2f} px,"
        f" true {truth.mean():.2f} px"
    )
    return [
        Measurement(
            ROW, f"{SIDE} x {SIDE}, {truth.size} particles", PEER, f"{GOAL_S:g} s", ours_s=ours, peer_s=theirs,
            ratio=theirs / ours, ratio_low=theirs / ours, ratio_high=theirs / ours, held=ours <= GOAL_S and agree,
            answers_agree=agree, note=note, ours_gb=memory,
        )
    ]  # fmt: skip


def picture() -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A synthetic micrograph, and the diameters of its particles, laid on a jittered grid so that none overlap."""
    rng = np.random.default_rng(11)
    cells = 45
    pitch = SIDE / cells
    place = rng.permutation(cells * cells)[:PARTICLES]
    radius = np.clip(rng.normal(22.0, 3.0, PARTICLES), 10.0, 34.0)
    x = (place % cells + 0.5) * pitch + rng.uniform(-8, 8, PARTICLES)
    y = (place // cells + 0.5) * pitch + rng.uniform(-8, 8, PARTICLES)
    zero = np.zeros(PARTICLES)
    particles = np.column_stack([x, y, radius, zero, zero, 45.0 * radius / 22.0])
    image = predict_image((SIDE, SIDE), particles, blur_px=1.5, flatness=0.0, background=150.0)
    seen = image + rng.normal(0.0, 6.0, image.shape)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8), 2.0 * radius


def textbook(pixels: NDArray[np.uint8], /) -> NDArray[np.float64]:
    """Diameters by Otsu's threshold and a watershed of distances, as scikit-image's own gallery shows it."""
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.filters import gaussian, threshold_otsu
    from skimage.measure import label, regionprops_table
    from skimage.segmentation import clear_border, watershed

    smooth = gaussian(pixels, 1.5, preserve_range=True)
    mask = smooth < threshold_otsu(smooth)
    distance = ndimage.distance_transform_edt(mask)
    peaks = peak_local_max(distance, min_distance=10, labels=label(mask))
    markers = np.zeros(pixels.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = clear_border(watershed(-distance, markers, mask=mask))
    found = regionprops_table(labels, properties=("area",))["area"]
    return 2.0 * np.sqrt(found[found > 30] / np.pi)
