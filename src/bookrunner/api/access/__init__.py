"""Who may call: keys that are issued and revoked, sessions that are opened and ended."""
