"""What an agent says is shown as text, in every output."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import pytest
from rich.console import Console

from harness.judge.verdict import judge_run
from harness.record.recorded_run import RecordedRun
from harness.record.result import ExpectationResult, FailureSeen, ToolCallSeen, TurnResult
from harness.record.summary import Ending
from harness.report.annotations import github_lines, render_code_quality
from harness.report.console import call_line, make_console, print_summary
from harness.report.findings import findings
from harness.report.html import render_html
from harness.report.junit import render_junit
from harness.report.markdown import render_markdown
from harness.report.markdown_text import cell, code, link, table
from harness.report.published import render_json
from harness.report.trace import render_trace
from harness.report.turns_csv import render_turns_csv
from harness.text.plain_text import clipped, one_line, printable
from tests.events import typed
from tests.judge.made import call, turn
from tests.report.junit_rules import broken_rules as broken_rules_of_junit
from tests.report.sample_run import bare_settings
from tests.report.trace_rules import broken_rules as broken_rules_of_trace

TEXTS = {
    "script": "<script>alert(1)</script>",
    "end of a script": "</script><img src=x onerror=alert(1)>",
    "cdata": "]]> --> <![CDATA[",
    "1 MB": "We open at nine. " * 62_000,
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u202egnp.exe\u202c \u2067x\u2069 \u200f",
    "control": "a\x00b\x07c\x08d\x7fe\x85f\u2028g\ud800h",
    "ansi": "\x1b[31mred\x1b[0m \x1b]8;;http://evil.example\x07link\x1b]8;;\x07 \x9b2J",
    "table": "| a | b |\n|---|---|\n| 1 | \\| 2 |",
    "backticks": "``` ` `` ```` \n```\ncode",
    "only backticks": "`",
    "mention": "@octocat and @org/team, #123, owner/repo#4, GH-7, http://evil.example www.evil.example a@b.example",
    "emphasis": "**bold** _it_ ~~no~~ [a](http://evil.example) ![b](http://evil.example/c.png) $x^2$ :smile:",
    "html": "&lt;b&gt; </details></summary> <!-- <details> &#64;octocat",
    "end": "ends with a backslash \\",
    "commands": "x ##[error]owned\n::error file=a,line=1::owned\n::add-mask::a\n::stop-commands::t %0A %25 %",
    "formula": '=HYPERLINK("http://evil.example")',
    "template": "{{ 7*7 }} {% raw %} ${7*7}",
}
BENIGN = "We open at nine."
NOT_PRINTABLE = ("Cc", "Cs")


def run_of(text: str) -> RecordedRun:
    missed = ExpectationResult(
        expect="contains", limit="<nine>", outcome="failed", why=f"the reply was {text}", place="scenarios/x.yaml:8:7"
    )
    tool = ToolCallSeen(name=text, arguments={text: [text]}, result=text, ok=False)
    said: TurnResult = turn(1, text=text, transcript=text, reply=text, expectations=[missed], tool_calls=[tool])
    made = call(said, failure="agent.left", notes=[text], room=text)
    made.failures = [FailureSeen(kind="agent.left", what=text, hint=text, turn=1, at_ms=9000.0, ended=True)]
    summary = judge_run([made], [], target=f"t {text[:999]}", ending=Ending())
    settings = bare_settings(run=text[:999], scenarios={"x": {"path": "scenarios/x.yaml"}}, target="t")
    return RecordedRun(Path("run"), settings, [made], summary)


def shown_in_terminal(text: str) -> None:
    run = run_of(text)
    out = io.StringIO()
    assert run.summary is not None
    console = Console(
        file=out, width=120, soft_wrap=True, color_system=None, highlight=False, markup=False, emoji=False
    )
    print_summary(console, run.summary, run.calls, run.folder)
    lines = [*out.getvalue().splitlines(), call_line(run.calls[0])]
    why = clipped(f"the reply was {one_line(text)}", 1000)
    assert f"0001-x turn 1: contains <nine>: {why}" in lines
    assert sum(map(len, lines)) < 20_000
    for line in lines:
        assert not unprintable(line)
        assert not line.lstrip().startswith("::")


def shown_in_html(text: str) -> None:
    def tags(page: str) -> Counter[str]:
        found: Counter[str] = Counter()

        class Tags(HTMLParser):
            def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
                found[tag] += 1
                found.update(f"{tag} {name}" for name, _ in attrs if name.startswith("on"))

        Tags().feed(page)
        return found

    page, calm = tags(render_html(run_of(text))), tags(render_html(run_of(BENIGN)))
    assert page["script"] == calm["script"]
    assert page["img"] == calm["img"]
    assert set(page) - set(calm) <= {"del", "ins"}, "but for the difference between two texts"


def shown_in_junit(text: str) -> None:
    rendered = render_junit(run_of(text))
    root = ET.fromstring(rendered.encode())
    assert broken_rules_of_junit(root) == []
    body = "".join(root.itertext())
    assert printable(text)[:500] in body
    assert len(rendered) < 50_000


def shown_in_csv(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(render_turns_csv(run_of(text).calls)))
    assert row["reply"].removeprefix("'") == clipped(printable(text), 32_000)
    assert not row["reply"].startswith(("=", "+", "-", "@"))


def shown_in_markdown(text: str) -> None:
    rendered = render_markdown(run_of(text), report_url="https://ci.example/report.html")
    assert len(rendered) <= 65_536
    assert len(rendered.encode()) <= 1024 * 1024
    page = Rendered(rendered)
    expected = clipped(one_line(text), 300)
    assert [texts for texts in page.codes if texts == expected], "it is in a code span, whole"
    assert set(page.tags) <= Rendered.OURS
    assert all(url.startswith("https://ci.example/report.html") for url in page.links)
    assert not re.search(r"@\w|#\d|\bwww\.|GH-\d|evil", page.plain), "nothing outside of code is of the agent"


def shown_in_json(text: str) -> None:
    rendered = render_json(run_of(text))
    assert rendered.isascii()
    assert not unprintable(rendered.replace("\n", ""))
    reply = json.loads(rendered)["calls"][0]["turns"][0]["reply"]
    assert reply == text.replace("\ud800", "\N{REPLACEMENT CHARACTER}")


def shown_in_annotations(text: str) -> None:
    lines = github_lines(findings(run_of(text)), Path.cwd())
    assert len(lines) == 2
    messages = [re.fullmatch(r"::error title=[^:,]*,file=scenarios/x\.yaml,line=8,col=7::(.*)", line) for line in lines]
    told = [found[1].replace("%0A", "\n").replace("%25", "%") for found in messages if found is not None]
    assert told[0] == clipped(f"0001-x: the reply was {printable(text)}", 1000)
    assert not any(unprintable(line) for line in lines)


def shown_in_code_quality(text: str) -> None:
    issues = json.loads(render_code_quality(findings(run_of(text)), Path.cwd()))
    assert [issue["location"] for issue in issues] == [{"path": "scenarios/x.yaml", "lines": {"begin": 8}}] * 2
    assert one_line(text)[:500] in issues[0]["description"]


def shown_in_trace(text: str) -> None:
    at = {"t": 5_000_000}
    started = {"turn": 1, "step": 0, "kind": "type", "text": text, "fixture": None, "language": ""}
    events = typed(
        [
            {"t": 0, "event": "call.started", "call": "0001-x", "scenario": "x"},
            at | {"event": "room.connected"},
            at | {"event": "turn.started", **started},
            at | {"event": "caller.typed", "turn": 1, "text": text},
            at | {"event": "text", "role": "reply", "text": text, "type": "reply"},
            at | {"event": "agent.tool_call", "name": text, "arguments": {text: text}, "result": text},
            at | {"event": "turn.ended", "turn": 1, "why": "replied"},
        ]
    )
    rendered = render_trace(run_of(text).calls[0], events)
    assert rendered.isascii()
    assert len(rendered) < 100_000
    document = json.loads(rendered)
    assert broken_rules_of_trace(document) == []
    (reply,) = [event for event in document["traceEvents"] if event["name"].startswith("reply: ")]
    assert reply["args"]["text"] == clipped(printable(text), 4000)
    assert not any(unprintable(event["name"]) for event in document["traceEvents"])


OUTPUTS: dict[str, Callable[[str], None]] = {
    "terminal": shown_in_terminal,
    "html": shown_in_html,
    "junit": shown_in_junit,
    "csv": shown_in_csv,
    "markdown": shown_in_markdown,
    "json": shown_in_json,
    "annotations": shown_in_annotations,
    "code quality": shown_in_code_quality,
    "trace": shown_in_trace,
}


class Rendered(HTMLParser):
    """A page as GitHub's own parser makes it of Markdown: its tags, links, texts of code, and all other text."""

    OURS = frozenset(
        [
            "h2",
            "h3",
            "p",
            "ul",
            "li",
            "strong",
            "code",
            "a",
            "details",
            "summary",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
        ]
    )

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.codes: list[str] = []
        self.plain = ""
        self._open = 0
        options = cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE  # GitHub cleans the HTML afterwards; it must not have to
        self.feed(cmarkgfm.markdown_to_html_with_extensions(text, options=options, extensions=EXTENSIONS))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag == "code":
            self._open += 1
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open -= tag == "code"

    def handle_data(self, data: str) -> None:
        if self._open:
            self.codes[-1] += data
        else:
            self.plain += data


