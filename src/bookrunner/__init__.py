"""Bookrunner runs a tokenized offering over five books as one gated workflow."""

__version__ = "0.1.0"
