"""Text normalisation and formatting, independent of the texts' meaning."""
