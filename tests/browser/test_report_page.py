"""The report in real Chromium: opened, searched, scrubbed, played, linked to, printed."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from harness.build_pages import REPORT_PAGE
from harness.report.html import render_html
from harness.report.recording import sounds_of
from harness.run.finish import rebuild
from tests.browser.chromium import find
from tests.browser.report_page import ReportPage
from tests.compare.made_runs import compared_run
from tests.report.observed_run import observed_run
from tests.report.page_data import document_in, sounds_in
from tests.report.sample_run import many_calls, sample_run

RECORDED = Path(__file__).parents[1] / "recorded"
Open = Callable[..., ReportPage]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert REPORT_PAGE.is_built, "the report's page is not built: make page"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=find(playwright), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports: of recorded runs, of a run with something of everything, and of 1,000 calls."""
    made = tmp_path_factory.mktemp("reports")
    for name in ("recording", "faults-light", "talk-light", "load", "capacity", "burst"):
        shutil.copytree(RECORDED / name, made / name)
        rebuild(made / name)
    rebuild(compared_run(made / "compared"))
    rebuild(observed_run(RECORDED / "load", made / "observed"))
    for name, run in (("sample", sample_run(made / "sample")), ("many", many_calls(made / "many", 1000))):
        (made / name).mkdir(exist_ok=True)
        (made / name / "report.html").write_text(render_html(run), encoding="utf-8")
    return made


@pytest.fixture
def opened(browser: Browser, folder: Path) -> Iterator[Open]:
    """Opens the report of a run; what its console says fails the test."""
    pages: list[ReportPage] = []

    def of(run: str, fragment: str = "", **context: Any) -> ReportPage:
        place = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | context))
        pages.append(ReportPage.opened(place.new_page(), folder / run / "report.html", fragment))
        return pages[-1]

    yield of
    for here in pages:
        here.page.context.close()
        assert here.said == []


def test_verdict_and_reasons_come_first_then_failures_then_everything(opened: Open) -> None:
    here = opened("faults-light")
    verdict = here.page.get_by_role("heading", level=1)
    expect(verdict).to_have_accessible_name("Infrastructure failed; and: Failed: the agent fell short exit code 3")
    expect(here.page.get_by_role("list", name="Reasons").get_by_role("listitem")).to_have_count(9)
    titles = here.page.get_by_role("heading", level=2).all_inner_texts()
    assert titles == ["Failures", "Metrics", "Expectations", "Calls"]
    here.page.locator(".failure", has_text="agent.never_joined").get_by_role("link").click()
    expect(here.page.get_by_role("heading", level=1)).to_have_text("0006-never_joins")
    expect(here.page.get_by_role("main").get_by_text("hint: does an agent take jobs")).to_be_visible()
    here.page.keyboard.press("Escape")
    expect(here.page.get_by_role("heading", name="Failures")).to_be_visible()


def test_the_figures_are_those_of_the_summary(opened: Open, folder: Path) -> None:
    here = opened("capacity")
    metrics = json.loads((folder / "capacity" / "summary.json").read_text())["metrics"]
    row = here.page.get_by_role("row", name="turn.ttfa caller")
    figures = [f"{metrics['turn.ttfa'][key]:,.0f}" for key in ("count", "p50", "p90", "p95", "p99", "max")]
    assert row.get_by_role("cell").all_inner_texts()[1:] == figures
    here.page.get_by_role("button", name="harness.lag").click()
    expect(here.page.get_by_role("img", name="harness.lag: the distribution of 962 samples")).to_be_visible()


def test_a_run_and_its_baseline_are_laid_over_each_other(opened: Open) -> None:
    here = opened("compared")
    expect(here.page.locator(".section.comparison .answer")).to_have_text("✗ regression against main")
    table = here.page.get_by_role("region", name="Table: Comparison")
    row = table.get_by_role("row", name="turn.ttfa", exact=False).first
    expect(row).to_contain_text("regression")
    few = table.get_by_role("row").count()
    here.page.get_by_role("button", name="by turn").click()
    assert table.get_by_role("row").count() > few
    legend = here.page.locator(".distribution .legend")
    expect(legend).to_contain_text("this run")
    expect(legend).to_contain_text("baseline main")


