"""Durations, gaps, edges and windows: each known complaint of other systems' users, as a promise."""

from datetime import UTC, datetime, time, timedelta

import pytest

from iot_rules.conditions.schedule import Edge, Window
from iot_rules.conditions.triggers import Threshold
from iot_rules.engine.facts import Sampled
from iot_rules.rules import Gap, GapPolicy
from tests.kit.rules import (
    BOX,
    CLIMATE,
    DOOR,
    MINUTE,
    OTHER_DOOR,
    Home,
    a_rule,
    a_silence,
    a_threshold,
)

NIGHT = Window(Edge(at=time(22)), Edge(at=time(6)))
EVENING = datetime(2026, 1, 15, 13, 0, tzinfo=UTC)  # 21:00 in Shanghai


def test_a_duration_fires_at_its_end_and_not_before() -> None:
    """A door that is open for ten minutes fires in the tenth minute, once."""
    home = Home(a_rule())
    home.say(open=True)
    assert home.wait(9.99) == []
    assert home.wait(0.01) == ["ShowOnTv"]
    assert home.wait(60) == []


def test_an_end_before_the_duration_does_nothing() -> None:
    """A door that closes after nine minutes fires nothing, and its next opening counts from zero."""
    home = Home(a_rule())
    home.say(open=True)
    home.wait(9)
    assert home.say(open=False) == []
    home.say(open=True)
    assert home.wait(9.99) == []
    assert home.wait(0.01) == ["ShowOnTv"]


def test_the_end_of_what_fired_carries_out_the_else() -> None:
    """The notice goes when the door closes, and only where there was one."""
    home = Home(a_rule())
    home.say(open=True)
    home.wait(10)
    assert home.say(open=False) == ["ClearTv"]
    assert home.say(open=False) == []


def test_a_restart_does_not_lose_a_running_duration() -> None:
    """Complaint 1 (home-assistant/core#56642): `for` goes on where it was after a restart."""
    home = Home(a_rule())
    home.say(open=True)
    home.wait(4)
    home.restart()
    assert home.wait(5.99) == []
    assert home.wait(0.01) == ["ShowOnTv"]


def test_what_fell_due_while_the_program_was_down_is_done_late_and_says_so() -> None:
    """Complaint 1: a deadline in the outage fires after it, with its lateness."""
    home = Home(a_rule())
    home.say(open=True)
    home.restart()
    wishes = home.engine.due(home.now + 25 * MINUTE)
    assert [wish.late_s for wish in wishes] == [15 * 60]


def test_a_rule_that_must_not_be_late_is_not() -> None:
    """A catch-up limit of five minutes mutes what is fifteen minutes late."""
    home = Home(a_rule(catch_up=5 * MINUTE))
    home.say(open=True)
    assert home.engine.due(home.now + 25 * MINUTE) == ()
    assert home.say(open=False) == []


def test_a_backlog_is_heard_in_the_order_of_its_clock() -> None:
    """A door that closed during the outage, before its time was up, fires nothing although the news comes late."""
    home = Home(a_rule())
    home.say(open=True)
    home.wait(1)
    home.restart()
    closed_at, home.now = home.now + 3 * MINUTE, home.now + 30 * MINUTE
    fact_now, home.now = home.now, closed_at
    home.seq += 1
    closing = Sampled(DOOR.device_id, 1, home.seq, closed_at, {"open": False})
    assert home.engine.feed(closing, fact_now) == ()
    assert home.engine.due(fact_now) == ()


def test_a_device_whose_clock_is_slow_does_not_fire_early() -> None:
    """A report from two hours ago, while we were listening all along, counts from when it arrived."""
    home = Home(a_rule())
    home.wait(5)
    home.engine.feed(Sampled(DOOR.device_id, 1, 1, home.now - 120 * MINUTE, {"open": True}), home.now)
    assert home.wait(9.99) == []
    assert home.wait(0.01) == ["ShowOnTv"]


def test_a_short_absence_does_not_reset_a_duration() -> None:
    """Complaint 2 (home-assistant/core#175756): a router that restarts does not begin the ten minutes again."""
    home = Home(a_rule())
    home.say(open=True)
    home.wait(4)
    home.presence("offline")
    home.wait(0.5)
    home.presence("online")
    assert home.wait(5.5) == ["ShowOnTv"]


