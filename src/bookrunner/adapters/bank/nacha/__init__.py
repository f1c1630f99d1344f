"""NACHA files: entries, returns and notifications of change, read and written."""
