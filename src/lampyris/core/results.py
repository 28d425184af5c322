"""Results that cross borders: detections, organ signals and limits. Tables are tuples of frozen rows."""

from dataclasses import dataclass

from lampyris.core.estimate import Estimate


@dataclass(frozen=True, slots=True)
class WindowMoments:
    """What a Gaussian window on the skin holds of one spot: amount, centre and spread, the same functional for model and data.

    Background and other spots are removed. Lengths are in mm of the nominal animal, along its own axes.

    Parameters
    ----------
    view : str
        In which it was measured, which need not be the view of the detection.
    y_mm, x_mm : float
        Centre of the window on the stage, from the image's first pixel centre.
    sigma_mm : float
        Standard deviation of the window.
    flux : float
        Lambertian flux under the window's weight, ph s-1.
    along, left : float
        Flux times the distance from the window's centre towards the tail, and to the animal's left; ph s-1 mm.
    spread : float
        Flux times the squared distance, ph s-1 mm2.
    own_sd : float
        Standard deviation of `flux` from the spot's own photons and from what was subtracted, ph s-1; what the animal's
        background adds stands in `ViewResult.window_noise`.
    fitted : bool
        A spot was fitted there; where none was, the background has taken part of the light.
    """

    view: str
    y_mm: float
    x_mm: float
    sigma_mm: float
    flux: float
    along: float
    left: float
    spread: float
    own_sd: float
    fitted: bool


@dataclass(frozen=True, slots=True)
class Detection:
    """A spot in one view of one session.

    Parameters
    ----------
    number : int
        From 1, brightest first, within the view.
    kind : str
        Key of `lampyris.core.flags.DETECTION_KIND_MEANING`.
    y_mm, x_mm : float
        Position in the view, heads up, from its first pixel's centre; where several animals share an image, in the
        animal's own part of it.
    position_sd_mm : float
        Standard uncertainty along each axis.
    width_mm : float
        Full width at half maximum of the fitted profile.
    template_depth_mm : float
        Depth of the best-fitting homogeneous spot profile: a shape, not a measured depth.
    z : float
        Significance in standard deviations of the measured background.
    z_threshold : float
        What z had to exceed for the stated number of false alarms.
    flux : Estimate
        Probe photons per second leaving the outlined area under Lambert's law (pi times radiance times area),
        summed over the recorded bands; background and neighbours removed.
    flux_vendor_4pi : float
        The same radiance sum times 4 pi, as Living Image prints "Total Flux"; ph s-1.
    area_mm2 : float
        Outlined area.
    snr : float
        Flux over its standard uncertainty without the calibration's share.
    contrast : float
        Peak probe radiance over the standard deviation of the background around it.
    tumour_to_background : Estimate
        Mean total radiance inside the outline over that of the reference region around it.
    region : str
        Body region under the spot in the nominal animal: a place on the skin, not an organ call.
    outline_mm : tuple of (float, float)
        Closed outline as (y, x) pairs in mm.
    flags : int
        `DetectionFlag` bits.
    windows : tuple of WindowMoments
        Windows of several widths on the spot, in its own view and at the same place of the animal in the others.
    """

    number: int
    kind: str
    y_mm: float
    x_mm: float
    position_sd_mm: float
    width_mm: float
    template_depth_mm: float
    z: float
    z_threshold: float
    flux: Estimate
    flux_vendor_4pi: float
    area_mm2: float
    snr: float
    contrast: float
    tumour_to_background: Estimate
    region: str
    outline_mm: tuple[tuple[float, float], ...]
    flags: int
    windows: tuple[WindowMoments, ...] = ()


@dataclass(frozen=True, slots=True)
class OrganSignal:
    """Diffuse probe signal with the shape of a whole organ (freed dots in liver and spleen, cells trapped in the lung).

    Parameters
    ----------
    organ : str
        Template organ.
    flux : Estimate
        Probe photons per second through the view's surface that the template explains; a negative low end is possible.
    """

    organ: str
    flux: Estimate


@dataclass(frozen=True, slots=True)
class DetectionLimit:
    """The weakest source that would have been seen in a region of one view.

    Parameters
    ----------
    region : str
        Organ or body region of the nominal animal.
    flux : Estimate
        Flux inside the outline, comparable with `Detection.flux`, ph s-1 over the recorded bands, of a spot that is found
        with probability `power`; the interval spans the region's places.
    outline_share : float
        Share of such a spot's whole flux that lies inside the outline; ``flux / outline_share`` is the whole.
    cells : Estimate
        The same in labelled-cell equivalents at injection, from the nominal animal's light transport and the probe's label per cell.
    depth_mm : float
        Nominal depth of the region below this view's surface, which chose the spot shape.
    false_alarms : float
        Expected false alarms per animal-session at this threshold.
    power : float
        Detection probability at the limit.
    """

    region: str
    flux: Estimate
    outline_share: float
    cells: Estimate
    depth_mm: float
    false_alarms: float
    power: float
