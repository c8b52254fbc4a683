"""`voice-harness contract check`: its options, its output, and its exit codes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Command
from tests.cli.served import served
from tests.contract.services import (
    AGENT,
    BACKEND_PATH,
    KEY,
    REVOKED,
    SESSION_PATH,
    BackendRoute,
    SessionService,
    serving,
)

ENV = {"VOICE_HARNESS_API_KEY": KEY, "OLD_KEY": REVOKED}


def test_the_table_says_rule_by_rule_what_came_of_it(command: Command) -> None:
    with served(serving(session=SessionService(), backend=BackendRoute())) as address:
        said = command(
            *("contract", "check", "--target", address + SESSION_PATH, "--backend", address + BACKEND_PATH),
            *("--agent", AGENT, "--no-room", "--revoked-key-env", "OLD_KEY"),
            env=ENV,
        )
    assert said.code == 0, said.out
    assert "met        session.key.revoked " in said.out
    assert "not tried  room.* " in said.out
    assert "no room is joined (--no-room)" in said.out
    assert said.out.splitlines()[-1].startswith("PASS  ")
    assert "0 broken" in said.out


def test_json_and_junit_name_what_is_broken_and_mask_the_key(command: Command, tmp_path: Path) -> None:
    with served(serving(session=SessionService("key in a refusal"), backend=BackendRoute())) as address:
        said = command(
            *("contract", "check", "--target", address + SESSION_PATH, "--agent", AGENT, "--no-room"),
            *("--json", "check.json", "--junit", "check.xml"),
            env=ENV,
        )
    assert said.code == 1
    content = json.loads((tmp_path / "check.json").read_text())
    assert [rule["id"] for rule in content["rules"] if rule["outcome"] == "broken"] == ["session.key.leak.errors"]
    assert (content["version"], content["exit_code"], content["counts"]["broken"]) == (1, 1, 1)
    root = ET.parse(tmp_path / "check.xml").getroot()
    assert root.get("failures") == "1"
    [failure] = root.iter("failure")
    assert "the wrong key is in the body" in failure.get("message", "")
    assert len(list(root.iter("testcase"))) == len(content["rules"]) == int(root.get("tests", "0"))
    for text in (said.out, said.err, (tmp_path / "check.json").read_text(), (tmp_path / "check.xml").read_text()):
        assert KEY not in text
        assert "eyJ" not in text


@pytest.mark.parametrize("last", [(), ("--no-room",)])
def test_json_without_a_file_goes_to_standard_output(command: Command, last: tuple[str, ...]) -> None:
    with served(serving(session=SessionService(), backend=BackendRoute())) as address:
        said = command(
            *("contract", "check", "--agent", AGENT, "--backend", address + BACKEND_PATH, "--read-only", "--json"),
            *last,
        )
    assert said.code == 0
    assert json.loads(said.out)["urls"] == {"backend": address + BACKEND_PATH}


def test_read_only_creates_nothing_at_either(command: Command) -> None:
    session, backend = SessionService(), BackendRoute()
    with served(serving(session=session, backend=backend)) as address:
        said = command(
            *("contract", "check", "--target", address + SESSION_PATH, "--backend", address + BACKEND_PATH),
            *("--agent", AGENT, "--read-only"),
            env=ENV,
        )
    assert said.code == 0
    assert (session.created, backend.created) == (0, 0)
    assert "--read-only creates no session" in said.out


def test_a_service_that_is_not_there_is_3(command: Command, unused_tcp_port: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/"
    said = command("contract", "check", "--target", url, "--agent", AGENT, "--junit", "check.xml", env=ENV)
    assert said.code == 3
    assert "NOT REACHED" in said.out
    assert ET.parse(tmp_path / "check.xml").getroot().get("errors") == "1"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--target", "http://127.0.0.1:9/"), "no agent is given"),
        (("--target", "http://127.0.0.1:9/", "--agent", "a", "--revoked-key-env", "NOT_SET"), "NOT_SET"),
        (("--target", "http://127.0.0.1:9/", "--agent", "a", "--engine", "car"), "--engine must be sdk or light"),
        (("--backend", "127.0.0.1:9", "--agent", "a"), "the URL must start with https://"),
        (("--backend", f"http://127.0.0.1:9/?key={KEY}", "--agent", "a"), "this contains an API key"),
        (("--backend", "http://127.0.0.1:9/", "--agent", "a", "--json", "no/such/folder.json"), "cannot be written"),
        (("--agent", "a"), "no target is given"),
    ],
)
def test_wrong_usage_is_2_before_anything_is_sent(command: Command, words: tuple[str, ...], error: str) -> None:
    said = command("contract", "check", *words, env=ENV)
    assert said.code == 2
    assert error in said.error
    assert KEY not in said.err


CONFIG = """
[targets.site]
kind = "backend"
url = "{url}"
agent = "demo"
"""


def test_a_target_that_is_a_route_is_checked_as_one(command: Command, tmp_path: Path) -> None:
    with served(serving(session=SessionService(), backend=BackendRoute("more data"))) as address:
        (tmp_path / "voice-harness.toml").write_text(CONFIG.format(url=address + BACKEND_PATH))
        said = command("contract", "check", "--target", "site", "--no-room")
        both = command("contract", "check", "--target", "site", "--backend", address + BACKEND_PATH)
    assert said.code == 1
    assert "BROKEN     backend.data.only " in said.out
    assert both.code == 2
    assert "the target is a backend route" in both.error


@pytest.mark.live
def test_the_embedded_service_keeps_every_rule(command: Command) -> None:
    words = ("contract", "check", "--target", "embedded", "--agent", "light", "--engine", "light")
    said = command(*words, env={"PYTHONPATH": str(ROOT)})
    assert said.code == 0, said.out
    assert "embedded stack up" in said.err
    assert "met        room.echo " in said.out
    assert "met        room.left " in said.out
