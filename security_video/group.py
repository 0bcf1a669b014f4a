"""A capture process: the threads of a few cameras and their publisher; may be killed at any time.

Its standard input carries the list of cameras, one JSON line each time it changes; the end of input ends the process,
so that it never outlives its supervisor. Its standard output carries a report a second.
"""

import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gateway.contract import codec
from gateway.model.errors import BadInput
from gateway.runtime import logs, metrics
from security_video.camera import CameraThread
from security_video.frame_bus import FramePublisher
from security_video.roster import CameraPlan, decode_plans
from security_video.settings import VideoSettings

log = logs.get(__name__)

TICK_S = 1.0
FAILED = 1


def run_group(name: str, folder: Path, settings: VideoSettings) -> int:
    """Run until the end of input or SIGTERM; returns 1 when a camera's thread died of something unforeseen."""
    orders: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    signal.signal(signal.SIGTERM, lambda *_: orders.put(None))
    # Ctrl-C in a terminal reaches every process; the supervisor decides about the end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_read_orders, args=(orders,), name="orders", daemon=True).start()
    publisher = FramePublisher(folder, name)
    publisher.start()
    group = Group(settings, publisher)
    code = _obey(group, orders)
    group.stop()
    publisher.stop()
    return code


def end_now(code: int) -> None:
    """End the process without waiting for threads that hang in a driver."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _read_orders(orders: "queue.SimpleQueue[bytes | None]") -> None:
    for line in sys.stdin.buffer:
        orders.put(line)
    orders.put(None)


def _obey(group: "Group", orders: "queue.SimpleQueue[bytes | None]") -> int:
    while True:
        try:
            line = orders.get(timeout=TICK_S)
        except queue.Empty:
            line = b""
        if line is None:
            return 0
        if line:
            group.follow(_plans(line))
        group.tick()
        if dead := group.dead():
            log.error("camera_threads_died", cameras=dead)
            return FAILED


def _plans(line: bytes) -> Sequence[CameraPlan]:
    try:
        return decode_plans(line)
    except (BadInput, TypeError, KeyError, ValueError) as error:
        metrics.dropped("capture", "bad_order")
        log.error("order_refused", error=str(error))
        return ()


class Group:
    """The camera threads of one process, following the list that they are given."""

    def __init__(self, settings: VideoSettings, publisher: FramePublisher) -> None:
        self._settings = settings
        self._publisher = publisher
        self._cameras: dict[str, CameraThread] = {}

    def follow(self, plans: Sequence[CameraPlan]) -> None:
        """Start cameras that are new, stop those that are gone, and begin again with those that changed."""
        wanted = {plan.camera_id: plan for plan in plans}
        for camera_id, camera in list(self._cameras.items()):
            if wanted.get(camera.plan.camera_id) != camera.plan:
                self._cameras.pop(camera_id).stop()
        for camera_id, plan in wanted.items():
            if camera_id not in self._cameras:
                self._cameras[camera_id] = CameraThread(plan, self._settings, self._publisher)
                self._cameras[camera_id].start()

    def tick(self) -> None:
        """Say every camera's state to the readers and write one report for the supervisor."""
        for camera in self._cameras.values():
            camera.say_state()
        sys.stdout.buffer.write(codec.encode(self.report()) + b"\n")
        sys.stdout.buffer.flush()

    def report(self) -> dict[str, Any]:
        limit_s = self._settings.stuck_after_s
        return {
            "stuck": [name for name, camera in self._cameras.items() if camera.stuck_s() > limit_s],
            "cameras": {name: asdict(camera.tally) for name, camera in self._cameras.items()},
            "bus": self._publisher.statistics(),
        }

    def dead(self) -> list[str]:
        """Return the cameras whose threads ended by an error that is not the camera's."""
        return [name for name, camera in self._cameras.items() if camera.is_dead]

    def stop(self) -> None:
        for camera in self._cameras.values():
            camera.stop(0.0)
