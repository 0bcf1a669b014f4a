"""What `linli check` asks of the alarm promise: when it goes further, who is on duty, who outside can be told."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from gateway.alarms.escalation import areas_asked
from gateway.model.errors import ConfigurationError, LinliError
from gateway.outbound.settings import HookSettings, WebhookTarget
from gateway.runtime.clock import Clock
from gateway.runtime.settings import Settings
from gateway.store import duty
from gateway.store.pool import Database
from gateway.store.queries import named

_SQL: Final = named("launch")
_PATIENCE_S: Final = 3.0


def escalation_fact(settings: Settings) -> str:
    """Return when an alarm goes where; that the times rise is a rule of the section itself."""
    delays = settings.delays
    steps = zip(
        ("other desks", "street", "district", "supervisor and outside"),
        (delays.unseen_s, delays.street_s, delays.district_s, delays.supervisor_s),
        strict=True,
    )
    return f"{', '.join(f'{who} after {after_s:g} s' for who, after_s in steps)}; levels 1 to {delays.levels}"


def roster_fact(settings: Settings, clock: Clock) -> str:
    """Return who is on duty along the chain. ConfigurationError where a roster is kept and nobody is there now."""
    if not settings.database.dsn:
        return "not looked at: it is in the embedded database"
    return asyncio.run(_read_roster(settings, clock))


async def _read_roster(settings: Settings, clock: Clock) -> str:
    database = Database(settings.database.dsn, max_size=1, program="linli-check")
    try:
        await database.start()
        if not await database.fetchval(_SQL["has_rosters"]):
            return "none yet: the database is not migrated"
        return _judged(await duty.roster_state(database, areas_asked(settings.node.area_id), clock.now()))
    finally:
        with contextlib.suppress(LinliError):
            await database.stop()


def _judged(state: Mapping[str, tuple[bool, tuple[str, ...]]]) -> str:
    empty = [area_id for area_id, (is_kept, names) in state.items() if is_kept and not names]
    if empty:
        raise ConfigurationError(
            f"nobody is on duty now in {', '.join(empty)}; alarms there go further without waiting",
            place="duty roster",
            cure="Add a shift: python -m gateway duty add.",
        )
    kept = {area_id: names for area_id, (is_kept, names) in state.items() if is_kept}
    if not kept:
        return "none is kept: every desk counts as manned"
    return "; ".join(f"{area_id}: {'、'.join(names)}" for area_id, names in kept.items())


def outside_facts(hooks: HookSettings) -> Iterator[tuple[str, str, str]]:
    """Yield (what, fact, error) for each target outside: does it take a connection, does its address mean something.

    Nothing is sent: a check must wake nobody.
    """
    if not hooks.targets:
        yield ("hooks", "none: nobody outside is told when nobody answers ([hooks])", "")
    for webhook in hooks.webhooks:
        yield (f"hook {webhook.name}", f"{webhook.place} takes a connection", _refusal(webhook))
    if hooks.messengers:
        from gateway.outbound.notifier import opened  # noqa: PLC0415  as in gateway/outbound/hooks.py

        for messenger in hooks.messengers:
            try:
                opened(messenger, timeout_s=_PATIENCE_S)
                yield (f"hook {messenger.name}", "its address means something; nothing was sent", "")
            except LinliError as error:
                yield (f"hook {messenger.name}", "", str(error))


def _refusal(webhook: WebhookTarget) -> str:
    parts = urlsplit(webhook.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=_PATIENCE_S):
            return ""
    except OSError as error:
        return f"{webhook.place} does not answer: {error.strerror or type(error).__name__}"
