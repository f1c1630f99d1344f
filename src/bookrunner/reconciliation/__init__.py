"""Comparisons between the keepers' books, written in SQL; the engine calls them through their login."""
