"""Options of fluorescence lifetimes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lampyris.core.model import NonNegative, Positive
from lampyris.core.techniques.base import TechniqueSettings

Share = Annotated[float, Field(ge=0, lt=1)]


class Settings(TechniqueSettings):
    """``[bench.lifetime]``."""

    roles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"response": "instrument's response (IRF), as long as the decay; without it the tail is fitted"}
    )

    law: Literal["auto", "exponentials", "stretched"] = Field(
        default="auto",
        description="exponentials, one stretched exponential, or auto: whichever the decay clearly asks for",
    )
    components: Annotated[int, Field(ge=1, le=4)] | None = Field(
        default=None, description="number of exponentials; told by the criterion where left out"
    )
    most_components: Annotated[int, Field(ge=1, le=4)] = Field(
        default=3, description="most exponentials that are tried where their number is left out"
    )
    scatter: bool = Field(default=False, description="fit light of the exciting pulse itself as well")
    channel_ns: Positive | None = Field(
        default=None, description="width of a channel in ns, where a text does not say it"
    )
    time_unit: Literal["ps", "ns", "us", "ms", "s"] | None = Field(
        default=None, description="unit of a text's time column, where its name does not say it"
    )
    repetition_mhz: Positive | None = Field(
        default=None,
        description="pulses per microsecond: light of earlier pulses is counted in, and pile-up is checked",
    )
    until_share: Share = Field(
        default=0.05,
        description="share of the peak, background removed, at which the fit ends; 0 fits every channel that was recorded",
    )
    start_ns: NonNegative | None = Field(
        default=None, description="first time that is fitted, from the first channel on"
    )
    end_ns: Positive | None = Field(default=None, description="last time that is fitted")
    shift_ns: float | None = Field(
        default=None, description="how much later the decay is than the response; fitted where left out"
    )
    phasor_mhz: Positive | None = Field(
        default=None, description="frequency of the phasor; the repetition, or one over the fitted time, where left out"
    )
    most_rate: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.05, description="photons per pulse above which pile-up is flagged"
    )
