"""Dynamic light scattering: what a correlator records of particles in Brownian motion, and sizes from its recording."""

from lampyris.bench.dls.cumulants import Cumulants, infer_cumulants
from lampyris.bench.dls.inversion import Distribution, Peak, infer_distribution
from lampyris.bench.dls.light import Optics, water_viscosity
from lampyris.bench.dls.meaning import sd_meaning
from lampyris.bench.dls.noise import covariance_correlogram, variance_correlogram
from lampyris.bench.dls.prediction import field_correlation, predict_correlogram
from lampyris.bench.dls.scattering import scattered_intensity

__all__ = [
    "Cumulants",
    "Distribution",
    "Optics",
    "Peak",
    "covariance_correlogram",
    "field_correlation",
    "infer_cumulants",
    "infer_distribution",
    "predict_correlogram",
    "scattered_intensity",
    "sd_meaning",
    "variance_correlogram",
    "water_viscosity",
]
