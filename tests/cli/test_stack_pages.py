"""`stack up` refuses options of its pages that do not go together, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--runs", "reports"], "--runs needs --web"),
        (["--web", "--runs", "file"], "--runs must be a folder (got the file file)"),
        (["--page-port", "8080"], "--page-host and --page-port need a page"),
        (["--page-host", "10.0.0.5"], "--page-host and --page-port need a page"),
        (["--web", "--page-host", "my-machine"], "--page-host must be an IP address or localhost (got 'my-machine')"),
        (["--web", "--page-host", ""], "--page-host must be an IP address or localhost (got '')"),
        (["--web", "--page-port", "70000"], "invalid value for '--page-port'"),
    ],
)
def test_options_of_the_pages_that_cannot_be_meant(
    command: Command, tmp_path: Path, options: list[str], words: str
) -> None:
    (tmp_path / "file").write_text("")
    said = command("stack", "up", *options)
    assert said.code == 2
    assert words in said.error + said.err
