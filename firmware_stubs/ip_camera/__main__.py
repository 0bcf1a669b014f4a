"""`python -m firmware_stubs.ip_camera`: one imitated camera on loopback until Ctrl-C."""

import argparse
import asyncio
import json
import signal
import sys

from firmware_stubs.ip_camera.camera import IpCamera
from firmware_stubs.ip_camera.sensor import Fault, Lens


async def serve(options: argparse.Namespace) -> int:
    """Run the camera, announce its addresses, and stop at a signal."""
    lens = Lens(options.clip, options.width, options.height, options.fps)
    camera = IpCamera(lens, rtsp_port=options.rtsp_port, http_port=options.http_port)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await camera.start()
    await camera.set_fault(Fault(options.fault))
    print(json.dumps({"ready": "ip_camera", "rtsp": camera.rtsp_url, "mjpeg": camera.mjpeg_url}), flush=True)
    await stopped.wait()
    await camera.stop()
    return 0


def main() -> int:
    """Parse and serve."""
    parser = argparse.ArgumentParser(prog="firmware_stubs.ip_camera", description=__doc__)
    parser.add_argument("--rtsp-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--http-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--clip", default="", help="video file; without it the test pattern is shown")
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--fault", default="none", choices=[fault.value for fault in Fault])
    return asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
