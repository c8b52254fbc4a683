"""Recordings that something else made: numbers known from how they were put together, or a named refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from harness.cli.main import app
from harness.errors import EXIT_USAGE, FixtureError
from harness.recordings.foreign import measure_recording
from tests.recordings.conversation import RATE, Conversation, Stereo, ttfas, two_turns

FILES = Path(__file__).parents[1] / "files"


def hum(both: Stereo) -> Stereo:
    return both + np.random.default_rng(2).normal(0, 10 ** (-60 / 20), both.shape)


def clicked(both: Stereo) -> Stereo:
    out = both.copy()
    out[10_000:10_030] = 0.9
    return out


CHANGES: dict[str, Callable[[Stereo], Stereo] | None] = {
    "as it is": None,
    "over noise of -60 dBFS": hum,
    "clipped": lambda both: np.clip(8 * both, -0.99, 0.99),
    "with a DC offset": lambda both: both + 0.02,
    "with a click before": clicked,
    "the agent on the left": lambda both: both[:, ::-1],
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_latencies_are_those_it_was_put_together_with(tmp_path: Path, name: str) -> None:
    made, first_ms, second_ms = two_turns()
    measured = measure_recording(made.written(tmp_path, CHANGES[name]), "right" if "left" in name else "left")
    assert [turn.kind for turn in measured.turns] == ["say", "say"]
    assert ttfas(measured) == pytest.approx([700, 1200], abs=25)
    assert [turn.caller_end_ms for turn in measured.turns] == pytest.approx([first_ms, second_ms], abs=25)
    assert measured.metrics["turn.ttfa"].count == 2
    assert set(measured.metrics) <= {"turn.ttfa", "turn.interrupted", "turn.talk_over", "turn.dead_air"} | {
        "audio.clipped",
        "audio.level_dbfs",
    }


def test_a_telephones_rate_is_taken_and_said(tmp_path: Path) -> None:
    measured = measure_recording(two_turns()[0].written(tmp_path, rate=8000), "left")
    assert ttfas(measured) == pytest.approx([700, 1200], abs=25)
    assert measured.notes == ["recorded at 8,000 Hz, measured at 48,000 Hz"]


@pytest.mark.parametrize(
    ("kind", "subtype"), [("WAV", "PCM_24"), ("WAV", "FLOAT"), ("WAV", "ULAW"), ("WAV", "ALAW"), ("FLAC", "PCM_16")]
)
def test_other_forms_give_the_same_numbers(tmp_path: Path, kind: str, subtype: str) -> None:
    path = tmp_path / f"talk.{kind.lower()}"
    soundfile.write(path, two_turns()[0].both, RATE, subtype=subtype, format=kind)
    measured = measure_recording(path, "left")
    assert ttfas(measured) == pytest.approx([700, 1200], abs=25)
    assert measured.notes == []


def test_how_both_sides_sound(tmp_path: Path) -> None:
    made, first_ms, _ = two_turns()
    plain = measure_recording(made.written(tmp_path), "left")
    offset = measure_recording(made.written(tmp_path, lambda both: both + np.array([0.0, 0.1])), "left")
    assert offset.agent_sound.level_dbfs == pytest.approx(plain.agent_sound.level_dbfs, abs=0.1)
    assert offset.notes == ["a DC offset of 10.0 % of full scale was removed from the right channel"]
    loud = measure_recording(made.written(tmp_path, lambda both: np.clip(both * [9, 1], -1, 1)), "left")
    assert (loud.caller_sound.clipped or 0) > 0.01
    assert loud.agent_sound.clipped == 0
    broken = made.both.copy()
    within = round((first_ms + 700 + 300) * RATE / 1000)
    broken[within : within + RATE // 20, 1] = 0
    soundfile.write(tmp_path / "broken.wav", broken, RATE)
    told = measure_recording(tmp_path / "broken.wav", "left")
    assert told.agent_sound.dropouts == plain.agent_sound.dropouts + 1


@pytest.mark.parametrize("delay_ms", [0, 200])
def test_a_side_that_is_heard_in_the_others_channel_is_left_out(tmp_path: Path, delay_ms: int) -> None:
    made, *_ = two_turns()
    late = delay_ms * RATE // 1000
    heard = np.zeros_like(made.both)
    heard[late:] = 0.3 * made.both[: len(made.both) - late, ::-1]
    measured = measure_recording(made.written(tmp_path, lambda both: both + heard), "left")
    assert [turn.kind for turn in measured.turns] == ["say", "say"]
    assert ttfas(measured) == pytest.approx([700, 1200], abs=25)
    assert [turn.own_voice_db for turn in measured.turns] == pytest.approx([-10.5, -10.5], abs=0.5)
    assert "the agent is heard in the caller's channel" in measured.notes[0]
    assert "carries the caller's own voice in 2 turns" in measured.notes[1]


def test_a_quick_agent_that_echoes_loses_no_turn(tmp_path: Path) -> None:
    """The echo (120 ms late, 14 dB softer) and the reply are one stretch of voice: when it began cannot be told."""
    made = Conversation(14)
    at_ms = 1000.0
    for delay_ms, asked, answer in (
        (250, "when-do-you-open", "do-you-have-oat-milk"),
        (300, "do-you-have-parking", "how-much-is-a-coffee"),
        (280, "do-you-take-cards", "thank-you"),
    ):
        end_ms = made.put(0, asked, at_ms)
        at_ms = made.put(1, answer, end_ms + delay_ms) + 800
    late = 120 * RATE // 1000
    made.both[late:, 1] += 10 ** (-14 / 20) * made.both[:-late, 0]
    measured = measure_recording(made.written(tmp_path), "left")
    assert [turn.kind for turn in measured.turns] == ["say"] * 3
    assert ttfas(measured) == [None] * 3
    assert [turn.own_voice_db for turn in measured.turns] == pytest.approx([-14] * 3, abs=0.5)


@pytest.mark.parametrize(("mix", "who"), [(1, "agent"), (0, "caller")])
@pytest.mark.parametrize("softer_db", [0.0, 0.5])
def test_a_channel_that_holds_both_people_is_told_and_invents_no_barge_in(
    tmp_path: Path, mix: int, who: str, softer_db: float
) -> None:
    made, *_ = two_turns()
    made.both[:, mix] = 10 ** (-softer_db / 20) * made.both.sum(axis=1)
    measured = measure_recording(made.written(tmp_path), "left")
    assert [turn.kind for turn in measured.turns] == ["say", "say"]
    assert not any(turn.interrupted for turn in measured.turns)
    assert ttfas(measured) == pytest.approx([700, 1200], abs=25)
    assert f"the {who}'s channel holds both people" in measured.notes[0]


@pytest.mark.parametrize("softer_db", [10, 20, 25, 30])
def test_a_quiet_recording_gives_the_same_numbers(tmp_path: Path, softer_db: float) -> None:
    made, *_ = two_turns()
    loud = measure_recording(made.written(tmp_path), "left")
    quiet = measure_recording(made.written(tmp_path, lambda both: both * 10 ** (-softer_db / 20)), "left")
    assert ttfas(quiet) == pytest.approx(ttfas(loud), abs=25)
    for before, after in ((loud.caller_sound, quiet.caller_sound), (loud.agent_sound, quiet.agent_sound)):
        assert (after.level_dbfs or 0) - (before.level_dbfs or 0) == pytest.approx(-softer_db, abs=0.7)


def test_a_channel_with_nothing_of_its_own_is_refused(tmp_path: Path) -> None:
    """The caller never speaks: its channel has the agent's echo."""
    made = Conversation(10)
    made.put(1, "do-you-have-oat-milk", 1000)
    made.put(1, "thank-you", 5000)
    late = 120 * RATE // 1000
    made.both[late:, 0] += 10 ** (-25 / 20) * made.both[:-late, 1]
    with pytest.raises(FixtureError, match="in the caller's channel is the agent's voice"):
        measure_recording(made.written(tmp_path), "left")


