"""The exporting process as its user meets it: what it says, and what a scrape of it gives."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

PATIENCE_S = 30.0
Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class Heard:
    """Lines that were said to people."""

    lines: list[str] = field(default_factory=list)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        self._came.set()

    async def until(self, words: str) -> str:
        """Waits for a line with these words."""

        async def heard() -> str:
            while True:
                found = [line for line in self.lines if words in line]
                if found:
                    return found[0]
                self._came.clear()
                await self._came.wait()

        return await asyncio.wait_for(heard(), PATIENCE_S)

    @property
    def url(self) -> str:
        """Where the metrics are."""
        found = re.search(r"metrics: (http://127\.0\.0\.1:\d+/metrics)", "\n".join(self.lines))
        assert found is not None, self.lines
        return found[1]


def read_samples(text: str) -> Samples:
    """The samples of an exposition, as Prometheus's own parser reads it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def fetch(url: str) -> str:
    """A scrape's text."""
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 - a URL of this test
        text: str = answer.read().decode("utf-8")
    return text


async def scrape(url: str) -> Samples:
    """A scrape."""
    return read_samples(await asyncio.to_thread(fetch, url))


def total(samples: Samples, name: str, **labels: str) -> float:
    """The sum over all series of that name that have these labels."""
    return sum(value for (found, tags), value in samples.items() if found == name and set(labels.items()) <= tags)
