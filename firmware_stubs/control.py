"""The village's door for people: a Unix socket that takes one order per line, such as pressing a button."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware_stubs.faults import FAULTS, commit
from firmware_stubs.member import Member
from gateway.contract.codec import decode, encode
from gateway.contract.messages import Event
from gateway.model.errors import BadInput, LinliError, NotFound

Answer = dict[str, object]


@dataclass(frozen=True, slots=True)
class Order:
    """One order: `press`, `cancel`, `set` or `fault` for one device; `wait_s` is how long to wait for the receipt.

    `values` of a `press` may say `{"silent": true}`: three short touches of a button, which raise a silent alarm.
    """

    verb: str
    device_id: str
    held_ms: int = 2100
    wait_s: float = 30.0
    values: Mapping[str, Any] | None = None


async def obey(member: Member, order: Order) -> Answer:
    """Do what the order says and wait for the receipts of its events."""
    if order.verb == "fault":
        return await _misbehave(member, str((order.values or {}).get("name", "")))
    if order.verb == "press":
        is_silent = bool((order.values or {}).get("silent"))
        events = [member.press_silently() if is_silent else member.press(order.held_ms)]
    elif order.verb == "cancel":
        events = [member.cancel()]
    elif order.verb == "set":
        events = await member.set_values(order.values or {})
    else:
        raise BadInput(f"unknown order {order.verb!r}", reason="unknown_order", cure="Use press, cancel, set or fault.")
    receipts = [await _receipt(member, event, order.wait_s) for event in events]
    is_ok = all(receipt["state"] not in {"pending", "rejected"} for receipt in receipts)
    return {"ok": is_ok, "device": order.device_id, "receipts": receipts}


async def _misbehave(member: Member, name: str) -> Answer:
    if name not in FAULTS:
        cure = f"Known: {', '.join(sorted(FAULTS))}."
        raise BadInput(f"unknown fault {name!r}", reason="unknown_order", cure=cure)
    return {"ok": True, "device": member.plan.device_id, "fault": name, "sent": await commit(member.device, name)}


async def _receipt(member: Member, event: Event, wait_s: float) -> dict[str, object]:
    facts: dict[str, object] = {"id": event.event_id, "boot": event.boot, "seq": event.seq, "event": event.kind}
    try:
        settled = await member.sender.wait_settled(event, wait_s)
    except TimeoutError:
        return {**facts, "state": "pending", "no": ""}
    return {**facts, "state": settled.state, "no": settled.alarm_no}


class Control:
    """Listens on the socket while a village runs."""

    def __init__(self, path: Path, members: Mapping[str, Member]) -> None:
        self._path = path
        self._members = members
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Close the door; also before `start`, also twice."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            line = await reader.readline()
            writer.write(encode(await self._answer(line)) + b"\n")
            await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> Answer:
        try:
            order = Order(**decode(line.strip()))  # type: ignore[arg-type]
            member = self._members.get(order.device_id)
            if member is None:
                cure = f"Known: {', '.join(sorted(self._members))}."
                raise NotFound(f"no device {order.device_id!r} in this village", cure=cure)
            return await obey(member, order)
        except LinliError as error:
            return {"ok": False, "error": str(error)}
        except TypeError as error:
            return {"ok": False, "error": f"not an order: {error}"}


async def ask(path: Path, order: Order) -> Answer | None:
    """Give an order to a running village; None when no village listens there."""
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    facts = {"verb": order.verb, "device_id": order.device_id, "held_ms": order.held_ms, "wait_s": order.wait_s}
    writer.write(encode({**facts, "values": dict(order.values or {})}) + b"\n")
    try:
        answer: Answer = json.loads(await reader.readline() or b'{"ok":false,"error":"no answer"}')
        return answer
    finally:
        writer.close()
