"""Texts as people read and write them; nothing here knows what they are about."""
