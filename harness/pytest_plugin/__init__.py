"""The pytest plugin: scenarios as tests, and the fixture `voice_call`. pytest loads `hooks.py`."""
