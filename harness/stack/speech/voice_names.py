"""Names of voices: `joe`, `espeak`, `espeak:VARIANT`, and which one speaks a language."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import ConfigError

JOE = "joe"
ESPEAK = "espeak"
_REGIONS = ("en-us", "en-gb", "pt-br", "es-419", "fr-be", "fr-ch")


@dataclass(frozen=True, slots=True)
class VoiceName:
    """A voice that is settled; `espeak` is the name espeak-ng knows it by, such as `fr` or `de+f2`, empty for joe."""

    espeak: str = ""

    @property
    def is_joe(self) -> bool:
        """Whether this is Piper's voice joe."""
        return not self.espeak

    @property
    def speaker(self) -> str:
        """The voice for people and manifests, such as `piper en_US-joe-medium`."""
        return "piper en_US-joe-medium" if self.is_joe else f"espeak-ng {self.espeak}"


def voice_name(voice: str, language: str) -> VoiceName:
    """The voice that speaks `language` when `voice` is asked for; joe knows English alone, espeak-ng takes the rest.

    Raises:
        ConfigError: There is no such voice.
    """
    kind, _, variant = voice.strip().partition(":")
    language = language.strip().lower().replace("_", "-") or "en"
    if kind == JOE and not variant:
        return VoiceName() if is_english(language) else VoiceName(_espeak_language(language))
    if kind == ESPEAK:
        return VoiceName(_espeak_language(language) + (f"+{variant}" if variant else ""))
    raise ConfigError(f"there is no voice {voice!r}", mend="known are joe, espeak and espeak:VARIANT (espeak:f2)")


def is_english(language: str) -> bool:
    """Whether a language tag such as `en` or `en-GB` means English."""
    return language.lower().replace("_", "-").split("-")[0] == "en"


def _espeak_language(language: str) -> str:
    """espeak-ng knows few regions, and no others; the language alone always works."""
    return language if language in _REGIONS else language.split("-", maxsplit=1)[0]
