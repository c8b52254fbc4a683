"""What Python puts into the report's page: the document, the recordings, the policy, the verdict without scripts."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, ToolCallSeen
from harness.record.settings import ScenarioSettings
from harness.report.html import TEXT_LIMIT, render_html
from harness.report.shown.document import Document
from tests.golden import Golden
from tests.report.page_data import Elements, document_in, sounds_in, template
from tests.report.sample_run import (
    HOSTILE,
    bare_settings,
    good_call,
    sample_run,
    settings,
    summary,
    write_recording,
)
from tests.report.typescript import typescript_of

SOURCES = Path(__file__).parents[2] / "harness" / "report" / "page" / "src"


def run_of(folder: Path, *calls: CallResult) -> RecordedRun:
    return RecordedRun(folder=folder, settings=settings(), calls=list(calls), summary=summary(list(calls)))


def rendered(run: RecordedRun, folder: Path) -> str:
    return render_html(run, template(folder))


def test_the_page_holds_the_run_and_all_its_calls(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    run.calls[1:2] = []
    public = document_in(rendered(run, tmp_path)).published
    assert public.run == run.settings
    assert public.summary == run.summary
    assert public.calls == run.calls


def test_the_types_of_the_page_are_those_of_the_document(golden: Golden) -> None:
    golden.check(SOURCES / "document.ts", typescript_of(Document))


def test_the_verdict_can_be_read_without_scripts(tmp_path: Path) -> None:
    text = Elements(rendered(sample_run(tmp_path), tmp_path)).text
    assert "✗ Infrastructure failed; and: Failed: the agent fell short" in text
    assert "1 of 7 calls ok, exit code 3" in text
    assert "turn.ttfa was p(95) 2140 ms, the limit is <1500ms" in text
    assert "an expectation failed: reply contains_any × 3" in text  # noqa: RUF001 - as it is shown


def test_without_a_built_page_the_verdict_is_there_and_how_to_build_it(tmp_path: Path) -> None:
    html = render_html(sample_run(tmp_path), tmp_path / "missing.html")
    page = Elements(html)
    assert "✗ Infrastructure failed" in page.text
    assert "-m harness.build_pages" in page.text
    assert not page.named("script")
    assert "%harness" not in html
    assert "script-src 'none'" in html


def test_texts_of_others_end_no_element_and_are_printable(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    run.settings.run = run.settings.agent = HOSTILE
    run.settings.scenarios = {HOSTILE: ScenarioSettings()}
    run.calls[0].call = f"{HOSTILE}%harness-title%"
    run.calls[1].scenario = run.calls[1].target = run.calls[1].agent = HOSTILE
    run.calls[1].tags = [HOSTILE]
    html = rendered(run, tmp_path)
    page = Elements(html)
    assert len(page.named("script")) == 2 + len(sounds_in(html))
    assert not page.named("img")
    assert not [name for _, attrs in page.all for name in attrs if name.startswith("on")]
    assert "%harness-title%" in str(page.named("script")[-1]["data-call"]), "what is put in is not looked into again"
    assert not {"\x00", "\x1b", "\u202e", "\ud800"} & set(html)
    hostile = document_in(html).published.calls[0].turns[0].reply
    assert hostile.startswith("<script>alert('agent')</script></script>")
    assert "⟨U+202E⟩gnp.exe" in hostile
    assert not {"\x00", "\x1b", "\u202e", "\ud800"} & set(hostile)


def test_long_texts_are_cut_and_say_so(tmp_path: Path) -> None:
    call = good_call("0001")
    call.turns[0].reply = "la " * 500_000
    call.turns[0].tool_calls = [ToolCallSeen(name="find", arguments={"a": "x" * 3900})]
    html = rendered(run_of(tmp_path, call), tmp_path)
    assert len(html) < 100_000
    turn = document_in(html).published.calls[0].turns[0]
    assert turn.reply.endswith("(1,498,000 characters more)")
    assert turn.tool_calls[0].arguments["a"] == f"{'x' * TEXT_LIMIT}… (1,900 characters more)"


def test_numbers_that_json_does_not_have_are_left_out(tmp_path: Path) -> None:
    call = good_call("0001")
    call.media.level_dbfs = float("-inf")
    call.turns[0].ttfa_ms = float("nan")
    found = document_in(rendered(run_of(tmp_path, call), tmp_path)).published.calls[0]
    assert found.media.level_dbfs is None
    assert found.turns[0].ttfa_ms is None


def test_nothing_is_loaded_from_anywhere(tmp_path: Path) -> None:
    for page in (template(tmp_path), tmp_path / "missing.html"):
        html = render_html(sample_run(tmp_path), page)
        elements = Elements(html)
        assert not elements.named("link")
        for _, attrs in elements.all:
            for name in ("src", "href", "xlink:href", "action", "srcset", "poster"):
                assert ":" not in (attrs.get(name) or "")
        assert "@import" not in html
        assert "url(" not in html


def test_the_policy_allows_this_style_and_this_script_alone(tmp_path: Path) -> None:
    html = rendered(sample_run(tmp_path), tmp_path)
    (meta,) = [attrs for attrs in Elements(html).named("meta") if "http-equiv" in attrs]
    policy = dict(part.split(" ", 1) for part in str(meta["content"]).split("; "))
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in str(meta["content"])
    for directive, tag in (("script-src", 'script type="module"'), ("style-src", 'style rel="stylesheet"')):
        content = html.partition(f"<{tag}>")[2].partition("</")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"


def test_recordings_are_apart_from_the_document(tmp_path: Path) -> None:
    call = good_call("a&b")
    write_recording(tmp_path, call)
    html = rendered(run_of(tmp_path, call), tmp_path)
    assert sounds_in(html).keys() == {"a&amp;b"}
    assert sounds_in(html)["a&amp;b"].startswith(b"OggS")
    detail = document_in(html).detailed
    assert detail.opus == {}
    assert detail.calls[0].sound is not None
    assert detail.calls[0].sound.embedded


def test_a_run_without_summary_or_calls_is_still_a_page(tmp_path: Path) -> None:
    html = rendered(RecordedRun(folder=tmp_path, settings=bare_settings()), tmp_path)
    assert "? Not judged: this run has no summary" in Elements(html).text
    assert document_in(html).published.calls == []
    assert re.search("<title>run: not judged</title>", html)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("pass", "✓ Passed"), ("fail", "✗ Failed"), ("unfit", "! Not fit"), ("interrupted", "■ Inter")],
)
def test_each_verdict_is_said_in_words(tmp_path: Path, verdict: str, said: str) -> None:
    run = sample_run(tmp_path)
    assert run.summary is not None
    judged = run.summary.model_copy(update={"verdict": verdict})
    text = Elements(rendered(RecordedRun(tmp_path, run.settings, run.calls, judged), tmp_path)).text
    assert f" {said}" in text
