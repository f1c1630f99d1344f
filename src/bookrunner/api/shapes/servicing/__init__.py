"""Answers about what follows a closing: payments, corporate actions, filings and votes."""
