"""Virtual instruments: each writes the real file format of its kind from a known dot, with the noise and faults of the kind."""
