"""Nothing that becomes of the output stops a run: a reader that goes, a full disk, an encoding, a closed stream."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command, environment, shell, write_scenario


def test_a_reader_that_goes_is_no_error(tmp_path: Path) -> None:
    ran = shell('$VH schema | head -1; echo "${PIPESTATUS[0]}"', tmp_path)
    assert ran.stdout == "{\n0\n"
    assert ran.stderr == ""


def test_a_reader_of_errors_that_goes_keeps_the_exit_code(tmp_path: Path) -> None:
    ran = shell('$VH validate nothing.yaml 2>&1 | true; echo "${PIPESTATUS[0]}"', tmp_path)
    assert ran.stdout == "2\n"


def test_output_lost_to_a_full_disk_is_told(tmp_path: Path) -> None:
    ran = shell("$VH schema > /dev/full", tmp_path)
    assert ran.returncode == 4
    assert ran.stderr == "error: the output could not be written: No space left on device\n"


def test_output_lost_to_a_full_disk_goes_before_a_service_that_is_not_there(tmp_path: Path) -> None:
    words = ("run", "smoke", "--target", "http://127.0.0.1:9/x", "--agent", "a")
    ran = shell(f"$VH {' '.join(words)} > /dev/full", tmp_path, environment(VOICE_HARNESS_API_KEY="abc"))
    assert ran.returncode == 4, "and not 3"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_error(tmp_path: Path, closed: str) -> None:
    ran = shell(f"$VH schema {closed}", tmp_path)
    assert ran.returncode == 0
    assert ran.stderr == ""


def test_a_character_that_the_encoding_lacks_is_replaced(tmp_path: Path) -> None:
    write_scenario(tmp_path, "name: a\nturns:\n  - type: x\n", "caf\N{EURO SIGN}.yaml")
    ran = shell("$VH validate caf*.yaml", tmp_path, environment(PYTHONIOENCODING="latin-1"))
    assert ran.returncode == 0
    assert ran.stdout == "ok  caf?.yaml  a: 1 turn\n"


def test_a_bug_is_told_with_its_traceback_and_without_key_or_token(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, token = "sk_traceback_0123456789", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"

    def broken() -> None:
        raise RuntimeError(f"wss://host?access_token={token} refused, key {key}")

    monkeypatch.setattr("harness.scenario.schema.scenario_schema", broken)
    said = command("schema")
    assert said.code == 4
    assert "error: a bug in voice-harness: RuntimeError: wss://host?access_token=*** refused, key ***" in said.err
    assert "Traceback" in said.err
    assert key not in said.err
    assert token not in said.err
