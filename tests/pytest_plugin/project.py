"""A project of a user in pytester's folder, with the plugin and made-up calls."""

from __future__ import annotations

from pathlib import Path

import pytest

import tests.pytest_plugin.fake_calls  # noqa: F401 - here, so that a run in this process finds it imported
from harness.pytest_plugin import calls, hooks  # noqa: F401 - as above

ROOT = Path(__file__).parents[2]
PLUGINS = ("-p", "harness.pytest_plugin.hooks", "-p", "xdist", "-p", "asyncio")
SERVICE = "http://127.0.0.1:9/api/agents/agent-session/"
KEY = "sk_of_a_service_0123456789"
INI = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\naddopts = --strict-markers\n"


class Project:
    """A project of a user.

    Args:
        pytester: pytest's own fixture.
        monkeypatch: Sets the environment.
    """

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pytester = pytester
        self.path = pytester.path
        self.log = self.path / "stack.log"
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # our own environment has heavy plugins
        monkeypatch.setenv("VOICE_HARNESS_API_KEY", KEY)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setenv("FAKE_STACK_LOG", str(self.log))
        for name in ("CI", "PYTEST_ADDOPTS"):
            monkeypatch.delenv(name, raising=False)
        self.write("pytest.ini", INI)

    def write(self, name: str, text: str) -> None:
        """Writes a file."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def configure(self, *lines: str) -> None:
        """Adds lines to pytest.ini."""
        self.write("pytest.ini", INI + "".join(f"{line}\n" for line in lines))

    def scenario(self, name: str, *, agent: str = "demo", tags: str = "", expect: str = "ttfa: <2s") -> None:
        """Writes a scenario of one turn."""
        tagged = f"tags: [{tags}]\n" if tags else ""
        turns = f"turns:\n  - type: When do you open?\n    expect: {{{expect}}}\n"
        self.write(f"scenarios/{name}.yaml", f"name: {name}\nagent: {agent}\n{tagged}{turns}")

    def command(self, *words: str, fake: bool = True, plugins: tuple[str, ...] = PLUGINS) -> list[str]:
        """The options of pytest in this project."""
        return [*plugins, *(("-p", "tests.pytest_plugin.fake_calls") if fake else ()), *words]

    def pytest(self, *words: str, fake: bool = True) -> pytest.RunResult:
        """Runs pytest in a process of its own."""
        return self._pytester.runpytest_subprocess(*self.command(*words, fake=fake))

    def pytest_here(self, *words: str, plugins: tuple[str, ...] = PLUGINS) -> pytest.RunResult:
        """Runs pytest in this process, which has imported what takes long; for runs that make no call.

        pytester forgets what such a run imports, and native modules that calls need cannot be imported twice.
        """
        return self._pytester.runpytest_inprocess(*self.command(*words, plugins=plugins))

    def names(self, *words: str) -> list[str]:
        """The tests that are collected."""
        made = self.pytest_here("--collect-only", "-q", *words)
        return [line for line in made.outlines if "::" in line]

    def told(self) -> list[str]:
        """What the made-up stack and calls have told of themselves, in order."""
        return self.log.read_text().splitlines() if self.log.exists() else []
