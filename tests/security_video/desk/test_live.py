import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
from playwright.async_api import Browser, Page

from gateway.contract import testcard
from gateway.contract.frames import FrameHeader
from gateway.model.errors import BadInput
from gateway.runtime.clock import wall_ns
from security_video import pictures
from security_video.desk.live import given_credit, wanted_tiles
from security_video.frame_bus import FramePublisher
from security_video.settings import frames_dir
from security_video.sources.picture import Picture
from security_video.sources.testcard import CardPainter, read_card
from security_video.tiles import Pace
from tests.security_video.desk.conftest import ELSEWHERE, Stage

CAMERA = "cam-08"
PATIENCE_S = 20.0

READ_CARD = """(tile) => {
  const canvas = document.querySelector(tile + " canvas.picture");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const at = (x, y) => 4 * (Math.floor(y * canvas.height) * canvas.width + Math.floor(x * canvas.width));
  return CENTRES.map(([x, y]) => pixels[at(x, y)] > 127);
}"""


class Film:
    """A capture process in small: publishes the test pattern of one camera while it runs."""

    def __init__(self, folder: Path) -> None:
        self.publisher = FramePublisher(frames_dir(folder / "run"), "film")
        self.shown = 0
        self._painter = CardPainter(8, "", 640, 360)
        self._task: asyncio.Task[None] | None = None

    def shoot(self) -> None:
        now_ns = wall_ns()
        picture = Picture(self._painter.draw(self.shown, now_ns), now_ns)
        jpeg = pictures.encode(picture, (), most_width=640, quality=80)
        header = FrameHeader(CAMERA, 1, self.shown, now_ns, 0, 640, 360, "jpeg", luma=90, spread=60, detail=900)
        self.publisher.offer(header, jpeg.data)
        self.shown += 1

    def roll(self) -> None:
        async def roll() -> None:
            while True:
                self.shoot()
                await asyncio.sleep(0.05)

        self._task = asyncio.create_task(roll())

    async def cut(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None


@pytest.fixture
async def film(tmp_path: Path) -> AsyncIterator[Film]:
    film = Film(tmp_path)
    film.publisher.start()
    film.roll()
    yield film
    await film.cut()
    await asyncio.to_thread(film.publisher.stop)


class Tiles:
    """One page's end of `/live`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, document: object) -> None:
        await self.socket.send_str(document if isinstance(document, str) else json.dumps(document))

    async def hear(self) -> tuple[dict[str, Any], bytes]:
        async with asyncio.timeout(PATIENCE_S):
            message = await self.socket.receive_bytes()
        length = int.from_bytes(message[:4])
        return json.loads(message[4 : 4 + length]), message[4 + length :]

    async def until(self, is_it: Callable[[dict[str, Any]], bool]) -> tuple[dict[str, Any], bytes]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                header, picture = await self.hear()
                if is_it(header):
                    return header, picture


def is_picture(header: dict[str, Any]) -> bool:
    return bool(header["type"] == "picture")


@asynccontextmanager
async def tiles_of(stage: Stage, name: str = "zhoumin") -> AsyncIterator[Tiles]:
    async with stage.client(name) as (client, _), client.ws_connect("/live", origin=stage.url.rstrip("/")) as socket:
        yield Tiles(socket)


@pytest.mark.parametrize("path", ["/live", "/cameras.json", f"/snapshot/{CAMERA}.jpg"])
async def test_nobody_sees_a_camera_without_signing_in(stage: Stage, path: str) -> None:
    """Pictures, lists and snapshots are for people who are signed in."""
    async with aiohttp.ClientSession(stage.url) as client:
        headers = {"Upgrade": "websocket", "Origin": stage.url.rstrip("/")} if path == "/live" else {}
        async with client.get(path, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 401


async def test_page_of_another_site_gets_no_pictures(stage: Stage) -> None:
    """A WebSocket that was opened by a foreign page is refused although the person is signed in."""
    async with stage.client("zhoumin") as (client, _):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect("/live", origin="http://evil.example")
    assert refused.value.status == 403


async def test_tile_gets_pictures_with_their_age(stage: Stage, film: Film) -> None:
    """A watched camera's pictures come newest first, whole, each with the time of capture and the server's time."""
    async with tiles_of(stage) as tiles:
        await tiles.say({"watch": [{"camera": CAMERA, "pace": "alarmed"}]})
        numbers = []
        for _ in range(6):
            header, jpeg = await tiles.until(is_picture)
            await tiles.say({"credit": {CAMERA: 1}})
            pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert pixels is not None
            card = read_card(pixels.astype(np.uint8))
            assert card is not None
            assert card[0] == header["seq"]
            assert abs(card[1] - header["captured_ms"]) <= 1
            assert header["captured_ms"] <= header["published_ms"] <= header["now_ms"] + 1
            numbers.append(header["seq"])
    assert numbers == sorted(set(numbers))


async def test_page_that_draws_nothing_gets_health_instead_of_pictures(stage: Stage, film: Film) -> None:
    """Without credit pictures stop coming, and the tile is told every second how its camera is."""
    async with tiles_of(stage) as tiles:
        await tiles.say({"watch": [{"camera": CAMERA, "pace": "alarmed"}]})
        headers = [(await tiles.hear())[0] for _ in range(6)]
    assert sum(map(is_picture, headers)) == 2
    assert headers[-1]["type"] == "health"
    assert headers[-1]["camera"] == CAMERA


async def test_tile_is_told_when_its_camera_falls_silent(stage: Stage, film: Film) -> None:
    """A tile whose camera sends nothing more is told so, with the time since when: it is never silently frozen."""
    async with tiles_of(stage) as tiles:
        await tiles.say({"watch": [CAMERA]})
        await tiles.until(lambda header: is_picture(header) and header["state"] == "live")
        await film.cut()
        header, _ = await tiles.until(lambda header: header["state"] == "late")
    assert header["type"] == "health"
    assert header["captured_ms"] <= header["since_ms"] <= header["now_ms"]


async def test_camera_without_any_picture_has_a_state(stage: Stage) -> None:
    """A camera that never sent a picture is told by its state."""
    async with tiles_of(stage) as tiles:
        await tiles.say({"watch": [CAMERA]})
        header, _ = await tiles.hear()
    assert (header["type"], header["state"], header["captured_ms"]) == ("health", "starting", None)


async def test_page_learns_the_servers_clock(stage: Stage) -> None:
    """A ping is answered with its own number and the server's time."""
    async with tiles_of(stage) as tiles:
        await tiles.say({"ping": 12.5})
        header, _ = await tiles.hear()
    assert (header["type"], header["echo"]) == ("pong", 12.5)
    assert isinstance(header["now_ms"], int)


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("{", "broken_json"),
        ("[]", "wrong_type"),
        ({"watch": CAMERA}, "wrong_type"),
        ({"watch": [{"camera": CAMERA, "pace": "fast"}]}, "bad_tile"),
        ({"credit": {CAMERA: -1}}, "bad_credit"),
        ({"credit": [1]}, "wrong_type"),
        ({"ping": "now"}, "wrong_type"),
        ({"watch": ["cam-99"]}, "unknown_camera"),
    ],
)
async def test_wrong_wish_is_refused_and_the_next_good_one_is_heard(stage: Stage, wish: object, reason: str) -> None:
    """A page that asks for something wrong is told why, and its next wish is followed."""
    async with tiles_of(stage) as tiles:
        await tiles.say(wish)
        header, _ = await tiles.hear()
        assert (header["type"], header["reason"]) == ("refused", reason)
        await tiles.say({"ping": 1})
        assert (await tiles.hear())[0]["type"] == "pong"


