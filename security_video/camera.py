"""One camera's thread: call it, decode, measure, mask, encode, offer; after a failure call again with jitter."""

import threading
from dataclasses import dataclass, field

from gateway.contract.frames import FrameHeader
from gateway.model.errors import BadInput
from gateway.runtime import logs, metrics
from gateway.runtime.clock import monotonic_ns, wall_ns
from gateway.runtime.service import next_delay_s
from security_video import pictures
from security_video.frame_bus import FramePublisher
from security_video.health import Link, Look
from security_video.roster import CameraPlan
from security_video.settings import VideoSettings
from security_video.sources.address import Kind, parse_address
from security_video.sources.opening import open_source
from security_video.sources.picture import CameraFailed, Picture, Source

log = logs.get(__name__)

#: A recording that waits for its readers goes on without them after this.
READER_PATIENCE_S = 10.0
#: A published picture may come this much earlier than its rate allows, so that 10 Hz at 10 Hz loses none.
EARLY_S = 0.01

_PROGRAM = "capture"


@dataclass(slots=True)
class Tally:
    """What a camera's thread did so far."""

    pictures: int = 0
    published: int = 0
    above_rate: int = 0
    failures: int = 0
    connections: int = 0


@dataclass(slots=True)
class _Rate:
    """Lets through at most `rate_hz`, measured on the moments of capture."""

    rate_hz: float
    next_ns: int = 0

    def admits(self, captured_ns: int) -> bool:
        if captured_ns < self.next_ns - int(EARLY_S * 1e9):
            return False
        step_ns = int(1e9 / self.rate_hz)
        # Keep the beat of a faster source, but do not save up turns over a pause.
        self.next_ns = max(self.next_ns + step_ns, captured_ns)
        return True


class CameraThread:
    """Runs one camera until `stop`; an exception that is not a camera's failure ends the whole process, loudly."""

    def __init__(self, plan: CameraPlan, settings: VideoSettings, publisher: FramePublisher) -> None:
        self.plan = plan
        self.tally = Tally()
        self._settings = settings
        self._publisher = publisher
        self._stop = threading.Event()
        self._link = Link.CONNECTING
        self._state_epoch, self._state_seq = wall_ns() // 1_000_000, 0
        self._epoch = 0
        self._calling_since_ns = 0
        self._address = parse_address(plan.source)
        self._thread = threading.Thread(target=self._run, name=plan.camera_id, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience_s: float = 0.5) -> None:
        """Ask the thread to end; one that hangs in a driver is left to the end of the process."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(patience_s)
        self._publisher.forget_camera(self.plan.camera_id)

    @property
    def is_dead(self) -> bool:
        """Whether the thread has ended although nobody asked it to."""
        return not self._thread.is_alive() and not self._stop.is_set() and self._link is not Link.ENDED

    def stuck_s(self) -> float:
        """How long a network camera's driver has not come back; 0 where it is not in a driver."""
        since_ns = self._calling_since_ns
        is_network = self._address.kind in {Kind.RTSP, Kind.MJPEG}
        return (monotonic_ns() - since_ns) / 1e9 if since_ns and is_network else 0.0

    def say_state(self) -> None:
        """Offer what is known of the connection; called about every second, so that silence is never ambiguous."""
        self._state_seq += 1
        header = FrameHeader(
            *(self.plan.camera_id, self._state_epoch, self._state_seq, wall_ns(), 0, 0, 0),
            encoding="none",
            link=self._link.value,
        )
        self._publisher.offer(header, b"")

    def _run(self) -> None:
        delay_s, said = 0.0, ""
        while not self._stop.is_set():
            before = self.tally.pictures
            failure = self._call()
            if failure is None:
                return
            if self.tally.pictures > before:
                delay_s, said = 0.0, ""
            self._fail(failure, is_news=str(failure) != said)
            said = str(failure)
            delay_s = next_delay_s(delay_s, longest_s=self._settings.retry_longest_s)
            self._stop.wait(delay_s)

    def _fail(self, failure: CameraFailed, *, is_news: bool) -> None:
        self.tally.failures += 1
        metrics.dropped(_PROGRAM, f"camera_{failure.link.value}")
        if is_news:
            log.warning("camera_failed", camera=self.plan.camera_id, link=failure.link.value, error=str(failure))
        self._change_link(failure.link)

    def _call(self) -> CameraFailed | None:
        """Run one connection to its end; None when the recording is over or `stop` was called."""
        self._epoch = max(self._epoch + 1, wall_ns() // 1_000_000)
        self.tally.connections += 1
        source = open_source(self._address, self.plan.name, self._settings.patience, self._stop)
        try:
            self._take_all(source)
        except CameraFailed as failure:
            return failure
        finally:
            self._calling_since_ns = 0
        self._change_link(Link.ENDED)
        return None

    def _take_all(self, source: Source) -> None:
        watch, rate, seq = pictures.Watch(), _Rate(self._settings.rate_hz), 0
        incoming = iter(source.pictures())
        self._calling_since_ns = monotonic_ns()
        while (picture := next(incoming, None)) is not None and not self._stop.is_set():
            self._calling_since_ns = 0
            self.tally.pictures += 1
            self._change_link(Link.OPEN)
            if source.waits_for_readers or rate.admits(picture.captured_ns):
                self._publish(picture, watch.look(picture), seq)
                seq += 1
            else:
                self.tally.above_rate += 1
            if source.waits_for_readers:
                self._wait_for_readers()
            self._calling_since_ns = monotonic_ns()

    def _publish(self, picture: Picture, look: Look, seq: int) -> None:
        settings = self._settings
        try:
            jpeg = pictures.encode(picture, self.plan.masks, most_width=settings.width, quality=settings.quality)
        except BadInput as error:
            metrics.dropped(_PROGRAM, error.reason)
            return
        header = FrameHeader(
            *(self.plan.camera_id, self._epoch, seq, picture.captured_ns, 0, jpeg.width, jpeg.height),
            encoding="jpeg",
            luma=round(look.luma),
            spread=round(look.spread),
            detail=round(look.detail),
            still_ms=round(look.still_s * 1000),
        )
        self._publisher.offer(header, jpeg.data)
        self.tally.published += 1

    def _wait_for_readers(self) -> None:
        deadline_ns = monotonic_ns() + int(READER_PATIENCE_S * 1e9)
        while not self._publisher.wait_taken(self.plan.camera_id, 0.2):
            if self._stop.is_set():
                return
            if monotonic_ns() > deadline_ns and self._publisher.statistics()["readers"]:
                metrics.dropped(_PROGRAM, "reader_too_slow")
                return

    def _change_link(self, link: Link) -> None:
        if link is not self._link:
            self._link = link
            self.say_state()


@dataclass(frozen=True, slots=True)
class CameraReport:
    """One camera's line in a group's report."""

    camera_id: str
    tally: Tally = field(default_factory=Tally)
