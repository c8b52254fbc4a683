"""`validate` tells all that is wrong in all files at once, each with its place, and still what is right."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import KEY, Command, write_scenario

GOOD = "name: good\nturns:\n  - say: hello\n  - wait: 1s\n"
MANY = """\
name: many
greting: {within: 5s}
session: {langauge: en}
turns:
  - sya: hello
  - say: helo
    expect: {ttfa: p(95)<2s, echo: <1s}
  - type: Yes.
    expect: {ttfa: 2}
  - wait: soon
thresholds:
  turn.tffa: max<2s
  calls.failed: [rate<1, rate<1%]
  turn.ttfa: [max<2, "p(95)<0s"]
timeouts: {replay: 5s}
"""
MANY_PLACES = ["2:1", "3:11", "5:5", "6:5", "7:14", "7:30", "9:14", "10:5", "12:3", "13:3", "14:3", "14:3", "15:12"]
LATER = """\
name: later
turns:
  - say: helo
  - say: away.wav
  - type: Yes.
thresholds:
  turn.echo: max<2s
  bargein.stop: max<2s
  turn.talk_over{kind:type}: max<2s
"""
NO_YAML = "name: a\nturns: [{say: hello\n"


def _places(err: str) -> list[str]:
    return [line.removeprefix("error: ").partition(": ")[0] for line in err.splitlines() if line.startswith("error: ")]


def test_all_errors_of_all_files_and_all_that_is_right(command: Command, tmp_path: Path) -> None:
    for name, text in (("many", MANY), ("good", GOOD), ("later", LATER), ("no-yaml", NO_YAML)):
        write_scenario(tmp_path, text, f"{name}.yaml")
    said = command("validate", "many.yaml", "good.yaml", "later.yaml", "no-yaml.yaml", "away.yaml")
    assert said.code == 2
    assert said.out == "ok  good.yaml  good: 1 turn\n"
    places = _places(said.err)
    assert [place for place in places if place.startswith("many.yaml")] == [
        f"many.yaml:{place}" for place in MANY_PLACES
    ], "from top to bottom"
    assert [place for place in places if place.startswith("later.yaml")] == [
        "later.yaml:3:5",
        "later.yaml:4:5",
        "later.yaml:8:3",
        "later.yaml:9:3",
    ]
    assert len([place for place in places if place.startswith("no-yaml.yaml")]) == 1
    assert "away.yaml: no such file" in said.err
    for told in ("'greeting'?", "'language'?", "'say'?", "'turn.ttfa'?", "'reply'?", "did you mean 'hello'?"):
        assert told in said.err


def test_each_error_of_a_step_that_fits_no_other(command: Command, tmp_path: Path) -> None:
    write_scenario(
        tmp_path,
        "name: a\nturns:\n  - type: Yes.\n    expect: {wer: <=0.3, stops_within: 1s, ends_call: true}\n"
        "  - say: {txet: x}\n  - say: hello\n    expect: {reply: {contians: x}}\n",
    )
    said = command("validate", "s.yaml")
    assert said.code == 2
    assert _places(said.err) == [f"s.yaml:{place}" for place in ("4:14", "4:26", "4:44", "5:11", "7:22")]


def test_one_wrong_key_hides_nothing_else(command: Command, tmp_path: Path) -> None:
    write_scenario(
        tmp_path,
        "name: a\nfoo: 1\nsession: {language: xx, system_prompt: prompts/away.md, greeting: '${NOT_SET}'}\n"
        "greeting: false\nturns:\n  - say: hello\n    barge_in: 1s\n  - say: {text: Good morning., voice: jo}\n"
        "  - say: Guten Tag.\n    sya: x\n  - type: Hi.\n    say: helo\n"
        "thresholds: {turn.stop: max<1s, turn.echo: max<2s}\ntimeouts: {reply: 0s}\n",
    )
    said = command("validate", "s.yaml")
    assert said.code == 2
    assert said.out == ""
    places = ("2:1", "3:25", "3:57", "7:5", "8:5", "9:5", "10:5", "11:5", "12:5", "13:14", "14:12")
    assert _places(said.err) == [f"s.yaml:{place}" for place in places]


def test_what_follows_from_a_misspelt_key_is_not_told(command: Command, tmp_path: Path) -> None:
    write_scenario(
        tmp_path, "nmae: a\nturns:\n  - sya: hello\n    expect: {wer: <=0.3}\nthresholds: {turn.wer: avg<=0.3}\n"
    )
    said = command("validate", "s.yaml")
    assert _places(said.err) == ["s.yaml:1:1", "s.yaml:3:5"]


def test_a_value_that_may_be_one_of_several_things_is_told_once(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, "name: a\ngreeting: 5\nturns:\n  - say: [hello]\n  - say: {voice: joe}\n")
    said = command("validate", "s.yaml")
    assert _places(said.err) == ["s.yaml:2:1", "s.yaml:4:5", "s.yaml:5:5"]


def test_variables_and_names_and_options_that_are_not_there(command: Command, tmp_path: Path) -> None:
    write_scenario(
        tmp_path,
        'name: a\nsession: {greeting: "${NOT_SET}", language: "${NOR_THIS}"}\n'
        'turns:\n  - say: helo\n  - wait: "${NOR_THAT}s"\n',
    )
    write_scenario(tmp_path, GOOD, "one.yaml")
    write_scenario(tmp_path, GOOD, "two.yaml")
    (tmp_path / "empty").mkdir()
    said = command("validate", "s.yaml", "one.yaml", "two.yaml", "empty")
    assert said.code == 2
    assert said.out == "ok  one.yaml  good: 1 turn\n"
    assert sorted(_places(said.err)) == sorted(
        ["empty", "s.yaml:2:11", "s.yaml:2:35", "s.yaml:4:5", "s.yaml:5:5", "two.yaml:1:1"]
    )


def test_a_key_in_a_file_is_told_everywhere_and_never_repeated(command: Command, tmp_path: Path) -> None:
    write_scenario(
        tmp_path, f"name: a\nsession: {{greeting: {KEY}}}\nturns:\n  - type: {KEY}\n    expect: {{ttfa: {KEY}}}\n"
    )
    said = command("validate", "s.yaml")
    assert said.code == 2
    assert _places(said.err) == ["s.yaml:2:11", "s.yaml:4:5", "s.yaml:5:14"]
    assert KEY not in said.err + said.out


def test_a_threshold_on_a_scenario_that_cannot_be_read_is_not_blamed(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, f"{GOOD}thresholds:\n  turn.ttfa{{scenario:other}}: max<2s\n", "good.yaml")
    write_scenario(tmp_path, NO_YAML, "other.yaml")
    said = command("validate", "good.yaml", "other.yaml")
    assert said.code == 2
    assert _places(said.err) == ["other.yaml:3:1"]
    said = command("validate", "good.yaml")
    assert said.code == 2
    assert "no scenario of this run can give a sample of turn.ttfa{scenario:other}" in said.err


def test_run_tells_them_all_as_well_and_calls_nobody(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, MANY)
    write_scenario(tmp_path, LATER, "later.yaml")
    said = command("run", "s.yaml", "later.yaml", "--target", "embedded")
    assert said.code == 2
    # What is said is looked at once all else is right.
    assert len([place for place in _places(said.err) if place.startswith("s.yaml")]) == len(MANY_PLACES) - 1
    assert not (tmp_path / "reports").exists()