def test_a_caller_near_the_noise_is_doubtful(tmp_path: Path) -> None:
    made, *_ = two_turns()
    noise = np.random.default_rng(4).normal(0, 10 ** (-40 / 20), made.both.shape)
    measured = measure_recording(made.written(tmp_path, lambda both: both + noise), "left")
    assert all(doubt.kind == "noise" for turn in measured.turns for doubt in turn.doubtful)
    assert all(turn.doubtful for turn in measured.turns)
    assert "turn.ttfa" not in measured.metrics
    assert any(note.startswith("turns 1, 2 are doubtful: noise in the caller's channel") for note in measured.notes)


def test_an_mm_hmm_in_the_callers_pause_is_no_reply_for_certain(tmp_path: Path) -> None:
    made = Conversation(10)
    pause_ms = made.put(0, "when-do-you-open", 1000)
    hum_ms = round((pause_ms + 200) * RATE / 1000)
    vowel = 0.1 * np.sin(2 * np.pi * np.outer([140, 280, 420], np.arange(RATE * 3 // 10) / RATE)).sum(axis=0)
    made.both[hum_ms : hum_ms + vowel.size, 1] += vowel
    asked_ms = made.put(0, "do-you-have-parking", pause_ms + 900)
    made.put(1, "do-you-have-oat-milk", asked_ms + 800)
    measured = measure_recording(made.written(tmp_path), "left")
    assert [doubt.kind for doubt in measured.turns[0].doubtful] == ["backchannel"]
    assert ttfas(measured)[1] == pytest.approx(800, abs=25)
    assert measured.metrics["turn.ttfa"].count == 1


def test_who_talks_over_whom(tmp_path: Path) -> None:
    made = Conversation(16)
    question_ms = made.put(0, "when-do-you-open", 1000)
    cut_in_ms = question_ms - 300
    made.put(1, "do-you-have-oat-milk", cut_in_ms)
    long_ms = made.put(1, "how-much-is-a-coffee", 5500)
    stop_ms = long_ms - 5500 - 400
    over_ms = made.put(0, "do-you-take-cards", 5500 + 400)
    made.put(1, "thank-you", over_ms + 900)
    measured = measure_recording(made.written(tmp_path), "left")
    asked, barged = measured.turns
    assert asked.interrupted
    assert asked.ttfa_ms is None
    assert asked.talk_over_ms == pytest.approx(300, abs=25)
    assert barged.kind == "barge_in"
    assert barged.stop_ms == pytest.approx(stop_ms, abs=25)
    assert barged.ttfa_ms == pytest.approx(900, abs=25)


def test_a_caller_who_pauses_before_the_answer_has_taken_one_turn(tmp_path: Path) -> None:
    made = Conversation(14)
    first_ms = made.put(0, "when-do-you-open", 1000)
    second_ms = made.put(0, "do-you-have-parking", first_ms + 2000)
    made.put(1, "thank-you", second_ms + 900)
    (turn,) = measure_recording(made.written(tmp_path), "left").turns
    assert (turn.caller_start_ms, turn.caller_end_ms) == pytest.approx((1000, second_ms), abs=25)
    assert turn.ttfa_ms == pytest.approx(900, abs=25)


def test_a_caller_who_is_never_answered_has_no_latency(tmp_path: Path) -> None:
    made = Conversation(40)
    made.put(1, "thank-you", 500)
    made.put(0, "when-do-you-open", 3000)
    made.put(0, "do-you-have-parking", 24_000)
    measured = measure_recording(made.written(tmp_path), "left")
    assert ttfas(measured) == [None, None]
    assert "turn.ttfa" not in measured.metrics


def test_a_long_recording_is_read_a_block_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, *_ = two_turns()
    made.both = np.concatenate([made.both, np.zeros((45 * RATE, 2))])
    longest = []
    read = soundfile.SoundFile.read
    monkeypatch.setattr(
        soundfile.SoundFile, "read", lambda self, frames=-1, **how: longest.append(frames) or read(self, frames, **how)
    )
    measured = measure_recording(made.written(tmp_path), "left")
    assert measured.duration_s == 59
    assert ttfas(measured) == pytest.approx([700, 1200], abs=25)
    assert set(longest) == {RATE}


def noise_only(both: Stereo) -> Stereo:
    return np.random.default_rng(1).normal(0, 10 ** (-40 / 20), both.shape)


REFUSED: dict[str, tuple[Callable[[Stereo], Stereo], str]] = {
    "silence": (np.zeros_like, "no voice in the left channel, the caller's (it is silent)"),
    "noise only": (noise_only, "no voice in the left channel, the caller's (its level is -40 dBFS)"),
    "a silent agent": (lambda both: both * [1, 0], "no voice in the right channel, the agent's (it is silent)"),
    "mono": (lambda both: both[:, :1], "one channel, so the speakers cannot be told apart"),
    "three channels": (lambda both: np.hstack([both, both[:, :1]]), "3 channels"),
    "the same twice": (lambda both: both[:, [0, 0]], "both channels hold the same"),
    "the same, softer": (lambda both: both.sum(axis=1, keepdims=True) * [1, 0.4], "both channels hold the same"),
    "the same, turned around": (lambda both: both.sum(axis=1, keepdims=True) * [1, -1], "both channels hold the same"),
    "the same, coded apart": (
        lambda both: hum(both.sum(axis=1, keepdims=True) * [1, 1]),
        "both channels hold the same",
    ),
    "half a second": (lambda both: both[: RATE // 2], "it lasts 0.50 s"),
    "empty": (lambda both: both[:0], "it lasts 0.00 s"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_measured_is_named(tmp_path: Path, name: str) -> None:
    change, what = REFUSED[name]
    path = two_turns()[0].written(tmp_path, change)
    with pytest.raises(FixtureError, match="cannot be measured: ") as caught:
        measure_recording(path, "left")
    assert what in caught.value.what
    assert caught.value.hint
    assert caught.value.exit_code == EXIT_USAGE


@pytest.mark.parametrize("content", [b"", b"no sound", b"RIFF\x00\x00\x00\x00WAVE", bytes(5000)])
def test_what_is_no_recording_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    with pytest.raises(FixtureError, match="cannot be measured"):
        measure_recording(path, "left")
    with pytest.raises(FixtureError, match="no such file"):
        measure_recording(tmp_path / "none.wav", "left")
    with pytest.raises(FixtureError, match="a folder"):
        measure_recording(tmp_path, "left")


def test_one_that_breaks_off_is_measured_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    path = two_turns()[0].written(tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    measured = measure_recording(path, "left")
    assert measured.turns[0].ttfa_ms == pytest.approx(700, abs=25)
    assert measured.notes == ["it breaks off: 50 % of the sound that its header declares is missing"]


@pytest.mark.parametrize(("told", "what"), [(0, "no sound"), (0.5, "only 50 % of its sound")])
def test_a_recorder_that_died_leaves_all_its_sound(tmp_path: Path, told: float, what: str) -> None:
    path = two_turns()[0].written(tmp_path)
    content = path.read_bytes()
    at = content.index(b"data") + 4
    path.write_bytes(content[:at] + round(told * (len(content) - at - 4)).to_bytes(4, "little") + content[at + 4 :])
    measured = measure_recording(path, "left")
    assert ttfas(measured) == pytest.approx([700, 1200], abs=25)
    assert measured.duration_s == 14
    assert measured.notes == [
        f"its header declares {what}, as if its recorder did not finish: all 14.0 s in the file were read"
    ]


def test_a_flac_from_a_pipe_is_whole_and_nothing_is_to_be_said() -> None:
    measured = measure_recording(FILES / "streamed-length-unknown.flac", "left")
    assert ttfas(measured) == pytest.approx([691, 1186], abs=3)
    assert measured.duration_s == pytest.approx(9.942)
    assert measured.notes == ["recorded at 16,000 Hz, measured at 48,000 Hz"]


def test_soft_unsteady_room_noise_does_not_prolong_the_caller() -> None:
    measured = measure_recording(FILES / "soft-room-60dBFS-caller.flac", "left")
    assert ttfas(measured) == pytest.approx([691, 1186], abs=10)


def test_a_quick_agent_that_echoes_in_a_telephones_band_loses_no_turn() -> None:
    measured = measure_recording(FILES / "fast-agent-echo-120ms-14dB-down.flac", "left")
    assert ttfas(measured) == [None] * 3
    assert [turn.own_voice_db for turn in measured.turns] == pytest.approx([-14] * 3, abs=0.5)


def test_an_agents_channel_that_is_the_mix_is_told() -> None:
    measured = measure_recording(FILES / "right-is-the-mix.flac", "left")
    assert ttfas(measured) == pytest.approx([691, 1186], abs=3)
    assert [turn.kind for turn in measured.turns] == ["say", "say"]
    assert "the agent's channel holds both people" in measured.notes[1]


def test_an_ogg_that_breaks_off_is_measured_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "talk.ogg"
    soundfile.write(path, two_turns()[0].both, RATE, format="OGG", subtype="VORBIS")
    assert measure_recording(path, "left").notes == []
    path.write_bytes(path.read_bytes()[: round(path.stat().st_size * 0.7)])
    measured = measure_recording(path, "left")
    assert measured.turns[0].ttfa_ms == pytest.approx(700, abs=25)
    assert measured.notes[0].startswith("it breaks off: its last page is missing")


def test_an_mp3_from_a_pipe_does_not_tell_its_length_so_nothing_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp3"
    soundfile.write(path, two_turns()[0].both, RATE, format="MP3", subtype="MPEG_LAYER_III")
    assert measure_recording(path, "left").notes == []
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert any("it breaks off" in note for note in measure_recording(path, "left").notes)
    path.write_bytes(content[content.index(content[:2], 4) :])  # without the frame that holds its tag
    measured = measure_recording(path, "left")
    assert ttfas(measured) == pytest.approx([700, 1200], abs=25)
    assert measured.notes == []


def test_floats_that_are_16_bit_numbers_give_the_same_numbers(tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    soundfile.write(path, two_turns()[0].both * 32_768, RATE, subtype="FLOAT")
    measured = measure_recording(path, "left")
    assert ttfas(measured) == pytest.approx([700, 1200], abs=25)
    assert measured.agent_sound.clipped == 0
    assert "its float samples are 16-bit numbers" in measured.notes[0]
    soundfile.write(path, two_turns()[0].both * 2**24, RATE, subtype="FLOAT")
    with pytest.raises(FixtureError, match="cannot be measured: its values go up to"):
        measure_recording(path, "left")


def test_a_voicemails_gsm_has_one_channel() -> None:
    with pytest.raises(FixtureError, match="one channel"):
        measure_recording(FILES / "gsm-wav49.wav", "left")


def test_a_flac_that_breaks_off_is_measured_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "talk.flac"
    soundfile.write(path, two_turns()[0].both, RATE, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[: round(path.stat().st_size * 0.6)])
    measured = measure_recording(path, "left")
    assert measured.turns[0].ttfa_ms == pytest.approx(700, abs=25)
    assert "it breaks off" in measured.notes[0]


def test_the_command_prints_tables_or_json(tmp_path: Path) -> None:
    path = str(two_turns()[0].written(tmp_path))
    said = CliRunner().invoke(app, ["measure", path, "--caller", "left"])
    assert said.exit_code == 0
    assert "turn.ttfa" in said.output
    told = json.loads(CliRunner().invoke(app, ["measure", path, "--caller", "left", "--json"]).output)
    assert [round(turn["ttfa_ms"], -2) for turn in told["turns"]] == [700, 1200]
    assert told["metrics"]["turn.ttfa"]["count"] == 2
