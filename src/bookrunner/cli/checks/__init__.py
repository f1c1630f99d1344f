"""The compliance officer at the terminal: sanctions lists, identity providers."""
