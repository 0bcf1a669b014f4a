import asyncio
from collections.abc import Sequence

import pytest

from gateway.model.errors import Unavailable
from gateway.mqtt.session import Delivery, Session
from gateway.runtime.service import running
from gateway.runtime.settings import MqttSettings
from tests.kit.mqtt import peer
from tests.kit.servers import Mosquitto

TOPIC = "linli/1/110105001001/sos-0301/up/evt"
FILTER = [("linli/1/+/+/up/evt", 1)]


@pytest.fixture(params=[4, 5], ids=["mqtt-3.1.1", "mqtt-5"])
def settings(mosquitto: Mosquitto, request: pytest.FixtureRequest) -> MqttSettings:
    mosquitto.add_user("sos-0301", "secret")
    return MqttSettings(
        host=mosquitto.host,
        port=mosquitto.port,
        username="gateway",
        password=mosquitto.credentials["gateway"],
        protocol=request.param,
    )


async def publish(settings: MqttSettings, *payloads: bytes) -> None:
    async with peer(settings.host, settings.port, "sos-0301", "secret") as device:
        for payload in payloads:
            await device.publish(TOPIC, payload)


async def until(condition: "asyncio.Event") -> None:
    async with asyncio.timeout(10):
        await condition.wait()


async def test_what_was_not_finished_comes_again_in_the_next_session(settings: MqttSettings) -> None:
    """A message whose handler never returned was not acknowledged, so the broker delivers it again."""
    reached = asyncio.Event()

    async def hang(_delivery: Delivery) -> None:
        reached.set()
        await asyncio.Event().wait()

    first = Session(settings, "gw-redelivery", FILTER, hang)
    async with running([first]):
        await first.wait_connected()
        await publish(settings, b"one")
        await until(reached)

    seen: list[bytes] = []
    done = asyncio.Event()

    async def take(delivery: Delivery) -> None:
        seen.append(delivery.payload)
        done.set()

    async with running([Session(settings, "gw-redelivery", FILTER, take)]):
        await until(done)
    assert seen == [b"one"]


async def test_what_was_finished_does_not_come_again(settings: MqttSettings) -> None:
    """The acknowledgement after the handler ends the story: the next session gets only what is new."""
    seen: list[bytes] = []
    arrived = asyncio.Event()

    async def take(delivery: Delivery) -> None:
        seen.append(delivery.payload)
        arrived.set()

    first = Session(settings, "gw-finished", FILTER, take)
    async with running([first]):
        await first.wait_connected()
        await publish(settings, b"one")
        await until(arrived)
    arrived.clear()
    await publish(settings, b"two")
    async with running([Session(settings, "gw-finished", FILTER, take)]):
        await until(arrived)
    assert seen == [b"one", b"two"]


async def test_an_outage_behind_the_handler_holds_the_message(settings: MqttSettings) -> None:
    """A handler that says Unavailable is called with the same message until it succeeds; order is kept."""
    seen: list[bytes] = []
    done = asyncio.Event()
    failures = 3

    async def take(delivery: Delivery) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise Unavailable("the database is away")
        seen.append(delivery.payload)
        if len(seen) == 2:
            done.set()

    session = Session(settings, "gw-outage", FILTER, take)
    async with running([session]):
        await session.wait_connected()
        await publish(settings, b"one", b"two")
        await until(done)
    assert seen == [b"one", b"two"]
    assert session.statistics()["retried"] == 3


async def test_a_fault_of_ours_does_not_stop_the_next_message(settings: MqttSettings) -> None:
    """A handler that breaks on one message is called for the next; the broken one stays unacknowledged."""
    seen: list[bytes] = []
    done = asyncio.Event()

    async def take(delivery: Delivery) -> None:
        if delivery.payload == b"bad":
            raise ZeroDivisionError
        seen.append(delivery.payload)
        done.set()

    session = Session(settings, "gw-fault", FILTER, take)
    async with running([session]):
        await session.wait_connected()
        await publish(settings, b"bad", b"good")
        await until(done)
    assert session.statistics()["faults"] == 1
    assert session.statistics()["handled"] == 1


async def test_a_batch_holds_what_has_arrived_in_order(settings: MqttSettings) -> None:
    """Messages that wait are handled together, at most batch_max, in the order they were published."""
    batches: list[list[bytes]] = []
    done = asyncio.Event()

    async def take(batch: Sequence[Delivery]) -> None:
        batches.append([delivery.payload for delivery in batch])
        await asyncio.sleep(0.05)
        if sum(map(len, batches)) == 50:
            done.set()

    session = Session(settings, "gw-batch", FILTER, on_batch=take, batch_max=16)
    async with running([session]):
        await session.wait_connected()
        await publish(settings, *(str(number).encode() for number in range(50)))
        await until(done)
    assert [payload for batch in batches for payload in batch] == [str(number).encode() for number in range(50)]
    assert max(map(len, batches)) <= 16


async def test_a_broker_that_restarts_is_found_again(settings: MqttSettings, mosquitto: Mosquitto) -> None:
    """After the broker was killed and started the session is back, subscribed, and can publish."""
    done = asyncio.Event()

    async def take(_delivery: Delivery) -> None:
        done.set()

    session = Session(settings, "gw-restart", FILTER, take)
    async with running([session]):
        await session.wait_connected()
        await asyncio.to_thread(mosquitto.restart)
        async with asyncio.timeout(20):
            while session.statistics()["connects"] != 2:
                await asyncio.sleep(0.05)
        await publish(settings, b"after")
        await until(done)


async def test_a_wrong_password_is_said_and_tried_again(settings: MqttSettings) -> None:
    """Who is refused is not connected; publishing says so with the place."""
    wrong = settings.model_copy(update={"password": "wrong"})
    session = Session(wrong, "gw-wrong", FILTER)
    async with running([session]):
        with pytest.raises(Unavailable):
            await session.wait_connected(1.0)
        with pytest.raises(Unavailable, match="not connected"):
            await session.publish(TOPIC, b"x")
