"""The files of a run directory: their models, each with its format version."""
