"""What was not taken: counted by reason, a bounded sample kept, a warning logged at most once a while for each."""

from collections import defaultdict

from gateway.model.errors import BadInput, LinliError
from gateway.mqtt.session import Delivery
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.store import registry
from gateway.store.pool import Database

log = logs.get(__name__)

PROGRAM = "gateway"
QUIET_S = 10.0
#: After a sample could not be kept, none is tried for this long: the next message may be an alarm.
NO_SAMPLES_S = 5.0

#: Reasons that are a matter of security, not of a clumsy device.
SECURITY_REASONS = frozenset({"area_mismatch", "unknown_device", "revoked_device"})
_SECURITY = metrics.counter("linli_security_events", "Messages that somebody should look at.", ("reason",))


class Quarantine:
    """Takes refused messages; never raises, because nothing may stop the next message."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._quiet_until_s: defaultdict[str, float] = defaultdict(float)
        self._no_samples_until_s = 0.0
        self.refused: defaultdict[str, int] = defaultdict(int)

    async def take(self, delivery: Delivery, error: BadInput, device_id: str = "") -> None:
        """Count `delivery` under the error's reason and keep a sample of it."""
        self.refused[error.reason] += 1
        metrics.dropped(PROGRAM, error.reason)
        if error.reason in SECURITY_REASONS:
            _SECURITY.labels(error.reason).inc()
        now_s = self._clock.monotonic_s()
        if now_s >= self._quiet_until_s[error.reason]:
            self._quiet_until_s[error.reason] = now_s + QUIET_S
            log.warning("message_refused", topic=delivery.topic, reason=error.reason, error=str(error))
        if now_s < self._no_samples_until_s:
            metrics.dropped(PROGRAM, "quarantine_sample")
            return
        try:
            await registry.put_in_quarantine(
                self._database,
                self._clock.now(),
                topic=delivery.topic,
                device_id=device_id,
                reason=error.reason,
                detail=str(error),
                sample=delivery.payload,
            )
        except LinliError as away:
            metrics.dropped(PROGRAM, "quarantine_sample")
            self._no_samples_until_s = self._clock.monotonic_s() + NO_SAMPLES_S
            log.warning("quarantine_failed", error=str(away))
