"""Calls of a cafe's guests, for plain Locust. It runs as it is.

    locust -f scenarios/locustfile.py --headless -u 5 -r 1 -t 60s
    locust -f scenarios/locustfile.py --headless -u 20 -r 2 -t 60s --processes 2
    locust -f scenarios/locustfile.py                         # Locust's page, with a tab Voice

Each user of Locust is one caller after the other. The run, with its report, is left in reports/.
"""

from __future__ import annotations

from harness.locust import VoiceCallUser


class Guest(VoiceCallUser):
    """Calls the embedded stack's agent for load; name your own target and agent here."""

    scenarios = ("load",)
    target = "embedded"
    agent = "light"
