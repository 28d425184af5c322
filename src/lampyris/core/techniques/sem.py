"""Options of sem."""

from lampyris.core.techniques.micrographs import MicrographSettings


class Settings(MicrographSettings):
    """``[bench.sem]``."""