@pytest.mark.parametrize(
    ("run", "sections"),
    [
        ("capacity", ["TTFA against calls at once"]),
        ("load", ["TTFA over time", "Calls alive over time", "turn.ttfa: the distribution"]),
        ("observed", ["TTFA over time", "queue over time"]),
    ],
)
def test_what_a_run_has_is_drawn(opened: Open, run: str, sections: list[str]) -> None:
    here = opened(run)
    for name in sections:
        here.page.get_by_role("img", name=name).scroll_into_view_if_needed()
        drawing = here.page.get_by_role("img", name=name).locator("canvas")
        painted = drawing.evaluate(
            "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
        )
        assert painted > 8, name


def test_bursts_canaries_and_the_curve_are_tables_too(opened: Open) -> None:
    burst = opened("burst")
    expect(burst.page.get_by_role("region", name="Table: Burst of 3")).to_contain_text("agent joined")
    load = opened("load")
    expect(load.page.get_by_role("region", name="Table: Canaries")).to_contain_text("turn.ttfa_ear")
    load.page.get_by_text("The same as a table").click()
    expect(load.page.get_by_role("region", name="Table: TTFA, calls alive and failures")).to_contain_text("max calls")
    capacity = opened("capacity")
    expect(capacity.page.get_by_role("region", name="Table: Curve").get_by_role("row")).to_have_count(3)


def test_a_thousand_calls_are_searched_filtered_and_ordered_by_keyboard(opened: Open) -> None:
    here = opened("many")
    keyboard, status = here.page.keyboard, here.page.get_by_role("status")
    expect(status).to_have_text("1,000 calls")
    assert here.rows.count() < 60, "only the rows in view are drawn"
    keyboard.press("/")
    keyboard.type("no_reply 0099")
    expect(status).to_have_text("3 of 1,000 calls")
    keyboard.press("Escape")
    expect(status).to_have_text("1,000 calls")
    here.page.get_by_role("button", name="failed", exact=False).first.click()
    expect(status).to_have_text("333 of 1,000 calls")
    here.page.get_by_role("button", name="duration").click()
    expect(here.page.get_by_role("columnheader", name="duration")).to_have_attribute("aria-sort", "descending")
    first, second = here.ids()[:2]
    for key in ("j", "j", "k", "j"):
        keyboard.press(key)
    expect(here.page.locator(".row.selected a")).to_have_text(second)
    keyboard.press("Enter")
    expect(here.page.get_by_role("heading", level=1)).to_have_text(second)
    keyboard.press("k")
    expect(here.page.get_by_role("heading", level=1)).to_have_text(first)
    expect(here.page.get_by_text("1 of 333")).to_be_visible()


def test_the_end_of_a_long_list_can_be_scrolled_to(opened: Open) -> None:
    here = opened("many")
    here.page.locator(".rows").evaluate("rows => rows.scrollTo(0, rows.scrollHeight)")
    expect(here.page.get_by_role("link", name="01000")).to_be_visible()
    assert here.rows.count() < 60


def test_the_time_line_is_scrubbed_by_pointer_and_keys(opened: Open) -> None:
    here = opened("recording", "#call=0001-typed")
    box = here.page.locator(".lanes canvas").bounding_box()
    assert box is not None
    here.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 80)
    here.page.mouse.down()
    middle = here.position_s
    assert 3.5 < middle < 5
    here.page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 80)
    here.page.mouse.up()
    assert here.position_s > middle + 1.5
    here.slider.focus()
    for key, at in (("ArrowRight", 1.0), ("Shift+ArrowLeft", -5.0), ("ArrowLeft", -1.0)):
        before = here.position_s
        here.page.keyboard.press(key)
        here.until_at(max(-0.3, before + at))
    here.page.get_by_role("button", name="Go to 3.2 s").click()
    here.until(lambda at: at >= 3)
    expect(here.page.locator(".step.here h2")).to_contain_text("Turn 1")


