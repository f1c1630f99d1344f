"""Freezes and pauses as rows, the control actions that make them, and what keeps units from moving."""
