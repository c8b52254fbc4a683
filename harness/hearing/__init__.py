"""From samples to voice: onsets and ends, noise, speech or sound, echo."""
