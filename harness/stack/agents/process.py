"""The agents' process: it reads orders as JSON lines on standard input and runs all agents on one event loop.

    {"do": "start", "livekit": {"url", "api_key", "api_secret"}, "agents_file": path or null, "truth_log": path or null,
     "warm": [names], "tokens": {variable: token}, "private_hosts": [HOST[:PORT]]}
                                once, first; answered by {"ready": true} or {"error": …}
    {"do": "join", "room", "agent", "overrides": {…}, "spec"?}          an agent joins that room now; `spec` are its
                                settings if the agents file does not have them
    {"do": "watch" or "unwatch", "room"}                                report the frames that its agent sends there

It reports on a room on standard output: {"room", "is"}, where `is` is `set` (everyone who should be there before the
caller is), `met` (agent and caller are both there), `cut` (cut the caller's signalling now), `over` (nothing of the
agent is left in it) or `frame` (of a room that is watched, with its `number` there, from 0, and the `frame`).

End of standard input, SIGTERM, and the death of the speech worker end the process, after it has left every room. SIGINT
is left to the parent.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from harness.clock import SystemClock
from harness.errors import EXIT_OK, ConfigError, HarnessError, StackError
from harness.machine.open_files import take_all_allowed
from harness.process.lines import error_message, line_of
from harness.secret import Secret
from harness.stack.agents.apart import Apart
from harness.stack.agents.ear import AgentEar, Hearing
from harness.stack.agents.finder import Bank
from harness.stack.agents.fixtures import load_fixtures
from harness.stack.agents.frames import Frames
from harness.stack.agents.hold import WRONG
from harness.stack.agents.light_line import Coded
from harness.stack.agents.sdk_network import require_network
from harness.stack.agents.server import ServerApi
from harness.stack.agents.session_voice import SessionVoice
from harness.stack.agents.surroundings import Surroundings
from harness.stack.agents.thought import Real, Thinking, Truth
from harness.stack.agents.truth import TruthEar
from harness.stack.agents.truth_log import TruthLog
from harness.stack.agents.visit import Visit
from harness.stack.agents.voices import Voices
from harness.stack.agents_file import AgentSpec, agent_named, load_agents
from harness.stack.reference_voice.fetch import AudioFetcher
from harness.stack.reference_voice.references import References
from harness.stack.reference_voice.url_rules import PrivateHosts
from harness.stack.tokens import LiveKitKeys
from harness.stack.tools.servers import load_sdk
from harness.stack.tools.session import Log, SessionTools
from harness.transport.hub import TransportHub

LINE_LIMIT_BYTES = 1 << 24  # an agent's longest prompt has 12 bytes a character in JSON
LEAVE_TIMEOUT_S = 8.0
_PATHS = ("agents_file", "truth_log")


@dataclass(frozen=True, slots=True)
class Start:
    """The first order.

    Attributes:
        keys: The server to join.
        agents_file: The agents file.
        truth_log: The truth log's file.
        warm: The agents to warm up.
        tokens: The tokens of MCP servers, by their variables.
        private_hosts: Private hosts from which reference audio may be fetched.
    """

    keys: LiveKitKeys
    agents_file: Path | None
    truth_log: Path | None
    warm: Sequence[str]
    tokens: Mapping[str, Secret] = field(default_factory=dict)
    private_hosts: Sequence[str] = ()

    def to_message(self) -> dict[str, Any]:
        """The order as a message for another process; contains secrets."""
        keys = self.keys
        livekit = {"url": keys.url, "api_key": keys.api_key, "api_secret": keys.api_secret.reveal()}
        paths = {name: getattr(self, name) for name in _PATHS}
        told = {name: None if path is None else str(path) for name, path in paths.items()}
        tokens = {name: token.reveal() for name, token in self.tokens.items()}
        more = {"warm": list(self.warm), "tokens": tokens, "private_hosts": list(self.private_hosts)}
        return {"do": "start", "livekit": livekit, **told, **more}

    @classmethod
    def from_line(cls, line: bytes) -> Start:
        """Parses the order from a line of standard input.

        Raises:
            ConfigError: It is not a start order; the line itself, which holds a secret, is not shown.
        """
        try:
            order = json.loads(line)
            livekit = order["livekit"]
            keys = LiveKitKeys(livekit["url"], livekit["api_key"], Secret(livekit["api_secret"]))
            paths = {name: Path(order[name]) if order.get(name) else None for name in _PATHS}
            tokens = {str(name): Secret(str(token)) for name, token in order.get("tokens", {}).items()}
            hosts = order.get("private_hosts", [])
            return cls(keys, warm=order.get("warm", []), tokens=tokens, private_hosts=hosts, **paths)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigError(
                "the first line is not a valid start order", hint="see harness/stack/agents/process.py"
            ) from None


class Agents:
    """All agents of the process, each in its room.

    Args:
        start: The first order.
        on_fall: Called when the speech worker has died: no agent can speak any longer.

    Raises:
        ConfigError: The agents file is not usable.
    """

    def __init__(self, start: Start, on_fall: Callable[[], None]) -> None:
        self._on_fall = on_fall
        self.exit_code = EXIT_OK
        self._specs = load_agents(start.agents_file)
        self._warm = [(name, agent_named(self._specs, name)) for name in start.warm]
        self._voices = Voices()
        self._references = References(AudioFetcher(PrivateHosts.parse(start.private_hosts)))
        self._searches = ThreadPoolExecutor(1, thread_name_prefix="finder")
        self._bank: Bank | None = None
        self._truth_log = TruthLog(start.truth_log, SystemClock())
        self._tokens = start.tokens
        clock = self._clock = SystemClock()
        self._server = ServerApi(start.keys)
        self._frames = Frames(_tell_of_frame, clock)
        self._around = Surroundings(
            start.keys,
            TransportHub(clock),
            Coded(),
            self._thinking,
            self._tools,
            self._hearing,
            self._truth_log,
            clock,
            self._server,
            _tell_of_room,
            self._frames,
        )
        self._apart = Apart(start.to_message(), self._told_apart)
        self._rooms: dict[str, asyncio.Task[None]] = {}

    async def warm(self) -> None:
        """Loads what the agents of `warm` need, and synthesises their greetings and first words.

        Raises:
            HarnessError: Something they need is missing.
        """
        if any(spec.line == "sdk" for _, spec in self._warm):
            require_network()
        if any(spec.mcp for spec in self._specs.values()):
            load_sdk()
        for _, spec in self._warm:
            if spec.kind == "truth":
                self._fixtures()
                continue
            if spec.ear == "whisper" or spec.brain == "prompt":
                await self._voices.warm(spec)
            thinking = self._thinking(spec, None)
            answer = await thinking.answer("Hello.")
            wrong = [WRONG] if spec.past_hold == "wrong" else []
            for text in filter(str.strip, (spec.greeting, *answer.parts[:1], *wrong)):
                await thinking.say(text.strip())

    def follow(self, order: Mapping[str, Any]) -> None:
        """Carries out an order.

        Raises:
            ValueError: There is no such order, or a setting in it is wrong.
            KeyError: Something is missing in it.
            HarnessError: The agent is not known.
        """
        match order["do"]:
            case "join":
                self.join(order)
            case "watch":
                self._frames.watch(order["room"])
            case "unwatch":
                self._frames.unwatch(order["room"])
            case other:
                raise ValueError(f"there is no order {other!r}")

    def join(self, order: Mapping[str, Any]) -> None:
        """Sends an agent into a room; a failure there is reported on stderr and ends that room only."""
        name, room = order["agent"], order["room"]
        overrides = order.get("overrides") or {}
        stored = order.get("spec")  # of an agent that is not as the agents file has it
        spec = agent_named(self._specs, name) if stored is None else AgentSpec.model_validate(stored)
        spec = spec.overridden(overrides)
        if spec.shape.token.shared and room in self._rooms:
            _tell_of_room(room, "set")
            return
        if spec.shape.dies and not order.get("apart"):
            running = self._run_apart(order, name, room)
        else:
            for fault in spec.faults:
                self._truth_log.write(room, name, "fault", name=fault)
            # Only the owner gives an agent a file, by the agents file or a command; overrides come by HTTP.
            by_owner = "reference_audio_url" not in overrides
            running = self._run(name, spec, room, by_owner=by_owner)
        task = self._rooms[room] = asyncio.create_task(running)
        task.add_done_callback(lambda _: self._over(room, task))
        if order.get("apart"):
            self._frames.watch(room)  # the process that started this one keeps them, and knows who watches

    def _told_apart(self, message: Mapping[str, Any]) -> None:
        """Handles what an agent in a process of its own reports on its room."""
        if message.get("is") == "frame":
            self._frames.keep(message["room"], message["frame"])
        else:
            _answer(message)

    def _over(self, room: str, task: asyncio.Task[None]) -> None:
        if self._rooms.get(room) is task:
            del self._rooms[room]
        self._frames.over(room)
        _tell_of_room(room, "over")

    async def close(self) -> None:
        """Leaves all rooms and ends the speech workers."""
        running = list(self._rooms.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=LEAVE_TIMEOUT_S)
        await self._server.close()
        await self._voices.close()
        self._searches.shutdown(wait=False, cancel_futures=True)
        self._truth_log.close()

    async def _run_apart(self, order: Mapping[str, Any], name: str, room: str) -> None:
        try:
            said = await self._apart.run(order)
        except OSError as problem:
            said = str(problem)
        if said:
            _tell(f"agent {name!r} in room {room!r}, in a process of its own, ended:\n{said}")

    async def _run(self, name: str, spec: AgentSpec, room: str, *, by_owner: bool) -> None:
        around, voice = self._around, self._session_voice(name, spec, room, by_owner=by_owner)
        if voice is not None:
            around = replace(around, thinking=partial(self._thinking, voice=voice))
        try:
            await Visit(name, spec, room, around).run()
        except Exception as problem:  # noqa: BLE001 - a failure in one room, of whatever kind, must not end the others
            _tell(f"agent {name!r} in room {room!r} failed and left:\n{traceback.format_exc()}")
            if _is_fall(problem):
                self.exit_code = StackError.exit_code
                self._on_fall()
        finally:
            if voice is not None:
                voice.close()

    def _session_voice(self, name: str, spec: AgentSpec, room: str, *, by_owner: bool) -> SessionVoice | None:
        if spec.reference_audio_url is None:
            return None
        log = partial(self._truth_log.write, room, name)
        return SessionVoice(spec, self._references, log, by_owner=by_owner)

    def _thinking(self, spec: AgentSpec, tools: SessionTools | None, voice: SessionVoice | None = None) -> Thinking:
        return Truth(spec) if spec.kind == "truth" else Real(spec, self._voices, tools, voice)

    def _tools(self, spec: AgentSpec, log: Log) -> SessionTools | None:
        if not spec.mcp:
            return None
        return SessionTools(spec.mcp, self._tokens, self._clock, language=spec.language, log=log)

    def _hearing(self, spec: AgentSpec) -> Hearing:
        if spec.kind == "truth":
            return TruthEar(self._fixtures(), self._searches)
        return AgentEar(spec.endpointing_s, by_level=spec.line == "light")

    def _fixtures(self) -> Bank:
        if self._bank is None:
            self._bank = Bank(load_fixtures())
        return self._bank


async def serve() -> int:
    """Carries out orders until standard input ends; returns the exit code."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    orders = asyncio.StreamReader(limit=LINE_LIMIT_BYTES)
    loop.add_signal_handler(signal.SIGTERM, orders.feed_eof)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    line = await orders.readline()
    if not line:
        return EXIT_OK
    agents: Agents | None = None
    try:
        agents = Agents(Start.from_line(line), orders.feed_eof)
        await agents.warm()
    except HarnessError as problem:
        _answer(error_message(problem))
        if agents is not None:
            await agents.close()
        return problem.exit_code
    _answer({"ready": True})
    while line := await orders.readline():
        try:
            agents.follow(json.loads(line))
        except (ValueError, KeyError, TypeError, HarnessError) as problem:
            _tell(f"an order that cannot be followed: {problem!r}")
    await agents.close()
    return agents.exit_code


def main() -> int:
    """Entry point of `python -m harness.stack.agents`."""
    take_all_allowed()
    return asyncio.run(serve())


def _is_fall(problem: Exception) -> bool:
    within = problem.subgroup(StackError) if isinstance(problem, ExceptionGroup) else None
    return within is not None or isinstance(problem, StackError)


def _answer(message: Mapping[str, Any]) -> None:
    sys.stdout.write(line_of(message))
    sys.stdout.flush()


def _tell_of_room(room: str, what: Literal["set", "met", "cut", "over"]) -> None:
    _answer({"room": room, "is": what})


def _tell_of_frame(room: str, number: int, frame: Mapping[str, Any]) -> None:
    _answer({"room": room, "is": "frame", "number": number, "frame": frame})


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
