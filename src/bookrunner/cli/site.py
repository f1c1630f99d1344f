"""The pages and the API in one web application."""

from __future__ import annotations

from fastapi import FastAPI

from bookrunner.api import api
from bookrunner.app import Application
from bookrunner.pages import web


def site(application: Application) -> FastAPI:
    """Return the API, and beside it the pages on every path that is none of the API's."""
    return api(application.database, beside=web(application), signing=lambda: application.signing)