async def test_cameras_of_another_area_do_not_exist(stage: Stage, film: Film) -> None:
    """An operator of another community sees neither list nor tile nor snapshot."""
    await stage.person("stranger", "外人", area_id=ELSEWHERE)
    async with stage.client("stranger") as (client, _):
        async with client.get("/cameras.json") as answer:
            assert (await answer.json())["cameras"] == []
        async with client.get(f"/snapshot/{CAMERA}.jpg") as answer:
            assert answer.status == 404
    async with tiles_of(stage, "stranger") as tiles:
        await tiles.say({"watch": [CAMERA]})
        assert (await tiles.hear())[0]["reason"] == "unknown_camera"


async def test_list_and_snapshot_tell_state_and_age(stage: Stage, film: Film) -> None:
    """The list names each camera with its state; a snapshot is the newest picture and says when it was taken."""
    async with tiles_of(stage) as tiles:
        await tiles.say({"watch": [CAMERA]})
        await tiles.until(lambda header: header["type"] == "picture" and header["state"] == "live")
    async with stage.client("liqiang") as (client, _):
        async with client.get("/cameras.json") as answer:
            rows = {row["id"]: row for row in (await answer.json())["cameras"]}
        async with client.get(f"/snapshot/{CAMERA}.jpg") as answer:
            assert answer.headers["X-Camera-State"] == "live"
            assert answer.headers["Cache-Control"] == "no-store"
            assert (await answer.read()).startswith(b"\xff\xd8")
        async with client.get("/snapshot/cam-01.jpg") as answer:
            assert answer.status == 503
        async with client.get("/snapshot/none.jpg") as answer:
            assert answer.status == 404
    assert (rows[CAMERA]["state"], rows[CAMERA]["reason"]) == ("live", "live")
    assert rows["cam-01"]["captured_ms"] is None


