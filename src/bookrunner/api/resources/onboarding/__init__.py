"""Onboarding: profiles, messages of identity providers, the case of an investor and its decisions."""
