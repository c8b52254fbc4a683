"""What callers of the shipped scenarios say is heard right however a line carries it.

The packets of a call fall elsewhere in each, some are lost, and a jitter buffer stretches speech: a recogniser that is
nearly undecided takes now one word, now another.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from harness.measure.wer import word_error_rate
from harness.stack.agents.ear import AgentEar, UtteranceEnded
from harness.stack.agents_file import AgentSpec, agent_named, load_agents
from harness.stack.speech import Speech
from harness.stack.speech.brain import answer
from harness.stack.speech.vocabulary import vocabulary
from harness.transport.opus import FRAME, SAMPLE_RATE, Decoder, Encoder
from harness.utterances.find import load_speech

pytestmark = pytest.mark.asyncio(loop_scope="module")
EAR_RATE, CHUNK = 16_000, 512
FADE = SAMPLE_RATE // 100
Pcm = NDArray[np.int16]


@pytest.fixture(scope="module")
def demo() -> AgentSpec:
    return agent_named(load_agents(None), "demo")


def carried(pcm: Pcm, *, shift: int, lost: int | None, cut_out: int | None) -> Pcm:
    """Speech at 48 kHz as it comes out of a line whose packets begin `shift` samples into it.

    A packet is lost, and 10 ms are taken out with a cross-fade, so many thousandths into the speech.
    """
    pause = np.zeros(SAMPLE_RATE, np.int16)
    stream = np.concatenate([pause, np.zeros(shift, np.int16), pcm, pause])
    stream = np.concatenate([stream, np.zeros(-stream.size % FRAME, np.int16)])
    missing = None if lost is None else (SAMPLE_RATE + pcm.size * lost // 1000) // FRAME
    encoder, decoder = Encoder(), Decoder()
    heard = np.zeros_like(stream)
    for number, start in enumerate(range(0, stream.size, FRAME)):
        into = heard[start : start + FRAME]
        packet = encoder.encode(stream[start : start + FRAME])
        if number == missing:
            decoder.comfort_noise(into)
        else:
            decoder.decode(packet, into)
    if cut_out is None:
        return heard
    at = SAMPLE_RATE + pcm.size * cut_out // 1000
    rising = np.linspace(0, 1, FADE)
    joined = heard[at : at + FADE] * (1 - rising) + heard[at + FADE : at + 2 * FADE] * rising
    return np.concatenate([heard[:at], joined.astype(np.int16), heard[at + 2 * FADE :]])


def utterance_of(heard: Pcm) -> Pcm:
    """What the agent's ear takes for the utterance."""
    ear = AgentEar(0.5)
    pcm = np.asarray(soxr.resample(heard, SAMPLE_RATE, EAR_RATE), np.int16)
    chunks = [pcm[start : start + CHUNK] for start in range(0, pcm.size - CHUNK, CHUNK)]
    [said] = [event for chunk in chunks for event in ear.feed(chunk, 0) if isinstance(event, UtteranceEnded)]
    return said.pcm


LINES = [
    *({"shift": shift, "lost": None, "cut_out": None} for shift in (0, FRAME // 4, 3 * FRAME // 4)),
    {"shift": 0, "lost": 750, "cut_out": None},
    {"shift": FRAME // 4, "lost": None, "cut_out": 700},
    {"shift": FRAME // 2, "lost": 400, "cut_out": 850},
]


@pytest.mark.parametrize(
    ("name", "most_errors", "reply"),
    [
        ("when-do-you-open", 0.0, "nine in the morning"),
        ("do-you-have-parking", 0.3, "Parking"),
        ("how-much-is-a-coffee", 0.4, "coffee"),
        ("can-i-book-a-table", 0.3, "table"),
        ("thank-you", 0.5, "welcome"),
    ],
)
async def test_a_caller_of_the_cafe_is_heard(
    speech: Speech, demo: AgentSpec, name: str, most_errors: float, reply: str
) -> None:
    fixture = load_speech(name, base_dir=Path())
    heard = set()
    for line in LINES:
        heard.add(await speech.hear(utterance_of(carried(fixture.pcm, **line)), vocabulary=vocabulary(demo.prompt)))
    for words in heard:
        errors = word_error_rate(fixture.text, words)
        assert errors is not None
        assert errors.rate <= most_errors, heard
        assert reply in await answer(demo.prompt, words, speech.rank), heard
