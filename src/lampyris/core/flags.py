"""Quality flags, defined once: the records below are the code, the tables and the documentation."""

from enum import IntFlag, StrEnum


class PixelFlag(IntFlag):
    """Why a pixel's value is not to be trusted. Stored per channel as unsigned 16-bit."""

    GOOD = 0
    SATURATED = 1 << 0
    HOT = 1 << 1
    COSMIC = 1 << 2
    NOT_FINITE = 1 << 3
    LOW_FLAT = 1 << 4
    BLOOM = 1 << 5
    NOT_OWN = 1 << 6


PIXEL_FLAG_MEANING: dict[PixelFlag, str] = {
    PixelFlag.SATURATED: "raw count at or above 99 % of full scale: the value is a lower bound",
    PixelFlag.HOT: "dark frame far above its neighbours: replaced by the local median",
    PixelFlag.COSMIC: "single-frame spike sharper than the lens can make: replaced by the local median",
    PixelFlag.NOT_FINITE: "raw value is NaN or infinite",
    PixelFlag.LOW_FLAT: "flat field below 20 % of its centre: noise is amplified more than five times",
    PixelFlag.BLOOM: "touches a saturated pixel",
    PixelFlag.NOT_OWN: "nearer to another animal of the image, or to a nose cone: emptied",
}


class DetectionFlag(IntFlag):
    """What to know about a detection before trusting its number."""

    GOOD = 0
    SATURATED = 1 << 0
    EDGE = 1 << 1
    BLENDED = 1 << 2
    WIDE = 1 << 3
    FAINT_AFTER_FIT = 1 << 4
    PLACED_BY_HAND = 1 << 5


DETECTION_FLAG_MEANING: dict[DetectionFlag, str] = {
    DetectionFlag.SATURATED: "holds saturated pixels: the flux is a lower bound",
    DetectionFlag.EDGE: "its outline touches the animal's edge: light beyond the edge is not seen",
    DetectionFlag.BLENDED: "closer than one width to another: the split of flux between the two is uncertain",
    DetectionFlag.WIDE: "as wide as the widest template: may be an organ rather than a spot",
    DetectionFlag.FAINT_AFTER_FIT: "its flux is less than two standard deviations once its neighbours are fitted too",
    DetectionFlag.PLACED_BY_HAND: "a person put it here, parted it or joined it: z may lie below its threshold",
}


class DetectionKind(StrEnum):
    """What a detected spot, or a lesion followed over days, is taken for."""

    LESION = "lesion"
    PRIMARY = "primary"
    HALO = "halo of the primary"
    INJECTION_SITE = "injection site"
    UPTAKE = "circulating uptake"
    TRAPPING = "lung trapping"
    GUT = "gut and food"
    BLADDER = "bladder"
    ARTEFACT = "artefact"


DETECTION_KIND_MEANING: dict[DetectionKind, str] = {
    DetectionKind.LESION: "cells away from where they were put in, brighter than the measured background allows by chance",
    DetectionKind.PRIMARY: "cells where they were inoculated",
    DetectionKind.HALO: "label freed around the primary, no cells of their own",
    DetectionKind.INJECTION_SITE: "a spot at the place where cells or probe were injected",
    DetectionKind.UPTAKE: "label that left its cells and was taken up from the blood by liver or spleen",
    DetectionKind.TRAPPING: "cells caught in the lung on the day of injection, gone by the next session",
    DetectionKind.GUT: "food or gut content that glows",
    DetectionKind.BLADDER: "label that is being excreted",
    DetectionKind.ARTEFACT: "nothing of the animal's inside: fur, ink, a reflection or chance",
}
# those that count as spread or as the tumour itself
TUMOUR_KINDS = frozenset({DetectionKind.LESION, DetectionKind.PRIMARY})
