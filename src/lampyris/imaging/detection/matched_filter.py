"""A bank of spot shapes laid on every place of an image, with the local level free.

At each place the weighted least-squares flux of each shape is found together with a constant level within a window, by
correlation. Everything is in the unit of the image times mm2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2

from lampyris.imaging.light.spots import SpotProfiles

WINDOW_MAX_MM = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class FilterBank:
    """Spectra of the shapes for images of one size.

    Parameters
    ----------
    shape : (y, x)
        Of the images.
    padded : (y, x)
        Of the transforms.
    spectra : ndarray, dims (template, kind, y, frequency)
        Of the squared shape, the shape and its window.
    """

    shape: tuple[int, int]
    padded: tuple[int, int]
    spectra: NDArray[np.complex128]

    def transform(self, image: NDArray[np.float64], /) -> NDArray[np.complex128]:
        """Spectrum of an image, zero beyond its frame."""
        return rfft2(image, self.padded)

    def correlate(self, spectrum: NDArray[np.complex128], template: int, kind: int, /) -> NDArray[np.float64]:
        """Correlation of a transformed image with one kernel, dims (y, x)."""
        return irfft2(spectrum * self.spectra[template, kind], self.padded)[: self.shape[0], : self.shape[1]]


@dataclass(frozen=True, slots=True, eq=False)
class FilterWeights:
    """What depends on the weights only, for one shape.

    Parameters
    ----------
    shape_shape, shape_level, level_level, determinant : ndarray, dims (y, x)
        Normal equations of flux and level at each place.
    usable : ndarray of bool, dims (y, x)
        Where they can be solved.
    white : ndarray, dims (y, x)
        Standard deviation of the flux if the weights are inverse variances of independent pixels; inf where not usable.
    """

    shape_shape: NDArray[np.float64]
    shape_level: NDArray[np.float64]
    level_level: NDArray[np.float64]
    determinant: NDArray[np.float64]
    usable: NDArray[np.bool_]
    white: NDArray[np.float64]


def filter_bank(profiles: SpotProfiles, shape: tuple[int, int], /, *, pixel_mm: float) -> FilterBank:
    """Prepare the shapes for images of a size.

    Parameters
    ----------
    profiles : SpotProfiles
    shape : (y, x)
    pixel_mm : float

    Returns
    -------
    FilterBank
    """
    kernels = [_kernels(profiles, index, pixel_mm) for index in range(len(profiles.depth_mm))]
    reach = max(one.shape[-1] // 2 for one in kernels)
    padded = tuple(next_fast_len(max(count, reach + 1) + reach, real=True) for count in shape)
    spectra = []
    for three in kernels:
        size = three.shape[-1]
        laid = np.zeros((3, *padded))
        laid[:, :size, :size] = three
        # the kernel's centre belongs at the origin
        spectra.append(rfft2(np.roll(laid, (-(size // 2), -(size // 2)), axis=(1, 2))))
    return FilterBank(shape, (padded[0], padded[1]), np.stack(spectra))


def filter_weights(
    bank: FilterBank, template: int, weight_spectrum: NDArray[np.complex128], body: NDArray[np.bool_], /
) -> FilterWeights:
    """Normal equations of one shape at every place.

    Parameters
    ----------
    bank : FilterBank
    template : int
    weight_spectrum : ndarray
        Transformed weights (inverse variance, 0 off the body).
    body : ndarray of bool, dims (y, x)
        Places considered.
    """
    shape_shape, shape_level, level_level = (bank.correlate(weight_spectrum, template, kind) for kind in range(3))
    product = shape_shape * level_level
    determinant = product - shape_level * shape_level
    # rounding of the transforms leaves a speck where the window holds nothing
    product *= 1e-6
    usable = body & (shape_shape > 0) & (determinant > product)
    determinant[~usable] = 1.0
    white = np.full(bank.shape, np.inf)
    np.divide(np.maximum(level_level, 0.0), determinant, out=white, where=usable)
    np.sqrt(white, out=white)
    return FilterWeights(shape_shape, shape_level, level_level, determinant, usable, white)


def filter_flux(
    bank: FilterBank, template: int, weights: FilterWeights, data_spectrum: NDArray[np.complex128], /
) -> NDArray[np.float64]:
    """Flux of one shape at every place, 0 where it cannot be told.

    Parameters
    ----------
    bank : FilterBank
    template : int
        Number of the shape in the bank.
    weights : FilterWeights
        Of this shape.
    data_spectrum : ndarray
        Transformed product of weights and image.

    Returns
    -------
    ndarray, dims (y, x)
    """
    shape_data = bank.correlate(data_spectrum, template, 1)
    level_data = bank.correlate(data_spectrum, template, 2)
    flux = shape_data * weights.level_level
    level_data *= weights.shape_level
    flux -= level_data
    flux /= weights.determinant
    flux[~weights.usable] = 0.0
    return flux


def filter_bound(
    bank: FilterBank, template: int, weights: FilterWeights, error_spectrum: NDArray[np.complex128], /
) -> NDArray[np.float64]:
    """Largest flux that a non-negative error image may feign: the shape's response without a free level.

    Parameters
    ----------
    bank : FilterBank
    template : int
        Number of the shape in the bank.
    weights : FilterWeights
        Of this shape.
    error_spectrum : ndarray
        Transformed product of weights and error image.

    Returns
    -------
    ndarray, dims (y, x)
        inf where it cannot be told.
    """
    bound = np.full(bank.shape, np.inf)
    response = np.maximum(bank.correlate(error_spectrum, template, 1), 0.0)
    return np.divide(response, weights.shape_shape, out=bound, where=weights.usable)


def window_mm(profiles: SpotProfiles, index: int, /) -> float:
    """Radius within which a shape and its local level are fitted, mm."""
    return min(1.5 * float(profiles.fwhm_mm[index]) + 1.5, WINDOW_MAX_MM)


def _kernels(profiles: SpotProfiles, index: int, pixel_mm: float) -> NDArray[np.float64]:
    """Squared shape, shape and window, dims (3, y, x)."""
    radius = window_mm(profiles, index)
    reach = int(np.ceil(radius / pixel_mm))
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    distance = np.hypot(y, x) * pixel_mm
    window = (distance <= radius).astype(float)
    shape = profiles.image(index, distance) * window
    return np.stack([shape**2, shape, window])
