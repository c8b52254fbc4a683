"""The verdicts of a run in words, for pages and comments."""

from __future__ import annotations

from harness.record.summary import Summary, Verdict

VERDICT_WORDS: dict[Verdict, str] = {
    "pass": "Passed",
    "fail": "Failed: the agent fell short",
    "usage": "Not judged: the run is configured wrongly",
    "infrastructure": "Infrastructure failed",
    "unfit": "Not fit to measure: the harness was the limit",
    "interrupted": "Interrupted: the numbers cover the finished calls",
}
VERDICT_SIGNS: dict[Verdict, str] = {
    "pass": "✓",
    "fail": "✗",
    "usage": "✗",
    "infrastructure": "✗",
    "unfit": "!",
    "interrupted": "■",
}
NO_VERDICT = "Not judged: this run has no summary"


def in_words(summary: Summary | None) -> str:
    """The verdict together with all others that apply."""
    if summary is None:
        return NO_VERDICT
    return "; and: ".join(VERDICT_WORDS[verdict] for verdict in (summary.verdict, *summary.also))