def test_a_long_absence_resets_a_duration() -> None:
    """After the forgiven minute nobody knows; the ten minutes count again from the next word."""
    home = Home(a_rule())
    home.say(open=True)
    home.wait(4)
    home.presence("offline")
    assert home.wait(30) == []
    home.say(open=True)
    assert home.wait(9.99) == []
    assert home.wait(0.01) == ["ShowOnTv"]


def test_nothing_fires_while_the_device_is_away() -> None:
    """A duration that ends inside a forgiven absence waits for the device's own word."""
    home = Home(a_rule(gap=Gap(GapPolicy.FORGIVE, 5 * MINUTE)))
    home.say(open=True)
    home.wait(8)
    home.presence("offline")
    assert home.wait(4) == []
    assert home.say(open=True) == ["ShowOnTv"]


def test_a_device_that_returns_has_a_moment_to_say_how_things_are() -> None:
    """`online` alone does not fire an overdue duration when the closed door is reported right after it."""
    home = Home(a_rule(gap=Gap(GapPolicy.FORGIVE, 5 * MINUTE)))
    home.say(open=True)
    home.wait(8)
    home.presence("offline")
    home.wait(4)
    assert home.presence("online") == []
    home.wait(0.05)
    assert home.say(open=False) == []
    assert home.wait(60) == []


@pytest.mark.parametrize(("policy", "fires"), [(GapPolicy.HOLD, True), (GapPolicy.RESET, False)])
def test_the_gap_policy_is_the_rules_own(policy: GapPolicy, fires: bool) -> None:
    """`hold` counts through any absence, `reset` through none."""
    home = Home(a_rule(gap=Gap(policy)))
    home.say(open=True)
    home.wait(4)
    home.presence("offline")
    home.wait(0.1)
    home.presence("online")
    assert (home.wait(10) == ["ShowOnTv"]) is fires


def test_the_first_sample_is_no_edge() -> None:
    """Complaint 3 (home-assistant/core#97762): what is over the limit when we first see it has not crossed it."""
    home = Home(a_threshold())
    assert home.say(CLIMATE, temp=35.0) == []
    home.say(CLIMATE, temp=20.0)
    assert home.say(CLIMATE, temp=35.0) == ["ShowOnTv"]


def test_the_first_sample_may_count_where_the_rule_says_so() -> None:
    """`fire_on_first` takes what is already so for an edge."""
    home = Home(a_threshold(fires_on_first=True))
    assert home.say(CLIMATE, temp=35.0) == ["ShowOnTv"]


def test_unknown_and_back_is_no_edge() -> None:
    """Complaint 3: a thermometer that was away for long and returns with the same heat crosses nothing."""
    home = Home(a_threshold())
    home.say(CLIMATE, temp=20.0)
    home.say(CLIMATE, temp=35.0)
    home.presence("offline", CLIMATE)
    home.wait(30)
    home.presence("online", CLIMATE, boot=2)
    assert home.say(CLIMATE, temp=35.0) == []


@pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), "unavailable", True])
def test_what_is_no_number_arms_no_threshold(nonsense: float | str | bool) -> None:
    """Complaint 3: text, flags and NaN neither fire nor count as being back inside."""
    home = Home(a_threshold())
    home.say(CLIMATE, temp=20.0)
    assert home.say(CLIMATE, temp=nonsense) == []
    home.say(CLIMATE, temp=20.0)
    assert home.say(CLIMATE, temp=31.0) == ["ShowOnTv"]


def test_the_same_value_again_does_not_fire_again() -> None:
    """A thermometer that repeats 35 °C every minute is one firing."""
    home = Home(a_threshold())
    home.say(CLIMATE, temp=20.0)
    assert [home.say(CLIMATE, temp=35.0) for _ in range(5)] == [["ShowOnTv"], [], [], [], []]


def test_flapping_around_a_limit_is_one_firing() -> None:
    """Complaint 5: within the hysteresis nothing ends and nothing begins."""
    home = Home(a_threshold(trigger=Threshold("temp", is_above=True, limit=30.0, hysteresis=2.0)))
    home.say(CLIMATE, temp=20.0)
    did = [home.say(CLIMATE, temp=value) for value in (30.1, 29.9, 30.1, 28.1, 30.1, 28.0, 30.1)]
    assert did == [["ShowOnTv"], [], [], [], [], ["ClearTv"], ["ShowOnTv"]]


