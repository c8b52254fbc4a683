"""Prepares scenarios for calls: loads audio, resolves agent and timeouts, rejects what cannot be judged."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from harness.call.plan import CallPlan
from harness.errors import ConfigError, FixtureError, Place, ScenarioError, UsageError, each_of, raise_all
from harness.installed_from import with_extra_stack
from harness.record.metric_ref import MetricRef
from harness.scenario.load import LoadedScenario
from harness.scenario.model import SpokenText, Step
from harness.scenario.no_keys import refuse_key
from harness.scenario.timeouts import CallTimeouts, resolve_timeouts
from harness.target.choose import check_agent
from harness.target.target import Target
from harness.text.counted import counted
from harness.utterances.find import Speaker, Utterance, is_text, load_speech, speak_text

EMBEDDED_AGENT = "demo"
LONGER_S = 60.0  # how much longer a call may last than the time for which its turns are looped
SLOW_CHARACTERS_A_S, QUICK_CHARACTERS_A_S = 8.0, 25.0  # bounds of the speed of a synthesised voice
Say = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """A scenario with everything that its calls need; `speech[i]` is what step i says."""

    loaded: LoadedScenario
    speech: Sequence[Utterance | None]
    agent: str
    timeouts: CallTimeouts
    agent_identity: str | None = None

    def plan(self, call: str, target: str) -> CallPlan:
        """Returns the plan of one call; `call` is its id, `target` the target as reports name it."""
        loaded = self.loaded
        plan = CallPlan(call, loaded.model, self.speech, self.agent, loaded.overrides, self.timeouts, target)
        return replace(plan, agent_identity=self.agent_identity)

    def lasting(self, loop_s: float | None) -> Prepared:
        """Returns a copy whose calls may last `loop_s` seconds plus a minute; None returns it unchanged."""
        if loop_s is None:
            return self
        return replace(self, timeouts=replace(self.timeouts, call=loop_s + LONGER_S))

    def longest_s(self) -> float:
        """Returns a rough upper bound of one call in seconds: everything said, with all waits at their longest."""
        turns_s = self._turns * (self.timeouts.reply + self.timeouts.end_silence)
        return min(self._set_up_s + self._own_s(SLOW_CHARACTERS_A_S) + turns_s, self.longest_looped_s())

    def longest_looped_s(self) -> float:
        """Returns the same for a call whose turns are looped until the call's time is over."""
        return self._set_up_s + self.timeouts.call

    def shortest_s(self) -> float:
        """Returns a rough lower bound of a successful call, in seconds: speech, waits, the silence after each reply."""
        return self._own_s(QUICK_CHARACTERS_A_S) + self._turns * self.timeouts.end_silence

    @property
    def _turns(self) -> int:
        return sum(step.kind != "wait" for step in self.loaded.model.turns)

    @property
    def _set_up_s(self) -> float:
        return self.timeouts.session + self.timeouts.connect + self.timeouts.agent_join + self.timeouts.greeting

    def _own_s(self, characters_a_s: float) -> float:
        """Returns the seconds of speech and waits; speech not yet synthesised is estimated from its characters."""
        own_s = sum(step.wait_s for step in self.loaded.model.turns)
        for step, utterance in zip(self.loaded.model.turns, self.speech, strict=True):
            text = _text_of(step)
            if utterance is not None:
                own_s += utterance.pcm.size / 48_000
            elif text is not None:
                own_s += len(text.text) / characters_a_s
        return own_s


def agent_for(loaded: LoadedScenario, target: Target, option: str | None) -> str:
    """Returns the agent's id: the option, the scenario's, the target's, or `demo` for the embedded target.

    Raises:
        UsageError: The option is blank.
        ConfigError: None of them names one.
    """
    check_agent(option)
    agent = option or loaded.model.agent or target.agent
    if agent is None and target.kind == "embedded":
        agent = EMBEDDED_AGENT
    if agent is None:
        raise ConfigError(
            f"no agent is named for scenario {loaded.name}",
            where=target.name,
            hint='add --agent ID, or agent = "ID" to the target in voice-harness.toml',
        )
    return agent


async def prepare(
    scenarios: Sequence[LoadedScenario], target: Target, *, agent: str | None, say: Say, speak: bool = True
) -> list[Prepared]:
    """Prepares all scenarios. If `speak` is false, texts are only checked, not synthesised.

    Raises:
        ConfigError: No agent is named.
        FixtureError: A fixture or WAV is not usable, or a text cannot be synthesised here.
        ScenarioError: An expectation cannot be judged, or a scenario contains the target's key.
        SeveralErrors: More than one of these.
    """
    agents = [agent_for(loaded, target, agent) for loaded in scenarios]
    told: set[str] = set()
    ready = []
    problems = _texts_without_a_voice(scenarios)
    async with _speaker(scenarios, speak=speak and not problems, say=say) as speaker:
        for loaded, name in zip(scenarios, agents, strict=True):
            speech = []
            for index, step in enumerate(loaded.model.turns):
                try:
                    speech.append(await _utterance(loaded, index, step, speaker))
                except UsageError as problem:
                    problems.append(problem)
                    speech.append(None)
            for utterance in speech:
                for note in utterance.notes if utterance else ():
                    if note not in told:
                        told.add(note)
                        say(note)
            timeouts = resolve_timeouts(loaded.model.timeouts, target.timeouts)
            try:
                _refuse_key_of(target, loaded)
            except UsageError as problem:
                problems += each_of(problem)
            identity = loaded.model.agent_identity or target.agent_identity
            ready.append(Prepared(loaded, speech, name, timeouts, identity))
    # If a text could not be loaded, it is unknown whether its words are known.
    if not problems and not any(loaded.left_out for loaded in scenarios):
        _refuse_wer_of_nothing(ready)
    raise_all(problems)
    return ready


