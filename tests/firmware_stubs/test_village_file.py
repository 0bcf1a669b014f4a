"""The village file of the demo, and files that are wrong."""

import tomllib
from pathlib import Path

import pytest

from firmware_stubs import village_file
from firmware_stubs.__main__ import LIUWAN
from gateway.model.errors import ConfigurationError

DOCUMENT = tomllib.loads(LIUWAN.read_text())


def test_liuwan_can_be_imitated() -> None:
    """Every device of the demo has a profile and a description that can be sent."""
    plan = village_file.read(LIUWAN)
    assert len(plan.devices) == len(DOCUMENT["device"])
    assert all(device.meta().encode() for device in plan.devices)


def test_every_household_of_liuwan_has_a_box_and_stands_in_its_building() -> None:
    """Each household has one set-top box, and its place on the plan lies inside the building of its address."""
    buildings = {shape["name"]: shape for shape in DOCUMENT["community"]["plan"]["shapes"]}
    boxes = [device["household"] for device in DOCUMENT["device"] if device["kind"] == "stb"]
    assert sorted(boxes) == sorted(home["id"] for home in DOCUMENT["household"])
    for home in DOCUMENT["household"]:
        shape = buildings[home["building"]]
        assert shape["x"] <= home["map_x"] <= shape["x"] + shape["w"]
        assert shape["y"] <= home["map_y"] <= shape["y"] + shape["h"]
        assert home["address"] == f"{home['building']} {home['unit']} {home['room']}"


def test_everything_of_liuwan_lies_on_its_plan() -> None:
    """Shapes and cameras lie inside the plan's size; at least six cameras watch."""
    width, height = DOCUMENT["community"]["plan"]["size"]
    assert len(DOCUMENT["camera"]) >= 6
    for shape in DOCUMENT["community"]["plan"]["shapes"]:
        assert shape["x"] >= 0 and shape["x"] + shape["w"] <= width + 1
        assert shape["y"] >= 0 and shape["y"] + shape["h"] <= height + 1
    for camera in DOCUMENT["camera"]:
        assert 0 <= camera["map_x"] <= width and 0 <= camera["map_y"] <= height


def test_nobody_of_liuwan_has_a_whole_phone_number() -> None:
    """Telephone numbers are masked: the people are invented, their numbers could be somebody's."""
    notes = [home["resident_note"] for home in DOCUMENT["household"]]
    phones = [note["phone"] for note in notes] + [one["phone"] for note in notes for one in note["contacts"]]
    assert all("****" in phone for phone in phones)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[community", "cannot be read"),
        ("", "area_id"),
        ('[community]\narea_id = "1101"', "area_id"),
        ('[community]\narea_id = "110105001001"\n[[device]]\nid = "a/b"', "no device id"),
        (
            '[community]\narea_id = "110105001001"\n[[device]]\nid = "x-1"\nprofile = "teapot"',
            "unknown profile 'teapot'",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    """The refusal names the file and what is wrong in it."""
    path = tmp_path / "village.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        village_file.read(path)
    assert words in str(caught.value)
    assert "village.toml" in caught.value.place


def test_a_device_without_a_profile_is_left_to_others(tmp_path: Path) -> None:
    """A camera or a real device stands in the file too and is not imitated."""
    path = tmp_path / "village.toml"
    path.write_text('[community]\narea_id = "110105001001"\n[[device]]\nid = "cam-1"\nkind = "camera"')
    assert village_file.read(path).devices == ()


def test_cameras_with_an_open_port_are_imitated_and_others_are_not() -> None:
    """`{port}` and `{port+1}` count from the first port; a test pattern is the capture program's own affair."""
    cameras = village_file.read(LIUWAN, camera_port=24000).cameras
    assert {(camera.scheme, camera.port) for camera in cameras} == {("rtsp", 24000), ("http", 24001)}
    assert len(cameras) < len(DOCUMENT["camera"])
