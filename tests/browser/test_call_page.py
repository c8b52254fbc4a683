"""The call page in real Chromium, with a real microphone file, against the embedded stack and its backend route."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from harness.measure.wer import word_error_rate
from tests.browser.call_page import ROUTE, CallPage, Stack, width_beyond
from tests.browser.chromium import write_microphone
from tests.browser.conftest import KEY, OpenPage

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

FIXTURES = Path(__file__).parents[2] / "audio_fixtures"
GREETING = "Hello, this is the cafe."
PARKING = "Is parking free?"
FIXED = "We are open from nine to six."


async def greeted(here: CallPage) -> str:
    """Starts a call of an agent of `quick` and waits for its greeting; returns the room's name."""
    room = await here.start()
    await expect(here.message("agent", "Hello.")).to_be_visible()
    return room


async def settled(here: CallPage) -> None:
    """Waits until an agent of `quick` has answered what was typed."""
    await expect(here.message("agent", FIXED)).to_be_visible()


async def test_a_whole_call_by_voice_and_by_text(open_page: OpenPage, stack: Stack, tmp_path: Path) -> None:
    spoken = write_microphone(tmp_path / "caller.wav", [14.0, FIXTURES / "when-do-you-open.wav", 1.0])
    async with open_page("cafe", microphone=spoken) as here:
        await expect(here.state).to_have_text("Not in a call")
        await expect(here.box).to_be_disabled()
        room = await here.start()
        await expect(here.message("agent", GREETING)).to_be_visible()
        await here.until_heard()
        await expect(here.button("Mute microphone")).to_be_enabled()

        await here.send(f"  {PARKING} ")
        await expect(here.message("user", PARKING)).to_be_visible()
        await expect(here.message("agent", "Parking is free.")).to_be_visible()

        await expect(here.message("agent", "We are open from nine to six on weekdays.")).to_be_visible()
        messages = await here.messages()
        heard = messages[3][1]
        assert messages == [
            ("agent", GREETING),
            ("user", PARKING),
            ("agent", "Parking is free."),
            ("user", heard),
            ("agent", "We are open from nine to six on weekdays."),
        ]
        # A recogniser may mistake one word.
        errors = word_error_rate("When do you open on weekdays?", heard)
        assert errors is not None
        assert errors.rate < 0.3, errors
        echoes = [line for line in stack.truth(room) if line["event"] == "data_out" and line["type"] == "user_text"]
        assert [echo["text"] for echo in echoes] == [PARKING, heard]

        await here.button("End call").click()
        await expect(here.state).to_have_text("Call ended")
        await expect(here.box).to_be_disabled()
        await expect(here.page.locator("audio")).to_have_count(0)
        await stack.logged(room, "left")
        assert not [line for line in here.said if line.startswith("uncaught")]


async def test_nothing_that_the_browser_gets_or_keeps_holds_the_key(open_page: OpenPage) -> None:
    async with open_page("quick") as here:
        await here.start()
        assert len(here.requests) == 1
        answer = await here.requests[0].response()
        assert answer is not None
        assert set((await answer.json())["data"]) == {"token", "livekit_url", "room_name"}
        headers = str(await here.requests[0].all_headers()) + str(await answer.all_headers())
        kept = await here.page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        sources = await here.page.evaluate(
            "Promise.all([...document.scripts].map((one) => fetch(one.src).then((found) => found.text())))"
        )
        seen = "".join([headers, await answer.text(), kept, *sources, await here.page.content(), *here.said])
        assert KEY not in seen


async def test_a_second_start_does_nothing_and_a_call_can_follow_another(open_page: OpenPage, stack: Stack) -> None:
    async with open_page("quick") as here:
        await here.button("Start call").dblclick()
        await expect(here.message("agent", "Hello.")).to_be_visible()
        await here.button("Start call").click(force=True)
        await here.send("Hello?")
        await settled(here)
        assert len(here.requests) == 1
        await here.button("End call").click()
        await expect(here.state).to_have_text("Call ended")
        room = await here.start()
        assert len(here.requests) == 2
        assert (await stack.logged(room, "joined"))["agent"] == "quick"
        await expect(here.message("agent", "Hello.")).to_be_visible()
        assert await here.messages() == [("agent", "Hello.")]


async def test_leaving_the_page_ends_the_call(open_page: OpenPage, stack: Stack) -> None:
    async with open_page("quick") as here:
        room = await here.start()
        await stack.logged(room, "caller_joined")
        await here.page.goto("about:blank")
        await stack.logged(room, "left")


async def test_a_refused_microphone_is_said_and_typing_works(open_page: OpenPage) -> None:
    async with open_page("quick", allow=False) as here:
        await greeted(here)
        await expect(here.page.get_by_text("may not use the microphone")).to_be_visible()
        await here.send("Are you open?")
        await settled(here)
        await here.page.context.grant_permissions(["microphone"])
        await here.button("Turn on microphone").click()
        await expect(here.button("Mute microphone")).to_be_visible()
        await expect(here.page.get_by_text("may not use the microphone")).to_have_count(0)


