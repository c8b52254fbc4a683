from __future__ import annotations

import base64
import functools
import hashlib
import io
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.record.ran_out import RanOut
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, MediaHealth, ToolCallSeen
from harness.record.settings import ScenarioSettings
from harness.record.unfit import Unfit
from harness.report.html import DETAILED_FAILED, DETAILED_OTHERS, OPEN_AT_MOST, render_html
from harness.report.recording import Recordings
from tests.report.sample_run import (
    HOSTILE,
    RATE_HZ,
    bare_settings,
    good_call,
    many_calls,
    sample_run,
    settings,
    summary,
    write_recording,
)


class Page(HTMLParser):
    """Elements with their attributes and the text beneath each."""

    VOID = ("meta", "link", "img", "br", "col", "input", "source")
    APART = ("td", "th", "dt", "dd", "div", "li", "p", "h3", "h4", "dl", "table", "button", "title")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[list[str]] = []
        self.open: list[int] = []
        self.unclosed: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append([])
        self.set_apart(tag)
        if tag not in self.VOID:
            self.open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append([])

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.elements[self.open[-1]][0] == tag:
            self.open.pop()
        else:
            self.unclosed.append(tag)
        self.set_apart(tag)

    def set_apart(self, tag: str) -> None:
        if tag in self.APART:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for index in self.open:
            self.texts[index].append(data)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag and wanted.items() <= attrs.items()]

    def text(self, tag: str, **wanted: str) -> list[str]:
        return [
            " ".join("".join(text).split())
            for (name, attrs), text in zip(self.elements, self.texts, strict=True)
            if name == tag and wanted.items() <= attrs.items()
        ]

    def call(self, call: str) -> str:
        (found,) = [text for text in self.text("details") if text.startswith(f"Call {call} ")]
        return found


def run_of(folder: Path, *calls: CallResult) -> RecordedRun:
    return RecordedRun(folder=folder, settings=settings(), calls=list(calls), summary=summary(list(calls)))


def row(page: Page, start: str) -> str:
    (found,) = [text for text in page.text("tr") if text.startswith(start)]
    return found


def test_it_is_one_well_formed_page(tmp_path: Path) -> None:
    page = Page(render_html(sample_run(tmp_path)))
    assert page.unclosed == []
    assert page.open == []
    ids = [attrs["id"] for _tag, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    anchors = {attrs["href"] for attrs in page.all("a") if str(attrs["href"]).startswith("#")}
    assert anchors
    assert anchors <= {f"#{name}" for name in ids}


def test_it_begins_with_verdict_reasons_and_what_was_called(tmp_path: Path) -> None:
    page = Page(render_html(sample_run(tmp_path)))
    (head,) = page.text("header")
    assert "✗ Infrastructure failed; and: Failed: the agent fell short exit code 3" in head
    assert "turn.ttfa was p(95) 2140 ms, the limit is <1500ms (exit 1)" in head
    assert "an expectation failed: reply contains_any × 3" in head  # noqa: RUF001 - as it is printed
    assert "7 calls 1 ok 6 failed 2 dropped 1 cut short" in head
    assert "target staging (https://voice.example/api/agents/agent-session/)" in head
    assert "started 2026-11-24 10:15:00 UTC" in head
    assert "seed 4711" in head
    assert "4 at once, repeated 2 times, 8 in all" in head
    assert "voice-harness run scenarios/opening-hours.yaml --threshold 'turn.ttfa: p(95)<1500ms'" in head
    assert "voice-harness 0.1.0 · Python 3.11.9" in head
    assert "livekit 1.2.1" in head


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("pass", "✓ Passed"), ("fail", "✗ Failed"), ("unfit", "! Not fit"), ("interrupted", "■ Inter")],
)
def test_each_verdict_is_said_in_words(tmp_path: Path, verdict: str, said: str) -> None:
    run = sample_run(tmp_path)
    assert run.summary is not None
    judged = run.summary.model_copy(update={"verdict": verdict})
    (heading,) = Page(render_html(RecordedRun(tmp_path, run.settings, run.calls, judged))).text("h1")
    assert heading.startswith(said)


