"""What may happen to an alarm, as one table.

Everything that decides a transition is in `TRANSITIONS`; nothing here knows a clock, a database or a person.
Rules in prose: a machine moves an alarm only from RAISED to NOTIFIED, and from an ACKNOWLEDGED that expired back to
NOTIFIED; CLOSED leads nowhere. Verification may be said again while nobody is on the way; whoever closes has said an
outcome before.
"""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.model.alarms import Action, AlarmState
from gateway.model.errors import BadInput

_S, _A = AlarmState, Action

TRANSITIONS: Mapping[tuple[AlarmState, Action], AlarmState] = MappingProxyType(
    {
        (_S.RAISED, _A.RENDER): _S.NOTIFIED,
        (_S.RAISED, _A.ACKNOWLEDGE): _S.ACKNOWLEDGED,
        (_S.NOTIFIED, _A.ACKNOWLEDGE): _S.ACKNOWLEDGED,
        # An acknowledgement without progress expires: nobody has it, and it rings again.
        (_S.ACKNOWLEDGED, _A.EXPIRE): _S.NOTIFIED,
        (_S.ACKNOWLEDGED, _A.VERIFY): _S.VERIFIED,
        (_S.VERIFIED, _A.VERIFY): _S.VERIFIED,
        (_S.VERIFIED, _A.DISPATCH): _S.DISPATCHED,
        (_S.VERIFIED, _A.RESOLVE): _S.RESOLVED,
        (_S.DISPATCHED, _A.ARRIVE): _S.ON_SCENE,
        (_S.DISPATCHED, _A.RESOLVE): _S.RESOLVED,
        (_S.ON_SCENE, _A.RESOLVE): _S.RESOLVED,
        (_S.RESOLVED, _A.CLOSE): _S.CLOSED,
        # 结案 in one step: the one who closes says the outcome, and both changes are recorded.
        (_S.VERIFIED, _A.CLOSE): _S.CLOSED,
        (_S.DISPATCHED, _A.CLOSE): _S.CLOSED,
        (_S.ON_SCENE, _A.CLOSE): _S.CLOSED,
    },
)

#: What only a machine may do.
MACHINE_ACTIONS = frozenset({Action.RENDER, Action.EXPIRE})


def step(state: AlarmState, action: Action) -> AlarmState:
    """Return the state after `action`; BadInput(illegal_transition) names what would be allowed."""
    after = TRANSITIONS.get((state, action))
    if after is None:
        legal = ", ".join(action.value for action in legal_actions(state)) or "nothing: it is closed"
        raise BadInput(
            f"{action.value} is not possible in state {state.value}",
            reason="illegal_transition",
            place="action",
            cure=f"Possible now: {legal}.",
        )
    return after


def legal_actions(state: AlarmState) -> tuple[Action, ...]:
    """Return what a person may do now, in the order of the work."""
    return tuple(action for action in Action if (state, action) in TRANSITIONS and action not in MACHINE_ACTIONS)
