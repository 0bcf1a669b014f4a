"""Settings of the rules' program: which file, how patient, how long it remembers."""

from pathlib import Path

from pydantic import Field

from gateway.runtime.settings import Section

PRESET = Path(__file__).parent / "presets" / "village.toml"


class RulesSettings(Section, section="rules"):
    """The rule runner."""

    file: Path = Field(PRESET, description="Rule file (TOML); read again when it changes or at SIGHUP.")
    name: str = Field("main", pattern=r"^[a-z0-9-]{1,32}$", description="Name of this runner; part of its client id.")
    tick_s: float = Field(1.0, gt=0, le=60, description="Longest time between two looks at what is due, in seconds.")
    settle_s: float = Field(
        1.0, ge=0, le=60, description="Quiet after a reconnect before time goes on, so that the backlog is heard first."
    )
    reload_s: float = Field(2.0, gt=0, le=3600, description="How often the rule file is looked at, in seconds.")
    receive_maximum: int = Field(200, ge=1, le=65535, description="Most unacknowledged messages (MQTT 5).")
    keep_days: int = Field(30, ge=1, le=3650, description="How long traces and carried-out wishes are kept, in days.")


SECTIONS = (RulesSettings,)
