"""The seven steps of docs/own-service.md, as they are written there, each run as its reader would."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.process.ports import free_tcp_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "own-service.md"
BIN = Path(sys.executable).parent
LIMIT_S = 120


def commands() -> list[list[str]]:
    """The page's commands, in words."""
    lines = re.findall(r"^    (\S.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


class Reader:
    """Follows the page in a folder with a copy of the files that it names."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if name not in ("CI", "VOICE_HARNESS_API_KEY")}
        self.env |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        self.known = {"AGENT": "", "sk_…": "", "8123": str(port)}
        self.stack: subprocess.Popen[str] | None = None

    def words(self, words: list[str]) -> list[str]:
        """The words with what the reader knows by now in place of AGENT and so on."""
        for name, value in self.known.items():
            words = [re.sub(rf"\b{name}\b" if name.isalnum() else re.escape(name), value, word) for word in words]
        return [word.replace("$VOICE_HARNESS_API_KEY", self.env.get("VOICE_HARNESS_API_KEY", "")) for word in words]

    def run(self, words: list[str]) -> str:
        """Runs a command of the harness; returns what it printed."""
        command = [sys.executable, "-m", "harness", *words[1:]]
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, words: list[str]) -> list[str]:
        """Starts the stack; returns the lines that it prints."""
        command = [sys.executable, "-m", "harness", *words[1:]]
        self.stack = subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, text=True)
        assert self.stack.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Ctrl-C"):
            line = self.stack.stdout.readline()
            assert line, lines
            lines.append(line)
        return lines

    def stop(self) -> None:
        """Ends the stack."""
        if self.stack is not None:
            self.stack.send_signal(signal.SIGINT)
            self.stack.communicate(timeout=30)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    for folder in ("docs", "scenarios"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    follows = Reader(tmp_path, free_tcp_port())
    yield follows
    follows.stop()


def posted(words: list[str]) -> dict[str, object]:
    """The answer to what curl would send."""
    headers = dict(word.split(": ", 1) for before, word in pairwise(words) if before == "-H")
    url = urlsplit(next(word for word in words if word.startswith("http")))
    assert url.hostname is not None
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    connection.request("POST", url.path, words[words.index("-d") + 1].encode(), headers)
    told: dict[str, object] = json.loads(connection.getresponse().read())
    connection.close()
    return told


def test_each_step_does_what_the_page_says(reader: Reader) -> None:
    done: list[str] = []
    for written in commands():
        words = reader.words(written)
        match words:
            case ["export", setting]:
                name, _, value = setting.partition("=")
                reader.env[name] = value
            case ["curl", *_]:
                told = posted(words)
                data = told["data"]
                assert isinstance(data, dict)
                assert set(data) == {"token", "livekit_url", "room_name"}
            case ["voice-harness", "stack", "up", *_]:
                lines = reader.start(words)
                assert any(line.startswith("page ") for line in lines)
                assert not any("sk_" in line for line in lines), "there is a key already"
            case ["voice-harness", *_]:
                said = reader.run(words)
                if words[1:4] == ["stack", "key", "create"]:
                    reader.known["sk_…"] = said.strip()
                elif words[1:4] == ["stack", "agent", "create"]:
                    reader.known["AGENT"] = said.strip()
                elif words[1] == "call":
                    assert "twelve pounds" in said
            case _:
                pytest.fail(f"the page has a command that no test runs: {words}")
        done.append(" ".join(words[:4]))
    assert len(done) == 9
    key = reader.known["sk_…"]
    kept = b"".join(path.read_bytes() for path in (reader.folder / "flow").rglob("*") if path.is_file())
    assert key.encode() not in kept
