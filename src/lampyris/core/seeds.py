"""Seed keys: chance that depends on what is drawn, never on who draws it, when, or in which order."""

import hashlib
import json

import numpy as np


def seed_sequence(*key: str | int) -> np.random.SeedSequence:
    """Seed sequence of a key such as ``("virtual", study, animal, step, seed)``.

    The key is hashed (SHA-256 of its JSON), so that streams of different domains, animals and steps are
    independent and do not depend on workers or order.

    Parameters
    ----------
    *key : str or int
        Parts of the key; the first names the domain ("virtual", "resampling", "allocation").

    Returns
    -------
    numpy.random.SeedSequence
        256 bits of entropy.

    Examples
    --------
    >>> a, b = (np.random.default_rng(seed_sequence("virtual", "demo", "m01", 1)) for _ in range(2))
    >>> bool(a.random() == b.random())
    True
    """
    digest = hashlib.sha256(json.dumps(list(key), ensure_ascii=True).encode()).digest()
    return np.random.SeedSequence(int.from_bytes(digest, "big"))
