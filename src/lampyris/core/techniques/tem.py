"""Options of tem."""

from lampyris.core.techniques.micrographs import MicrographSettings


class Settings(MicrographSettings):
    """``[bench.tem]``."""
