"""From frames to lesions, and forwards from lesions to frames: the forward model and its inverse stand together."""
