"""Crystals that are drawn in virtual micrographs."""

import numpy as np
import pytest

from lampyris.virtual.instruments.crystals import CRYSTALS, crystal
from lampyris.virtual.instruments.micrographs import MicrographTruth, virtual_picture

FACES = dict(
    zip(CRYSTALS, (14, 14, 14, 20, 12, 12, 8, 6, 4, 8, 14, 8), strict=True),
)


@pytest.mark.parametrize("name", CRYSTALS)
def test_each_face_bounds_its_crystal(name):
    own = crystal(name)
    assert own.distances.size == FACES[name]
    np.testing.assert_allclose(np.linalg.norm(own.normals, axis=1), 1.0)
    # the middle of a face lies within all others, so that none is hidden
    middles = own.normals * own.distances[:, None]
    outside = middles @ own.normals.T - own.distances
    np.fill_diagonal(outside, -1.0)
    assert (outside < -1e-9).all()
    lying = own.lying(2, 0.7)
    np.testing.assert_allclose(lying.normals[2], [0.0, 0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(lying.normals @ lying.normals.T, own.normals @ own.normals.T, atol=1e-12)


def test_what_is_no_crystal_is_refused():
    with pytest.raises(ValueError, match="icosahedron"):
        crystal("sphere")


@pytest.mark.parametrize(("name", "face"), [("tetrahedron", -1), ("cube", 0)])
def test_projected_area_is_that_of_the_circle(name, face):
    truth = MicrographTruth(
        shape="faceted",
        crystal=name,
        face=face,
        sd_nm=0.01,
        count=3,
        size_px=160,
        electrons=6e4,
        blur_px=0.1,
        gradient=0.0,
    )
    pixels, particles = virtual_picture(truth, rng=np.random.default_rng(5))
    dark = (pixels < 0.985 * 6e4) if face < 0 else pixels < 0.9 * 6e4
    x, y, radius = particles.x_px, particles.y_px, 0.5 * particles.diameter_nm / truth.pixel_nm
    whole = (np.abs(x - 79.5) < 79 - 2.2 * radius) & (np.abs(y - 79.5) < 79 - 2.2 * radius)
    v, u = np.mgrid[:160, :160]
    areas = [dark[np.hypot(u - a, v - b) < 2.2 * r].sum() / (np.pi * r**2) for a, b, r in
             zip(x[whole], y[whole], radius[whole], strict=True)]  # fmt: skip
    # a tetrahedron thins out to nothing: a tenth of its area is not dark enough to count
    assert areas and np.all(np.abs(np.array(areas) - 1.0) < 0.12)
