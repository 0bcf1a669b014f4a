"""The devices that rules know, as a snapshot: who is where, and who stands beside whom."""

from collections import defaultdict
from collections.abc import Iterable

from iot_rules.rules import Device


class Registry:
    """Devices by id and by household; made anew when the registry changes."""

    def __init__(self, devices: Iterable[Device] = ()) -> None:
        self._by_id = {device.device_id: device for device in devices}
        self._homes: dict[str, list[Device]] = defaultdict(list)
        for _, device in sorted(self._by_id.items()):
            if device.household_id:
                self._homes[device.household_id].append(device)

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, device_id: str) -> Device | None:
        return self._by_id.get(device_id)

    def devices(self) -> Iterable[Device]:
        return self._by_id.values()

    def at_home_with(self, device: Device) -> tuple[Device, ...]:
        """Return the devices of the same household by id, itself among them; itself alone outside households."""
        return tuple(self._homes[device.household_id]) if device.household_id else (device,)
