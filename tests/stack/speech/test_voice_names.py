from __future__ import annotations

import pytest

from harness.errors import ConfigError
from harness.stack.speech.voice_names import voice_name


def test_a_name_with_factors() -> None:
    name = voice_name("espeak:f2@1.12,0.9", "de-AT")
    assert (name.espeak, name.pitch, name.pace) == ("de+f2", 1.12, 0.9)
    assert voice_name("joe@1.1,1", "en").is_joe
    assert "1.120" in name.speaker
    assert voice_name("joe", "en").speaker == "piper en_US-joe-medium"


@pytest.mark.parametrize("voice", ["joe@", "joe@1", "joe@x,1", "joe@0,1", "joe@9,1", "joe@nan,1", "espeak@1,1,1"])
def test_factors_that_are_none(voice: str) -> None:
    with pytest.raises(ConfigError, match="unknown voice"):
        voice_name(voice, "en")