def test_thresholds_have_value_limit_and_outcome(tmp_path: Path) -> None:
    page = Page(render_html(sample_run(tmp_path)))
    assert row(page, "✗ failed turn.ttfa ") == "✗ failed turn.ttfa p(95)<1500ms 2,140 ms 124 2,140 ms is over"
    assert row(page, "✓ held turn.wer ") == "✓ held turn.wer med<=0.1 0 20"
    assert row(page, "? undecided bargein.stop ") == "? undecided bargein.stop max<1s – 0 no fit sample was left"  # noqa: RUF001


def test_metrics_are_rounded_and_withheld_percentiles_explained(tmp_path: Path) -> None:
    page = Page(render_html(sample_run(tmp_path)))
    assert row(page, "turn.ttfa caller").endswith("124 1,103 1,702 2,140 2,893 3,120")
    assert row(page, "harness.lag").endswith("300 0.4 1.1 2.2 6.2 9.0")
    assert "20 0.000 0.125 0.200" in row(page, "turn.wer")
    assert "not shown: too few samples for p95 (7 samples)" in [attrs.get("title") for attrs in page.all("td")]
    assert row(page, "calls.failed").endswith("6 7 85.7 %")


def test_failures_by_kind_lead_to_their_calls(tmp_path: Path) -> None:
    page = Page(render_html(sample_run(tmp_path)))
    assert row(page, "agent.no_reply") == "agent.no_reply 2 0003, 0005"
    assert row(page, "session.unauthorized") == "session.unauthorized 1 0004"


def test_failed_calls_are_open_and_others_closed(tmp_path: Path) -> None:
    page = Page(render_html(sample_run(tmp_path)))
    opened = ["open" in attrs for attrs in page.all("details")]
    assert opened == [False, True, True, True, True, True, False, True]


def test_a_single_call_is_open(tmp_path: Path) -> None:
    (details,) = Page(render_html(run_of(tmp_path, good_call("0001")))).all("details")
    assert "open" in details


def test_a_call_is_told_turn_by_turn(tmp_path: Path) -> None:
    call = Page(render_html(sample_run(tmp_path))).call("0001")
    assert "✓ ok opening-hours 3 turns · 29.8 s · room room-0001" in call
    assert "said When do you open on Saturday?" in call
    assert "heard as One more thing, are dogs aloud?" in call
    assert "WER pair one more thing are dogs allowed aloud" in call
    assert "reply We open at nine on Saturdays." in call
    assert "TTFA 1,103 ms TTFA at the ear 1,171 ms transcript 640 ms reply text 902 ms WER 0.000" in call
    assert "typed Do you have parking?" in call
    assert "echo 9.4 ms" in call
    assert 'tool find_parking {"near": "Mill Lane", "spaces": 1} → {"free": 3} ✓ ok took 84 ms, at 11.1 s' in call
    assert "stopped after 412 ms" in call
    assert "✓ held ttfa <2s 1,103 ms opening-hours.yaml:8:40" in call
    assert "✓ held agent_silent true opening-hours.yaml:14:30" in call
    assert "the fixture one-more-thing was resampled from 8 kHz" in call
    assert "session created in 95 ms" in call
    assert "latest own packet 2.4 ms" in call


