"""`--prometheus` and `--otlp` where they cannot be done: known before any call, and nothing is left."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.cli.conftest import KEY, Command, write_scenario

TYPED = "name: typed\nturns:\n  - type: Hello.\n"
NOWHERE = ("--target", "http://127.0.0.1:9/api/", "--agent", "a")


def test_a_port_that_is_taken_ends_a_run_before_its_first_call(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, TYPED)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = command("run", "s.yaml", *NOWHERE, "--prometheus", port, env={"VOICE_HARNESS_API_KEY": KEY})
    assert said.code == 2
    assert said.error.startswith(f"--prometheus: the port {port} of 127.0.0.1 cannot be used")
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("option", [("--prometheus", "0"), ("--otlp", "http://127.0.0.1:4318")])
def test_a_worker_exports_nothing(command: Command, tmp_path: Path, option: tuple[str, str]) -> None:
    write_scenario(tmp_path, TYPED)
    said = command("load", "s.yaml", *NOWHERE, "--worker", *option, env={"VOICE_HARNESS_API_KEY": KEY})
    assert said.code == 2
    assert said.error.startswith(f"{option[0]} cannot be combined with --worker")


@pytest.mark.parametrize("name", ["run", "load", "capacity"])
def test_a_url_of_a_collector_is_checked_by_each_command(command: Command, tmp_path: Path, name: str) -> None:
    write_scenario(tmp_path, TYPED)
    said = command(name, "s.yaml", *NOWHERE, "--otlp", "4318", "--dry-run", env={"VOICE_HARNESS_API_KEY": KEY})
    assert said.code == 2
    assert said.error.startswith("--otlp: this is no URL")
