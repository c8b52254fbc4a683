"""Renders `report.html`: the built page (`harness/report/page/`) with the run's document in it, in one file."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from harness.build_pages import HOW_TO_BUILD, REPORT_PAGE
from harness.record.recorded_run import RecordedRun
from harness.report.shown.document import Document, document
from harness.text.plain_text import clipped, one_line, printable

TEXT_LIMIT = 2000  # characters of a text; more of it is in calls.jsonl
_UNBUILT = Path(__file__).parent / "unbuilt.html"
_MARK = re.compile(r"%harness-(policy|title|static|data|how)%")
_COMPRESSION = 6


def render_html(run: RecordedRun, page: Path = REPORT_PAGE.built / "index.html") -> str:
    """Renders the report of `run`. Recordings and timelines are read from the run's folder.

    Args:
        run: The run.
        page: The built page. If it is missing, the report has the verdict and its reasons, and says how to build it.
    """
    shown = document(run)
    built = page.is_file()
    template = (page if built else _UNBUILT).read_text(encoding="utf-8")
    parts = {
        "policy": _policy(template),
        "title": escape(_title(run)),
        "static": _static(shown),
        "data": _data(shown) if built else "",
        "how": escape(HOW_TO_BUILD),
    }
    # In one pass, so that nothing that is put in is ever taken for a mark.
    return _MARK.sub(lambda mark: parts[mark[1]], template)


def _data(shown: Document) -> str:
    """The document and the recordings, each in a `script` that browsers do not run.

    All of it is base64, in which no text can end the element. Recordings are apart, so that the page opens without
    reading them.
    """
    content = shown.model_dump(mode="json", exclude_defaults=True, exclude={"detailed": {"opus"}})
    plain = json.dumps(_printable(content), ensure_ascii=False, separators=(",", ":")).encode()
    packed = base64.b64encode(gzip.compress(plain, _COMPRESSION, mtime=0)).decode()
    elements = [f'<script type="application/json" id="document" data-encoding="gzip, base64">{packed}</script>']
    for call, opus in shown.detailed.opus.items():
        name = escape(_printable(call))
        elements.append(f'<script type="audio/ogg" data-encoding="base64" data-call="{name}">{opus}</script>')
    return "\n".join(elements)


def _printable(value: Any) -> Any:
    """A value of JSON, in which browsers can show everything: texts are printable and clipped, numbers finite.

    Peaks of recordings stay whole.
    """
    if isinstance(value, str):
        return value if value.isprintable() and len(value) <= TEXT_LIMIT else clipped(printable(value), TEXT_LIMIT)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_printable(inner) for inner in value]
    if isinstance(value, dict):
        return {_printable(name): _printable_of(name, inner) for name, inner in value.items()}
    return value


def _printable_of(name: str, value: Any) -> Any:
    return value if name == "sound" and isinstance(value, Mapping) and "src" in value else _printable(value)


def _static(shown: Document) -> str:
    """The verdict and its reasons, for where scripts do not run. The page puts its own content in its place."""
    headline, summary = shown.shown.headline, shown.published.summary
    lines = [f"<h1>{headline.sign} {escape(headline.words)}</h1>"]
    if summary is not None:
        counts = f"{summary.calls.ok:,} of {summary.calls.total:,} calls ok, exit code {summary.exit_code}"
        lines.append(f"<p>{escape(counts)}</p>")
        lines.append("<ul>")
        for reason in summary.reasons:
            times = f" × {reason.count:,}" if reason.count > 1 else ""  # noqa: RUF001 - a multiplication sign
            lines.append(f"<li>{escape(clipped(printable(str(reason.what)), TEXT_LIMIT))}{times}</li>")
        lines.append("</ul>")
    return "\n".join(lines)


def _title(run: RecordedRun) -> str:
    verdict = run.summary.verdict if run.summary else "not judged"
    return one_line(f"{run.settings.run or 'run'}: {verdict}")


def _policy(template: str) -> str:
    """The content security policy: the page's own style and script by hash, recordings, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("style-src", *_hashes(template, "style"))),
            " ".join(("script-src", *(list(_hashes(template, "script")) or ["'none'"]))),
            "media-src blob: 'self' file:",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hashes(template: str, tag: str) -> Iterator[str]:
    for content in re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", template, re.DOTALL):
        yield f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
