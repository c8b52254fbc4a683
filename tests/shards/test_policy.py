"""Which shard takes a call, when shards begin and end, what a message and a death mean: no process, time by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from harness.call.engines.make import EngineName
from harness.errors import ConfigError, OwnFailure, StackError
from harness.process.lines import error_message
from harness.shards.meaning import Ended, Happened, Meaning, Ready, SecondTold, Started
from harness.shards.policy import (
    END_S,
    SPARE_SHARE,
    Overdue,
    ShardPolicy,
    ShardState,
    Taken,
)
from harness.shards.protocol import CallOrder, CutOrder, ShardOrder
from harness.shards.silence import LOOK_S, READY_S, SILENT_S
from harness.shards.size import CALLS_IN_A_SHARD, CALLS_OF_A_SHARD

ORDER = ShardOrder(
    engine="light",
    prepared="",
    directory="",
    record="none",
    target="fake",
    described="fake",
    kind="session",
    url="",
    api_key=None,
    seed=1,
)
LIGHT, SDK = CALLS_IN_A_SHARD["light"], CALLS_IN_A_SHARD["sdk"]
SDK_IN_ALL = CALLS_OF_A_SHARD["sdk"] or 0


def policy(*, shards: int = 1, starter: str = "", **order: Any) -> ShardPolicy:
    return ShardPolicy(ORDER.model_copy(update=order), shards=shards, starter=starter)


def ready(one: ShardPolicy, shard: ShardState, now_s: float = 0.0) -> ShardState:
    one.heard(shard, {"ready": 4711}, now_s)
    return shard


def begun(one: ShardPolicy, engine: EngineName = "light") -> ShardState:
    """A shard that is ready."""
    return ready(one, one.begin(engine, 0.0))


def take(one: ShardPolicy, *calls: str, engine: EngineName = "light") -> list[Taken]:
    return [one.take(CallOrder(call=call, scenario=0), engine, 0.0) for call in calls]


def running(one: ShardPolicy, shard: ShardState, *calls: str) -> ShardState:
    """The shard, which was given these calls and told of them."""
    for call, taken in zip(calls, take(one, *calls, engine=shard.engine), strict=True):
        assert taken.shard is shard
        one.to_send(shard, call, 0.0)
    return shard


def names(count: int, mark: str = "c") -> list[str]:
    return [f"{mark}{number}" for number in range(count)]


# -- which shard takes a call ----------------------------------------------------------------------------------------


def test_without_a_shard_one_begins() -> None:
    one = policy()
    (taken,) = take(one, "a")
    assert taken.begun == (taken.shard,)
    assert (taken.shard.number, taken.shard.engine, taken.shard.room) == (1, "light", LIGHT - 1)


def test_the_shard_with_the_most_room_takes_a_call() -> None:
    one = policy()
    first, second = begun(one), begun(one)
    assert [taken.shard for taken in take(one, "a", "b", "c")] == [first, second, first]
    one.leave(second, "b")
    assert take(one, "d")[0].shard is second


def test_a_shard_that_is_ready_goes_before_one_that_is_not() -> None:
    one = policy()
    first, starting = begun(one), one.begin("light", 0.0)
    assert {taken.shard for taken in take(one, *names(LIGHT))} == {first}
    assert take(one, "next")[0].shard is starting


def test_a_call_goes_to_a_shard_of_its_engine() -> None:
    one = policy()
    light = begun(one)
    (taken,) = take(one, "a", engine="sdk")
    assert (taken.shard.engine, taken.begun) == ("sdk", (taken.shard,))
    assert light.room == LIGHT


def test_a_full_shard_takes_no_call_and_another_begins() -> None:
    one = policy()
    first = begun(one)
    full = take(one, *names(LIGHT))
    assert [taken.begun for taken in full] == [()] * LIGHT
    (taken,) = take(one, "next")
    assert taken.begun == (taken.shard,)
    assert (taken.shard is first, first.room) == (False, 0)


def spoiled_by_error(one: ShardPolicy, shard: ShardState) -> None:
    one.heard(shard, error_message(ConfigError("no such route")), 0.0)


def spoiled_by_death(one: ShardPolicy, shard: ShardState) -> None:
    one.ended(shard, -9)


def spoiled_by_silence(one: ShardPolicy, shard: ShardState) -> None:
    assert [found.kill for found in looks(one, 0.0, SILENT_S + 1.0) if found.kill] == [(shard,)]


@pytest.mark.parametrize("spoil", [spoiled_by_error, spoiled_by_death, spoiled_by_silence])
def test_a_shard_that_is_no_good_takes_no_call(spoil: Callable[[ShardPolicy, ShardState], None]) -> None:
    one = policy()
    shard = begun(one)
    spoil(one, shard)
    (taken,) = take(one, "a")
    assert (taken.shard is shard, shard.room) == (False, 0)
    assert taken.begun == (taken.shard,)


# -- when a shard begins before it is needed -------------------------------------------------------------------------


def test_where_nobody_knows_how_many_calls_come_the_next_shard_begins_before_it_is_needed() -> None:
    one = policy()
    one.expect("light", 1, grows=True)
    first = begun(one)
    begin = [len(taken.begun) for taken in take(one, *names(LIGHT))]
    assert sum(begin) == 1
    assert LIGHT - begin.index(1) - 1 == SPARE_SHARE * LIGHT - 1
    (_, spare) = one.shards
    assert (first.room, spare.room) == (0, LIGHT), "those that were ready took the calls"


def test_where_the_most_calls_are_known_no_spare_begins() -> None:
    one = policy()
    one.expect("light", 2, grows=False)
    begun(one), begun(one)
    assert not any(taken.begun for taken in take(one, *names(2 * LIGHT)))


def test_a_shard_that_died_is_replaced_with_the_next_call() -> None:
    one = policy()
    one.expect("light", 2, grows=False)
    first, second = begun(one), begun(one)
    one.ended(first, -9)
    (taken,) = take(one, "a")
    assert taken.shard is second
    assert [shard.number for shard in taken.begun] == [3]
    assert take(one, "b")[0].begun == ()


def test_what_was_not_expected_begins_only_where_a_call_has_no_room() -> None:
    one = policy()
    one.expect("light", 1, grows=True)
    calls = [len(taken.begun) for taken in take(one, *names(SDK + 1), engine="sdk")]
    assert calls == [1] + [0] * (SDK - 1) + [1]


def test_where_shards_do_not_come_up_none_begins_ahead_until_one_does() -> None:
    one = policy()
    one.expect("light", 3, grows=False)
    good = begun(one)
    one.ended(one.begin("light", 0.0), 1)
    assert take(one, "a")[0].begun == ()
    one.begin("light", 0.0)
    ready(one, one.shards[-1])
    (taken,) = take(one, "b")
    assert len(taken.begun) == 1
    assert good.takes_calls


def test_after_starts_that_failed_the_next_ones_wait_longer_until_one_is_ready() -> None:
    one = policy()
    waits = []
    for call in names(7):
        (taken,) = take(one, call)
        waits.append(taken.shard.wait_s)
        one.not_started(taken.shard, OSError(11, "Resource temporarily unavailable"))
        one.leave(taken.shard, call)
    assert waits == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    begun(one)
    assert one.begin("light", 0.0).wait_s == 0.0


def test_the_wait_before_a_start_is_no_silence_of_the_shard() -> None:
    one = policy()
    one.ended(one.begin("light", 0.0), 1)
    shard = one.begin("light", 0.0)
    assert shard.wait_s > 0
    looks(one, 0.0, READY_S)
    assert one.overdue(READY_S + shard.wait_s) == Overdue()
    assert one.overdue(READY_S + shard.wait_s + 1.0) == Overdue((shard,))


# -- when a shard retires --------------------------------------------------------------------------------------------


def test_a_shard_that_has_made_its_calls_ends_with_the_last_of_them() -> None:
    one = policy()
    shard = begun(one, "sdk")
    for call in names(SDK_IN_ALL - 2):
        running(one, shard, call)
        assert not one.leave(shard, call)
    running(one, shard, "last but one", "last")
    assert shard.room == 0
    assert not one.leave(shard, "last but one")
    assert one.leave(shard, "last")
    one.ended(shard, 0)
    assert one.died == 0


def test_the_one_that_follows_begins_with_the_last_call() -> None:
    one = policy()
    one.expect("sdk", 1, grows=False)
    shard = begun(one, "sdk")
    for call in names(SDK_IN_ALL - 1):
        (taken,) = take(one, call, engine="sdk")
        assert taken.begun == ()
        one.leave(shard, call)
    (taken,) = take(one, "last", engine="sdk")
    assert taken.shard is shard
    assert [each.number for each in taken.begun] == [2]


@pytest.mark.parametrize(("left", "begun_ahead"), [(0, 0), (1, 1)])
def test_none_follows_where_no_call_is_left(left: int, begun_ahead: int) -> None:
    one = policy()
    one.expect("sdk", 1, grows=False, calls=SDK_IN_ALL + left)
    begun(one, "sdk")
    started = 0
    for call in names(SDK_IN_ALL):
        (taken,) = take(one, call, engine="sdk")
        started += len(taken.begun)
        one.leave(taken.shard, call)
    assert started == begun_ahead


def test_a_call_beyond_those_expected_begins_its_own_shard() -> None:
    one = policy()
    one.expect("light", 1, grows=True, calls=1)
    one.ended(begun(one), 0)
    (first,) = take(one, "a")
    one.ended(first.shard, 0)
    (again,) = take(one, "again")
    assert again.begun == (again.shard,)


def test_no_spare_begins_where_the_calls_that_are_left_have_room() -> None:
    one = policy()
    one.expect("light", 1, grows=True, calls=LIGHT)
    begun(one)
    assert not any(taken.begun for taken in take(one, *names(LIGHT)))


def test_a_shard_that_died_is_not_ended_again() -> None:
    one = policy()
    shard = begun(one, "sdk")
    for call in names(SDK_IN_ALL):
        running(one, shard, call)
        if call != names(SDK_IN_ALL)[-1]:
            one.leave(shard, call)
    one.ended(shard, -9)
    assert not one.leave(shard, names(SDK_IN_ALL)[-1])


# -- what a shard is told --------------------------------------------------------------------------------------------


def test_a_shard_has_its_own_engine_and_its_share_of_the_session_rate() -> None:
    one = policy(shards=4, session_rate_per_min=120.0, directory="/run")
    told = one.order_of(one.begin("sdk", 0.0))
    assert (told.engine, told.session_rate_per_min, told.directory) == ("sdk", 30.0, "/run")
    assert policy().order_of(policy().begin("light", 0.0)).session_rate_per_min is None


def test_no_two_shards_have_one_seed_and_the_same_shard_has_the_same() -> None:
    seeds = {
        one.order_of(one.begin("light", 0.0)).seed
        for seed in (0, 1, 11, 12)
        for starter in ("a:1", "a:11", "b:1")
        for one in [policy(seed=seed, starter=starter)]
        for _ in range(120)
    }
    assert len(seeds) == 4 * 3 * 120
    again = {policy(seed=7).order_of(policy().begin("light", 0.0)).seed for _ in range(3)}
    assert len(again) == 1


def test_a_call_is_sent_once_when_its_shard_is_ready() -> None:
    one = policy()
    (taken,) = take(one, "a")
    shard = taken.shard
    assert one.to_send(shard, "a", 0.0) == ()
    ready(one, shard)
    assert one.to_send(shard, "a", 0.0) == (CallOrder(call="a", scenario=0),)
    assert one.to_send(shard, "a", 0.0) == ()
    assert one.to_send(shard, "no such call", 0.0) == ()


def test_nothing_is_sent_to_a_shard_that_is_gone() -> None:
    one = policy()
    shard = begun(one)
    take(one, "a")
    one.ended(shard, 1)
    assert one.to_send(shard, "a", 0.0) == ()


def test_a_cut_is_sent_once() -> None:
    one = policy()
    shard = running(one, begun(one), "a")
    assert one.cut(shard, "a", 0.0) == (CutOrder(call="a"),)
    assert one.cut(shard, "a", 0.0) == ()
    assert one.cut(shard, "no such call", 0.0) == ()


@pytest.mark.parametrize("every", [False, True])
def test_a_call_that_is_cut_before_its_shard_is_ready_is_cut_when_it_is(*, every: bool) -> None:
    one = policy()
    (taken,) = take(one, "a")
    if every:
        assert one.cut_all(0.0) == (taken.shard,)
    else:
        assert one.cut(taken.shard, "a", 0.0) == ()
    ready(one, taken.shard)
    assert one.to_send(taken.shard, "a", 0.0) == (CallOrder(call="a", scenario=0), CutOrder(call="a"))


def test_all_living_shards_are_told_of_a_cut_of_all() -> None:
    one = policy()
    first, second, third = begun(one), begun(one), begun(one)
    one.ended(second, 0)
    assert one.cut_all(0.0) == (first, third)


# -- what a message means --------------------------------------------------------------------------------------------

MESSAGES: list[tuple[dict[str, Any], Meaning | None]] = [
    ({"ready": 4711}, Ready()),
    ({"started": "a"}, Started("a")),
    ({"ended": {"call": "a", "ok": True}}, Ended("a", {"call": "a", "ok": True})),
    ({"ended": {"call": "unknown"}}, None),
    ({"event": {"t": 1, "event": "x"}, "call": "a"}, Happened("a", {"t": 1, "event": "x"})),
    ({"second": {"alive": 1}}, SecondTold(1, {"alive": 1})),
    (error_message(ConfigError("no such route")), None),
    ({"ended": "a"}, None),
    ({"started": None}, None),
    ({"error": "text"}, None),
    ({"other": 1}, None),
    ({}, None),
]


@pytest.mark.parametrize(("message", "meaning"), MESSAGES)
def test_what_a_message_means(message: dict[str, Any], meaning: Meaning | None) -> None:
    one = policy()
    shard = running(one, begun(one), "a")
    assert one.heard(shard, message, 0.0) == meaning


def test_seconds_are_those_of_living_shards_that_told_one() -> None:
    one = policy()
    first, second, _ = begun(one), begun(one), begun(one)
    one.heard(first, {"second": {"alive": 1}}, 0.0)
    one.heard(second, {"second": {"alive": 2}}, 0.0)
    one.heard(first, {"second": {"alive": 3}}, 1.0)
    one.ended(second, 0)
    assert one.seconds == [{"alive": 3}]


# -- what a death means ----------------------------------------------------------------------------------------------


def whats(lost: dict[str, OwnFailure]) -> dict[str, str]:
    assert {failure.kind for failure in lost.values()} <= {"harness.shard_died"}
    return {call: failure.what for call, failure in lost.items()}


def test_a_death_costs_the_shards_own_calls_and_counts_once() -> None:
    one = policy()
    first, second = begun(one), begun(one)
    for call, shard in (("a", first), ("b", second), ("c", first)):
        running(one, shard, call)
    told = "the process that made this call is gone: it was ended by SIGKILL"
    assert whats(one.ended(first, -9)) == {"a": told, "c": told}
    assert one.ended(first, -9) == {}
    assert (one.died, one.problem, one.living) == (1, None, [second])


def test_a_shard_without_calls_does_not_count_as_died() -> None:
    one = policy()
    assert one.ended(begun(one), -9) == {}
    assert one.died == 0


def test_a_death_says_what_its_own_shard_last_said() -> None:
    one = policy()
    first, second = begun(one), begun(one)
    running(one, first, "a")
    first.log_tail.add("Traceback")
    first.log_tail.add("MemoryError")
    second.log_tail.add("something else")
    assert whats(one.ended(first, 4))["a"].endswith("is gone: it ended with 4 (MemoryError)")


def test_a_death_says_the_error_that_the_shard_told() -> None:
    one = policy()
    first, second = begun(one), begun(one)
    running(one, first, "a")
    running(one, second, "b")
    one.heard(first, error_message(ConfigError("no such route", where="x.toml", hint="add it")), 0.0)
    first.log_tail.add("noise")
    assert one.problem == "x.toml: no such route"
    assert whats(one.ended(first, 2))["a"].endswith("it ended with 2 (x.toml: no such route)")
    assert whats(one.ended(second, -9))["b"].endswith("it was ended by SIGKILL"), "another's error is not its"
    assert isinstance(one.error, ConfigError)


def test_a_shard_that_never_became_ready_is_an_error_with_its_log() -> None:
    one = policy()
    (taken,) = take(one, "a")
    taken.shard.log_tail.add("Traceback")
    taken.shard.log_tail.add("ImportError: x")
    whats(one.ended(taken.shard, 4))
    assert isinstance(taken.shard.error, StackError)
    told = "a process for calls did not start: it ended with 4 (ImportError: x)"
    assert taken.shard.error.what == f"{told}\nTraceback\nImportError: x"
    assert (one.problem, one.died) == (told, 1)


def test_a_process_that_cannot_be_started_fails_its_calls() -> None:
    one = policy()
    (taken,) = take(one, "a")
    lost = one.not_started(taken.shard, OSError(12, "Cannot allocate memory"))
    told = "it could not be started: Cannot allocate memory"
    assert whats(lost) == {"a": f"the process that made this call is gone: {told}"}
    assert one.problem == f"a process for calls did not start: {told}"
    assert one.ended(taken.shard, None) == {}


# -- what never ends by itself ---------------------------------------------------------------------------------------


def looks(one: ShardPolicy, from_s: float, to_s: float) -> list[Overdue]:
    count = round((to_s - from_s) / LOOK_S)
    return [one.overdue(from_s + LOOK_S * number) for number in range(1, count + 1)]


def test_a_frozen_shard_is_ended_once_and_its_calls_fail() -> None:
    one = policy()
    shard = running(one, begun(one), "a")
    assert looks(one, 0.0, SILENT_S) == [Overdue()] * round(SILENT_S)
    assert one.overdue(SILENT_S + 1.0) == Overdue((shard,))
    assert one.overdue(SILENT_S + 2.0) == Overdue()
    assert "it sent nothing for 30 s" in whats(one.ended(shard, -9))["a"]
    assert one.died == 1


def test_a_shard_has_longer_to_become_ready() -> None:
    one = policy()
    shard = one.begin("light", 0.0)
    assert looks(one, 0.0, READY_S) == [Overdue()] * round(READY_S)
    assert one.overdue(READY_S + 1.0) == Overdue((shard,))


def beating(one: ShardPolicy, from_s: float, to_s: float) -> Overdue:
    """What all looks find together while every shard tells of itself once a second."""
    kill: list[ShardState] = []
    lost: dict[str, OwnFailure] = {}
    for number in range(1, round(to_s - from_s) + 1):
        for shard in one.living:
            one.heard(shard, {"second": {}}, from_s + number)
        found = one.overdue(from_s + number)
        kill += found.kill
        lost |= found.lost
    return Overdue(tuple(kill), lost)


def test_a_shard_that_does_not_end_its_calls_after_their_cut_is_ended() -> None:
    one = policy()
    shard = running(one, begun(one), "a", "b")
    one.cut_all(0.0)
    assert beating(one, 0.0, END_S) == Overdue()
    assert beating(one, END_S, END_S + 3) == Overdue((shard,))
    assert "had not ended its calls 40 s after they were cut" in whats(one.ended(shard, -9))["a"]


def test_calls_that_still_end_one_after_the_other_give_the_rest_time() -> None:
    one = policy()
    shard = running(one, begun(one), "a", "b")
    one.cut_all(0.0)
    beating(one, 0.0, 30.0)
    one.heard(shard, {"ended": {"call": "a"}}, 30.0)
    one.leave(shard, "a")
    assert beating(one, 30.0, 30.0 + END_S) == Overdue()
    assert beating(one, 30.0 + END_S, 31.0 + END_S) == Overdue((shard,))


def test_a_call_that_does_not_end_after_its_cut_costs_no_call_that_was_not_cut() -> None:
    one = policy()
    shard = running(one, begun(one), "a", "b")
    one.cut(shard, "a", 0.0)
    found = beating(one, 0.0, END_S + 1)
    assert found.kill == ()
    assert whats(dict(found.lost)) == {"a": "the process that made this call had not ended it 40 s after it was cut"}


def test_a_machine_that_slept_costs_no_shard() -> None:
    one = policy()
    running(one, begun(one), "a")
    one.cut_all(0.0)
    beating(one, 0.0, 10.0)
    assert one.overdue(5000.0) == Overdue()
    assert beating(one, 5000.0, 5000.0 + END_S) == Overdue()
    assert beating(one, 5000.0 + END_S, 5001.0 + END_S).kill != ()


def test_a_call_that_waits_for_its_shard_is_not_overdue() -> None:
    one = policy()
    (taken,) = take(one, "a")
    one.cut_all(0.0)
    assert looks(one, 0.0, END_S + 10) == [Overdue()] * round(END_S + 10)
    ready(one, taken.shard, END_S + 10)
    one.to_send(taken.shard, "a", END_S + 10)
    assert beating(one, END_S + 10, 2 * END_S + 10) == Overdue()
    assert beating(one, 2 * END_S + 10, 2 * END_S + 11) == Overdue((taken.shard,))


# -- whatever happens ------------------------------------------------------------------------------------------------


class World:
    """Shards, calls and time in any order; it acts as a driver does, and keeps what became of each call."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.now_s = 0.0
        self.policy = policy(shards=2, starter=str(seed))
        self.grows = self.dice.random() < 0.5
        self.policy.expect("sdk", 2, grows=self.grows)
        self.of: dict[str, ShardState] = {}
        self.told: dict[ShardState, list[str]] = {}
        self.ended: dict[str, str] = {}
        self.dead_with_calls = 0
        self.calls = 0
        for _ in range(2):
            self.begin(self.policy.begin("sdk", 0.0))

    def begin(self, shard: ShardState) -> None:
        assert shard not in self.told, "a shard begins once"
        self.told[shard] = []

    def any_shard(self) -> ShardState | None:
        return self.dice.choice(self.policy.living) if self.policy.living else None

    def take(self) -> None:
        self.calls += 1
        call = f"c{self.calls}"
        before = [shard for shard in self.policy.shards if shard.engine == "sdk" and shard.room]
        taken = self.policy.take(CallOrder(call=call, scenario=0), "sdk", self.now_s)
        for shard in taken.begun:
            self.begin(shard)
        assert taken.shard in (before or taken.begun), "no shard begins for a call that has room"
        assert any(shard.is_ready for shard in before) <= taken.shard.is_ready
        ahead = [shard for shard in taken.begun if shard is not taken.shard]
        others = [shard for shard in self.policy.shards if shard.takes_calls and shard not in ahead]
        if ahead:
            assert len(ahead) == 1
            assert sum(shard.room for shard in others) < SPARE_SHARE * SDK if self.grows else len(others) < 2
        self.of[call] = taken.shard
        self.send(call)

    def send(self, call: str) -> None:
        if call in self.of:
            for order in self.policy.to_send(self.of[call], call, self.now_s):
                self.told[self.of[call]].append(f"{order.do} {call}")

    def ready(self) -> None:
        shard = self.any_shard()
        if shard is not None:
            self.policy.heard(shard, {"ready": 1}, self.now_s)
            for call in list(shard.calls):
                self.send(call)

    def over(self, call: str, how: str) -> None:
        assert call not in self.ended, "a call ends once"
        self.ended[call] = how
        shard = self.of.pop(call)
        if self.policy.leave(shard, call):
            self.fail(self.policy.ended(shard, 0))

    def fail(self, lost: dict[str, OwnFailure]) -> None:
        for call, failure in lost.items():
            self.over(call, failure.kind)

    def end(self) -> None:
        sent = [call for call, shard in self.of.items() if f"call {call}" in self.told[shard]]
        if sent:
            call = self.dice.choice(sent)
            message = {"ended": {"call": call}}
            assert self.policy.heard(self.of[call], message, self.now_s) == Ended(call, {"call": call})
            self.over(call, "ended")

    def die(self) -> None:
        shard = self.any_shard()
        if shard is not None:
            self.dead_with_calls += bool(shard.calls)
            self.fail(self.policy.ended(shard, self.dice.choice((-9, 1, 0))))

    def error(self) -> None:
        shard = self.any_shard()
        if shard is not None:
            self.policy.heard(shard, error_message(ConfigError("x")), self.now_s)

    def cut(self) -> None:
        if self.of:
            call = self.dice.choice(list(self.of))
            orders = self.policy.cut(self.of[call], call, self.now_s)
            self.told[self.of[call]] += [f"{order.do} {call}" for order in orders]

    def pass_time(self) -> None:
        for _ in range(self.dice.choice((1, 5, 45))):
            self.now_s += LOOK_S
            for shard in self.policy.living:
                if self.dice.random() < 0.9:
                    self.policy.heard(shard, {"second": {}}, self.now_s)
            found = self.policy.overdue(self.now_s)
            self.fail(dict(found.lost))
            for shard in found.kill:
                self.dead_with_calls += bool(shard.calls)
                self.fail(self.policy.ended(shard, -9))

    def check(self) -> None:
        one = self.policy
        for shard in one.shards:
            assert len(shard.calls) <= SDK
            assert shard.made <= SDK_IN_ALL
            assert 0 <= shard.room <= SDK - len(shard.calls)
            assert shard.gone is None or not shard.calls
            assert set(shard.calls) == {call for call, each in self.of.items() if each is shard}
            assert len(self.told[shard]) == len(set(self.told[shard])), "nothing is sent twice"
            cuts = [line.removeprefix("cut ") for line in self.told[shard] if line.startswith("cut ")]
            lines = self.told[shard]
            assert all(lines.index(f"call {call}") < lines.index(f"cut {call}") for call in cuts)
            if shard.gone is None and shard.is_ready:
                assert all(f"call {call}" in lines for call in shard.calls), "no call is forgotten"
        assert len(self.of) + len(self.ended) == self.calls
        assert one.died == self.dead_with_calls
        assert [shard.number for shard in one.shards] == list(range(1, len(one.shards) + 1))


@pytest.mark.parametrize("seed", range(100))
def test_whatever_happens_each_call_ends_once_and_no_shard_has_too_many(seed: int) -> None:
    world = World(seed)
    deeds = {
        world.take: 12,
        world.ready: 6,
        world.end: world.dice.choice((3, 12)),
        world.cut: 2,
        world.pass_time: 2,
        world.die: 1,
        world.error: world.dice.choice((0, 1)),
    }
    for deed in world.dice.choices(list(deeds), list(deeds.values()), k=300):
        deed()
        world.check()
    for shard in list(world.policy.living):
        world.dead_with_calls += bool(shard.calls)
        world.fail(world.policy.ended(shard, -9))
    world.check()
    assert len(world.ended) == world.calls
