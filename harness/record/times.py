"""Times in the files of a run."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(started: str | None) -> datetime | None:
    """Parses an ISO 8601 time to UTC (assumed if there is no offset); None if it is not a time."""
    try:
        moment = datetime.fromisoformat(started or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
