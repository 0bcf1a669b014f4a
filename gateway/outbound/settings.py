"""Settings of what is told outside the house: web hooks with a signature, and messengers by Apprise's addresses."""

import hashlib
import json
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gateway.runtime.settings import Section

LEAST_SECRET = 16


def _from_text(value: object) -> object:
    """Read a list that comes as text, as from an environment variable: JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("a list as JSON is expected") from None


class WebhookTarget(BaseModel):
    """One receiver of signed JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    url: str = Field(repr=False)
    secret: str = Field(repr=False, min_length=LEAST_SECRET)

    @model_validator(mode="after")
    def _check_url(self) -> Self:
        try:
            parts = urlsplit(self.url)
            is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address:
            raise ValueError(f"web hook {self.name}: the url must be http(s)://host…")
        if parts.username or parts.password:
            raise ValueError(f"web hook {self.name}: no user or password in the url; receivers check the signature")
        return self

    @property
    def place(self) -> str:
        """Scheme, host and port: what may be logged; a path may be as secret as a password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


class NotifyTarget(BaseModel):
    """One Apprise address under a name that tells nothing of it but its kind, and stays the same as long as it does."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(repr=False)

    @property
    def kind(self) -> str:
        """The scheme, such as `ntfy` or `mailtos`."""
        return self.url.partition("://")[0].lower()

    @property
    def name(self) -> str:
        """Name of the target in the table of deliveries."""
        return f"{self.kind}-{hashlib.sha256(self.url.encode()).hexdigest()[:6]}"


class HookSettings(Section, section="hooks"):
    """Who outside the house is told when an alarm stays unanswered; nobody, as long as both lists are empty."""

    webhooks: Annotated[tuple[WebhookTarget, ...], BeforeValidator(_from_text)] = Field(
        (), repr=False, description="Receivers of signed JSON: [{name, url, secret}]; http or https, no redirects."
    )
    notify: Annotated[tuple[str, ...], BeforeValidator(_from_text)] = Field(
        (), repr=False, description="Apprise addresses, such as ntfy://… or mailtos://…; they are secrets."
    )
    timeout_s: float = Field(5.0, gt=0, le=30, description="A web hook must have answered after this long, in all.")
    notify_timeout_s: float = Field(20.0, gt=0, le=120, description="The same for a messenger.")
    give_up_h: float = Field(24.0, gt=0, le=168, description="What nobody has taken by then is given up, loudly.")
    with_address: bool = Field(default=True, description="Whether the household's address leaves the house.")
    desk_url: str = Field("", description="Address of the desk as people outside reach it; a link in every message.")

    @model_validator(mode="after")
    def _check_targets(self) -> Self:
        names = self.targets
        if len(set(names)) < len(names):
            raise ValueError("two targets have the same name or address")
        if any("://" not in url for url in self.notify):
            raise ValueError("every address in notify has the form kind://…")
        return self

    @property
    def messengers(self) -> tuple[NotifyTarget, ...]:
        """The addresses of `notify` with their names."""
        return tuple(NotifyTarget(url=url) for url in self.notify)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of all targets: what an escalation queues one row each for."""
        return (*(hook.name for hook in self.webhooks), *(one.name for one in self.messengers))


SECTIONS = (HookSettings,)