def test_watch_list_takes_ids_and_objects() -> None:
    """A tile is named by its camera alone or with a pace."""
    assert wanted_tiles(["a", {"camera": "b", "pace": "alarmed"}]) == {"a": Pace.IDLE, "b": Pace.ALARMED}


@pytest.mark.parametrize("raw", [[1], [{"pace": "idle"}], [None]])
def test_tile_without_camera_is_refused(raw: object) -> None:
    """An entry that names no camera is refused with its place."""
    with pytest.raises(BadInput, match=r"\$\.watch\[0\]"):
        wanted_tiles(raw)


def test_true_is_no_credit() -> None:
    """Credit is a number; true is none."""
    with pytest.raises(BadInput):
        given_credit({"a": True})


# --- in a real browser ------------------------------------------------------------------------------------------------


async def shown_number(page: Page, camera: str) -> int:
    """Return the frame number that the pixels of a tile carry."""
    centres = [cell.center for cell in testcard.cells()[: testcard.COLUMNS * testcard.ROWS]]
    script = READ_CARD.replace("CENTRES", json.dumps(centres))
    card = testcard.decode(await page.evaluate(script, f'.cam[data-camera="{camera}"]'))
    assert card is not None
    return card[0]


async def number_above(page: Page, camera: str, number: int) -> int:
    """Wait until the pixels of a tile carry a later frame number, and return it."""
    async with asyncio.timeout(PATIENCE_S):
        while (shown := await shown_number(page, camera)) <= number:
            await asyncio.sleep(0.1)
    return shown


async def tile_in(page: Page, state: str, camera: str = CAMERA) -> str:
    """Wait until a tile is in `state` and return its tag's words."""
    tile = f'.cam[data-camera="{camera}"][data-state="{state}"]'
    await page.wait_for_selector(tile, timeout=PATIENCE_S * 1000)
    return (await page.text_content(f"{tile} .tag")) or ""


async def test_picture_on_the_board_advances_and_shows_its_age(stage: Stage, film: Film, browser: Browser) -> None:
    """The board's tile shows the pattern, its number advances in the pixels, and its age is printed beside it."""
    page = await stage.signed_in(browser, "zhoumin")
    assert await tile_in(page, "live") == "实时"
    first = await shown_number(page, CAMERA)
    assert await number_above(page, CAMERA, first) > first
    rate = await page.text_content(f'.cam[data-camera="{CAMERA}"] .rate')
    assert rate is not None
    assert "秒" in rate
    assert int(await page.get_attribute(f'.cam[data-camera="{CAMERA}"]', "data-age-ms") or -1) >= 0


async def test_picture_that_stops_is_marked_and_comes_back(stage: Stage, film: Film, browser: Browser) -> None:
    """A tile whose pictures stop says so over the picture, and is live again when they go on."""
    page = await stage.signed_in(browser, "zhoumin")
    await tile_in(page, "live")
    await film.cut()
    await tile_in(page, "late")
    assert await tile_in(page, "frozen") == "停住"
    text = await page.text_content(f'.cam[data-camera="{CAMERA}"] .mid')
    assert text is not None
    assert "最后一帧" in text
    film.roll()
    await tile_in(page, "live")


async def test_line_that_is_cut_is_said_on_every_tile(stage: Stage, film: Film, browser: Browser) -> None:
    """When the desk's server goes away no tile looks alive any more; when it is back the page finds it by itself."""
    page = await stage.signed_in(browser, "zhoumin")
    await tile_in(page, "live")
    await stage.desk.server.stop()
    await tile_in(page, "offline")
    assert await page.query_selector('.cam[data-camera][data-state="live"]') is None
    await stage.desk.server.start()
    await tile_in(page, "live")
