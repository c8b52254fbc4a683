"""The harness measures itself: against an agent whose delays are known, and over speech at known samples."""
