"""Texts as words, with every way in which a written form (a time, a price, a number) is said."""
