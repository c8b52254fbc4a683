"""What is missing or risky on this machine for a measurement, each with what it does to one and how to mend it.

`read.py` reads the machine into `Facts` (`facts.py`), the only place with I/O. Each check (`cpu.py`, `system.py`,
`software.py`) is a pure function of them, and `registry.py` lists all checks.
"""
