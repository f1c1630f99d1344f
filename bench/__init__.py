"""Measurements on a server of their own: what one gated transition costs, how long a closing takes."""
