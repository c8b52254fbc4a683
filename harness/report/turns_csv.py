"""Renders `turns.csv`: one row per turn, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from harness.record.result import CallResult, TurnResult, standing
from harness.text.plain_text import clipped, printable

COLUMNS = (
    "call",
    "scenario",
    "turn",
    "kind",
    "ttfa_ms",
    "transcript_ms",
    "echo_ms",
    "reply_text_ms",
    "wer",
    "fit",
    "ttfa_ear_ms",
    "interrupted",
    "exercised",
    "stop_ms",
    "cut",
    "failure",
    "text",
    "transcript",
    "reply",
    "talk_over_ms",
    "dead_air_ms",
    "false_stop",
    "backchannels",
    "unfit_why",
    "first_sound_ms",
    "doubtful",
)
_TEXT_LIMIT = 32_000  # characters: a cell of a spreadsheet holds 32,767; calls.jsonl has the whole text
# Spreadsheets treat a cell that starts with one of these as a formula; in some locales also the full-width forms.
_FORMULA_STARTS = tuple("=+-@\t\n＝＋－＠")  # noqa: RUF001 - the wide forms are meant


def render_turns_csv(calls: Sequence[CallResult]) -> str:
    """Renders the table as RFC 4180 with line feeds: `COLUMNS`, then one row per turn, in order of calls and turns.

    A cell without a value is empty; `failure` is the kind of the first failure in the turn. Texts that a spreadsheet
    would treat as a formula are prefixed with an apostrophe. Calls that were replaced by a retry, and those to another
    version that was called in turns, are omitted.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for call in standing(calls):
        if call.side == "run":
            writer.writerows(_row(call, turn) for turn in call.turns)
    return table.getvalue()


def _row(call: CallResult, turn: TurnResult) -> list[str]:
    failure = next((seen.kind for seen in call.failures if seen.turn == turn.turn), "")
    return [
        _text(call.call),
        _text(call.scenario),
        str(turn.turn),
        turn.kind,
        _number(turn.ttfa_ms),
        _number(turn.transcript_ms),
        _number(turn.echo_ms),
        _number(turn.reply_text_ms),
        _number(turn.wer, digits=4),
        _flag(turn.fit),
        _number(turn.ttfa_ear_ms),
        _flag(turn.interrupted),
        _flag(turn.exercised),
        _number(turn.stop_ms),
        _flag(turn.cut),
        failure,
        _text(turn.text),
        _text(turn.transcript),
        _text(turn.reply),
        _number(turn.talk_over_ms),
        _number(turn.dead_air_ms),
        _flag(turn.false_stop),
        str(turn.backchannels),
        _text("; ".join([*map(str, turn.unfit_why), *([f"what ran out: {turn.ran_out}"] if turn.ran_out else [])])),
        _number(turn.first_sound_ms),
        _text("; ".join(map(str, turn.doubtful))),
    ]


def _number(value: float | None, *, digits: int = 3) -> str:
    if value is None or not math.isfinite(value):
        return ""
    shown = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown


def _flag(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _text(value: str) -> str:
    shown = clipped(printable(value), _TEXT_LIMIT)
    return f"'{shown}" if shown.startswith(_FORMULA_STARTS) else shown
