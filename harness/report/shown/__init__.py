"""What the report's page shows beyond the files of the run: derived numbers, wordings, and details of chosen calls.

Everything here is computed from a recorded run. The page (`harness/report/page/`) draws it, and computes no statistics.
"""
