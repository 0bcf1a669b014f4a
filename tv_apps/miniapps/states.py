"""The states of a submission and the steps between them, as a table; pure.

A draft is what the check refused. A clean package is checked; its developer asks for a review; an official, never
the developer in person, approves or rejects it. Approved and rejected are ends: what comes next is a new version.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.model.errors import BadInput, Forbidden
from gateway.model.people import Person


class State(StrEnum):
    DRAFT = "draft"
    CHECKED = "checked"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    REJECTED = "rejected"


class Action(StrEnum):
    ACCEPT = "accept"
    ASK_REVIEW = "ask_review"
    APPROVE = "approve"
    REJECT = "reject"


class Rule(NamedTuple):
    """Where an action leads, and the role that may take it ("": the platform itself)."""

    to: State
    role: str


TABLE: Final[Mapping[tuple[State, Action], Rule]] = {
    (State.DRAFT, Action.ACCEPT): Rule(State.CHECKED, ""),
    (State.CHECKED, Action.ASK_REVIEW): Rule(State.IN_REVIEW, "developer"),
    (State.IN_REVIEW, Action.APPROVE): Rule(State.APPROVED, "official"),
    (State.IN_REVIEW, Action.REJECT): Rule(State.REJECTED, "official"),
}

NAMES: Final[Mapping[State, tuple[str, str]]] = {
    State.DRAFT: ("草稿", "draft"),
    State.CHECKED: ("检查过", "checked"),
    State.IN_REVIEW: ("审核中", "in review"),
    State.APPROVED: ("已批准", "approved"),
    State.REJECTED: ("没批准", "rejected"),
}


def legal_actions(state: State) -> tuple[Action, ...]:
    return tuple(action for here, action in TABLE if here is state)


def next_state(state: State, action: Action, *, by: Person, developer_id: str) -> State:
    """Return where `action` leads.

    Raises BadInput (illegal_step) with the legal actions, or Forbidden when `by` may not take this step.
    """
    rule = TABLE.get((state, action))
    if rule is None:
        legal = ", ".join(legal_actions(state)) or "no step: send a new version"
        raise BadInput(f"{action} is not possible in {state}", reason="illegal_step", cure=f"Possible: {legal}.")
    if rule.role and not by.has_role(rule.role):
        raise Forbidden(f"{by.display_name} is no {rule.role}", cure=f"It needs the role {rule.role}.")
    if rule.role == "developer" and by.person_id != developer_id:
        raise Forbidden("only its own developer may ask for a review", cure="Ask the developer.")
    if rule.role == "official" and by.person_id == developer_id:
        raise Forbidden("nobody decides about an app of their own", cure="Ask another official.")
    return rule.to