def test_what_went_wrong_is_said_in_the_call(tmp_path: Path) -> None:
    page = Page(render_html(sample_run(tmp_path)))
    assert "session.unauthorized the service answered 401 (ended the call)" in page.call("0004")
    assert "room.lost the connection was lost (at 21.5 s, ended the call)" in page.call("0005")
    unfit = page.call("0002")
    assert "! unfit a packet left 132 ms late; left out of the percentiles" in unfit
    assert "? undecided ttfa <1s 1,103 ms the turn is unfit a.yaml:8:40" in unfit
    assert "✗ failed echo <5ms 9.4 ms the echo came after 9.4 ms a.yaml:10" in unfit
    assert "agents in the room 2 junk frames 3" in unfit
    barge_in = page.call("0006")
    assert "! not exercised the agent was already silent" in barge_in
    assert "! interrupted the agent started before the caller's end, so there is no TTFA" in barge_in
    assert "set a longer end_silence" in barge_in
    assert "■ cut the call was cut short in this turn" in page.call("0007")


def test_the_time_line_shows_who_spoke_when(tmp_path: Path) -> None:
    html = render_html(run_of(tmp_path, good_call("0001")))
    page = Page(html)
    (svg,) = page.all("svg")
    left, scale = float(svg["data-left"] or 0), float(svg["data-scale"] or 0)
    bars = [attrs for attrs in page.all("rect") if attrs.get("class") in ("caller", "agent")]
    assert [attrs["class"] for attrs in bars] == ["caller"] * 3 + ["agent"] * 5
    assert float(bars[0]["x"] or 0) == pytest.approx(left + 4.412 * scale, abs=0.1)
    assert float(bars[-1]["width"] or 0) == pytest.approx(2.85 * scale, abs=0.2)
    titles = page.text("title")
    assert "turn 1: TTFA: 1,103 ms" in titles
    assert "turn 2: typed at 10.9 s" in titles
    assert "turn 2: echo after 9.4 ms" in titles
    assert "turn 3: talks over the agent, 12.5 s" in titles
    assert "turn 3: agent stopped after: 412 ms" in titles
    assert "agent voiced, 16.1 s to 18.9 s" in titles
    assert "10 s" in page.text("text", **{"class": "tick"})


def test_failures_are_on_the_time_line(tmp_path: Path) -> None:
    titles = Page(render_html(sample_run(tmp_path))).text("title")
    assert "agent.no_reply at 21.2 s: no voice within 15 s of turn 1" in titles