def test_the_recording_is_in_the_page_and_plays_from_the_position(opened: Open) -> None:
    here = opened("recording", "#call=0001-typed&t=2.5")
    here.until_at(2.5)
    here.page.keyboard.press("Space")
    expect(here.page.get_by_role("button", name="Pause")).to_be_visible()
    here.until(lambda at: at > 2.8)
    here.page.keyboard.press("Space")
    expect(here.page.get_by_role("button", name="Play")).to_be_visible()
    assert float(here.page.url.rpartition("t=")[2]) == pytest.approx(here.position_s, abs=0.2)


def test_a_recording_beyond_the_budget_plays_from_the_folder(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = folder / "linked"
    shutil.copytree(folder / "recording", linked)
    monkeypatch.setattr("harness.report.shown.detailed.sounds_of", functools.partial(sounds_of, budget_bytes=0))
    rebuild(linked)
    here = opened("linked", "#call=0001-typed")
    here.page.keyboard.press("Space")
    here.until(lambda at: at > 0.2)
    assert sounds_in((linked / "report.html").read_text(encoding="utf-8")) == {}


def test_the_time_line_is_zoomed_and_stays_at_the_position(opened: Open) -> None:
    here = opened("talk-light", "#call=0002-barge-in&t=20")
    assert here.zoomed == 1
    for _ in range(6):
        here.page.keyboard.press("+")
    here.until(lambda _: here.zoomed > 10)
    seen = here.page.locator(".cursor").bounding_box()
    lanes = here.page.locator(".lanes").bounding_box()
    assert seen is not None
    assert lanes is not None
    assert lanes["x"] <= seen["x"] <= lanes["x"] + lanes["width"]
    here.page.locator(".lanes canvas").hover()
    here.page.keyboard.down("Control")
    here.page.mouse.wheel(0, -200)
    here.page.keyboard.up("Control")
    here.until(lambda _: here.zoomed > 20)
    here.page.keyboard.press("0")
    here.until(lambda _: here.zoomed == 1)


def test_what_is_under_the_pointer_is_told(opened: Open) -> None:
    here = opened("talk-light", "#call=0002-barge-in")
    box = here.page.locator(".lanes canvas").bounding_box()
    assert box is not None
    names = here.page.locator(".lane-names span").filter(has_text="stops").bounding_box()
    assert names is not None
    here.page.mouse.move(box["x"] + box["width"] * 0.7, names["y"] + names["height"] / 2)
    expect(here.page.locator(".tip")).to_have_text("turn 4: agent stopped after: 21,326\u00a0ms")


def test_a_link_leads_to_a_moment_and_one_to_no_call_says_so(opened: Open) -> None:
    here = opened("talk-light", "#call=0001-smoke&t=6.25")
    here.until_at(6.25)
    expect(here.page.get_by_role("heading", level=1)).to_have_text("0001-smoke")
    here.page.get_by_role("button", name="Copy link to this moment").click()
    assert here.page.url.endswith("#call=0001-smoke&t=6.25")
    here.page.evaluate("location.hash = '#call=0002-barge-in&t=3'")
    expect(here.page.get_by_role("heading", level=1)).to_have_text("0002-barge-in")
    here.until_at(3)
    here.page.go_back()
    expect(here.page.get_by_role("heading", level=1)).to_have_text("0001-smoke")
    here.page.evaluate("location.hash = '#call=none'")
    expect(here.page.get_by_role("alert")).to_have_text("There is no call none in this run.")
    expect(here.page.get_by_role("heading", name="Passed")).to_be_visible()


def test_texts_of_others_are_only_ever_text(opened: Open) -> None:
    here = opened("sample", "#call=0002")
    reply = "<script>alert('agent')</script></script><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} ⟨U+202E⟩gnp.exe"
    expect(here.page.locator(".replied dd").nth(1)).to_contain_text(reply)
    here.page.keyboard.press("Escape")
    expect(here.page.get_by_text("contains <b>nine</b>").first).to_be_visible()
    assert here.page.evaluate("document.querySelectorAll('img, iframe, [onerror], b b').length") == 0


def test_what_was_observed_has_its_figures_and_errors_as_text(opened: Open) -> None:
    here = opened("observed")
    section = here.page.locator(".section.observed")
    expect(section).to_contain_text("Its clock is 31.200 s behind this machine's (± 0.002 s); its times are shifted")
    expect(section.locator("figure")).to_have_count(2)
    expect(section.locator(".legend")).to_contain_text('host="a" mean')
    expect(section.locator(".legend")).to_contain_text('host="<img src=x onerror=alert(1)> ⟨U+202E⟩gnp.exe" mean')
    expect(section).to_contain_text("Prometheus answered 400: <img src=x onerror=alert(1)>")
    assert here.page.evaluate("document.querySelectorAll('img, [onerror]').length") == 0
    assert here.violations() == []


def test_everything_is_printed(opened: Open) -> None:
    here = opened("many")
    here.page.emulate_media(media="print")
    here.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert here.rows.count() == 1000
    expect(here.page.get_by_role("search")).to_be_hidden()
    here.page.emulate_media(media="screen")
    here.page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(here.rows.nth(60)).to_have_count(0)
    call = opened("talk-light", "#call=0002-barge-in")
    pages = call.page.pdf().count(b"/Type /Page\n")
    assert 1 <= pages <= 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Open, scheme: str) -> None:
    here = opened("sample", color_scheme=scheme)
    assert here.violations() == []
    here.page.evaluate("location.hash = '#call=0002&t=5'")
    expect(here.page.get_by_role("heading", level=1)).to_have_text("0002")
    assert here.violations() == []
    backs = here.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (backs == "rgb(255, 255, 255)") == (scheme == "light")


