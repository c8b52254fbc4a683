"""Voice activity detection: onsets and ends, noise floor, speech or other sound, echo."""
