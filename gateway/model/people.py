"""People who sign in, their roles, and the areas that they may see."""

from dataclasses import dataclass
from typing import Final

from gateway.model.ids import is_within

ROLES: Final = frozenset({"resident", "operator", "supervisor", "official", "developer", "admin"})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account; `area_id` is the root of the subtree in which the roles hold."""

    person_id: str
    name: str
    display_name: str
    roles: frozenset[str]
    area_id: str

    def may_see(self, area_id: str) -> bool:
        """Tell whether `area_id` lies in this person's subtree."""
        return is_within(area_id, self.area_id)

    def has_role(self, *roles: str) -> bool:
        """Tell whether this person has one of `roles`; an admin has every role."""
        return "admin" in self.roles or not self.roles.isdisjoint(roles)


#: Stands for the platform itself where an event needs an author.
PLATFORM: Final = Person("platform", "platform", "平台", frozenset(), "0" * 12)
