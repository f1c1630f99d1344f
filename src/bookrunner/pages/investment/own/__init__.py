"""What an investor reads and asks about itself: profile, wallets, holdings, notices, privacy, votes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from fastapi import APIRouter

from bookrunner.db import Database
from bookrunner.pages.investment.own import holdings, privacy, profile, wallets
from bookrunner.pages.investment.own.servicing import distributions, votes
from bookrunner.pages.investment.own.wallets import Proving
from bookrunner.pages.shell import Shell

if TYPE_CHECKING:
    from bookrunner.adapters.documents import Typesetter

__all__ = ["Serving", "own_routes"]


class Serving(Proving, Protocol):
    """The application as these pages need it: the logins, what proves wallets, and a press for statements."""

    @property
    def database(self) -> Database:
        """The keepers' logins."""

    @property
    def press(self) -> Typesetter:
        """The press of statements."""


def own_routes(application: Serving, shell: Shell, operator: str | None) -> APIRouter:
    """Return the routes of what is an investor's own; ``operator`` is that of a sandbox, if any."""
    router = APIRouter()
    router.include_router(profile.routes(application.database, shell))
    router.include_router(wallets.routes(application, shell, operator))
    router.include_router(holdings.routes(application, shell))
    router.include_router(distributions.routes(application.database, shell))
    router.include_router(privacy.routes(application.database, shell))
    router.include_router(votes.routes(application.database, shell))
    return router
