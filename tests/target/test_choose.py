from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.target.choose import choose_target
from harness.target.config import Config, load_config

KEY = "sk_live_0123456789abcdef"
URL = "https://voice.example/session/"

TARGETS = """
[targets.staging]
kind = "session"
url = "https://api.oshara.ai/api/agents/agent-session/?stage=1"
api_key_env = "STAGING_VOICE_KEY"
agent = "the-agent-id"
[targets.staging.timeouts]
session = "4s"

[targets.site]
kind = "backend"
url = "https://user:word@www.example.com/api/voice-agent/session"
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "voice-harness.toml").write_text(TARGETS)
    return load_config(tmp_path / "voice-harness.toml")


@pytest.fixture
def with_default(tmp_path: Path) -> Config:
    (tmp_path / "voice-harness.toml").write_text(f'default_target = "site"\n{TARGETS}')
    return load_config(tmp_path / "voice-harness.toml")


STAGING = {"STAGING_VOICE_KEY": KEY}
COMMON = {"VOICE_HARNESS_API_KEY": KEY}
REFUSED = "refused"

# --target, which configuration, the environment, and the name of the target that is meant.
RULES = [
    (None, "none", {}, "embedded"),
    (None, "plain", {}, "embedded"),
    (None, "default", {}, "site"),
    (None, "default", {"CI": "true"} | STAGING, "site"),
    (None, "none", COMMON, REFUSED),
    (None, "plain", COMMON, REFUSED),
    (None, "plain", STAGING, REFUSED),
    (None, "none", STAGING, "embedded"),  # nobody says that this variable holds a key
    (None, "plain", {"STAGING_VOICE_KEY": " "}, "embedded"),
    (None, "none", {"CI": "true"}, REFUSED),
    (None, "none", {"CI": "1"}, REFUSED),
    (None, "none", {"CI": ""}, "embedded"),
    (None, "none", {"CI": "0"}, "embedded"),
    (None, "none", {"CI": "False"}, "embedded"),
    ("embedded", "none", {"CI": "true"} | COMMON, "embedded"),
    ("embedded", "default", {}, "embedded"),
    ("staging", "default", STAGING, "staging"),
    ("site", "plain", {}, "site"),
    (URL, "none", COMMON, URL),
    (URL, "default", COMMON, URL),
    (URL, "none", {}, REFUSED),
    (URL, "plain", STAGING, REFUSED),
    ("staging", "plain", {}, REFUSED),
    ("staging", "plain", COMMON, REFUSED),
    ("staging", "none", STAGING, REFUSED),
    ("", "none", {}, REFUSED),
    ("", "default", {}, REFUSED),
    ("ftp://voice.example/", "none", COMMON, REFUSED),
]


@pytest.mark.parametrize(("option", "which", "env", "expected"), RULES)
def test_the_rule(
    option: str | None, which: str, env: dict[str, str], expected: str, request: pytest.FixtureRequest
) -> None:
    found = {"none": None, "plain": "config", "default": "with_default"}[which]
    given: Config | None = request.getfixturevalue(found) if found else None
    if expected is REFUSED:
        with pytest.raises(ConfigError) as caught:
            choose_target(option, config=given, env=env)
        assert caught.value.exit_code == 2
        assert caught.value.hint
        assert KEY not in str(caught.value)
    else:
        assert choose_target(option, config=given, env=env).name == expected


def test_a_target_carries_what_its_table_says(config: Config) -> None:
    target = choose_target("staging", config=config, env=STAGING)
    assert target.kind == "session"
    assert target.url == "https://api.oshara.ai/api/agents/agent-session/?stage=1"
    assert target.api_key is not None
    assert target.api_key.reveal() == KEY
    assert (target.agent, target.timeouts, target.notes) == ("the-agent-id", {"session": 4.0}, ())
    assert KEY not in repr(target)


def test_the_embedded_target_calls_demo() -> None:
    assert choose_target(None, config=None, env={}).agent == "demo"


@pytest.mark.parametrize(
    ("option", "described"),
    [
        ("embedded", "embedded"),
        ("staging", "staging (https://api.oshara.ai/api/agents/agent-session/)"),
        ("site", "site (https://www.example.com/api/voice-agent/session)"),
        (URL, URL),
        ("https://me:word@voice.example/s?token=t", "https://voice.example/s"),
    ],
)
def test_verdict_lines_name_the_target_without_user_and_query(option: str, described: str, config: Config) -> None:
    assert choose_target(option, config=config, env=STAGING | COMMON).describe() == described


def test_an_unknown_name_offers_the_nearest(config: Config) -> None:
    with pytest.raises(ConfigError, match="did you mean 'staging'") as caught:
        choose_target("stagin", config=config, env=STAGING)
    assert "embedded, site, staging" in (caught.value.hint or "")


def test_a_missing_key_names_its_variable(config: Config) -> None:
    with pytest.raises(ConfigError, match="STAGING_VOICE_KEY"):
        choose_target("staging", config=config, env={})


@pytest.mark.parametrize("value", [f"{KEY}\nx", f"{KEY} x", f"{KEY}é"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(value: str, config: Config) -> None:
    with pytest.raises(ConfigError, match="STAGING_VOICE_KEY") as caught:
        choose_target("staging", config=config, env={"STAGING_VOICE_KEY": value})
    assert KEY not in str(caught.value)


def test_blanks_around_a_key_are_no_part_of_it(config: Config) -> None:
    target = choose_target("staging", config=config, env={"STAGING_VOICE_KEY": f" {KEY}\n"})
    assert target.api_key is not None
    assert target.api_key.reveal() == KEY


@pytest.mark.parametrize("option", [KEY, f"https://voice.example/?key={KEY}"])
def test_a_key_on_the_command_line_is_refused_unseen(option: str) -> None:
    with pytest.raises(ConfigError, match="command line") as caught:
        choose_target(option, config=None, env=COMMON)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://voice.example/", True),
        ("HTTP://voice.example/", True),
        ("https://voice.example/", False),
        ("http://127.0.0.1:8080/", False),
        ("http://[::1]:8080/", False),
        ("http://localhost/", False),
    ],
)
def test_a_key_that_travels_unencrypted_is_noted(url: str, warned: bool) -> None:
    notes = choose_target(url, config=None, env=COMMON).notes
    assert bool(notes) is warned
    assert all("unencrypted" in note for note in notes)


def test_a_missing_file_of_agents_is_told_before_anything_starts(tmp_path: Path) -> None:
    path = tmp_path / "voice-harness.toml"
    path.write_text('[targets.cafe]\nkind = "embedded"\nagents = "agents.yaml"\n')
    with pytest.raises(ConfigError, match=r"agents\.yaml"):
        choose_target("cafe", config=load_config(path), env={})
    (tmp_path / "agents.yaml").touch()
    assert choose_target("cafe", config=load_config(path), env={}).agents_file == tmp_path / "agents.yaml"
