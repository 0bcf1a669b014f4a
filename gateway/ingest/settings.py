"""Settings of the gateway: its name, its limits, its HTTP door."""

from pydantic import Field

from gateway.runtime.settings import Section


class ApiSettings(Section, section="api"):
    """The gateway's own HTTP server: alarms by HTTPS, health, metrics, registry."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(18803, ge=0, le=65535, description="Port of the API; 0 takes any free one.")


class GatewaySettings(Section, section="gateway"):
    """The gateway's limits."""

    shard: str = Field(
        "main", pattern=r"^[a-z0-9-]{1,32}$", description="Name of this gateway; part of its client ids."
    )
    future_s: int = Field(
        600, ge=1, description="How far ahead of our clock a measurement may claim to be, in seconds."
    )
    live_days: int = Field(7, ge=1, description="Oldest live measurement that is taken, in days.")
    history_days: int = Field(800, ge=1, description="Oldest measurement of a history batch that is taken, in days.")
    batch_max: int = Field(500, ge=1, le=5000, description="Most telemetry messages in one transaction.")
    receive_maximum: int = Field(1000, ge=1, le=65535, description="Most unacknowledged telemetry messages (MQTT 5).")
    silence_check_s: float = Field(10.0, gt=0, description="How often silent devices are looked for, in seconds.")
    outbox_batch: int = Field(100, ge=1, le=1000, description="Most receipts and commands sent in one go.")


SECTIONS = (ApiSettings, GatewaySettings)
