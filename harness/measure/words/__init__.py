"""Normalises texts to words, with every way to say a written form (a time, a price, a number)."""
