"""How many calls at once an agent holds: the search, its statistics, and the calls that it makes."""
