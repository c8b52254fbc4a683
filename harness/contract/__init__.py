"""Holds a session service and a backend route against every rule of the contract; `voice-harness contract check`.

evidence.py     what was sent and what came: requests with their answers, and one stay in a room; typed, no I/O
registry.py     a rule is one registration: id, section, sentence, the evidence it needs, and its judgement
rules/          the rules, a file per group; pure functions of the evidence
wire.py         one HTTP request of any kind, bounded in time and size, without redirects
gather.py       makes each request once; the rules share the answers
stay.py         joins one room, listens, types, leaves, and looks at who is left
check.py        gathers, judges, masks
table.py        the result for people, as JSON, and as JUnit
"""
