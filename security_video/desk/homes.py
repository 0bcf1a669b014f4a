"""A household as the desk must know it: who lives there, what to mind, whom to call. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.model.registry import Household


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call; `key` is `self` or the contact's place in the household's list."""

    key: str
    name: str
    relation: str
    phone: str


@dataclass(frozen=True, slots=True)
class Home:
    """A household; coordinates are metres on the community's plan."""

    household_id: str
    area_id: str
    address: str
    resident_name: str
    age: int | None
    sex: str
    tags: Sequence[str]
    contacts: Sequence[Contact]
    map_x: float | None
    map_y: float | None


def home_of(household: Household) -> Home:
    """Read a household's note; what is missing or of another shape there is left out, never guessed."""
    note = household.resident_note
    age, tags = note.get("age"), note.get("tags")
    return Home(
        household.household_id,
        household.area_id,
        household.address,
        household.resident_name,
        age if isinstance(age, int) else None,
        str(note.get("sex", "")),
        tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        tuple(_contacts_of(note)),
        household.map_x,
        household.map_y,
    )


def _contacts_of(note: Mapping[str, object]) -> list[Contact]:
    own = [Contact("self", "", "", str(note["phone"]))] if note.get("phone") else []
    listed = note.get("contacts")
    others = listed if isinstance(listed, list) else []
    return own + [
        Contact(str(place), str(other.get("name", "")), str(other.get("relation", "")), str(other.get("phone", "")))
        for place, other in enumerate(others)
        if isinstance(other, dict)
    ]