def _refuse_key_of(target: Target, loaded: LoadedScenario) -> None:
    key = target.api_key
    if key:
        refuse_key(
            [loaded.raw, dict(loaded.overrides)],
            key.is_in,
            lambda keys: Place.read(key.scrub(str(loaded.place(*keys[1:])))),
        )


def _placed(problem: UsageError, place: Place) -> FixtureError:
    """Returns a fixture's error with the place of the step that names it."""
    where = f" ({problem.where})" if problem.where is not None else ""
    return FixtureError(f"{problem.what}{where}", where=place, hint=problem.hint)


def _text_of(step: Step) -> SpokenText | None:
    if isinstance(step.say, SpokenText):
        return step.say
    if step.say is not None and is_text(step.say):
        return SpokenText(text=step.say, voice=None, language=None)
    return None


def _texts_without_a_voice(scenarios: Sequence[LoadedScenario]) -> list[UsageError]:
    """Returns an error for the first text of each scenario if no voice is installed."""
    if importlib.util.find_spec("piper") is not None:
        return []
    firsts = (
        next(
            (loaded.place("turns", index, "say") for index, step in enumerate(loaded.model.turns) if _text_of(step)),
            None,
        )
        for loaded in scenarios
    )
    what = "a text is to be spoken, but there is no voice here"
    hint = f"{with_extra_stack()}, or use a fixture's name or a WAV"
    return [FixtureError(what, where=place, hint=hint) for place in firsts if place is not None]


@asynccontextmanager
async def _speaker(scenarios: Sequence[LoadedScenario], *, speak: bool, say: Say) -> AsyncIterator[Speaker | None]:
    """Yields a voice for the texts; None if there are no texts or they are not to be synthesised."""
    texts = [
        loaded.place("turns", index, "say")
        for loaded in scenarios
        for index, step in enumerate(loaded.model.turns)
        if _text_of(step) is not None
    ]
    if not texts or not speak:
        yield None
        return
    from harness.stack.speech import Speech

    say(f"speaking {counted(len(texts), 'text')} of the scenarios (kept for the next time)")
    speech = await Speech.start()
    try:
        yield speech
    finally:
        await speech.close()


async def _utterance(loaded: LoadedScenario, index: int, step: Step, speaker: Speaker | None) -> Utterance | None:
    if step.say is None:
        return None
    from harness.stack.speech.voice_names import check_speakable

    place = loaded.place("turns", index, "say")
    language = loaded.model.session.language or "en"
    text = _text_of(step)
    try:
        if text is None:
            utterance = load_speech(str(step.say), base_dir=loaded.path.parent, language=language)
            words, spoken_in = utterance.text, utterance.language
        else:
            words, spoken_in = text.text, text.language or language
            voice = text.voice or ("joe" if spoken_in.split("-", maxsplit=1)[0] == "en" else "espeak")
            check_speakable(words, voice, spoken_in)
    except (FixtureError, ConfigError) as problem:
        raise _placed(problem, place) from None
    _refuse_unknown_words(loaded, index, step, words, spoken_in)
    if text is None:
        return utterance
    if speaker is None:
        return None
    try:
        return await speak_text(words, voice, spoken_in, speaker)
    except FixtureError as problem:
        raise FixtureError(problem.what, where=place, hint=problem.hint) from None


def _refuse_wer_of_nothing(ready: Sequence[Prepared]) -> None:
    """Rejects a threshold on `turn.wer` if the words of no turn are known."""
    for prepared in ready:
        steps = zip(prepared.loaded.model.turns, prepared.speech, strict=True)
        if any(_text_of(step) is not None or (utterance and utterance.text) for step, utterance in steps):
            return
    for prepared in ready:
        for name in prepared.loaded.model.thresholds:
            if MetricRef.read(name).metric == "turn.wer":
                raise ScenarioError(
                    "turn.wer cannot be judged: the text of no turn is known",
                    where=prepared.loaded.place("thresholds", name),
                    hint="add the WAV and its text to a manifest, or remove the threshold",
                )


def _refuse_unknown_words(loaded: LoadedScenario, index: int, step: Step, words: str, language: str) -> None:
    """Rejects a `wer` expectation if the words that the caller says are not known."""
    from harness.measure.wer import word_error_rate

    if step.expect.wer is None or word_error_rate(words, "", language=language) is not None:
        return
    what = step.say.text if isinstance(step.say, SpokenText) else step.say
    why = f"{words!r} has no word that counts" if words.strip() else f"the text of {what} is not known"
    raise ScenarioError(
        f"wer cannot be judged: {why}",
        where=loaded.place("turns", index, "expect", "wer"),
        hint="add the WAV and its text to a manifest, or remove the expectation",
    )
