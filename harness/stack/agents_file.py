"""The agents file: for each name what it says, how soon, how it hears, and which faults it has.

    agents:
      slow:
        prompt: prompts/cafe.md            # a text, or a .md or .txt file beside this one
        greeting: Blue Cafe, how can I help?
        reply_delay: {lognormal: {median: 800ms, sigma: 0.3}}
      gone:
        prompt: We are closed.
        greeting: Hello.
        faults: [never_joins]

`demo`, `light` and `truth` are built in and always available; a file adds to them or replaces them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from harness.errors import ConfigError, KnowledgeError, Place
from harness.parsing.durations import duration_s
from harness.parsing.fitting import validate_model
from harness.parsing.plain_words import nearest
from harness.parsing.yaml_places import place_of, read_yaml
from harness.stack.file_words import Duration, Strict, Text
from harness.stack.knowledge import read_file
from harness.stack.reference_voice.owner import reference_of_owner
from harness.stack.shape import Shape
from harness.stack.tools.declared import McpServer, missing_extra

SHIPPED_FILE = Path(__file__).parent / "agents" / "shipped.yaml"
_PROMPT_SUFFIXES = (".md", ".txt")

AgentFault = Literal[
    "never_joins",
    "joins_late",
    "mute",
    "text_only",
    "voice_only",
    "no_echo",
    "garbage_frames",
    "crashes",
    "talks_for_ever",
    "joins_twice",
]
SessionFault = Literal[
    "unauthorized",
    "rate_limited",
    "rate_limited_once",
    "rejected",
    "server_error",
    "html",
    "success_false",
    "no_token",
    "no_url",
    "wrong_type",
    "endless",
    "drip",
    "redirect",
    "hang",
    "dead_url",
    "expired_token",
    "wrong_room",
]
PastHold = Literal["slow", "wrong"]
OVERRIDES = ("language", "system_prompt", "greeting", "reference_audio_url")


def _known_voice(value: str) -> str:
    if value not in ("joe", "espeak") and (not value.startswith("espeak:") or "@" in value):
        raise ValueError(f"unknown voice {value!r}; use one of joe, espeak, espeak:VARIANT")
    return value


def _known_fault(value: Any) -> Any:
    known = get_args(AgentFault)
    if value not in known:
        alike = nearest(str(value), known)
        hint = f"did you mean {alike!r}?" if alike else f"use one of {', '.join(known)}"
        raise ValueError(f"unknown fault {value!r}; {hint}")
    return value


class LognormalShape(Strict):
    """A log-normal distribution: `median`, and `sigma`, the standard deviation of the delays' logarithms."""

    median: Duration
    sigma: float = Field(ge=0, le=3)


def _as_choice(value: Any) -> Any:
    return {"choice": [value]} if isinstance(value, str | int | float) else value


MixedDelay = Annotated["Delay", BeforeValidator(_as_choice)]


