"""The names of a run directory's files that others look for without reading the run."""

SUMMARY_FILE = "summary.json"
TIMELINES_FOLDER = "timelines"
TIMELINE_SUFFIX = ".jsonl"
