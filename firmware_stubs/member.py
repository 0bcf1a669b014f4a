"""One device of a village and all that belongs to it: journal, line, sender, measurements, the orders it takes."""

import asyncio
import contextlib
import random
from collections.abc import Iterable, Mapping

from firmware_stubs import history, log
from firmware_stubs.button import TOUCHES, Button
from firmware_stubs.clock import Clock
from firmware_stubs.device import Device, Identity
from firmware_stubs.events import EventSender, Timing
from firmware_stubs.journal import Journal
from firmware_stubs.second_road import SecondRoad
from firmware_stubs.sensors import EVENT_OF_CHANGE
from firmware_stubs.set_top_box import SetTopBox
from firmware_stubs.settings import StubSettings
from firmware_stubs.village_file import VillageDevice
from gateway.contract.fields import Scalar
from gateway.contract.messages import Event, Telemetry
from gateway.contract.signing import alarm_key
from gateway.contract.topics import TopicKind
from gateway.model.errors import BadInput, Unavailable

TOUCH_MS = 200


class Member:
    """A living device. `start` returns at once; `device.connected` tells when it is heard."""

    def __init__(self, plan: VillageDevice, area_id: str, settings: StubSettings, clock: Clock) -> None:
        self.plan = plan
        self.seed = f"{settings.village.seed}/{plan.device_id}"
        self._settings = settings
        self._clock = clock
        self._area_id = area_id
        self._seq = 0
        self._set: dict[str, Scalar] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._journal: Journal | None = None
        self._parts: tuple[Device, EventSender] | None = None
        self.box: SetTopBox | None = None
        self.button: Button | None = None

    @property
    def device(self) -> Device:
        return self._running()[0]

    @property
    def sender(self) -> EventSender:
        return self._running()[1]

    def _running(self) -> tuple[Device, EventSender]:
        if self._parts is None:
            raise Unavailable(f"{self.plan.device_id} is not running", cure="Start it first.")
        return self._parts

    async def start(self, *, timing: Timing | None = None) -> None:
        """Begin a new boot: open the journal, connect, send what is left from before."""
        self._journal = Journal.open(self._settings.state_dir / self.plan.device_id, self._clock.now())
        password = self._settings.passwords().get(self.plan.device_id, "")
        key = alarm_key(self.plan.device_id, password) if password else None
        identity = Identity(self._area_id, self.plan.device_id, password, self.plan.household_id, key)
        device = Device(self._settings.broker, identity, self.plan.meta(), self._journal.boot, self._clock)
        sender = EventSender(device, self._journal, self._second_road(), timing)
        self._parts = (device, sender)
        self._fit_out(device, sender)
        await device.start()
        await sender.start()

    def _fit_out(self, device: Device, sender: EventSender) -> None:
        device.on_message = sender.receive
        if self.plan.profile_name == "set_top_box":
            self.box = SetTopBox(sender)
            device.on_message = self.box.receive
        elif self.plan.profile_name == "button":
            self.button = Button(sender)

    def _second_road(self) -> SecondRoad | None:
        token = self._settings.tokens().get(self.plan.household_id, "")
        if not token or not self._settings.api_url:
            return None
        return SecondRoad(self._settings.api_url, token)

    async def stop(self) -> None:
        """End in good order; events without receipt stay in the journal. Also before `start`, also twice."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        if self._parts is not None:
            await self.sender.stop()
            await self.device.stop()
        if self._journal is not None:
            self._journal.close()

    # --- measurements ---------------------------------------------------------------------------------------------

    def begin_reporting(self) -> None:
        """Report live values from now on, each device a little apart from the others."""
        self._tasks.append(asyncio.create_task(self._report_for_ever(), name=f"stub-report-{self.plan.device_id}"))

    async def send_history(self, days: int) -> int:
        """Send the past that a village remembers; returns how many batches. Sending it again adds nothing."""
        if not self.plan.profile.has_history or days <= 0:
            return 0
        batches = history.days(self.plan.profile_name, self.seed, self._clock.now(), days)
        return await history.send_all(self.device, batches)

    async def send_batches(self, batches: Iterable[Telemetry]) -> int:
        """Send batches from elsewhere, such as a replayed file."""
        return await history.send_all(self.device, batches)

    async def _report_for_ever(self) -> None:
        period_s = self._settings.village.report_s
        last_hour = history.hour_number(self._clock.now())
        await asyncio.sleep(random.uniform(0, period_s / 3))
        while True:
            await self.report()
            hour = history.hour_number(self._clock.now())
            if hour > last_hour and self.plan.profile.has_history:
                await self.send_batches([history.HOUR_OF_PROFILE[self.plan.profile_name](self.seed, hour)])
            last_hour = hour
            await asyncio.sleep(period_s)

    async def report(self) -> None:
        """Report what is measured now; while the line is broken the value is counted as lost, as a real sensor's is."""
        now = self.device.clock.now()
        values = {**self.plan.profile.measure(self.seed, now), **self._set}
        self._seq += 1
        try:
            await self.device.publish(TopicKind.UP_TELE, Telemetry.live(self.device.boot, self._seq, now, values))
        except Unavailable as error:
            log.dropped("report_not_sent", device=self.plan.device_id, why=str(error))

    # --- orders ---------------------------------------------------------------------------------------------------

    def press(self, held_ms: int) -> Event:
        """Press the key of a button or the red key of a box; BadInput where there is none or it was too short."""
        pressed: Event | None = None
        if self.box is not None:
            pressed = self.box.press(held_ms)
        elif self.button is not None:
            pressed = self.button.press(held_ms)
        if pressed is None:
            cure = "Press a button or a box, and hold it for 2000 ms."
            raise BadInput("nothing was pressed", reason="no_press", place=self.plan.device_id, cure=cure)
        return pressed

    def press_silently(self) -> Event:
        """Touch the key of a button three times; BadInput where there is none. A TV's digits are its remote's."""
        touches = [self.button.press(TOUCH_MS) for _ in range(TOUCHES)] if self.button is not None else []
        pressed = next((event for event in touches if event is not None), None)
        if pressed is None:
            cure = "Name a button; on a television press the household's digits."
            raise BadInput("nothing was pressed", reason="no_press", place=self.plan.device_id, cure=cure)
        return pressed

    def cancel(self) -> Event:
        """Take the alarm back with the box's key; BadInput where there is no box."""
        if self.box is None:
            raise BadInput(
                "only a box can take it back", reason="no_box", place=self.plan.device_id, cure="Name the box."
            )
        return self.box.cancel()

    async def set_values(self, values: Mapping[str, Scalar]) -> list[Event]:
        """Make the world around a sensor different: report it at once, with the events that the change makes."""
        known = {name for part in self.plan.profile.parts.values() for name in part.properties}
        unknown = set(values) - known
        if unknown:
            raise BadInput(
                f"{self.plan.device_id} does not measure {', '.join(sorted(unknown))}",
                reason="unknown_property",
                place=self.plan.device_id,
                cure=f"It measures {', '.join(sorted(known))}.",
            )
        changes = [EVENT_OF_CHANGE[change] for change in values.items() if change in EVENT_OF_CHANGE]
        self._set.update(values)
        await self.report()
        return [self.sender.report(kind, dict(values)) for kind in changes]
