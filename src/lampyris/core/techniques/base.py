"""What the options of all techniques share."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import Field

from lampyris.core.model import Model


class TechniqueSettings(Model):
    """Base of a technique's options; each field becomes a flag of ``lampyris bench TECHNIQUE``."""

    roles: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Roles that a file may have beside being what is measured, each with its meaning: ``ROLE=FILE`` on the command line."""

    max_file_mb: Annotated[float, Field(gt=0, le=100_000)] = Field(
        default=512.0, description="largest file that is opened, in MB"
    )
