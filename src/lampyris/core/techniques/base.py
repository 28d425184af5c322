"""What the options of all techniques share."""

from typing import Annotated

from pydantic import Field

from lampyris.core.model import Model


class TechniqueSettings(Model):
    """Base of a technique's options; each field becomes a flag of ``lampyris bench TECHNIQUE``."""

    max_file_mb: Annotated[float, Field(gt=0, le=100_000)] = Field(
        default=512.0, description="largest file that is opened, in MB"
    )
