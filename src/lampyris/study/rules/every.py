"""Every rule of the sheets. Each is a function of `Sheets` that yields findings."""

from collections.abc import Callable, Iterator

from lampyris.core.finding import Finding
from lampyris.study.rules.amounts import check_doses, check_standards
from lampyris.study.rules.assays import check_assays, check_organs
from lampyris.study.rules.bench import check_bench
from lampyris.study.rules.histology import check_histology
from lampyris.study.rules.samples import (
    check_animals,
    check_bands_complete,
    check_channels,
    check_days,
    check_duplicates,
    check_exposures,
    check_group_of_animal,
    check_groups,
    check_images,
    check_landmarks,
    check_names,
    check_paths,
    check_probes,
    check_schedule,
    check_unmixing,
)
from lampyris.study.rules.sheets import Sheets

RULES: tuple[Callable[[Sheets], Iterator[Finding]], ...] = (
    check_groups,
    check_group_of_animal,
    check_probes,
    check_channels,
    check_unmixing,
    check_duplicates,
    check_images,
    check_names,
    check_bands_complete,
    check_days,
    check_schedule,
    check_landmarks,
    check_paths,
    check_animals,
    check_exposures,
    check_standards,
    check_doses,
    check_assays,
    check_organs,
    check_histology,
    check_bench,
)
