from __future__ import annotations

from harness.utterances.check import check_folder
from harness.utterances.find import shipped_folder
from harness.utterances.manifest import load_manifest
from harness.utterances.say import name_from


def test_a_name_comes_from_the_first_words() -> None:
    assert name_from("Wait, one more thing. Is there Wi-Fi in the house?") == "wait-one-more-thing-is-there"
    assert name_from("Straße, it's ÄÖÜ") == "strasse-its-aou"


def test_the_shipped_fixtures_are_right() -> None:
    folder = shipped_folder()
    assert check_folder(folder) == []
    entries = load_manifest(folder).entries
    assert sum(entry.speaker == "piper en_US-joe-medium" for entry in entries.values()) >= 24
    assert {entry.language for entry in entries.values()} >= {"en", "fr", "de"}
    assert sum(path.stat().st_size for path in folder.glob("*.wav")) < 6_000_000
