"""Settings of the television's program: the [tv] and [developer] sections, every key with its meaning."""

from collections.abc import Sequence
from typing import Final

from pydantic import Field

from gateway.runtime.settings import Section


class TvSettings(Section, section="tv"):
    """The pages of the television."""

    host: str = Field("127.0.0.1", description="Address that the TV server listens on.")
    port: int = Field(18800, ge=0, le=65535, description="Port of the TV pages; 0 takes a free one.")
    poll_s: int = Field(5, ge=1, le=300, description="How often a page asks for messages, in seconds.")
    idle_to_live_s: int = Field(
        20, ge=0, le=3600, description="Untouched after start, a box with live TV goes to it after this; 0 never."
    )


class DeveloperSettings(Section, section="developer"):
    """The console of mini-app developers and of those who review their work."""

    host: str = Field("127.0.0.1", description="Address that the developer server listens on.")
    port: int = Field(18802, ge=0, le=65535, description="Port of the developer console; 0 takes a free one.")


SECTIONS: Final[Sequence[type[Section]]] = (TvSettings, DeveloperSettings)