def test_a_call_in_which_nobody_spoke_has_no_time_line(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    alone = RecordedRun(tmp_path, run.settings, [run.calls[3]], run.summary)
    assert not Page(render_html(alone)).all("svg")


def test_texts_of_others_are_only_ever_text(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    run.settings.run = run.settings.agent = HOSTILE
    run.settings.scenarios = {HOSTILE: ScenarioSettings()}
    run.calls[1].scenario = run.calls[1].target = run.calls[1].agent = HOSTILE
    run.calls[1].tags = [HOSTILE]
    run.calls[1].turns[0].text = run.calls[1].turns[0].language = f'" onload="alert(1)" x="{HOSTILE}'
    run.calls[1].recording = f"audio/{HOSTILE.replace('/', '').replace(chr(0), '')}.wav"
    html = render_html(run)
    page = Page(html)
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert not [name for _tag, attrs in page.elements for name in attrs if name.startswith("on")]
    assert page.unclosed == []
    reply = "<script>alert('agent')</script></script><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %}"
    assert reply in page.call("0002")
    assert "✗ failed" in page.call("0002")
    assert "49" not in page.call("0002")
    assert not {"\x00", "\x1b", "\u202e", "\ud800"} & set(html)
    assert "⟨U+202E⟩gnp.exe" in html
    html.encode("utf-8")


def test_a_very_long_reply_is_cut_and_says_so(tmp_path: Path) -> None:
    call = good_call("0001")
    call.turns[0].reply = "la " * 100_000
    html = render_html(run_of(tmp_path, call))
    assert len(html) < 100_000
    assert "298,000 characters more" in html


def test_a_tools_long_arguments_and_result_are_cut_and_say_so(tmp_path: Path) -> None:
    call = good_call("0001")
    call.turns[0].tool_calls = [ToolCallSeen(name="find", arguments={"a": "x" * 3900}, result=["y"] * 700)]
    html = render_html(run_of(tmp_path, call))
    assert "characters more)" in Page(html).call("0001").partition("→")[0]
    assert "1,500 characters more" in html


def test_of_many_tool_calls_the_first_are_shown(tmp_path: Path) -> None:
    call = good_call("0001")
    call.turns[0].tool_calls = [ToolCallSeen(name=f"find-{number}") for number in range(1000)]
    shown = Page(render_html(run_of(tmp_path, call))).call("0001")
    assert ("find-49 " in shown, "find-50 " in shown) == (True, False)
    assert "tool and 950 more, see calls.jsonl" in shown


def test_nothing_is_loaded_from_anywhere(tmp_path: Path) -> None:
    html = render_html(sample_run(tmp_path))
    page = Page(html)
    assert not page.all("link")
    for _tag, attrs in page.elements:
        for name in ("src", "href", "xlink:href", "action", "srcset", "poster"):
            value = attrs.get(name) or ""
            assert ":" not in value or value.startswith("data:audio/"), value
        assert "style" not in attrs
    assert "@import" not in html
    assert "url(" not in html


def test_the_policy_allows_this_style_and_this_script_alone(tmp_path: Path) -> None:
    html = render_html(sample_run(tmp_path))
    (meta,) = Page(html).all("meta", **{"http-equiv": "Content-Security-Policy"})
    policy = dict(part.split(" ", 1) for part in str(meta["content"]).split("; "))
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in str(meta["content"])
    for directive, tag in (("script-src", "script"), ("style-src", "style")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"


def test_table_headers_have_a_scope(tmp_path: Path) -> None:
    headers = Page(render_html(sample_run(tmp_path))).all("th")
    assert headers
    assert all(attrs.get("scope") in ("col", "row") for attrs in headers)


def test_a_recording_is_in_the_page_and_sounds_when_the_caller_spoke(tmp_path: Path) -> None:
    call = good_call("0001")
    write_recording(tmp_path, call)
    page = Page(render_html(run_of(tmp_path, call)))
    (audio,) = page.all("audio")
    kind, encoded = str(audio["src"]).split(",", 1)
    assert kind == "data:audio/flac;base64"
    pcm, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(encoded)), dtype="int16")
    assert pcm.shape == (25 * rate_hz, 2)
    for channel, voice in ((0, call.caller_voice), (1, call.agent_voice)):
        loud_s = np.flatnonzero(np.abs(pcm[:, channel].astype(int)) > 500) / rate_hz
        assert loud_s[0] * 1000 == pytest.approx(voice[0][0], abs=3)
        assert loud_s[-1] * 1000 == pytest.approx(voice[-1][1], abs=3)
    level_db = 20 * np.log10(np.abs(pcm).max() / 6000)
    assert abs(level_db) < 1
    assert page.text("button", **{"class": "seek"}) == ["▶ 0.9 s", "▶ 4.4 s", "▶ 10.9 s", "▶ 12.5 s", "▶ 22.4 s"]


def test_a_full_scale_recording_does_not_wrap_around(tmp_path: Path) -> None:
    loud = np.full((1600, 2), 32767, np.int16)
    loud[800:] = -32768
    soundfile.write(tmp_path / "loud.wav", loud, 16_000, subtype="PCM_16")
    playable = Recordings(tmp_path).playable("loud.wav")
    assert playable is not None
    pcm, _rate_hz = soundfile.read(io.BytesIO(base64.b64decode(playable.src.split(",", 1)[1])), dtype="int16")
    assert pcm[:800].min() >= 32_000
    assert pcm[800:].max() == -32_768


def test_a_missing_or_broken_recording_is_said(tmp_path: Path) -> None:
    missing, broken, empty, outside = (good_call(f"000{number}") for number in range(1, 5))
    outside.recording = "../elsewhere.wav"
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "0002.wav").write_text("no audio")
    soundfile.write(tmp_path / "audio" / "0003.wav", np.zeros((0, 2), np.int16), RATE_HZ)
    page = Page(render_html(run_of(tmp_path, missing, broken, empty, outside)))
    assert "The recording audio/0001.wav is missing from the run's folder." in page.call("0001")
    assert "The recording audio/0002.wav cannot be read: " in page.call("0002")
    assert "The recording ../elsewhere.wav is outside the run's folder and is not shown." in page.call("0004")
    assert len(page.all("audio")) == 1


