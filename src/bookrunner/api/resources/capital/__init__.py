"""The institutional capital lifecycle over the API."""
