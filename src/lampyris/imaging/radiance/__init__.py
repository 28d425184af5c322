"""From recorded counts to radiance per probe, with variance and flags carried."""
