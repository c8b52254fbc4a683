"""`[observe]` in voice-harness.toml: read, merged with that of a target, and refused with its line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.errors import ConfigError, Place, SeveralErrors, each_of
from harness.run.reading import read_target
from harness.secret import Secret
from harness.target.choose import choose_target
from harness.target.config import load_config
from harness.target.observe import Observing
from harness.target.target import Target

COMMON = """\
[observe]
prometheus = "http://127.0.0.1:9090/"
token_env = "PROM_TOKEN"
step = "2s"

[observe.queries]
"agent CPU" = 'sum(rate(process_cpu_seconds_total{job="agent"}[30s]))'
"""
TARGET = """\
[targets.site]
kind = "backend"
url = "https://www.example.com/session"
"""
TOKEN = "a-bearer-token-of-some-length"


def written(folder: Path, text: str) -> Path:
    path = folder / "voice-harness.toml"
    path.write_text(text, encoding="utf-8")
    return path


def target_of(folder: Path, text: str, name: str = "site", **env: str) -> Target:
    return choose_target(name, config=load_config(written(folder, text)), env=env)


def errors_of(folder: Path, text: str) -> list[tuple[int | None, str]]:
    """The line and the text of each error."""
    with pytest.raises((ConfigError, SeveralErrors)) as caught:
        load_config(written(folder, text))
    assert caught.value.exit_code == 2
    found = []
    for problem in each_of(caught.value):
        assert isinstance(problem.where, Place)
        assert problem.hint
        found.append((problem.where.line, problem.what))
    return found


def test_what_is_observed_goes_with_every_target(tmp_path: Path) -> None:
    text = COMMON + TARGET
    query = 'sum(rate(process_cpu_seconds_total{job="agent"}[30s]))'
    expected = Observing("http://127.0.0.1:9090", {"agent CPU": query}, 2.0, Secret(TOKEN), "PROM_TOKEN")
    for name in ("site", "embedded"):
        assert target_of(tmp_path, text, name, PROM_TOKEN=TOKEN).observe == expected
    by_url = target_of(tmp_path, text, "https://a.example/s", PROM_TOKEN=TOKEN, VOICE_HARNESS_API_KEY="k")
    assert by_url.observe == expected
    assert target_of(tmp_path, TARGET).observe is None


def test_a_target_replaces_what_it_names_and_another_server_gets_no_token(tmp_path: Path) -> None:
    own = COMMON + TARGET + '[targets.site.observe]\nqueries = {queue = "queue_length"}\n'
    found = target_of(tmp_path, own, PROM_TOKEN=TOKEN).observe
    assert found is not None
    assert (found.queries, found.step_s, found.token) == ({"queue": "queue_length"}, 2.0, Secret(TOKEN))
    other = COMMON + TARGET + '[targets.site.observe]\nprometheus = "https://prom.example/x"\n'
    found = target_of(tmp_path, other, PROM_TOKEN=TOKEN).observe
    assert found is not None
    assert (found.prometheus, list(found.queries), found.token) == ("https://prom.example/x", ["agent CPU"], None)


def test_a_target_alone_needs_a_server_and_queries(tmp_path: Path) -> None:
    text = TARGET + '[targets.site.observe]\nstep = "2s"\n'
    assert errors_of(tmp_path, text) == [(4, "the key 'prometheus' is missing"), (4, "the key 'queries' is missing")]


def test_a_token_that_is_not_set_is_told_only_where_it_is_needed(tmp_path: Path) -> None:
    found = target_of(tmp_path, COMMON + TARGET).observe
    assert found is not None
    assert found.token is None
    with pytest.raises(ConfigError, match="PROM_TOKEN"):
        found.check()


def test_the_token_is_taken_out_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, COMMON + TARGET)
    monkeypatch.setenv("PROM_TOKEN", TOKEN)
    monkeypatch.setenv("ANOTHER_WITH_IT", TOKEN)
    found = read_target("site", warn=lambda _: None, folder=tmp_path)
    assert found.observe is not None
    assert found.observe.token == Secret(TOKEN)
    assert TOKEN not in os.environ.values()


MANY = "".join(f'"q{number}" = "up"\n' for number in range(21))


@pytest.mark.parametrize(
    ("before", "after", "line", "what"),
    [
        ("step =", "stepp =", 4, "unknown key 'stepp'; did you mean 'step'?"),
        ("http://127.0.0.1:9090/", "127.0.0.1:9090", 2, "must start with https://"),
        ("http://127.0.0.1:9090/", "http://me:pw@127.0.0.1:9090", 2, "must not contain a user or password"),
        ("http://127.0.0.1:9090/", "http://127.0.0.1:9090/api/v1/query_range", 2, "must end before /api/v1"),
        ("http://127.0.0.1:9090/", "http://127.0.0.1:9090/?a=b", 2, "must not have a query"),
        ('"2s"', '"2 parsecs"', 4, "unknown unit"),
        ('"2s"', "0", 4, "greater than 0"),
        ('"PROM_TOKEN"', '"not a name"', 3, "must be the name of an environment variable"),
        ('"agent CPU"', '""', 7, "must not be blank"),
        ('"agent CPU"', '"agent\\u001b CPU"', 7, "must be printable"),
        ('"agent CPU"', f'"{"a" * 61}"', 7, "at most 60 characters (got 61)"),
        ('"agent CPU" =', '"x" = "" #', 7, "the query must not be blank"),
        ('"agent CPU" =', f'"x" = "{"a" * 2001}" #', 7, "at most 2000 characters"),
        ('"agent CPU" =', f"{MANY} #", 6, "at most 20 queries (got 21)"),
        ('"agent CPU" =', '"x" = 3 #', 7, "must be a string"),
        ('"agent CPU" =', "#", 6, "at least one query"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, before: str, after: str, line: int, what: str) -> None:
    assert before in COMMON
    ((found, told),) = errors_of(tmp_path, COMMON.replace(before, after))
    assert (found, what in told) == (line, True), told


def test_a_missing_server_is_one_error_also_with_a_target_of_its_own(tmp_path: Path) -> None:
    text = COMMON.replace("prometheus =", "# ") + TARGET + '[targets.site.observe]\nstep = "2s"\n'
    assert errors_of(tmp_path, text) == [(1, "the key 'prometheus' is missing")]


def test_a_token_in_the_file_is_refused(tmp_path: Path) -> None:
    text = COMMON.replace("token_env", "token")
    assert errors_of(tmp_path, text) == [(3, "this file must not contain an API key")]