EXTENSIONS = ["table", "autolink", "tagfilter", "strikethrough", "tasklist"]


def unprintable(text: str) -> list[str]:
    """What a terminal or a page would not show, or would act on."""
    overrides = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    return [char for char in text if unicodedata.category(char) in NOT_PRINTABLE or char in overrides]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_a_text_is_shown_as_text(output: Callable[[str], None], text: str) -> None:
    output(text)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_cell_of_a_table_is_shown_as_text(text: str) -> None:
    page = Rendered("\n".join(table(("a", "b"), [(cell(text), "1")])))
    assert page.codes == [clipped(one_line(text), 300)]
    assert Counter(page.tags) == {"table": 1, "thead": 1, "tbody": 1, "tr": 2, "th": 2, "td": 2, "code": 1}
    assert page.plain.split() == ["a", "b", "1"]


def test_a_text_without_anything_to_see_is_left_out() -> None:
    assert code(" \n\t") == "" == cell("")


@pytest.mark.parametrize(
    "url", ["https://a.example/b?c=1&copy;#d", "https://a.example/>) [x](y) <b>", "https://a.example/\n\n# x"]
)
def test_a_link_leads_where_it_says_and_nowhere_else(url: str) -> None:
    page = Rendered(link("report", url))
    assert page.tags == ["p", "a"]
    assert page.plain.strip() == "report"
    assert page.links[0].startswith("https://a.example/")


def test_a_job_of_github_carries_out_no_command_of_an_agent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    make_console().print("0001-x: the reply was ##[add-mask]a")
    assert "##[" not in capsys.readouterr().out
    monkeypatch.delenv("GITHUB_ACTIONS")
    make_console().print("0001-x: the reply was ##[add-mask]a")
    assert "##[add-mask]a" in capsys.readouterr().out
