"""One function for each kind of message: what it means for the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.alarms import failpoints
from gateway.alarms.doubts import timeliness_of
from gateway.alarms.intake import ALARM_EVENTS, CANCELLED, press_of, take_cancellation
from gateway.alarms.shelter.reception import Reception, Sheltered
from gateway.contract import messages
from gateway.ingest.settings import GatewaySettings
from gateway.model.errors import BadInput
from gateway.model.registry import Device
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.store import events, registry
from gateway.store.pool import Database
from gateway.store.series import Reading

log = logs.get(__name__)

_LATE = metrics.histogram(
    "linli_event_delay_seconds",
    "From a device's clock to our taking its event.",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300, 3600),
)


@dataclass(frozen=True, slots=True)
class Tools:
    """What handlers work with."""

    database: Database
    clock: Clock
    reception: Reception
    settings: GatewaySettings


def readings_of(
    device: Device,
    telemetry: messages.Telemetry,
    now: datetime,
    settings: GatewaySettings,
) -> list[Reading]:
    """Turn a message into readings.

    BadInput with reason `future_timestamp` or `ancient_timestamp` where one of its samples claims an impossible time:
    the whole message is refused, because a device whose clock is wrong is wrong about all of them.
    """
    oldest = now - timedelta(days=settings.history_days if telemetry.history else settings.live_days)
    newest = now + timedelta(seconds=settings.future_s)
    for sample in telemetry.samples:
        _check_time(sample.at, oldest, newest)
    return [
        _reading(device, telemetry, sample.at, metric, value)
        for sample in telemetry.samples
        for metric, value in sample.values.items()
    ]


def _check_time(at: datetime, oldest: datetime, newest: datetime) -> None:
    if at > newest:
        raise BadInput(
            f"{at.isoformat()} has not come yet",
            reason="future_timestamp",
            place="$.ts",
            cure="Set the device's clock; the receipt's `now` tells the time.",
        )
    if at < oldest:
        raise BadInput(
            f"{at.isoformat()} is older than what is taken",
            reason="ancient_timestamp",
            place="$.ts",
            cure='Send old values as history ({"hist":true}), or set the device\'s clock.',
        )


def _reading(
    device: Device,
    telemetry: messages.Telemetry,
    at: datetime,
    metric: str,
    value: float | bool | str,  # noqa: FBT001  a property's value
) -> Reading:
    number, text = (None, value) if isinstance(value, str) else (float(value), None)
    return Reading(at, device.device_id, metric, telemetry.boot, telemetry.seq, number, text, telemetry.history)


async def take_event(tools: Tools, device: Device, event: messages.Event) -> None:
    """Have an event recorded once with its receipt, or kept on this disk until that is possible."""
    now = tools.clock.now()
    if not timeliness_of(event.at, now).is_clock_wrong:
        _LATE.observe(max(0.0, (now - event.at).total_seconds()))
    if event.kind in ALARM_EVENTS:
        press = press_of(device, event, "mqtt", now)
        taken = await tools.reception.raise_alarm(press, area_id=device.area_id)
        is_sheltered = isinstance(taken, Sheltered)
        failpoints.hit("after_spool_before_puback" if is_sheltered else "after_commit_before_puback")
    elif event.kind == CANCELLED and await take_cancellation(tools.reception, device, event, "mqtt"):
        return
    else:
        await tools.reception.note(_row_of(device, event, now))


def _row_of(device: Device, event: messages.Event, now: datetime) -> events.DeviceEvent:
    """Return the event as it is kept; where its clock is wrong, it happened now."""
    at = now if timeliness_of(event.at, now).is_clock_wrong else event.at
    return events.DeviceEvent(
        device.device_id,
        event.boot,
        event.seq,
        event.event_id,
        device.area_id,
        event.kind,
        at,
        now,
        dict(event.details),
    )


async def take_status(tools: Tools, device: Device, status: messages.Status) -> None:
    """Write presence; the will of an earlier boot changes nothing."""
    now = tools.clock.now()
    is_heard = status.state != "offline"
    before = await registry.write_presence(
        tools.database,
        device.device_id,
        status.state,
        now,
        boot=status.boot,
        is_heard=is_heard,
        why="its own word or its will",
    )
    if before is not None and before != status.state:
        log.info("presence_changed", device=device.device_id, before=before, after=status.state)


async def take_meta(tools: Tools, device: Device, meta: messages.Meta) -> None:
    """Keep the device's description of itself; a kind that contradicts the registry is refused."""
    if meta.kind != device.kind and {meta.kind, device.kind} <= {"stb", "camera"}:
        raise BadInput(
            f"the device calls itself a {meta.kind}, the registry a {device.kind}",
            reason="kind_mismatch",
            place="$.kind",
            cure="Correct the registry or the device.",
        )
    await registry.write_meta(tools.database, device.device_id, _document(meta), meta.model, meta.fw)


def _document(message: messages.Message) -> Mapping[str, object]:
    return message.document()


async def take_log(_tools: Tools, device: Device, line: messages.LogLine) -> None:
    """Pass a device's log line on to ours."""
    log.info("device_says", device=device.device_id, level=line.level, said=line.message)


async def take_ack(tools: Tools, device: Device, ack: messages.Ack) -> None:
    """Note how far a command got; commands are not kept yet."""
    metrics.dropped("gateway", "ack_without_command")
    log.info("ack_without_command", device=device.device_id, command=ack.command_id, state=ack.state)
    await registry.touch_devices(tools.database, [(device.device_id, tools.clock.now())])