class Delay(Strict):
    """A delay or a distribution of delays; exactly one of the keys is set. A plain `300ms` is a `choice` of one."""

    choice: Annotated[list[Duration], Field(min_length=1)] | None = Field(
        None, description="One of these delays, at random."
    )
    uniform: Annotated[list[Duration], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Any delay between these two."
    )
    lognormal: LognormalShape | None = Field(None, description="Typical of services: a few delays are much longer.")
    mix: Annotated[list[MixedDelay], Field(min_length=1)] | None = Field(
        None, description="One of these, at random; each a delay such as 300ms, or one of the other keys."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(shape is not None for shape in (self.choice, self.uniform, self.lognormal, self.mix)) != 1:
            raise ValueError("write a delay such as 300ms, or exactly one of choice, uniform, lognormal and mix")
        return self

    def sample_s(self, rng: random.Random) -> float:
        """Draws one delay, in seconds."""
        if self.mix is not None:
            return rng.choice(self.mix).sample_s(rng)
        if self.uniform is not None:
            low, high = sorted(duration_s(end) for end in self.uniform)
            return rng.uniform(low, high)
        if self.lognormal is not None:
            return duration_s(self.lognormal.median) * math.exp(rng.gauss(0.0, self.lognormal.sigma))
        return duration_s(rng.choice(self.choice or ["0ms"]))


class AgentSpec(Strict):
    """One reference agent's settings."""

    prompt: Text = Field(description="Its facts, or the .md or .txt file with them; with `brain: fixed`, its reply.")
    greeting: Text = Field(description="What it says first; empty for no greeting.")
    voice: Annotated[str, AfterValidator(_known_voice)] = "joe"
    reference_audio_url: Text | None = Field(
        None,
        description="Reference audio whose pitch and pace its voice takes on: an https URL, or the path of a file, "
        "relative to this file.",
    )
    language: str = Field("en", min_length=2)
    reply_delay: Annotated[Delay, BeforeValidator(_as_choice)] = Field(
        Delay(choice=["0ms"]),
        description="From the end of the caller's voice, or the arrival of a typed text, to its voice.",
    )
    endpointing: Duration = Field("500ms", description="How much silence ends the caller's turn.")
    ear: Literal["whisper", "none"] = Field("whisper", description="none: no transcript; it replies to any voice.")
    ear_model: str | None = Field(None, description="The folder of another Whisper model, in CTranslate2's format.")
    brain: Literal["prompt", "fixed"] = Field("prompt", description="fixed: the same reply to everything.")
    kind: Literal["real", "truth"] = Field(
        "real", description="truth: finds the end of the caller's speech by correlation."
    )
    documents: list[Text] = Field(
        default_factory=list,
        description="Documents (.txt, .md, .html, .pdf) from which it answers what its prompt does not hold.",
    )
    faults: list[Annotated[AgentFault, BeforeValidator(_known_fault)]] = Field(default_factory=list)
    engine: Literal["sdk", "light"] | None = Field(
        None,
        description="sdk: LiveKit's own client; light: on sockets, which takes less CPU. "
        "Default: light for `kind: truth`, and if neither ear nor brain is real; otherwise sdk.",
    )
    joins_late_by: Duration = "3s"
    noise_dbfs: float | None = Field(
        None,
        ge=-90,
        le=-20,
        description="RMS level of white noise, in its speech and in its silence, in dBFS.",
    )
    shape: Shape = Field(
        Shape(), description="How it joins the room, who else is there, and how it and the connection end."
    )
    session: SessionFault | None = Field(None, description="What goes wrong when a session with it is requested.")
    holds: int | None = Field(
        None, ge=1, description="How many concurrent calls it answers correctly; by default any number."
    )
    past_hold: PastHold | None = Field(
        None,
        description="With more concurrent calls than `holds`. slow (default): replies take three times as long; "
        'wrong: every reply is "I do not know."',
    )

    mcp: dict[Annotated[str, Field(min_length=1, max_length=64)], McpServer] = Field(
        default_factory=dict, description="MCP servers whose tools it calls to answer, by name."
    )

    @model_validator(mode="after")
    def _words_for_tools(self) -> Self:
        if self.mcp and (self.brain == "fixed" or self.kind == "truth"):
            raise ValueError("mcp needs kind: real and brain: prompt; other agents call no tool")
        return self

    @model_validator(mode="after")
    def _past_something(self) -> Self:
        if self.past_hold is not None and self.holds is None:
            raise ValueError("past_hold needs holds, the number of concurrent calls that the agent answers correctly")
        return self

    @model_validator(mode="after")
    def _answers_from_documents(self) -> Self:
        if self.documents and (self.brain == "fixed" or self.kind == "truth"):
            raise ValueError("documents have no effect on an agent with brain: fixed or kind: truth")
        return self

    @model_validator(mode="after")
    def _voice_that_can(self) -> Self:
        if self.reference_audio_url is not None and self.kind == "truth":
            raise ValueError("kind: truth plays one fixed sound and cannot use reference_audio_url; remove it")
        return self

    @model_validator(mode="after")
    def _line_that_can(self) -> Self:
        if self.engine == "light" and self.shape.needs_sdk:
            raise ValueError(
                "engine: light does not support an avatar, tracks other than `late`, red, or dtx: false; "
                "remove it, or use engine: sdk"
            )
        return self

    @property
    def line(self) -> Literal["sdk", "light"]:
        """The engine that carries its media."""
        if self.engine is not None:
            return self.engine
        if self.shape.needs_sdk:
            return "sdk"
        return "light" if self.kind == "truth" or (self.ear == "none" and self.brain == "fixed") else "sdk"

    @property
    def endpointing_s(self) -> float:
        """The silence that ends a caller's utterance, in seconds."""
        return duration_s(self.endpointing)

    @property
    def joins_late_by_s(self) -> float:
        """How late it joins with the fault `joins_late`, in seconds."""
        return duration_s(self.joins_late_by)

    @property
    def spoken_voice(self) -> str:
        """The voice it speaks with; `joe` speaks English only, so espeak replaces it for other languages."""
        return "espeak" if self.voice == "joe" and self.language.split("-")[0] != "en" else self.voice

    def sample_delay_s(self, rng: random.Random) -> float:
        """Draws one reply delay, in seconds."""
        return self.reply_delay.sample_s(rng)

    def overridden(self, overrides: Mapping[str, str]) -> AgentSpec:
        """The agent with a session's overrides applied."""
        changed = {
            "prompt" if name == "system_prompt" else name: overrides[name] for name in OVERRIDES if name in overrides
        }
        return self.model_copy(update=changed)


class _File(Strict):
    agents: dict[str, AgentSpec]


def load_agents(path: Path | None) -> dict[str, AgentSpec]:
    """All agents by name: the built-in ones, with those of the file at `path` added or replacing them.

    Raises:
        ConfigError: The file or a prompt's file cannot be read, or has unknown content; names the place.
        KnowledgeError: A document cannot be read or is refused; names the place.
    """
    agents = dict(_shipped())
    if path is not None:
        agents |= _read(path)
    return agents


@cache
def _shipped() -> Mapping[str, AgentSpec]:
    """The built-in agents: a command asks for them several times, and they do not change."""
    return _read(SHIPPED_FILE)


def agent_named(agents: Mapping[str, AgentSpec], name: str, where: Place | None = None) -> AgentSpec:
    """The agent of that name, which `where` asks for.

    Raises:
        ConfigError: There is none; suggests the closest name.
    """
    if name in agents:
        return agents[name]
    alike = nearest(name, list(agents))
    what = f"unknown agent {name!r}" + (f"; did you mean {alike!r}?" if alike else "")
    raise ConfigError(what, where=where, hint=f"use one of: {', '.join(agents)}")


def _read(path: Path) -> dict[str, AgentSpec]:
    data = read_yaml(path, error=ConfigError)
    if not isinstance(data, Mapping):
        raise ConfigError("an agents file must be a mapping", where=Place(path), hint="write agents: {NAME: {…}}")
    file = validate_model(_File, data, path=path, error=ConfigError)
    return {name: _with_files(name, spec, data, path) for name, spec in file.agents.items()}


def _with_files(name: str, spec: AgentSpec, data: Any, path: Path) -> AgentSpec:
    """The agent with its prompt file read and its documents checked; paths are relative to the file's directory."""
    changed: dict[str, Any] = {}
    if spec.mcp:
        changed["mcp"] = _with_folders(name, spec, data, path)
    if spec.prompt.endswith(_PROMPT_SUFFIXES) and "\n" not in spec.prompt:
        prompt_path = path.parent / spec.prompt
        try:
            changed["prompt"] = prompt_path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise ConfigError(
                f"the prompt {spec.prompt!r} of agent {name!r} cannot be read: {problem}",
                where=place_of(path, data, ("agents", name, "prompt")),
                hint="give the path of a UTF-8 text file, relative to this file, or write the prompt itself",
            ) from None
    if spec.reference_audio_url is not None:
        where = place_of(path, data, ("agents", name, "reference_audio_url"))
        changed["reference_audio_url"] = reference_of_owner(spec.reference_audio_url, path.parent, where)
    if spec.ear_model is not None:
        changed["ear_model"] = str(path.parent / spec.ear_model)
    if spec.documents:
        places = [place_of(path, data, ("agents", name, "documents", at)) for at in range(len(spec.documents))]
        found = zip(spec.documents, places, strict=True)
        changed["documents"] = [_document(path.parent / document, place) for document, place in found]
    return spec.model_copy(update=changed)


def _with_folders(name: str, spec: AgentSpec, data: Any, path: Path) -> dict[str, McpServer]:
    """The agent's MCP servers with the folders of programs made absolute."""
    hint = missing_extra()
    if hint is not None:
        where = place_of(path, data, ("agents", name, "mcp"))
        raise ConfigError(f"agent {name!r} has MCP servers, and MCP is not installed", where=where, hint=hint)
    folder = path.parent.absolute()
    return {
        called: server
        if server.command is None
        else server.model_copy(update={"cwd": str(folder / (server.cwd or ""))})
        for called, server in spec.mcp.items()
    }


def _document(path: Path, place: Place) -> str:
    """The absolute path of a document that can be read. Reading is cached: the agents' process does not do it again."""
    try:
        read_file(path)
    except KnowledgeError as problem:
        raise KnowledgeError(
            f"the document {path.name!r} cannot be used: {problem.what}", where=place, hint=problem.hint
        ) from None
    return str(path.absolute())
