import json

import pytest

from gateway.model.errors import BadInput
from tv_apps.box_profiles import NEEDED, profile, profiles, read

GOOD = {"name": "x", "title": "X", "holds": True, "live_tv": False, "keys": {
    "38": "up", "40": "down", "37": "left", "39": "right", "13": "ok", "27": "back"}}  # fmt: skip


def test_every_profile_has_what_is_needed_to_use_a_television() -> None:
    """The keyboard and two real boxes each have arrows, OK, BACK, red and all digits."""
    assert {"keyboard", "gehua-ipanel", "huawei-iptv"} <= set(profiles())
    for each in profiles().values():
        assert set(NEEDED) | {"red"} | set("0123456789") <= set(each.keys.values())


def test_one_code_means_different_keys_on_different_boxes() -> None:
    """Code 4 is RIGHT on an iPanel box and nothing on a keyboard: tables are never merged."""
    assert profile("gehua-ipanel").keys["4"] == "right"
    assert "4" not in profile("keyboard").keys
    assert profile("nobody-knows").name == "keyboard"


def test_learnt_codes_go_above_the_profile() -> None:
    """A code that the household taught wins over the profile's."""
    assert profile("keyboard").with_learnt({"38": "back"}).keys["38"] == "back"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"keys": {"38": "up"}}, "missing_field"),
        ({"keys": {**GOOD["keys"], "x": "up"}}, "unknown_key"),  # type: ignore[dict-item]
        ({"keys": {**GOOD["keys"], "99": "teleport"}}, "unknown_key"),  # type: ignore[dict-item]
        ({"keys": []}, "wrong_type"),
    ],
)
def test_broken_profile_is_refused_with_its_file(change: dict[str, object], reason: str) -> None:
    """A profile without BACK, with a code that is no number or a key that does not exist names its file."""
    with pytest.raises(BadInput) as refused:
        read(json.dumps({**GOOD, **change}).encode(), "x.json")
    assert refused.value.reason == reason and "x.json" in str(refused.value)
