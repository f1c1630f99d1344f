"""The commands that play the seeded raise."""
