"""Any record at any past moment: each version as it was, who made it, when it happened and was recorded."""

from bookrunner.audit.record.asof import History, Version, Word, history_of, look_at

__all__ = ["History", "Version", "Word", "history_of", "look_at"]
