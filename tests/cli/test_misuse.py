"""Options of other load tools are answered with ours, and what is offered is taken by the same command."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import Command


@pytest.mark.parametrize(
    ("command_name", "words", "ours"),
    [
        ("load", ["-u", "20"], "--calls"),
        ("load", ["-u20"], "--calls"),
        ("load", ["--vus", "20"], "--calls"),
        ("load", ["--users=20"], "--calls"),
        ("run", ["-u", "20"], "--calls"),
        ("load", ["-r", "2"], "--rate"),
        ("run", ["-r", "2"], "--rate"),
        ("load", ["-t", "60s"], "--duration"),
        ("run", ["-t", "60s"], "--duration"),
        ("load", ["--run-time", "60s"], "--duration"),
        ("load", ["--iterations", "5"], "--repeat"),
        ("load", ["-i", "5"], "--repeat"),
        ("run", ["--iterations", "5"], "--repeat"),
        ("load", ["--spawn-rate", "2"], "--stages"),
        ("run", ["--spawn-rate", "2"], "--rate"),
        ("capacity", ["-u", "20"], "--max"),
        ("load", ["--targe", "embedded"], "--target"),
    ],
)
def test_an_option_of_another_tool_is_answered_with_ours(
    command: Command, command_name: str, words: list[str], ours: str
) -> None:
    said = command(command_name, "smoke", *words)
    assert said.code == 2
    option = words[0].partition("=")[0].rstrip("0123456789")
    assert said.error.startswith(f"no such option {option}; did you mean {ours}?\n  hint: {ours}")


@pytest.mark.parametrize(
    "words",
    [
        ["load", "smoke", "-u", "20"],
        ["load", "smoke", "--vus", "20"],
        ["load", "smoke", "-u", "20", "-t", "60s"],
        ["load", "smoke", "-r", "2", "-t", "60s"],
        ["load", "smoke", "-u", "2", "-i", "3"],
        ["run", "smoke", "-u", "2", "--iterations", "3"],
        ["run", "smoke", "-r", "2", "-t", "60s"],
        ["capacity", "opening-hours", "-u", "8"],
        ["run", "smoke", "-H", "embedded"],
    ],
)
def test_who_follows_the_answers_comes_to_a_plan(command: Command, words: list[str]) -> None:
    said = command(*words, "--dry-run", "--target", "embedded")
    while said.code == 2:
        found = re.match(r"no such option (\S+); did you mean (\S+)\?", said.error)
        assert found, said.error
        words = [found[2] if word == found[1] else word for word in words]
        said = command(*words, "--dry-run", "--target", "embedded")
    assert said.code == 0


def test_an_option_that_is_like_none_points_to_the_help(command: Command) -> None:
    said = command("load", "smoke", "--zzz")
    assert said.code == 2
    assert said.error == "no such option --zzz\n  hint: voice-harness load --help lists the options"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("run", "smoke", "--out", ""), "--out must not be empty\n  hint: name a folder, or leave --out out"),
        (
            ("capacity", "load", "--start", "5", "--max", "2"),
            "--start must be at most --max, 2 (got 5)\n  hint: use a smaller --start",
        ),
        (("run", "smoke", "--retry-unfit", "-1"), "--retry-unfit must be 0 or more (got -1)"),
    ],
)
def test_what_cannot_be_meant_is_refused(command: Command, words: list[str], error: str) -> None:
    said = command(*words, "--dry-run", "--target", "embedded")
    assert (said.code, said.error) == (2, error)