def test_a_phone_shows_all_of_it_without_scrolling_sideways(opened: Open) -> None:
    for run, fragment in (("sample", ""), ("observed", ""), ("capacity", ""), ("talk-light", "#call=0002-barge-in")):
        here = opened(run, fragment, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
        assert here.page.evaluate("document.documentElement.scrollWidth") == 360, run
    here.page.locator(".lanes canvas").tap(position={"x": 200, "y": 60})
    here.until(lambda at: at > 10)
    assert here.violations() == []


def test_without_scripts_the_verdict_is_there(opened: Open, browser: Browser, folder: Path) -> None:
    place = browser.new_context(java_script_enabled=False)
    page = place.new_page()
    page.goto((folder / "faults-light" / "report.html").as_uri())
    expect(page.get_by_role("heading", level=1)).to_contain_text("Infrastructure failed")
    expect(page.get_by_role("listitem")).to_have_count(9)
    place.close()


def test_a_dot_leads_to_its_turn(opened: Open, folder: Path) -> None:
    run = document_in((folder / "load" / "report.html").read_text(encoding="utf-8")).shown.over_time
    assert run is not None
    at_s, ttfa_ms, highest_ms = run.dots.at_s[0], run.dots.ttfa_ms[0], max(run.dots.ttfa_ms) * 1.08
    here = opened("load")
    here.page.get_by_role("img", name="TTFA over time").scroll_into_view_if_needed()
    over = here.page.get_by_role("img", name="TTFA over time").locator(".u-over")
    box = over.bounding_box()
    assert box is not None
    here.page.mouse.move(
        box["x"] + box["width"] * at_s / run.end_s, box["y"] + box["height"] * (1 - ttfa_ms / highest_ms)
    )
    expect(over.locator(".tip")).to_contain_text(f"{run.dots.call[0]} turn {run.dots.turn[0]}: {ttfa_ms:.0f}\u00a0ms")
    here.page.mouse.down()
    here.page.mouse.up()
    expect(here.page.get_by_role("heading", level=1)).to_have_text(run.dots.call[0])
    here.until(lambda at: at > 0)
