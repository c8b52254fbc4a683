from __future__ import annotations

import asyncio

import aiohttp

from harness.testing import FakeClock, FakeSessionService, ReceivedRequest, ScriptedAnswer, hanging, refusal


async def statuses(url: str, count: int) -> list[int]:
    async with aiohttp.ClientSession() as http:
        found = []
        for _ in range(count):
            async with http.post(url, json={"agent": "a"}) as response:
                found.append(response.status)
    return found


async def test_answers_are_given_in_order_and_the_last_one_stays() -> None:
    async with FakeSessionService([refusal(429), refusal(500), ScriptedAnswer()]) as service:
        assert await statuses(service.url, 4) == [429, 500, 200, 200]
    assert len(service.requests) == 4


async def test_an_answer_can_depend_on_the_request() -> None:
    def answer(request: ReceivedRequest) -> ScriptedAnswer:
        return ScriptedAnswer() if request.json() == {"agent": "a"} else refusal(400)

    async with FakeSessionService(answer) as service:
        assert await statuses(service.url, 1) == [200]


async def test_leaving_ends_what_hangs() -> None:
    async with FakeSessionService(hanging()) as service:
        asking = asyncio.create_task(statuses(service.url, 1))
        await service.wait_for_requests(1)
    (outcome,) = await asyncio.gather(asking, return_exceptions=True)
    assert isinstance(outcome, aiohttp.ClientError)


async def test_the_fake_clock_moves_by_sleeping_and_by_hand() -> None:
    clock = FakeClock()
    await clock.sleep_until_ns(2_000_000_000)
    await clock.sleep_until_ns(1_000_000_000)
    clock.advance(1)
    assert clock.now_ns() == 3_000_000_000
    assert clock.slept_s == [2.0, 0.0]
    assert clock.utc().second == 3
