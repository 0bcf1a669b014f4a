from hypothesis import given
from hypothesis import strategies as st

from security_video.tiles import BEAT_S, FIRST_CREDIT, MOST_CREDIT, MOST_TILES, Pace, TileSet

RATES = {Pace.IDLE: 1.0, Pace.SELECTED: 8.0, Pace.ALARMED: 15.0}


def watching(**paces: Pace) -> TileSet:
    tiles = TileSet(RATES)
    tiles.watch(paces)
    return tiles


def run(tiles: TileSet, seconds: float, *, fps: float = 25, gives_credit: bool = True) -> dict[str, int]:
    """Play cameras at `fps` and return how many pictures each tile was sent."""
    sent = dict.fromkeys(tiles.cameras(), 0)
    for tick in range(int(seconds * 100)):
        now_s = tick / 100
        newest = dict.fromkeys(tiles.cameras(), (1, int(now_s * fps) + 1))
        while (camera := tiles.next_picture(newest, now_s)) is not None:
            tiles.note_picture(camera, newest[camera], "live", now_s)
            sent[camera] += 1
            if gives_credit:
                tiles.give(camera, 1)
    return sent


def test_the_closer_one_looks_the_more_pictures_come() -> None:
    """Idle tiles are slow, selected ones faster, and those of an open alarm fastest."""
    sent = run(watching(a=Pace.IDLE, b=Pace.SELECTED, c=Pace.ALARMED), 10)
    assert 9 <= sent["a"] <= 13
    assert 70 <= sent["b"] <= 100
    assert sent["c"] > sent["b"]


def test_tile_without_credit_gets_no_picture() -> None:
    """A page that draws nothing is sent its first credit and then nothing more."""
    assert run(watching(a=Pace.ALARMED), 5, gives_credit=False) == {"a": FIRST_CREDIT}


def test_credit_is_bounded() -> None:
    """A page cannot ask for a pile of pictures."""
    tiles = watching(a=Pace.ALARMED)
    tiles.give("a", 1000)
    assert run(tiles, 5, gives_credit=False) == {"a": MOST_CREDIT}


def test_same_picture_is_sent_once() -> None:
    """A camera that has nothing new costs a page nothing."""
    tiles = watching(a=Pace.ALARMED)
    assert tiles.next_picture({"a": (1, 1)}, 0) == "a"
    tiles.note_picture("a", (1, 1), "live", 0)
    assert tiles.next_picture({"a": (1, 1)}, 10) is None


def test_new_epoch_is_new_although_its_numbers_are_small() -> None:
    """After a reconnection pictures are numbered from the beginning and are shown all the same."""
    tiles = watching(a=Pace.ALARMED)
    tiles.note_picture("a", (1, 900), "live", 0)
    assert tiles.next_picture({"a": (2, 1)}, 10) == "a"


def test_alarmed_tile_comes_first() -> None:
    """Where several tiles are due, that of the open alarm is served first."""
    tiles = watching(a=Pace.IDLE, b=Pace.SELECTED, c=Pace.ALARMED)
    assert tiles.next_picture(dict.fromkeys("abc", (1, 1)), 0) == "c"


def test_tile_that_hears_nothing_is_told_its_health() -> None:
    """A tile is told its camera's state at least once in a beat, picture or not."""
    tiles = watching(a=Pace.IDLE)
    assert tiles.silent_tiles({"a": "frozen"}, 0) == ["a"]
    tiles.note_health("a", "frozen", 0)
    assert tiles.silent_tiles({"a": "frozen"}, BEAT_S / 2) == []
    assert tiles.silent_tiles({"a": "frozen"}, BEAT_S) == ["a"]


def test_change_of_state_does_not_wait_for_the_beat() -> None:
    """News about a camera's state is told at once."""
    tiles = watching(a=Pace.IDLE)
    tiles.note_picture("a", (1, 1), "live", 0)
    assert tiles.silent_tiles({"a": "no_signal"}, 0.01) == ["a"]


def test_watching_again_keeps_what_was_sent() -> None:
    """A tile that stays on the page when the list changes is not sent its picture again."""
    tiles = watching(a=Pace.IDLE)
    tiles.note_picture("a", (1, 5), "live", 0)
    tiles.watch({"a": Pace.ALARMED, "b": Pace.IDLE})
    assert tiles.next_picture({"a": (1, 5), "b": (0, 0)}, 9) is None


def test_page_has_a_bounded_number_of_tiles() -> None:
    """A watch list longer than the limit is cut, not obeyed."""
    tiles = TileSet(RATES)
    tiles.watch({f"cam-{number}": Pace.IDLE for number in range(MOST_TILES + 9)})
    assert len(tiles.cameras()) == MOST_TILES


@given(st.floats(0, 100), st.floats(0, 100), st.integers(0, 5))
def test_waiting_is_never_longer_than_a_beat(sent_s: float, now_s: float, version: int) -> None:
    """However quiet the cameras are, a page is looked after at least once in a beat."""
    tiles = watching(a=Pace.SELECTED)
    tiles.note_picture("a", (1, 2), "live", sent_s)
    assert 0 <= tiles.wait_s({"a": (1, version)}, now_s) <= BEAT_S
