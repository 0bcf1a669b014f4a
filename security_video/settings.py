"""Settings of the video programs: the [video] and [desk] sections, every key with its meaning."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import ConfigDict, Field

from gateway.runtime.settings import Section
from security_video.health import Limits
from security_video.sources.opening import Patience


class VideoSettings(Section, section="video"):
    """Cameras, what is published of them, and when a picture is no longer believed."""

    sources: str = Field(
        "", description="Cameras file (TOML, relative to this file); empty takes the cameras of the registry."
    )
    cameras_per_process: int = Field(8, ge=1, le=64, description="Cameras that share one capture process.")
    rate_hz: float = Field(15.0, gt=0, le=60, description="Pictures a second published of one camera, at most.")
    width: int = Field(960, ge=64, le=4096, description="Published pictures are no wider than this (pixels).")
    quality: int = Field(80, ge=20, le=100, description="JPEG quality of published pictures.")
    open_timeout_s: float = Field(5.0, gt=0, le=60, description="How long a camera may take to answer a call.")
    read_timeout_s: float = Field(5.0, gt=0, le=60, description="How long a connected camera may send nothing.")
    stuck_after_s: float = Field(30.0, gt=1, le=600, description="A capture process without news is killed after this.")
    retry_longest_s: float = Field(15.0, gt=0, le=600, description="Longest wait before a camera is called again.")
    roster_poll_s: float = Field(10.0, gt=0, le=3600, description="How often the list of cameras is read again.")
    window: int = Field(8, ge=1, le=256, description="Pictures on their way to one reader, over all its cameras.")
    late_s: float = Field(2.0, gt=0, description="A picture older than this is late.")
    frozen_s: float = Field(10.0, gt=0, description="No new picture, or always the same one, for this long is frozen.")
    no_signal_s: float = Field(60.0, gt=0, description="No new picture for this long is no signal.")
    settle_s: float = Field(1.0, ge=0, description="A new state is said after it has held this long.")
    idle_rate_hz: float = Field(1.0, ge=0.5, le=60, description="Pictures a second on a tile nobody looks at closely.")
    selected_rate_hz: float = Field(8.0, gt=0, le=60, description="Pictures a second on a selected tile.")
    alarmed_rate_hz: float = Field(15.0, gt=0, le=60, description="Pictures a second on a tile of an open alarm.")

    @property
    def limits(self) -> Limits:
        """When a camera is late, frozen and without signal."""
        return Limits(late_s=self.late_s, frozen_s=self.frozen_s, no_signal_s=self.no_signal_s, settle_s=self.settle_s)

    @property
    def patience(self) -> Patience:
        """Timeouts of network cameras."""
        return Patience(self.open_timeout_s, self.read_timeout_s)


class DeskSettings(Section, section="desk"):
    """The security desk: where it listens, what it asks of its operators."""

    host: str = Field("127.0.0.1", description="Address that the desk's server listens on.")
    port: int = Field(18801, ge=0, le=65535, description="Port of the desk's pages; 0 takes a free one.")
    responders: tuple[str, ...] = Field(
        ("保安", "网格员", "物业", "110", "119", "120"), description="Who can be sent, offered as buttons at 派警."
    )


class GatewayAddress(Section, section="api"):
    """Where the gateway is asked for its health: the two keys of its own section that the desk reads."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address of the gateway's HTTP server.")
    port: int = Field(18803, ge=0, le=65535, description="Port of the gateway's HTTP server.")

    @property
    def url(self) -> str:
        """Address of the gateway's pages."""
        return f"http://{self.host}:{self.port}"


SECTIONS: Final[Sequence[type[Section]]] = (VideoSettings, DeskSettings)


#: A unix socket's whole path has at most 107 bytes; this leaves room for the name of a process.
LONGEST_FOLDER = 85


def frames_dir(run_dir: Path) -> Path:
    """Return the folder of the frame sockets; for a data folder with a long path, a short one that stands for it."""
    folder = (run_dir / "frames").absolute()
    if len(os.fsencode(folder)) <= LONGEST_FOLDER:
        return folder
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"linli-{os.geteuid()}-{mark}"