def test_a_cooldown_postpones_what_lasts() -> None:
    """A door that is left open again within the cooldown fires when that ends, not never and not at once."""
    home = Home(a_rule(cooldown=30 * MINUTE))
    home.say(open=True)
    home.wait(10)
    home.say(open=False)
    home.say(open=True)
    assert home.wait(29.9) == []
    assert home.wait(0.1) == ["ShowOnTv"]


def test_reloading_rules_keeps_the_timers_of_unchanged_ones() -> None:
    """Complaint 10 (node-red#2835): new texts and a new version keep a running duration."""
    home = Home(a_rule())
    home.say(open=True)
    home.wait(6)
    home.restart(a_rule(version=2, name="another name"), a_threshold())
    assert home.wait(4) == ["ShowOnTv"]


def test_reloading_rules_forgets_the_timers_of_changed_ones() -> None:
    """Five minutes that were begun as part of ten are not five minutes of a rule that says five."""
    home = Home(a_rule())
    home.say(open=True)
    home.wait(6)
    home.restart(a_rule(hold=5 * MINUTE))
    assert home.engine.forgotten == (("door-open", "door-0301"),)
    assert home.wait(30) == []


def test_the_night_begins_to_count_at_its_beginning() -> None:
    """A door that stands open since the evening fires ten minutes after 22:00, across midnight only once."""
    home = Home(a_rule(window=NIGHT), start=EVENING)
    home.say(open=True)
    assert home.wait(69.9) == []
    assert home.wait(0.1) == ["ShowOnTv"]
    assert home.wait(5 * 60) == []


def test_the_end_of_the_night_ends_what_it_began() -> None:
    """At 06:00 the notice goes, and a duration that was still running is gone."""
    home = Home(a_rule(window=NIGHT), start=EVENING)
    home.say(open=True)
    home.wait(70)
    assert home.wait(9 * 60) == ["ClearTv"]


def test_each_door_has_its_own_time() -> None:
    """Two homes with one rule do not share a duration."""
    home = Home(a_rule())
    home.say(DOOR, open=True)
    home.wait(5)
    home.say(OTHER_DOOR, open=True)
    assert home.wait(5) == ["ShowOnTv"]
    home.say(DOOR, open=False)
    assert home.wait(5) == ["ShowOnTv"]


def test_silence_is_noticed_and_ends_with_the_next_word() -> None:
    """A box that says nothing for 15 minutes is silent, and its next word says that it is back."""
    home = Home(a_silence())
    home.presence("online", BOX)
    home.wait(14)
    home.say(BOX, volume=20.0)
    assert home.wait(14.9) == []
    assert home.wait(0.1) == ["NoticeToDesk"]
    assert home.say(BOX, volume=20.0) == ["NoticeToDesk"]


def test_our_own_deafness_is_no_silence_of_theirs() -> None:
    """A silence gets the time back in which the runner itself heard nobody."""
    home = Home(a_silence())
    home.presence("online", BOX)
    home.wait(10)
    since, home.now = home.now, home.now + 60 * MINUTE
    home.engine.accept(home.engine.plan_blind(since, home.now))
    assert home.wait(4.9) == []
    assert home.wait(0.1) == ["NoticeToDesk"]


def test_a_retained_word_that_says_nothing_new_is_no_sign_of_life() -> None:
    """What the broker repeats after our reconnect was said long ago."""
    home = Home(a_silence())
    home.presence("online", BOX)
    home.wait(10)
    home.presence("online", BOX, is_retained=True)
    assert home.wait(5) == ["NoticeToDesk"]


def test_a_will_of_an_earlier_boot_is_no_absence() -> None:
    """A stale will does not interrupt anything: its boot is older than what was heard since."""
    home = Home(a_rule(gap=Gap(GapPolicy.RESET)))
    home.presence("online", boot=1)
    home.say(open=True)
    home.presence("offline", boot=0)
    assert home.wait(10) == ["ShowOnTv"]


def test_a_gap_cannot_be_shorter_than_nothing() -> None:
    """With a limit of zero, forgiving is resetting."""
    home = Home(a_rule(gap=Gap(GapPolicy.FORGIVE, timedelta())))
    home.say(open=True)
    home.presence("offline")
    home.presence("online")
    assert home.wait(30) == []
