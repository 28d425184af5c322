"""Score tables of the bench, a module per technique: virtual instruments of known dots. All of it is synthetic."""
