import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.ids import CameraId
from security_video.linking import Spot, View, Why, bearing_deg, nearest, sees, turn_deg

HOME = Spot(100, 100)


def a_view(
    camera_id: str, x: float, y: float, heading_deg: float = 0, *, view_deg: float = 90, range_m: float = 50
) -> View:
    return View(CameraId(camera_id), Spot(x, y), heading_deg, view_deg, range_m)


def test_camera_chosen_by_people_comes_before_a_nearer_one() -> None:
    """A camera that people chose for a household is shown first, however far away it is."""
    near, far = a_view("near", 100, 110), a_view("far", 300, 300)
    links = nearest(HOME, [near, far], chosen=[CameraId("far")])
    assert [(link.camera_id, link.why) for link in links] == [("far", Why.CHOSEN), ("near", Why.SEES)]


def test_chosen_cameras_keep_their_order() -> None:
    """Several chosen cameras are shown in the order in which they were ranked."""
    views = [a_view("a", 0, 0), a_view("b", 100, 101), a_view("c", 50, 50)]
    links = nearest(HOME, views, chosen=[CameraId("c"), CameraId("gone"), CameraId("a")])
    assert [link.camera_id for link in links] == ["c", "a", "b"]


def test_camera_that_sees_the_home_comes_before_a_nearer_one_that_looks_away() -> None:
    """A camera looking at the home is better than a nearer one with its back to it."""
    back = a_view("back", 100, 110, heading_deg=180)
    front = a_view("front", 100, 140, heading_deg=0)
    assert [link.camera_id for link in nearest(HOME, [back, front])] == ["front", "back"]


@pytest.mark.parametrize(
    ("heading_deg", "expected"),
    [(0, True), (44, True), (46, False), (180, False), (315.1, True), (314, False), (720, True)],
)
def test_view_cone_has_two_sharp_edges(heading_deg: float, expected: bool) -> None:
    """A camera sees what lies within half its angle on either side of its heading, also across north."""
    assert sees(a_view("c", 100, 120, heading_deg), HOME) is expected


def test_camera_does_not_see_beyond_its_range() -> None:
    """What lies farther away than the range is not seen, in whatever direction the camera looks."""
    assert sees(a_view("c", 100, 150, range_m=50), HOME)
    assert not sees(a_view("c", 100, 150.1, range_m=50), HOME)


def test_camera_on_the_spot_sees_it() -> None:
    """A camera mounted at the household's own door sees it without a bearing."""
    assert sees(a_view("c", 100, 100.2, heading_deg=180, view_deg=10), HOME)


@pytest.mark.parametrize(("x", "y", "expected"), [(100, 50, 0), (150, 100, 90), (100, 150, 180), (50, 100, 270)])
def test_bearings_are_those_of_a_compass_on_the_plan(x: float, y: float, expected: float) -> None:
    """Up on the plan is north and angles run clockwise."""
    assert bearing_deg(HOME, Spot(x, y)) == pytest.approx(expected)


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_turn_is_never_more_than_half_a_circle(one: float, other: float) -> None:
    """The angle between two bearings is between 0 and 180, and the same both ways."""
    assert 0 <= turn_deg(one, other) <= 180
    assert turn_deg(one, other) == pytest.approx(turn_deg(other, one), abs=1e-6)


@given(st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.floats(0, 360)), max_size=12), st.randoms())
def test_order_of_the_cameras_does_not_matter(places: list[tuple[float, float, float]], random: object) -> None:
    """Two desks that read the cameras in different order show the same ones in the same places."""
    views = [a_view(f"c{n}", *place) for n, place in enumerate(places)]
    assert nearest(HOME, views) == nearest(HOME, views[::-1])
    assert len(nearest(HOME, views)) == min(4, len(views))
