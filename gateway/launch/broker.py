"""The embedded MQTT broker (amqtt, MQTT 3.1.1) in its own process: passwords, topic rules, no anonymous.

For a demo and a small community on one machine: its sessions live in memory and one wrong CONNECT with somebody
else's client id ends their connection, so it belongs on the loopback address. Mosquitto takes its place by [mqtt].
"""

import hmac
import json
import logging
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from amqtt.broker import Broker
from amqtt.contexts import Action
from amqtt.errors import BrokerError
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin

from gateway.model.errors import ConfigurationError
from gateway.runtime import cli, logs
from gateway.runtime.service import Statistics, run_until_signal
from gateway.runtime.settings import MqttSettings, load

log = logs.get(__name__)

_SESSION_LIFE_S: Final = 7 * 24 * 3600
_DEVICE_PUBLISHES: Final = frozenset({"up", "status", "meta"})
_EVERYBODY: Final = "_all"


def may_publish(username: str, topic: str) -> bool:
    """Tell whether the device `username` may publish to `topic`: below its own up, status or meta only."""
    levels = topic.split("/")
    return (
        len(levels) >= 5 and levels[:2] == ["linli", "1"] and levels[3] == username and levels[4] in _DEVICE_PUBLISHES
    )


def may_subscribe(username: str, topic_filter: str) -> bool:
    """Tell whether the device `username` may subscribe: its own down/* and the community's broadcasts only."""
    levels = topic_filter.split("/")
    if len(levels) < 5 or levels[:2] != ["linli", "1"]:
        return False
    is_own = levels[3] == username and levels[4] == "down"
    return is_own or (levels[3] == _EVERYBODY and levels[4:] == ["cast"])


class Secrets:
    """Passwords by user name from a JSON file, read again when the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at_ns = 0
        self._passwords: Mapping[str, str] = {}

    def password(self, username: str) -> str:
        """Return the password of `username`, empty where there is none."""
        changed_at_ns = self._path.stat().st_mtime_ns if self._path.exists() else 0
        if changed_at_ns != self._read_at_ns:
            self._read_at_ns = changed_at_ns
            self._passwords = json.loads(self._path.read_text(encoding="utf-8")) if changed_at_ns else {}
        return self._passwords.get(username, "")


class Passwords(BaseAuthPlugin):  # type: ignore[misc]  # amqtt has no types that mypy is shown
    """Lets in the platform's programs and the registered devices, each with its own password."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._secrets = Secrets(Path(self.config.devices))

    @dataclass
    class Config:
        """amqtt fills this from the plugin's section."""

        devices: str = ""
        username: str = ""
        password: str = ""

    async def authenticate(self, *, session: Any) -> bool:
        username, client_id = session.username or "", session.client_id or ""
        is_program = username == self.config.username
        expected = self.config.password if is_program else self._secrets.password(username)
        is_right = bool(expected) and hmac.compare_digest((session.password or "").encode(), expected.encode())
        # A device's client id begins with its own name, so that it cannot take over another's session.
        is_own_client = is_program or client_id.startswith(username)
        if not (is_right and is_own_client):
            log.warning("connection_refused", username=username, client_id=client_id, wrong_client=is_right)
        return is_right and is_own_client


class TopicRules(BaseTopicPlugin):  # type: ignore[misc]  # as above
    """A device reaches its own topics only; the platform's programs reach all."""

    @dataclass
    class Config:
        """amqtt fills this from the plugin's section."""

        username: str = ""

    async def topic_filtering(self, *, session: Any = None, topic: str | None = None, action: Any = None) -> bool:
        username, topic = (session.username or "") if session else "", topic or ""
        if username == self.config.username or action == Action.RECEIVE:  # what was subscribed may be received
            return True
        is_allowed = may_publish(username, topic) if action == Action.PUBLISH else may_subscribe(username, topic)
        if not is_allowed:
            log.warning("topic_refused", username=username, topic=topic, action=str(action))
        return is_allowed


class _SteadyDict(dict[str, list[Any]]):
    """A dict that is walked over as it was at the beginning, its lists included."""

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(super().keys()))

    def items(self) -> Any:
        return [(name, list(subscribers)) for name, subscribers in super().items()]


class _CarefulBroker(Broker):  # type: ignore[misc]  # as above
    """amqtt 0.12 with two faults mended.

    It hands a new connection the retained messages of everybody's subscriptions; this one keeps to its own. And it
    awaits while it walks over the subscriptions: a device that subscribed meanwhile broke the walk, and with it
    another device's connection or a message that was already acknowledged; here the walk goes over a copy.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._subscriptions = _SteadyDict()

    async def _publish_retained_messages_for_subscription(self, subscription: tuple[str, int], session: Any) -> None:
        subscribers = self._subscriptions.get(subscription[0], ())
        if any(subscriber is session for subscriber, _ in subscribers):
            await super()._publish_retained_messages_for_subscription(subscription, session)


class EmbeddedBroker:
    """amqtt as a service; `devices` is the JSON file of device passwords."""

    def __init__(self, settings: MqttSettings, devices: Path) -> None:
        self._settings = settings
        self._devices = devices
        self._broker: Broker | None = None

    @property
    def url(self) -> str:
        return f"mqtt://{self._settings.host or '127.0.0.1'}:{self._settings.port}"

    async def start(self) -> None:
        """Listen; raises ConfigurationError where the port is taken or no password is set."""
        if not self._settings.password:
            raise ConfigurationError("programs need a password", place="[mqtt] password", cure="Set one.")
        self._broker = _CarefulBroker(self._config())
        try:
            await self._broker.start()
        except BrokerError as error:
            raise ConfigurationError(
                f"port {self._settings.port} cannot be opened: {error}",
                place="[mqtt] port",
                cure="End the program that uses it or choose another port.",
            ) from error

    def _config(self) -> dict[str, Any]:
        username = self._settings.username
        own = {"devices": str(self._devices), "username": username, "password": self._settings.password}
        bind = self.url.removeprefix("mqtt://")
        return {
            "listeners": {"default": {"type": "tcp", "bind": bind}},
            "session_expiry_interval": _SESSION_LIFE_S,
            "plugins": {
                f"{Passwords.__module__}.Passwords": own,
                f"{TopicRules.__module__}.TopicRules": {"username": username},
            },
        }

    async def stop(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            await broker.shutdown()

    def statistics(self) -> Statistics:
        sessions = len(self._broker.sessions) if self._broker else 0
        return {"sessions": sessions}


async def _run(options: Any) -> None:
    settings = load(options.config)
    logs.configure("broker", settings.node.log_level)
    logging.getLogger("amqtt").setLevel(logging.WARNING)
    logging.getLogger("transitions").setLevel(logging.WARNING)
    broker = EmbeddedBroker(settings.mqtt, settings.node.secrets_dir / "devices.json")
    await run_until_signal("broker", [broker], lambda: {"url": broker.url})


def main() -> int:
    """Run `python -m gateway.launch.broker run --config FILE`."""
    warnings.simplefilter("ignore", DeprecationWarning)
    return cli.run("broker", "The embedded MQTT broker.", [cli.Verb("run", "run until told to stop", _run)])


if __name__ == "__main__":
    sys.exit(main())