async def test_blocked_sound_is_offered_by_a_button(open_page: OpenPage, stack: Stack) -> None:
    # Without a microphone, and started by a script instead of a click, Chromium plays nothing.
    options = ("--autoplay-policy=document-user-activation-required",)
    async with open_page("quick", allow=False, options=options) as here:
        await here.page.add_init_script(
            "addEventListener('load', () => setTimeout(() => document.querySelector('.va-start').click()))"
        )
        async with here.page.expect_response(f"**{ROUTE}") as answering:
            await here.page.reload()
        room = (await (await answering.value).json())["data"]["room_name"]
        # Looking at the page by Playwright would count as a gesture, so it is left alone until the agent has spoken.
        await stack.logged(room, "push_end")
        await here.button("Play sound").click()
        await expect(here.button("Play sound")).to_have_count(0)
        assert await here.page.evaluate("document.querySelector('audio').paused") is False


async def test_junk_is_ignored(open_page: OpenPage) -> None:
    async with open_page("junk") as here:
        await greeted(here)
        await here.send("Are you open?")
        await settled(here)
        assert await here.messages() == [("agent", "Hello."), ("user", "Are you open?"), ("agent", FIXED)]


async def test_a_connection_that_is_lost_for_a_while_is_shown_and_comes_back(open_page: OpenPage) -> None:
    async with open_page("cut") as here:
        await greeted(here)
        await here.send("Are you open?")
        await settled(here)
        await expect(here.state).to_have_text("Reconnecting…")
        await expect(here.state).to_have_text("Live")
        await here.send("And on Sunday?")
        await expect(here.message("agent", FIXED)).to_have_count(2)


async def test_a_call_that_the_agent_ends_says_so_and_keeps_what_was_said(open_page: OpenPage) -> None:
    async with open_page("hangs_up") as here:
        await greeted(here)
        await here.send("Are you open?")
        await expect(here.page.get_by_role("alert").filter(has_text="ended by the agent")).to_be_visible()
        await expect(here.state).to_have_text("Call ended")
        assert (await here.messages())[-1] == ("agent", FIXED)
        await expect(here.page.locator("audio")).to_have_count(0)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("nobody", "agent: There is no agent 'nobody'."),
        ("no_token", "The voice agent is not available at the moment. Please try again later."),
        ("expired", "The call could not be connected. Please check your network and try again."),
    ],
)
async def test_a_call_that_does_not_begin_says_why_in_words(open_page: OpenPage, agent: str, words: str) -> None:
    async with open_page(agent) as here:
        await here.button("Start call").click()
        await expect(here.page.get_by_text(words, exact=True)).to_be_visible()
        await expect(here.state).to_have_text("Call ended")
        await expect(here.button("Start call")).to_be_enabled()


async def test_a_start_can_be_given_up(open_page: OpenPage) -> None:
    async with open_page("hang") as here:
        await here.button("Start call").click()
        await expect(here.state).to_have_text("Connecting…")
        await here.button("End call").click()
        await expect(here.state).to_have_text("Call ended")
        await expect(here.page.locator(".va-problem")).to_have_text("")


async def test_overrides_reach_the_agent(open_page: OpenPage) -> None:
    async with open_page("quick") as here:
        await here.page.get_by_text("Overrides for this call").click()
        await here.page.get_by_label("Greeting").fill("Good evening.")
        await here.start()
        await expect(here.message("agent", "Good evening.")).to_be_visible()
        await expect(here.page.get_by_label("Greeting")).to_be_disabled()


async def test_by_keyboard_alone(open_page: OpenPage) -> None:
    async with open_page("quick") as here:
        keys = here.page.keyboard
        await here.button("Start call").focus()
        await keys.press("Enter")
        await expect(here.message("agent", "Hello.")).to_be_visible()
        await expect(here.button("Start call")).to_be_focused()
        for _ in range(4):  # end, mute, conversation, text box
            await keys.press("Tab")
        await expect(here.box).to_be_focused()
        await keys.type("Are you open?")
        await keys.press("Enter")
        await settled(here)
        await expect(here.box).to_be_focused()
        await here.button("Mute microphone").focus()
        await keys.press("Space")
        await expect(here.button("Unmute microphone")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_nothing_is_cut_off_on_a_phone(open_page: OpenPage, scheme: str) -> None:
    phone = {"width": 360, "height": 740}
    async with open_page("quick", allow=False, color_scheme=scheme, viewport=phone) as here:
        await here.page.get_by_text("Overrides for this call").click()
        assert await here.violations() == []
        assert await width_beyond(here.page) == 0
        await here.page.get_by_text("Overrides for this call").click()
        await greeted(here)
        await expect(here.page.get_by_text("may not use the microphone")).to_be_visible()
        await here.send("Are you open? " + "x" * 80)
        await settled(here)
        assert await here.violations() == []
        assert await width_beyond(here.page) == 0
