"""Accounts of people: who they are, what they sign in with, their sessions and what they confirmed."""
