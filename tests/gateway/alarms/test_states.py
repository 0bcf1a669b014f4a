import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alarms import states
from gateway.model.alarms import Action, AlarmState
from gateway.model.errors import BadInput


def test_the_main_road_leads_from_raised_to_closed() -> None:
    """An alarm goes raised, notified, acknowledged, verified, dispatched, on scene, resolved, closed."""
    state = AlarmState.RAISED
    for action in Action:
        if action is not Action.EXPIRE:
            state = states.step(state, action)
    assert state is AlarmState.CLOSED


def test_an_acknowledgement_that_expires_leads_back_to_waiting() -> None:
    """Nobody has it any more; from any other state nothing expires."""
    assert states.step(AlarmState.ACKNOWLEDGED, Action.EXPIRE) is AlarmState.NOTIFIED
    for state in set(AlarmState) - {AlarmState.ACKNOWLEDGED}:
        with pytest.raises(BadInput):
            states.step(state, Action.EXPIRE)


@given(st.lists(st.sampled_from(Action), max_size=20))
def test_no_action_leads_out_of_closed(actions: list[Action]) -> None:
    """Whatever is tried, a closed alarm stays closed."""
    for action in actions:
        with pytest.raises(BadInput):
            states.step(AlarmState.CLOSED, action)


@given(st.lists(st.sampled_from(Action), max_size=30))
def test_nothing_is_closed_that_nobody_acknowledged_and_verified(actions: list[Action]) -> None:
    """Every road to CLOSED passes through ACKNOWLEDGED and VERIFIED."""
    state, seen = AlarmState.RAISED, {AlarmState.RAISED}
    for action in actions:
        try:
            state = states.step(state, action)
        except BadInput:
            continue
        seen.add(state)
    if AlarmState.CLOSED in seen:
        assert {AlarmState.ACKNOWLEDGED, AlarmState.VERIFIED} <= seen


def test_an_illegal_step_says_what_would_be_legal() -> None:
    """The refusal names the actions that are possible now."""
    with pytest.raises(BadInput) as refused:
        states.step(AlarmState.RAISED, Action.CLOSE)
    assert refused.value.reason == "illegal_transition"
    assert "acknowledge" in refused.value.cure


def test_people_are_never_offered_what_a_machine_does() -> None:
    """No legal action of a person is RENDER or EXPIRE, in no state."""
    assert all(states.MACHINE_ACTIONS.isdisjoint(states.legal_actions(state)) for state in AlarmState)
