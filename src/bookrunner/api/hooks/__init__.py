"""Webhooks out: endpoints of subscribers, their secrets, messages about events, and a stream of hints."""
