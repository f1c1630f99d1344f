"""Lets ``python -m bookrunner.cli`` run the command line."""

from bookrunner.cli import main

main()
