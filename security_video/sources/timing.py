"""When a picture was taken, told from stream time and arrival; and when a recording's next picture is due."""

from dataclasses import dataclass

#: How fast the believed delay may grow, so that two clocks that drift apart do not fake an ever older picture.
CREEP_PER_S = 0.001
#: Two pictures farther apart than this are a gap in the stream, not its rhythm.
LONGEST_DISTANCE_S = 1.0


@dataclass(slots=True)
class CaptureClock:
    """Turns stream time into wall time by the fastest picture seen so far.

    A picture that comes later than the fastest one, measured by its own stream time, has waited somewhere (in the
    camera, in the network, in our socket); that wait is part of its age and must not be forgotten on arrival. An H.264
    parser gives a picture out only when it sees the next one begin (measured: exactly one picture's time over RTSP), so
    the distance between two pictures is added as well.
    """

    offset_s: float | None = None
    arrived_s: float = 0.0
    stream_s: float | None = None

    def captured_s(self, stream_s: float | None, arrived_s: float) -> float:
        """Return the wall time of capture in seconds: never after `arrived_s`, never before the stream allows."""
        if stream_s is None:
            return arrived_s
        newest = arrived_s - stream_s
        crept = newest if self.offset_s is None else self.offset_s + (arrived_s - self.arrived_s) * CREEP_PER_S
        distance_s = 0.0 if self.stream_s is None else stream_s - self.stream_s
        self.offset_s, self.arrived_s, self.stream_s = min(newest, crept), arrived_s, stream_s
        return stream_s + self.offset_s - (distance_s if 0 < distance_s <= LONGEST_DISTANCE_S else 0.0)


@dataclass(slots=True)
class Pace:
    """Says how long to wait before a recording's next picture, at `speed` times life."""

    speed: float
    begun_at_s: float | None = None
    begun_stream_s: float = 0.0
    last_stream_s: float = 0.0

    def wait_s(self, stream_s: float, now_s: float) -> float:
        """Return the seconds from `now_s` (monotonic) until the picture at `stream_s` is due, 0 when it is overdue."""
        if self.begun_at_s is None or stream_s < self.last_stream_s:
            self.begun_at_s, self.begun_stream_s = now_s, stream_s
        self.last_stream_s = stream_s
        return max(0.0, self.begun_at_s + (stream_s - self.begun_stream_s) / self.speed - now_s)
