"""Names of voices (`joe`, `espeak`, `espeak:VARIANT`), and which one speaks a language.

A name may end in `@PITCH,PACE`, the factors by which the voice is shifted, such as `espeak:f2@1.12,0.9`.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.errors import ConfigError

JOE = "joe"
ESPEAK = "espeak"
MOST_SHIFT = (0.5, 2.0)
_OTHER_NAMES = {"zh": "cmn", "zh-hk": "yue", "zh-yue": "yue", "no": "nb", "nn": "nb", "iw": "he", "fil": "tl"}
_KANJI = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_REGIONS = ("en-us", "en-gb", "pt-br", "es-419", "fr-be", "fr-ch")


@dataclass(frozen=True, slots=True)
class VoiceName:
    """A resolved voice.

    Attributes:
        espeak: Its name in espeak-ng, such as `fr` or `de+f2`; empty for joe.
        pitch: The factor by which its pitch is raised.
        pace: The factor by which it speaks faster.
    """

    espeak: str = ""
    pitch: float = 1.0
    pace: float = 1.0

    @property
    def is_joe(self) -> bool:
        """Whether this is Piper's voice joe."""
        return not self.espeak

    @property
    def speaker(self) -> str:
        """The voice's name for people and manifests, such as `piper en_US-joe-medium`."""
        name = "piper en_US-joe-medium" if self.is_joe else f"espeak-ng {self.espeak}"
        shifted = (self.pitch, self.pace) != (1.0, 1.0)
        return f"{name} at {self.pitch:.3f} of its pitch and {self.pace:.3f} of its pace" if shifted else name


def voice_name(voice: str, language: str) -> VoiceName:
    """Resolves the voice that speaks `language` when `voice` is asked for; joe speaks English only, espeak-ng the rest.

    Raises:
        ConfigError: There is no such voice.
    """
    name, at, factors = voice.strip().partition("@")
    pitch, pace = _factors(factors, voice) if at else (1.0, 1.0)
    kind, _, variant = name.partition(":")
    language = language.strip().lower().replace("_", "-") or "en"
    if kind == JOE and not variant:
        return VoiceName("" if is_english(language) else _espeak_language(language), pitch, pace)
    if kind == ESPEAK:
        return VoiceName(_espeak_language(language) + (f"+{variant}" if variant else ""), pitch, pace)
    raise ConfigError(f"unknown voice {voice!r}", hint="use one of joe, espeak, espeak:VARIANT (such as espeak:f2)")


def _factors(text: str, voice: str) -> tuple[float, float]:
    """The factors of pitch and pace at the end of a name. Raises as `voice_name`."""
    try:
        pitch, pace = (float(part) for part in text.split(","))
    except ValueError:
        pitch = pace = 0.0
    if not (MOST_SHIFT[0] <= pitch <= MOST_SHIFT[1] and MOST_SHIFT[0] <= pace <= MOST_SHIFT[1]):
        raise ConfigError(
            f"unknown voice {voice!r}", hint="write the factors as @PITCH,PACE, each from 0.5 to 2 (such as @1.1,0.9)"
        )
    return pitch, pace


def is_english(language: str) -> bool:
    """Whether a language tag such as `en` or `en-GB` means English."""
    return language.lower().replace("_", "-").split("-")[0] == "en"


def _espeak_language(language: str) -> str:
    """The language in espeak-ng's terms: it knows few regions, but the bare language always works."""
    base = language.split("-", maxsplit=1)[0]
    return language if language in _REGIONS else _OTHER_NAMES.get(language) or _OTHER_NAMES.get(base, base)


def check_speakable(text: str, voice: str, language: str) -> None:
    """Checks, without synthesising it, that the voice can read the text.

    Raises:
        ConfigError: There is no such voice, or it does not know the language or its script.
    """
    name = voice_name(voice, language)
    letters = [char for char in text if char.isalpha()]
    if is_english(language) and letters and not any(char <= "\u024f" for char in letters):
        raise ConfigError(
            f"the language of the text {text!r} is English, but it contains no Latin letter",
            hint="set its language: `session: {language: zh}`, or `say: {text: ..., language: zh}`",
        )
    known = _espeak_languages()
    if not name.is_joe and known and name.espeak.split("+")[0] not in known:
        raise ConfigError(
            f"no installed voice speaks {language!r}",
            hint="record it: `say: line.wav`, with its text in a manifest beside it",
        )
    if language.lower().split("-")[0] == "ja" and _KANJI.search(text):
        raise ConfigError(
            f"espeak-ng, the only voice for Japanese, does not read kanji: {text!r}",
            hint="write the text in kana, or record it: `say: line.wav`, with its text in a manifest beside it",
        )


@cache
def _espeak_languages() -> frozenset[str]:
    """The languages of espeak-ng, from its file names; empty if it is not installed."""
    found = importlib.util.find_spec("espeakng_loader")
    if found is None or found.origin is None:
        return frozenset()
    folder = Path(found.origin).parent / "espeak-ng-data" / "lang"
    return frozenset(path.name.lower() for path in folder.rglob("*") if path.is_file())
