"""How many calls, when: pacing, the runner of one process, a whole run from plan to reports."""
