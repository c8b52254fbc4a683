from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from harness.errors import ConfigError, Place, SeveralErrors
from harness.target.config import find_config, load_config

KEY = "sk_live_0123456789abcdef"

WHOLE = """\
default_target = "staging"

[targets.staging]
kind = "session"
url = "https://api.oshara.ai/api/agents/agent-session/"
api_key_env = "STAGING_VOICE_KEY"
agent = "the-agent-id"
timeouts = {session = "4s", reply = 20}

[targets.site]
kind = "backend"
url = "https://www.example.com/api/voice-agent/session"

[targets.cafe]
kind = "embedded"
agents = "agents.yaml"

[targets.cafe.timeouts]
end_silence = "800ms"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "voice-harness.toml"
    path.write_text(text, encoding="utf-8")
    return path


def error_of(folder: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_config(written(folder, text))
    assert caught.value.exit_code == 2
    return caught.value


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, WHOLE))
    assert config.default_target == "staging"
    assert config.path == tmp_path / "voice-harness.toml"
    assert config.targets["staging"].timeouts.given() == {"session": 4.0, "reply": 20.0}
    assert config.targets["cafe"].timeouts.given() == {"end_silence": 0.8}


def test_a_session_target_without_a_variable_takes_the_common_one(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, '[targets.a]\nkind = "session"\nurl = "https://x.example/"\n'))
    assert config.targets["a"].key_variable == "VOICE_HARNESS_API_KEY"


# The text, the line of the error, and what it says.
WRONG = {
    "an unknown key": (WHOLE.replace("agent =", "agnet ="), 7, "did you mean 'agent'?"),
    "an unknown key at the top": ('defualt_target = "x"\n', 1, "did you mean 'default_target'?"),
    "an unknown timeout": (WHOLE.replace("end_silence", "end_silense"), 19, "did you mean 'end_silence'?"),
    "a timeout in an inline table": (WHOLE.replace("reply = 20", "replay = 20"), 8, "did you mean 'reply'?"),
    "no TOML": ("[targets.a]\nkind = session\n", 2, "invalid TOML"),
    "no kind": ('[targets.a]\nurl = "https://x.example/"\n', 1, "'kind' is missing"),
    "another kind": ('[targets.a]\n\nkind = "web"\n', 3, "use one of session, backend, embedded"),
    "a kind that comes later": ('[targets.a]\nkind = "livekit"\n', 2, "not supported yet"),
    "no url": ('[targets.a]\nkind = "session"\n', 1, "needs url"),
    "a url for the embedded stack": ('[targets.a]\nkind = "embedded"\nurl = "https://x/"\n', 3, "url: is not allowed"),
    "a key for a backend": (
        WHOLE.replace('"backend"', '"backend"\napi_key_env = "K"'),
        12,
        "api_key_env: is not allowed",
    ),
    "agents of a service": (WHOLE.replace('agent = "the', 'agents = "the'), 7, "agents: is not allowed"),
    "a url without scheme": ('[targets.a]\nkind = "backend"\nurl = "x.example/a"\n', 3, "https://"),
    "no duration": (WHOLE.replace("800ms", "soon"), 19, "'soon' is not a valid duration"),
    "no time at all": (WHOLE.replace("20}", "0}"), 8, "must be greater than 0"),
    "a time that is a list": (WHOLE.replace("20}", "[20]}"), 8, "must be a duration such as '10s'"),
    "a time without end": (WHOLE.replace("20}", "inf}"), 8, "must be a finite number"),
    "a number as agent": (WHOLE.replace('"the-agent-id"', "7"), 7, "must be a string"),
    "a default that is no target": (WHOLE.replace('"staging"', '"stagging"', 1), 1, "did you mean 'staging'?"),
    "a service named embedded": ('[targets.embedded]\nkind = "backend"\nurl = "https://x/"\n', 1, "embedded stack"),
    "a variable's value as its name": (WHOLE.replace("STAGING_VOICE_KEY", "abc-123"), 6, "environment variable"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    text, line, words = WRONG[name]
    error = error_of(tmp_path, text)
    assert words in error.what
    assert isinstance(error.where, Place)
    assert (error.where.path, error.where.line) == (str(tmp_path / "voice-harness.toml"), line)
    assert error.hint


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (WHOLE.replace("STAGING_VOICE_KEY", KEY), 6),
        (WHOLE.replace("api_key_env", "api_key"), 6),
        (WHOLE.replace('api_key_env = "STAGING_VOICE_KEY"', f'api_key = "{KEY}"'), 6),
        (WHOLE.replace("session/", f"session/?key={KEY}"), 5),
        (WHOLE.replace("[targets.site]", f"[targets.{KEY}]"), 10),
        (WHOLE.replace("20}", f'"{KEY}"}}'), 8),
        (f'{WHOLE}\nextra = ["{KEY}"]\n', 21),
        (f'{WHOLE}\nagent = "{KEY}\n', 21),
    ],
)
def test_a_key_in_the_file_is_refused_and_not_repeated(text: str, line: int, tmp_path: Path) -> None:
    error = error_of(tmp_path, text)
    shown = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    frames = [part for part in "".join(shown).split("  File ") if __file__ not in part.splitlines()[0]]
    assert KEY not in "".join(frames)
    assert KEY not in str(error) + repr(error)
    assert isinstance(error.where, Place)
    assert error.where.line == line
    assert "api_key_env" in (error.hint or "") or "TOML" in error.what


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = (
        'default_target = "gone"\nfoo = 1\n'
        '[targets.a]\nkind = "embedded"\nurl = "https://x/"\nagents = "a.yaml"\nbar = 1\n'
        '[targets.b]\nkind = "livekit"\n[targets.timeouts]\nkind = "session"\nkinf = "x"\n'
    )
    with pytest.raises(SeveralErrors) as caught:
        load_config(written(tmp_path, text))
    told = [(Place.read(str(error.where)).line, error.what) for error in caught.value.errors]
    assert told == [
        (1, "unknown target 'gone'"),
        (2, "unknown key 'foo'"),
        (5, "targets.a.url: is not allowed in a target of kind 'embedded'"),
        (7, "unknown key 'bar'"),
        (9, "kind 'livekit' (rooms made with LiveKit's own keys) is not supported yet"),
        (12, "unknown key 'kinf'; did you mean 'kind'?"),
    ]


def test_a_missing_file_and_one_that_is_no_text_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "voice-harness.toml")
    (tmp_path / "voice-harness.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(tmp_path / "voice-harness.toml")


def test_the_file_is_found_from_a_folder_below_but_not_beyond_the_repository(tmp_path: Path) -> None:
    outer, repository, below = tmp_path, tmp_path / "repository", tmp_path / "repository" / "a" / "b"
    below.mkdir(parents=True)
    (repository / ".git").mkdir()
    written(outer, "")
    assert find_config(below) is None
    assert find_config(outer) == outer / "voice-harness.toml"
    written(repository, "")
    assert find_config(below) == repository / "voice-harness.toml"
