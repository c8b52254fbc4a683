"""`stack key` and `stack agent` work on the database of `stack up --data`."""

from __future__ import annotations

import json
from pathlib import Path

from harness.errors import UsageError
from tests.cli.conftest import Command


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
