"""All rules: importing this registers them, and `TABLE` has them in the order of the table.

judgements.py       what several groups share
session.py          creating a session: keys, bodies, overrides, the answer
backend.py          the user's own backend route
shared.py           what both are asked
token.py            the access tokens of all sessions
room.py             the room that was joined
"""

from harness.contract.registry import RULES
from harness.contract.rules import backend, room, session, shared, token

_MODULES = (session, backend, shared, token, room)
_GROUPS = ("session", "backend", "token", "room")
TABLE = tuple(rule for group in _GROUPS for rule in RULES.values() if rule.id.startswith(f"{group}."))
