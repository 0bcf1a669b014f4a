"""Who may speak: a copy of the registry's devices, refreshed when it changes, asked before anything is stored."""

from gateway.contract.topics import Topic
from gateway.model.errors import BadInput
from gateway.model.registry import Device
from gateway.runtime import logs
from gateway.store import registry
from gateway.store.feed import Feed
from gateway.store.pool import Database

log = logs.get(__name__)

REFRESH_S = 30.0


class Roster:
    """Knows every device by id; `follow` keeps it fresh."""

    def __init__(self, database: Database) -> None:
        self._database = database
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

    async def recognise(self, topic: Topic) -> Device:
        """Return the device that `topic` names.

        BadInput with reason `unknown_device` or `area_mismatch` (the area in the topic is not the registry's). A
        device that is not in the copy is looked up once more, so that one registered a moment ago is not a stranger.
        """
        device = self._devices.get(topic.device_id) or await self._look_up(topic.device_id)
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

    async def _look_up(self, device_id: str) -> Device | None:
        device = await registry.device(self._database, device_id)
        if device is not None:
            self._devices[device_id] = device
        return device
