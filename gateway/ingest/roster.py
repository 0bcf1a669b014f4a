"""Who may speak: a copy of the registry's devices, refreshed when it changes, asked before anything is stored."""

from gateway.contract.topics import Topic
from gateway.model.errors import BadInput, Unavailable
from gateway.model.registry import Device
from gateway.runtime import logs
from gateway.runtime.clock import Clock
from gateway.store import registry
from gateway.store.feed import Feed
from gateway.store.pool import Database

log = logs.get(__name__)

REFRESH_S = 30.0
#: After the registry could not be asked, strangers are strangers for this long: an alarm may stand behind them.
NO_QUESTIONS_S = 5.0


class Roster:
    """Knows every device by id; `follow` keeps it fresh."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._no_questions_until_s = 0.0
        self._devices: dict[str, Device] = {}

    async def load(self) -> None:
        """Read the registry."""
        self._devices = {device.device_id: device for device in await registry.devices(self._database, "0" * 12)}

    async def follow(self) -> None:
        """Read the registry again at every change and every half minute; ends only by cancellation."""
        async for _ in Feed(self._database, "linli_registry").changes(REFRESH_S):
            await self.load()

    def __len__(self) -> int:
        return len(self._devices)

    def key_of(self, device_id: str) -> bytes | None:
        """Return the key of a known device's alarms, None where it has none."""
        device = self._devices.get(device_id)
        return device.alarm_key if device else None

    async def recognise(self, topic: Topic, *, is_urgent: bool = False) -> Device:
        """Return the device that `topic` names.

        BadInput with reason `unknown_device` or `area_mismatch` (the area in the topic is not the registry's). A
        device that is not in the copy is looked up once more, so that one registered a moment ago is not a stranger.
        While the registry cannot be asked that is Unavailable, or a stranger where it `is_urgent` to go on: what an
        unknown device says must come again, and an alarm may stand behind it.
        """
        device = self._devices.get(topic.device_id) or await self._look_up(topic.device_id, is_urgent)
        if device is None:
            raise BadInput(
                "the registry does not know this device",
                reason="unknown_device",
                place=topic.device_id,
                cure="Register it, or remove it from the broker's password file.",
            )
        if device.area_id != topic.area_id:
            raise BadInput(
                f"the device belongs to area {device.area_id}, not {topic.area_id}",
                reason="area_mismatch",
                place=topic.device_id,
                cure="Give the device the area that the registry has.",
            )
        return device

    async def _look_up(self, device_id: str, is_urgent: bool) -> Device | None:  # noqa: FBT001  see `recognise`
        if is_urgent and self._clock.monotonic_s() < self._no_questions_until_s:
            return None
        try:
            device = await registry.device(self._database, device_id)
        except Unavailable as error:
            self._no_questions_until_s = self._clock.monotonic_s() + NO_QUESTIONS_S
            if not is_urgent:
                raise
            log.warning("registry_away", device=device_id, error=str(error))
            return None
        if device is not None:
            self._devices[device_id] = device
        return device
