"""The examples of README and docs name commands, options and files that exist."""

from __future__ import annotations

import functools
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from harness.cli.main import app
from harness.stack.agents_file import load_agents
from harness.target.init import FIRST_FILES, write_first_files
from tests.cli.conftest import KEY, Command
from tests.compare.made_runs import made_run, of_scenario

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "scenarios/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
WRITTEN = ("--out", "--truth", "--junit", "--markdown")  # their values are made by the command
MADE = ("reports/main",)  # by an example before
_FILE = re.compile(r"(?:[\w.-]+/)*[\w.-]+\.(?:yaml|yml|toml|md|txt|py|wav)|(?:[\w.-]+/)+[\w.-]*")
_TOLD = re.compile(r"`((?:harness|tests|docs|scenarios|audio_fixtures)/[\w./-]+)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)")


def commands(page: Path) -> Iterator[list[str]]:
    """The commands of a page's indented blocks, in words, without prompt and comment."""
    text = re.sub(r" \\\n\s+", " ", page.read_text(encoding="utf-8"))
    for line in text.splitlines():
        found = re.match(r"    (?:\w+\$ +)?(?:\.venv/bin/)?((?:voice-harness|locust) .*)", line)
        if found:
            yield shlex.split(found[1], comments=True)


EXAMPLES = [(page, words) for page in PAGES for words in commands(page)]


@functools.cache
def _whole() -> Any:
    """The command with all of its options, which takes a while to make."""
    return typer.main.get_command(app)


def _options(words: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The options that the command of these words has, and the words after its name."""
    command, rest = _whole(), words[1:]
    while (inner := getattr(command, "commands", None)) is not None:
        assert rest[0] in inner, f"there is no command {rest[0]}"
        command, rest = inner[rest[0]], rest[1:]
    return {option: parameter for parameter in command.params for option in parameter.opts}, rest


def _is_there(name: str) -> bool:
    # A prompt's path is counted from the scenario's folder.
    return any((ROOT / folder / name).exists() for folder in ("", "scenarios")) or name in FIRST_FILES or name in MADE


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 25
    assert {words[0] for _, words in EXAMPLES} == {"voice-harness", "locust"}


@pytest.mark.parametrize(("page", "words"), EXAMPLES, ids=lambda value: value.name if isinstance(value, Path) else "")
def test_an_example_names_what_exists(page: Path, words: list[str]) -> None:
    rest = words[1:]
    if words[0] == "voice-harness":
        known, rest = _options(words)
        for word in rest:
            name = word.partition("=")[0]
            assert not name.startswith("-") or name in known, f"{page.name}: there is no option {name} in {words}"
    before = ""
    for word in rest:
        if before in WRITTEN or word.startswith("http") or before == ">":
            before = word
            continue
        for part in word.split("="):
            if _FILE.fullmatch(part):
                assert _is_there(part), f"{page.name}: there is no {part}, in {' '.join(words)}"
        before = word


DRY = [(page, words) for page, words in EXAMPLES if words[1] in ("run", "load", "validate") and "--worker" not in words]


@pytest.mark.parametrize(("page", "words"), DRY, ids=lambda value: value.name if isinstance(value, Path) else "")
def test_an_example_comes_to_its_plan(command: Command, tmp_path: Path, page: Path, words: list[str]) -> None:
    """In a folder with this repository's scenarios and the files that `init` writes."""
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    write_first_files(tmp_path)
    if "--baseline" in words:
        made_run(tmp_path / "reports/main", calls=10, seed=1, settings=of_scenario(ROOT / words[2]))
        assert command("baseline", "save", "reports/main", "--name", "main").code == 0
    dry = [] if words[1] == "validate" or "--dry-run" in words else ["--dry-run"]
    said = command(*words[1:], *dry, env={"STAGING_VOICE_KEY": KEY})
    assert said.code == 0, f"{page.name}: {said.err}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_of_the_repository_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in _TOLD.findall(text):
        assert _is_there(name), f"{page.name}: there is no {name}"
    for link in _LINK.findall(text):
        assert (page.parent / link).exists(), f"{page.name}: the link {link} leads nowhere"


def test_the_example_of_a_file_of_agents_is_the_one_that_is_shown() -> None:
    file = ROOT / "docs/agents.yaml"
    assert {"slow", "gone"} <= set(load_agents(file))
    shown = re.search(r"```yaml\n(agents:\n.*?)```", (ROOT / "docs/embedded-stack.md").read_text(), re.DOTALL)
    assert shown is not None
    assert file.read_text().endswith(shown[1])


def test_both_pages_tell_the_same_of_a_process_that_died() -> None:
    for page in ("failures.md", "load.md"):
        text = (ROOT / "docs" / page).read_text()
        assert "harness.shard_died" in text
        assert "Nothing raises it" not in text
