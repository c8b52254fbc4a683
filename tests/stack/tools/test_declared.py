from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.installed_from import with_extra
from harness.stack import agents_file
from harness.stack.agents_file import load_agents
from harness.stack.mcp_tokens import take_tokens

AGENT = "agents:\n  host:\n    prompt: We are open.\n    greeting: Hello.\n"


def written(folder: Path, mcp: str, more: str = "") -> Path:
    path = folder / "agents.yaml"
    path.write_text(f"{AGENT}    mcp: {mcp}\n{more}")
    return path


def test_a_server_by_its_url(tmp_path: Path) -> None:
    path = written(tmp_path, "{tables: {url: 'https://example.org/mcp', token_env: TABLES_TOKEN, timeout: 2s}}")
    server = load_agents(path)["host"].mcp["tables"]
    assert (server.url, server.token_env, server.timeout_s) == ("https://example.org/mcp", "TABLES_TOKEN", 2.0)


def test_a_program_runs_in_the_agents_files_folder(tmp_path: Path) -> None:
    path = written(tmp_path, "{tables: {command: [python, server.py]}, more: {command: [x], cwd: sub}}")
    servers = load_agents(path)["host"].mcp
    assert servers["tables"].cwd == str(tmp_path)
    assert servers["tables"].timeout_s == 5.0
    assert servers["more"].cwd == str(tmp_path / "sub")


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("{}", "exactly one of url and command"),
        ("{url: 'http://127.0.0.1/mcp', command: [x]}", "exactly one of url and command"),
        ("{url: 127.0.0.1}", "http:// or https:// URL"),
        ("{url: 'https://user:pass@example.org/mcp'}", "must not contain a secret"),
        ("{url: 'https://example.org/mcp?key=sk_abcdefABCDEF0123'}", "must not contain a secret"),
        ("{url: 'http://example.org/mcp', token_env: T}", "over https:// only"),
        ("{url: 'https://example.org/mcp', token_env: a-b}", "not the token itself"),
        ("{url: 'https://example.org/mcp', token_env: VOICE_HARNESS_API_KEY}", "the key of the session service"),
        ("{command: [x], token_env: T}", "a program gets no token"),
        ("{command: []}", "must not be empty"),
        ("{command: [x], timeout: 0s}", "at most 60s"),
        ("{command: [x], timeout: soon}", "not a valid duration"),
        ("{comand: [x]}", "did you mean 'command'?"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, server: str, told: str) -> None:
    with pytest.raises(ConfigError, match="agents") as caught:
        load_agents(written(tmp_path, f"{{tables: {server}}}"))
    assert told in str(caught.value)
    assert str(caught.value.where).startswith(f"{tmp_path}/agents.yaml:")


def test_an_agent_that_uses_no_words_calls_no_tool(tmp_path: Path) -> None:
    for more in ("    brain: fixed\n", "    kind: truth\n"):
        with pytest.raises(ConfigError, match="mcp needs kind: real and brain: prompt"):
            load_agents(written(tmp_path, "{tables: {command: [x]}}", more))


def test_without_the_extra_it_is_an_error_that_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents_file, "missing_extra", lambda: with_extra("mcp"))
    path = written(tmp_path, "{tables: {command: [x]}}")
    with pytest.raises(ConfigError, match="MCP is not installed") as caught:
        load_agents(path)
    assert caught.value.hint is not None
    assert "mcp" in caught.value.hint
    assert str(caught.value.where) == f"{path}:5:5"


def test_tokens_move_out_of_the_environment(tmp_path: Path) -> None:
    path = written(tmp_path, "{tables: {url: 'https://example.org/mcp', token_env: TABLES_TOKEN}}")
    environment = {"TABLES_TOKEN": " sk_canary \n", "MCP_TOKEN_OF_OTHERS": "b", "PATH": "/bin", "OTHER": "c"}
    tokens = take_tokens(path, environment)
    assert environment == {"PATH": "/bin", "OTHER": "c"}
    assert tokens["TABLES_TOKEN"].reveal() == "sk_canary"
    assert tokens["MCP_TOKEN_OF_OTHERS"].reveal() == "b"
    assert "OTHER" not in tokens
    assert take_tokens(path, environment)["TABLES_TOKEN"].reveal() == "sk_canary", "a second stack in this process"
    path.write_text("agents: [")
    assert "TABLES_TOKEN" in take_tokens(path, environment)
