"""`stack key` and `stack agent` work on the database of `stack up --data`."""

from __future__ import annotations

import json
from pathlib import Path

from harness.errors import UsageError
from tests.cli.conftest import ROOT, Command


def test_the_commands_make_list_and_revoke(command: Command, tmp_path: Path) -> None:
    made = command("stack", "key", "create", "--data", "d", "--label", "my site")
    key, key_id = made.out.strip(), made.err.split(":")[0]
    assert (made.code, key[:3]) == (0, "sk_")
    listed = command("stack", "key", "list", "--data", "d")
    assert key not in listed.out
    assert key_id in listed.out
    assert listed.out.endswith("never used  my site\n")
    assert command("stack", "key", "revoke", key_id, "--data", "d").out == f"{key_id} is revoked\n"
    assert "revoked 20" in command("stack", "key", "list", "--data", "d").out
    wrong = command("stack", "key", "revoke", "key_no", "--data", "d")
    assert (wrong.code, wrong.error.startswith("there is no key 'key_no'")) == (2, True)
    away = command("stack", "key", "list", "--data", "elsewhere")
    assert (away.code, "there is no database" in away.error) == (2, True)
    assert not (tmp_path / "elsewhere").exists()


def test_a_label_is_one_short_line(command: Command) -> None:
    for label in ("a\nb", "x" * 101):
        assert command("stack", "key", "create", "--data", "d", "--label", label).code == UsageError.exit_code


def test_the_commands_create_change_show_and_delete(command: Command, tmp_path: Path) -> None:
    (tmp_path / "prompt.md").write_text("We open at nine.")
    (tmp_path / "fares.md").write_text("# Fares\n\nA berth costs twelve pounds a night.\n")
    data = ("--data", "d")
    made = command(
        "stack", "agent", "create", "--prompt", "prompt.md", "--greeting", "Hello.", "--name", "Harbour", *data
    )
    agent = made.out.strip()
    assert (made.code, agent[:6]) == (0, "agent_")
    assert command("stack", "agent", "list", *data).out == f"{agent}  Harbour  en  Hello.\n"
    document = command("stack", "agent", "document", "add", agent, "fares.md", *data).out.split()[0]
    assert command("stack", "agent", "mcp", "add", agent, "t", "--command", "python server.py", *data).code == 0
    assert command("stack", "agent", "change", agent, "--language", "en-GB", *data).code == 0
    shown = json.loads(command("stack", "agent", "show", agent, *data).out)
    assert (shown["system_prompt"], shown["language"]) == ("We open at nine.", "en-GB")
    assert shown["documents"][0]["id"] == document
    assert shown["mcp_servers"]["t"]["command"] == ["python", "server.py"]
    assert command("stack", "agent", "document", "remove", agent, document, *data).code == 0
    assert command("stack", "agent", "mcp", "remove", agent, "t", *data).code == 0
    assert command("stack", "agent", "delete", agent, *data).code == 0
    for words in (("show",), ("delete",), ("change", "--greeting", "x")):
        wrong = command("stack", "agent", words[0], agent, *words[1:], *data)
        assert (wrong.code, wrong.error.startswith(f"there is no agent '{agent}'")) == (2, True)
    assert command("stack", "agent", "change", agent, *data).error.startswith("nothing to change")
    assert (
        "system_prompt: This field may not be blank"
        in command("stack", "agent", "create", "--prompt", " ", *data).error
    )


def test_a_file_is_a_reference_voice_by_command_only_if_it_holds_one(command: Command, tmp_path: Path) -> None:
    data = ("--data", "d")
    fixture = ROOT / "audio_fixtures" / "long-question.wav"
    made = command("stack", "agent", "create", "--prompt", "We open.", "--reference-audio", fixture, *data)
    agent = made.out.strip()
    shown = json.loads(command("stack", "agent", "show", agent, *data).out)
    assert shown["reference_audio_url"] == fixture.as_uri()
    for name, content, words in (
        ("none.wav", None, "there is no reference audio 'none.wav'"),
        ("notes.txt", b"not a sound", "notes.txt is not audio"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        wrong = command("stack", "agent", "change", agent, "--reference-audio", name, *data)
        assert (wrong.code, words in wrong.error) == (2, True), wrong.error
    private = ("--reference-audio", "http://127.0.0.1:8000/a.wav")
    wrong = command("stack", "agent", "change", agent, *private, *data)
    assert (wrong.code, "must not name a private address" in wrong.error) == (2, True)
    allowed = ("--allow-private-urls", "127.0.0.1:8000")
    assert command("stack", "agent", "change", agent, *private, *allowed, *data).code == 0
    assert command("stack", "agent", "change", agent, "--no-reference-audio", *data).code == 0
    assert json.loads(command("stack", "agent", "show", agent, *data).out)["reference_audio_url"] is None


def test_a_miss_is_told_with_what_there_is(command: Command) -> None:
    data = ("--data", "d")
    agent = command("stack", "agent", "create", "--prompt", "We open.", *data).out.strip()
    misses = {
        ("change", "--name", "B", f"{agent}x"): f"did you mean '{agent}'?",
        ("document", "remove", f"{agent}x", "doc_1"): f"did you mean '{agent}'?",
        ("mcp", "add", f"{agent}x", "t", "--command", "true"): f"did you mean '{agent}'?",
        ("document", "remove", agent, "doc_1"): f"agent '{agent}' has no document 'doc_1'",
        ("mcp", "remove", agent, "t"): f"agent '{agent}' has no MCP server 't'",
        ("mcp", "add", agent, "a b", "--command", "true"): "name: Must match the pattern",
        ("mcp", "add", agent, "t"): "exactly one of url and command",
    }
    for words, told in misses.items():
        wrong = command("stack", "agent", *words, *data)
        assert (wrong.code, told in wrong.error) == (2, True), wrong.error
