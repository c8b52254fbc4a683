"""What the agent's hosts did, asked from a server that speaks Prometheus' API, at the end of a run."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.observe import api
from harness.observe.ask import MOST_POINTS, MOST_SERIES
from harness.process.signals import Signals
from harness.record.observed import Observed, ObservedQuery
from harness.record.run_directory import RunDirectory
from harness.report.html import render_html
from harness.report.redact import REDACTED
from harness.report.shown.document import document
from harness.run.finish import rebuilt
from harness.run.redact import write_redacted
from harness.secret import Secret
from tests.observe.made import LASTED_S, Made, observing
from tests.observe.prometheus import Prometheus, prometheus
from tests.report.page_data import document_in, template

TOKEN = "a-bearer-token-of-some-length"


async def observed_of(made: Made) -> Observed:
    observed, _ = await made.finished()
    assert observed is not None
    assert observed == RunDirectory(made.folder).read_observed(), "what is on the disk is what was found"
    return observed


@pytest.mark.parametrize("ahead_s", [0.0, 100.0, -4000.0])
async def test_points_lie_on_the_clock_of_the_run_whatever_the_clock_of_the_server(
    tmp_path: Path, ahead_s: float
) -> None:
    with prometheus(ahead_s=ahead_s) as server:
        made = Made(tmp_path / "run", observing(server.url, "true time"))
        observed = await observed_of(made)
    assert observed.clock is not None
    assert observed.clock.offset_s == pytest.approx(ahead_s, abs=observed.clock.uncertainty_s + 0.002)
    ((series,),) = (query.series for query in observed.queries)
    assert [at_s for at_s, _ in series.points] == [5.0 * number for number in range(13)]
    began_s = made.began.timestamp()
    for at_s, value in series.points:
        assert value == pytest.approx(began_s + at_s, abs=observed.clock.uncertainty_s + 0.003)
    told = [line for line in made.said if "the clock of" in line]
    assert len(told) == (1 if ahead_s else 0)
    assert not ahead_s or f"{abs(ahead_s):.0f}" in told[0] or f"{abs(ahead_s) - 1:.0f}." in told[0]


async def test_each_query_is_asked_once_for_the_time_of_the_calls(tmp_path: Path) -> None:
    with prometheus() as server:
        made = Made(tmp_path / "run", observing(f"{server.url}/prefix", "a", 'b{x="1 + 2"}', step_s=2.0))
        assert server.asked == [], "nothing is asked before the calls are over"
        observed = await observed_of(made)
    assert [query["query"] for query in server.ranges] == ["a", 'b{x="1 + 2"}']
    assert all(path.startswith("/prefix/api/v1/") for path, _ in server.asked)
    for query in server.ranges:
        assert float(query["start"]) == pytest.approx(made.began.timestamp(), abs=1)
        assert float(query["end"]) - float(query["start"]) == pytest.approx(LASTED_S, abs=0.01)
        assert float(query["step"]) == 2
    assert observed.until_s == LASTED_S


async def test_a_series_ends_where_the_last_sample_is(tmp_path: Path) -> None:
    with prometheus() as server:
        made = Made(tmp_path / "run", observing(server.url, "a"))
        server.scraped_until_s = made.began.timestamp() + 42
        observed = await observed_of(made)
    assert [at_s for at_s, _ in observed.queries[0].series[0].points][-1] == 40


async def test_a_long_run_has_fewer_points_not_more(tmp_path: Path) -> None:
    with prometheus() as server:
        observed = await observed_of(Made(tmp_path / "run", observing(server.url, "a"), lasted_s=24 * 3600.0))
    assert observed.step_s % 5 == 0
    points = observed.queries[0].series[0].points
    assert MOST_POINTS / 2 < len(points) <= MOST_POINTS
    assert points[-1][0] > 24 * 3600.0 - observed.step_s


async def test_what_is_no_finite_number_is_a_gap_and_what_is_from_before_is_left_out(tmp_path: Path) -> None:
    with prometheus() as server:
        made = Made(tmp_path / "run", observing(server.url, "odd"))
        observed = await observed_of(made)
    assert observed.queries[0].series[0].points == [(0, None), (1, None), (2, None), (3, None), (4, None), (5, 2.5)]
    json.loads(made.observed_file.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


async def test_of_many_series_the_highest_are_kept_and_the_others_counted(tmp_path: Path) -> None:
    with prometheus() as server:
        made = Made(tmp_path / "run", observing(server.url, "many"))
        observed = await observed_of(made)
    (query,) = observed.queries
    assert [series.labels["host"] for series in query.series] == [f"h{number}" for number in range(22, 30)]
    assert (len(query.series), query.left_out) == (MOST_SERIES, 22)


WORDS = {
    "refused": "Prometheus answered 400: parse error [31m<script>alert(1)</script>",
    "proxy": "answered 502, and not as Prometheus does",
    "moved": "redirects (302)",
    "html": "does not answer as Prometheus does",
    "half": "does not answer as Prometheus does",
    "deep": "does not answer as Prometheus does",
    "vector": "does not answer as Prometheus does",
    "huge": "the answer is over 8 MB",
    "nothing": "the query gives no series in this time",
    "histogram": "native histograms",
}


async def test_an_answer_that_cannot_be_used_is_told_and_the_others_stay(tmp_path: Path) -> None:
    with prometheus() as server:
        made = Made(tmp_path / "run", observing(server.url, *WORDS, "good"))
        observed, summary = await made.finished()
    assert observed is not None
    errors = {query.name: query.error for query in observed.queries}
    assert errors.pop("good") == ""
    assert observed.queries[-1].series
    assert {name: WORDS[name] in error for name, error in errors.items()} == dict.fromkeys(WORDS, True), errors
    assert len(made.said) == 1, "one line says what failed"
    assert made.said[0].startswith("warning: 10 of 11 queries of [observe] gave nothing: refused: Prometheus answered")
    assert "\x1b" not in made.observed_file.read_text() + made.said[0]
    _, plain = await Made(tmp_path / "plain", None).finished()
    assert summary.model_dump() == plain.model_dump(), "the verdict does not depend on what is observed"


async def test_without_observe_nothing_is_asked_and_nothing_written(tmp_path: Path) -> None:
    made = Made(tmp_path / "run", None)
    observed, _ = await made.finished()
    assert observed is None
    assert made.said == []
    assert not made.observed_file.exists()


async def test_a_server_that_is_down_costs_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    made = Made(tmp_path / "run", observing(f"http://127.0.0.1:{port}", "a", "b"))
    observed, summary = await made.finished()
    assert observed is not None
    assert "cannot be reached: no connection: " in observed.error
    assert [query.series for query in observed.queries] == [[], []]
    assert made.said == [f"warning: the agent's hosts were not observed: {observed.error}"]
    _, plain = await Made(tmp_path / "plain", None).finished()
    assert summary.model_dump() == plain.model_dump()
    shown = document(rebuilt(made.folder)).shown.observed
    assert shown is not None
    assert shown.is_doubtful
    assert observed.error in shown.words


async def test_a_slow_server_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "TIMEOUT_S", 0.3)
    with prometheus() as server:
        observed = await observed_of(Made(tmp_path / "run", observing(server.url, "slow", "quick")))
    slow, quick = observed.queries
    assert "did not answer within 0.3 s" in slow.error
    assert quick.series


async def test_the_queries_together_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.observe.ask.BUDGET_S", 0.5)
    with prometheus() as server:
        observed = await observed_of(Made(tmp_path / "run", observing(server.url, "slow", "late")))
    assert "did not answer within" in observed.queries[0].error
    assert observed.queries[1].error == "it was not asked: the queries before it took too long"


async def test_a_signal_ends_the_asking_and_the_run_is_written(tmp_path: Path) -> None:
    signals = Signals()
    with prometheus() as server:
        made = Made(tmp_path / "run", observing(server.url, "slow"))
        finishing = asyncio.ensure_future(made.finished(signals))
        await asyncio.to_thread(server.is_slow.wait)
        signals.interrupt()
        observed, summary = await finishing
    assert observed is not None
    assert observed.error == "it was interrupted"
    assert summary.verdict == "pass"
    assert (made.folder / "report.html").exists()


async def test_after_a_signal_that_ended_the_calls_the_next_one_ends_the_asking(tmp_path: Path) -> None:
    with prometheus() as server, Signals() as signals:
        made = Made(tmp_path / "run", observing(server.url, "slow"))
        signals.interrupt()
        finishing = asyncio.ensure_future(made.finished(signals))
        await asyncio.to_thread(server.is_slow.wait)
        assert made.said == ["asking what the agent's hosts did; Ctrl-C ends that"]
        os.kill(os.getpid(), signal.SIGTERM)
        observed, _ = await finishing
    assert observed is not None
    assert observed.error == "it was interrupted"
    assert (made.folder / "report.html").exists()


async def test_the_token_is_sent_and_written_nowhere(tmp_path: Path) -> None:
    with prometheus(token=TOKEN) as server:
        made = Made(tmp_path / "run", observing(server.url, "a", token=Secret(TOKEN), token_variable="PROM_TOKEN"))
        observed = await observed_of(made)
        refused = await observed_of(Made(tmp_path / "without", observing(server.url, "a")))
    assert observed.error == ""
    assert "refused the request (401): check token_env" in refused.error
    files = [path for path in made.folder.rglob("*") if path.is_file()]
    assert made.observed_file in files
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
    assert TOKEN not in repr(made.observing)


async def test_this_machine_is_never_asked_through_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with prometheus() as server:
        observed = await observed_of(Made(tmp_path / "run", observing(server.url, "a")))
    assert observed.error == ""


async def test_another_machine_is_asked_through_the_proxy_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with prometheus() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        observed = await observed_of(Made(tmp_path / "run", observing("http://prometheus.example:9090", "a")))
    assert observed.error == ""
    assert proxy.headers["Host"] == "prometheus.example:9090"


async def test_a_variable_without_a_token_is_told_before_the_calls() -> None:
    with pytest.raises(ConfigError, match="PROM_TOKEN with the bearer token for Prometheus is not set"):
        observing("http://127.0.0.1:1", "a", token_variable="PROM_TOKEN").check()


async def test_the_report_has_it_and_is_made_again_without_asking(tmp_path: Path) -> None:
    with prometheus() as server:
        made = Made(tmp_path / "run", observing(server.url, "hosts", "refused"))
        observed = await observed_of(made)
    first = document(rebuilt(made.folder))
    assert first.published.observed == observed
    assert first.shown.observed is not None
    hosts, refused = first.shown.observed.queries
    assert [series.name for series in hosts.series] == ['host="a"', 'host="[31m<script>alert(1)</script>"']
    assert [(series.mean, series.max) for series in hosts.series] == [(1, 1), (1, 1)]
    assert refused.series == []
    assert document_in(render_html(rebuilt(made.folder), template(tmp_path))) == first
    assert len(server.ranges) == 2


async def test_a_redacted_copy_names_no_machine(tmp_path: Path) -> None:
    with prometheus() as server:
        made = Made(tmp_path / "run", observing(server.url, "hosts", "refused"))
        await observed_of(made)
    written = write_redacted(rebuilt(made.folder), tmp_path / "copy")
    copy = written.observed
    assert copy is not None
    assert copy == RunDirectory(tmp_path / "copy").read_observed()
    assert (copy.prometheus, copy.queries[1].error) == (REDACTED, REDACTED)
    assert [(query.name, query.query) for query in copy.queries] == [("hosts", REDACTED), ("refused", REDACTED)]
    assert [series.labels for series in copy.queries[0].series] == [{}, {}]
    assert len(copy.queries[0].series[0].points) == 13, "numbers stay"
    shown = document(written).shown.observed
    assert shown is not None
    assert [series.name for series in shown.queries[0].series] == ["series 1", "series 2"]


def test_a_damaged_file_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "observed.json").write_text('{"version": 2, "prometheus": "x"}')
    with pytest.raises(ConfigError, match="its format is version 2"):
        RunDirectory(tmp_path).read_observed()


def test_the_mean_of_large_numbers_is_a_number() -> None:
    observed = Observed(prometheus="", started="", until_s=1, step_s=1)
    observed.queries = [
        ObservedQuery.model_validate({"name": "a", "query": "a", "series": [{"points": [[0, 1.7e308], [1, 1.7e308]]}]})
    ]
    (found,) = observed.within([(0, 1)])
    assert (found.mean, found.max) == (1.7e308, 1.7e308)


def test_the_fake_speaks_as_prometheus_does() -> None:
    """Its answer to `time()` is the documented one: a scalar of a time and a text."""
    status, _, body = Prometheus().answer("/api/v1/query", {"query": "time()"})
    answer = json.loads(body)
    assert (status, answer["status"], answer["data"]["resultType"]) == (200, "success", "scalar")
    assert isinstance(answer["data"]["result"][1], str)
