"""Keys of remotes, one profile per kind of box, never one merged table: the same code is LEFT here and RIGHT there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

from gateway.contract import codec
from gateway.model.errors import BadInput

NAMES: Final = frozenset(
    {
        "up",
        "down",
        "left",
        "right",
        "ok",
        "back",
        "home",
        "menu",
        "red",
        "green",
        "yellow",
        "blue",
        "pageup",
        "pagedown",
    }
    | set("0123456789")
)
#: Without these a television cannot be used at all.
NEEDED: Final = ("up", "down", "left", "right", "ok", "back")
DEFAULT: Final = "keyboard"
MAX_LEARNT: Final = 32
_CODE: Final = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Profile:
    """Codes ("461") to names ("back"); `holds` says that the box reports when a key is let go."""

    name: str
    title: str
    holds: bool
    has_live_tv: bool
    keys: Mapping[str, str]
    source: str = field(default="")

    def with_learnt(self, codes: Mapping[str, str] | None) -> "Profile":
        """Return this profile with codes learnt from the household's own remote above it."""
        if not codes:
            return self
        return Profile(self.name, self.title, self.holds, self.has_live_tv, {**self.keys, **codes}, self.source)


@cache
def profiles() -> Mapping[str, Profile]:
    """Return every profile that comes with the program."""
    folder = files("tv_apps") / "profiles"
    found = [read(entry.read_bytes(), entry.name) for entry in folder.iterdir() if entry.name.endswith(".json")]
    return {profile.name: profile for profile in sorted(found, key=lambda each: each.name)}


def profile(name: str) -> Profile:
    """Return one profile; an unknown name gives the keyboard, with which everything can be reached."""
    return profiles().get(name) or profiles()[DEFAULT]


def read(raw: bytes, place: str) -> Profile:
    """Return a profile file; BadInput names the file and what is wrong with it."""
    document = codec.decode(raw)
    codes = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(codes, dict):
        raise BadInput("a profile is an object with `keys`", reason="wrong_type", place=place)
    keys = checked_keys(codes, place)
    missing = [name for name in NEEDED if name not in keys.values()]
    if missing:
        raise BadInput(f"no code for {', '.join(missing)}", reason="missing_field", place=place, cure="Add it to keys.")
    return Profile(
        str(document["name"]),
        str(document["title"]),
        bool(document["holds"]),
        bool(document["live_tv"]),
        keys,
        str(document.get("source", "")),
    )


def checked_keys(keys: Mapping[str, object], place: str) -> dict[str, str]:
    """Return `keys` where every code is a number and every name is known; BadInput (unknown_key) otherwise."""
    for code, name in keys.items():
        if not _CODE.fullmatch(code) or name not in NAMES:
            cure = f"Names: {', '.join(sorted(NAMES))}."
            raise BadInput(f"{code}: {name!r} is no key", reason="unknown_key", place=place, cure=cure)
    return {code: str(name) for code, name in keys.items()}
