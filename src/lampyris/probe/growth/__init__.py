"""Growth of a batch of dots in solution: nucleation, focusing, ripening, and what to do in the flask.

In the order of use: `kinetics_of` gives a material's constants, `Batch` says what is done, `grow` follows the population,
`advice` reads the course, `ripening_exponent` its end.
"""

from lampyris.probe.growth.advice import (
    Advice,
    AdviceRange,
    AliquotFit,
    Aliquots,
    advice,
    advice_range,
    drawn_courses,
    fit_aliquots,
)
from lampyris.probe.growth.batch import Batch, Injection, Kinetics, kinetics_of
from lampyris.probe.growth.laws import (
    diffusion_ripening_rate,
    lsw_distribution,
    reaction_ripening_rate,
    ripening_exponent,
    wagner_distribution,
)
from lampyris.probe.growth.population import Course, Population, grow

__all__ = [
    "Advice",
    "AdviceRange",
    "AliquotFit",
    "Aliquots",
    "Batch",
    "Course",
    "Injection",
    "Kinetics",
    "Population",
    "advice",
    "advice_range",
    "diffusion_ripening_rate",
    "drawn_courses",
    "fit_aliquots",
    "grow",
    "kinetics_of",
    "lsw_distribution",
    "reaction_ripening_rate",
    "ripening_exponent",
    "wagner_distribution",
]
