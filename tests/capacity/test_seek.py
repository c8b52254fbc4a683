"""From hold to hold: the search driven on holds that nobody called."""

from __future__ import annotations

from harness.capacity.answer import conclude, curve
from harness.capacity.judge_hold import Made
from harness.capacity.lengths import Learned, Lengths
from harness.capacity.search import Plan
from harness.capacity.seek import Seeker
from harness.clock import s_to_ns
from harness.record.capacity import Ended, Hold
from harness.testing import FakeClock
from tests.capacity.made import made, slo, talk
from tests.prepared import prepared

FAST = slo("turn.ttfa", "p(95)<1500ms")


class Agent:
    """Replies within 600 ms up to so many calls, three times as late beyond; after that it may stay slow."""

    def __init__(self, holds: int, clock: FakeClock, *, stays_slow: bool = False) -> None:
        self.holds = holds
        self.clock = clock
        self.stays_slow = stays_slow
        self.seen: list[tuple[int, Lengths, bool]] = []

    async def __call__(self, calls: int, lengths: Lengths, *, full: bool) -> Made:
        self.seen.append((calls, lengths, full))
        self.clock.advance(lengths.whole_s)
        over = calls > self.holds or (self.stays_slow and max(number for number, _, _ in self.seen) > self.holds)
        return made(*(talk(number, ttfa_ms=1800 if over else 600) for number in range(calls)))


def seeker(agent: Agent, *, most: int | None = None, max_time_s: float = 3600) -> Seeker:
    learned = Learned([prepared("x")], [FAST], None)
    told: list[Hold] = []
    return Seeker(
        Plan(2, most),
        [FAST],
        learned,
        hold=agent,
        tell=told.append,
        say=lambda _: None,
        clock=agent.clock,
        max_time_s=max_time_s,
    )


async def test_it_answers_six_for_an_agent_that_holds_six() -> None:
    seek = seeker(Agent(6, FakeClock()))
    ended = await seek.seek()
    answer = conclude(seek.steps, ended, most=None)
    assert (answer.calls, answer.limited_by, answer.exit_code) == (6, "agent", 0)
    assert answer.interval[0] <= 6
    assert answer.interval[1] in (6, 7)
    assert answer.words.startswith("6 calls, 95 % interval [")
    assert "limited by: agent" in answer.words
    points = {point.calls: point for point in curve(seek.steps, seek.ttfa_ms)}
    assert (points[6].ttfa_p95, points[7].ttfa_p95) == (600, 1800)
    assert points[6].met == points[6].holds
    assert points[7].met == 0


async def test_an_agent_without_limit_is_not_reached() -> None:
    seek = seeker(Agent(1000, FakeClock()), most=5)
    answer = conclude(seek.steps, await seek.seek(), most=5)
    assert answer.words.startswith("not reached: all objectives were met with 5 calls, the most asked for (--max 5)")
    assert (answer.limited_by, answer.exit_code, answer.interval[1]) == ("not reached", 0, None)


async def test_one_call_that_is_too_slow_is_a_failed_gate() -> None:
    seek = seeker(Agent(0, FakeClock()))
    answer = conclude(seek.steps, await seek.seek(), most=None)
    assert (answer.calls, answer.limited_by, answer.exit_code) == (0, "agent", 1)


async def test_the_time_is_kept_and_what_is_known_is_said() -> None:
    clock = FakeClock()
    seek = seeker(Agent(6, clock), max_time_s=400)
    ended = await seek.seek()
    assert ended == "time"
    assert clock.now_ns() <= s_to_ns(400)
    answer = conclude(seek.steps, ended, most=None)
    assert answer.interval[0] <= 6
    assert "the time was up" in answer.words


async def test_holds_are_as_long_as_their_turns_take_once_that_is_known() -> None:
    agent = Agent(6, FakeClock())
    seek = seeker(agent)
    await seek.seek()
    edge = next(lengths for calls, lengths, full in agent.seen if calls == 6 and full)
    assert 59 * 5 / 6 <= edge.window_s <= 59 * 5 / 6 * 1.3
    assert all(lengths.window_s >= 4 * 1.5 for _, lengths, _ in agent.seen), "set-up is under a quarter of a call"


async def test_a_hold_that_is_stopped_is_not_judged() -> None:
    agent = Agent(6, FakeClock())
    seek = seeker(agent)

    async def interrupted(calls: int, lengths: Lengths, *, full: bool) -> Made:
        if len(agent.seen) == 3:
            seek.stop("interrupted")
        return await agent(calls, lengths, full=full)

    seek.hold = interrupted
    ended: Ended = await seek.seek()
    assert (ended, len(seek.steps)) == ("interrupted", 3)
    assert conclude(seek.steps, ended, most=None).exit_code == 130
    assert await seek.afterwards() is None


async def test_latency_that_comes_back_is_told_from_one_that_does_not() -> None:
    for stays_slow in (False, True):
        seek = seeker(Agent(6, FakeClock(), stays_slow=stays_slow), max_time_s=900)
        await seek.seek()
        found = await seek.afterwards()
        assert found is not None
        assert found.calls == 2
        assert found.came_back is not stays_slow
        assert found.step is not None


def test_calls_start_no_faster_than_sessions_may_be_asked_for() -> None:
    lengths = Learned([prepared("x")], [FAST], 30).lengths(4, full=False)
    assert lengths.gap_s == 2
    assert lengths.set_up_s >= 6
    assert lengths.whole_s > lengths.set_up_s + lengths.window_s
