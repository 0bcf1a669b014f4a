"""The table of states: who may do what, and no road out of an end."""

import itertools

import pytest

from gateway.model.errors import BadInput, Forbidden
from gateway.model.people import Person
from tv_apps.miniapps.states import NAMES, TABLE, Action, State, legal_actions, next_state

DEVELOPER = Person("d", "dev", "刘洋", frozenset({"developer"}), "0" * 12)
OFFICIAL = Person("o", "off", "陈磊", frozenset({"official"}), "0" * 12)


@pytest.mark.parametrize(("state", "action"), list(itertools.product(State, Action)))
def test_every_pair_outside_the_table_is_refused_with_what_is_possible(state: State, action: Action) -> None:
    """A step that is not in the table names the steps that are."""
    if (state, action) in TABLE:
        return
    with pytest.raises(BadInput) as refused:
        next_state(state, action, by=OFFICIAL, developer_id="d")
    assert refused.value.reason == "illegal_step"
    assert all(str(legal) in refused.value.cure for legal in legal_actions(state))


def test_approved_and_rejected_are_ends() -> None:
    """What comes next is a new version."""
    assert legal_actions(State.APPROVED) == legal_actions(State.REJECTED) == ()


def test_a_decision_needs_a_second_person_with_the_role() -> None:
    """The developer asks, another person who is an official decides."""
    assert next_state(State.IN_REVIEW, Action.APPROVE, by=OFFICIAL, developer_id="d") is State.APPROVED
    assert next_state(State.CHECKED, Action.ASK_REVIEW, by=DEVELOPER, developer_id="d") is State.IN_REVIEW
    for by, action, state in (
        (DEVELOPER, Action.APPROVE, State.IN_REVIEW),
        (OFFICIAL, Action.ASK_REVIEW, State.CHECKED),
    ):
        with pytest.raises(Forbidden):
            next_state(state, action, by=by, developer_id="d")
    with pytest.raises(Forbidden):
        next_state(State.IN_REVIEW, Action.REJECT, by=OFFICIAL, developer_id="o")


def test_every_state_has_a_name_in_both_languages() -> None:
    """Pages and the command line show words, not identifiers."""
    assert set(NAMES) == set(State)
