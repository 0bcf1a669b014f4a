"""Health, statistics and registry of one node over HTTP: for operators of the platform and for other programs."""

import asyncio
from collections.abc import Mapping, Sequence

from aiohttp import web

from gateway.contract import codec
from gateway.model.errors import LinliError
from gateway.runtime.clock import Clock
from gateway.runtime.service import Service
from gateway.store import events, registry
from gateway.store.pool import Database
from gateway.web.routes import Route

HEALTH_PATIENCE_S = 2.0


class Health:
    """Answers how the node is, by asking its parts at that moment."""

    def __init__(self, database: Database, services: Mapping[str, Service], clock: Clock, area_id: str) -> None:
        self._database = database
        self._services = services
        self._clock = clock
        self._area_id = area_id

    async def get(self, _request: web.Request) -> web.Response:
        """Return 200 where an alarm would be recorded now, else 503; the body says which part is away."""
        database = await self._check_database()
        statistics = {name: dict(service.statistics()) for name, service in self._services.items()}
        broker = "ok" if statistics.get("pipeline", {}).get("alarms_connected") else "away"
        is_well = database["state"] == broker == "ok"
        body = {
            "ok": is_well,
            "at": self._clock.now().isoformat(),
            "database": database,
            "broker": {"state": broker},
            "services": statistics,
        }
        return web.Response(
            status=200 if is_well else 503,
            body=codec.encode(body),
            content_type="application/json",
        )

    async def _check_database(self) -> dict[str, object]:
        try:
            async with asyncio.timeout(HEALTH_PATIENCE_S):
                households, online = await registry.coverage(self._database, self._area_id)
                return {
                    "state": "ok",
                    "households": households,
                    "boxes_online": online,
                    "outbox_waiting": await events.count_waiting(self._database),
                    "quarantine": await registry.quarantine_counts(self._database),
                }
        except (LinliError, TimeoutError) as error:
            return {"state": "away", "error": str(error) or "no answer in time"}


def routes(health: Health) -> Sequence[Route]:
    """Return the routes of this module."""
    return (Route("GET", "/api/v1/health", health.get),)
