"""Strain of lattice misfit in a layered sphere by continuum elasticity: hydrostatic part only.

In each layer the displacement is ``u = A r + B/r^2``; radial stress and displacement, counted from the core's lattice, are
continuous, the surface is free. Then the relative change of volume is constant in each layer. Elasticity is isotropic, with
the constants of an average over directions of the cube (c44 taken as its isotropic share (c11 - c12)/2).

References
----------
Saada 1993 Elasticity, chapter on thick spheres; Smith et al. 2009 doi:10.1038/nnano.2008.360 for its use in core and shell.
"""

import numpy as np
from numpy.typing import NDArray


def hydrostatic_strain(
    thickness_nm: NDArray[np.float64], lattice_nm: NDArray[np.float64], c11_gpa: NDArray[np.float64], c12_gpa: NDArray[np.float64], /
) -> NDArray[np.float64]:  # fmt: skip
    """Relative change of volume of each layer grown coherently on those below it.

    Parameters
    ----------
    thickness_nm, lattice_nm, c11_gpa, c12_gpa : ndarray (layer,)
        Radius of the core then thickness of the shells, lattice constants, elastic constants.

    Returns
    -------
    ndarray (layer,)
        Negative where compressed.

    Examples
    --------
    A core in a shell of smaller lattice is compressed, the shell stretched:

    >>> trace = hydrostatic_strain(np.array([2.0, 1.0]), np.array([0.648, 0.605]), np.array([53.5, 66.7]), np.array([36.9, 46.3]))
    >>> bool(trace[0] < 0 < trace[1])
    True
    """
    count = len(thickness_nm)
    misfit = lattice_nm / lattice_nm[0] - 1.0
    bulk3, shear4 = c11_gpa + 2 * c12_gpa, 2 * (c11_gpa - c12_gpa)
    ends = np.cumsum(thickness_nm)
    # unknowns: A of each layer, then B of each shell; the core has none
    matrix, right = np.zeros((2 * count - 1, 2 * count - 1)), np.zeros(2 * count - 1)
    for inner in range(count - 1):
        r = ends[inner]
        for layer, sign in ((inner, 1.0), (inner + 1, -1.0)):
            columns = [layer] + ([count + layer - 1] if layer else [])
            matrix[2 * inner, columns] = [sign * r, sign / r**2][: len(columns)]
            matrix[2 * inner + 1, columns] = [sign * bulk3[layer], -sign * shear4[layer] / r**3][: len(columns)]
        # stress counts from each layer's own lattice, displacement from the core's
        right[2 * inner + 1] = bulk3[inner] * misfit[inner] - bulk3[inner + 1] * misfit[inner + 1]
    last = [count - 1] + ([2 * count - 2] if count > 1 else [])
    matrix[-1, last] = [bulk3[-1], -shear4[-1] / ends[-1] ** 3][: len(last)]
    right[-1] = bulk3[-1] * misfit[-1]
    solved = np.linalg.solve(matrix, right)
    return 3.0 * (solved[:count] - misfit)