def test_a_call_that_was_not_recorded_has_no_player(tmp_path: Path) -> None:
    call = good_call("0001")
    call.recording = None
    page = Page(render_html(run_of(tmp_path, call)))
    assert not page.all("audio")
    assert not page.all("button", **{"class": "seek"})


def test_recordings_beyond_the_budget_are_linked(tmp_path: Path) -> None:
    first, second = good_call("0001"), good_call("a b#2")
    write_recording(tmp_path, first)
    write_recording(tmp_path, second)
    alone = Recordings(tmp_path).playable(first.recording)
    assert alone is not None
    recordings = Recordings(tmp_path, budget_bytes=len(alone.src) * 3 // 2)
    within, beyond = recordings.playable(first.recording), recordings.playable(second.recording)
    assert within == alone
    assert beyond is not None
    assert (beyond.src, beyond.embedded) == ("audio/a%20b%232.wav", False)


def test_the_recordings_of_failed_calls_come_first_into_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = sample_run(tmp_path)
    alone = Recordings(tmp_path).playable(run.calls[1].recording)
    assert alone is not None
    narrow = functools.partial(Recordings, budget_bytes=len(alone.src) * 3 // 2)
    monkeypatch.setattr("harness.report.html.Recordings", narrow)
    page = Page(render_html(run))
    fine, failed = page.all("audio")
    assert fine["src"] == "audio/0001.wav"
    assert str(failed["src"]).startswith("data:audio/flac")
    assert "played from audio/0001.wav in the same folder as this page" in page.call("0001")


def test_a_thousand_calls_are_a_small_page_that_says_what_it_leaves_out(tmp_path: Path) -> None:
    run = many_calls(tmp_path, 1000)
    started_s = time.perf_counter()
    html = render_html(run)
    assert time.perf_counter() - started_s < 8
    assert len(html) < 4_000_000
    page = Page(html)
    details = [each for each in page.all("details") if "call" in (each.get("class") or "").split()]
    assert len(details) == DETAILED_FAILED + DETAILED_OTHERS
    assert sum("open" in attrs for attrs in details) == OPEN_AT_MOST
    assert "Details follow for 250 of 1,000 calls; those of the other 750 are in calls.jsonl" in " ".join(
        page.text("p")
    )
    (index,) = page.text("table", **{"class": "index"})
    assert "01000" in index


def test_a_run_without_summary_or_calls_is_still_a_page(tmp_path: Path) -> None:
    page = Page(render_html(RecordedRun(folder=tmp_path, settings=bare_settings())))
    assert page.text("h1") == ["? Not judged: this run has no summary"]
    assert "No call was made." in page.text("section")[0]
    assert page.unclosed == []


def test_a_call_shows_how_its_audio_came_over(tmp_path: Path) -> None:
    call = good_call("0001")
    call.media = MediaHealth(loss=0.012, jitter_ms=2.1, level_dbfs=-23.4)
    call.turns[0].fit, call.turns[0].unfit_why = False, [Unfit(kind="packet_late", figure=120)]
    call.turns[0].ran_out = RanOut("busy", figure=98, cores=0.4)
    page = render_html(run_of(tmp_path, call)).replace("\N{NO-BREAK SPACE}", " ")
    assert all(shown in page for shown in ("packets lost", "1.2 %", "-23.4 dBFS", "2.1 ms"))
    assert "round trip" not in page
    assert "what ran out: the machine&#39;s CPU: 98 % busy" in page
