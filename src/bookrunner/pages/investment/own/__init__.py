"""What an investor reads and asks about itself: profile, wallets, holdings, taxes, votes, buy-backs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bookrunner.db import Database
from bookrunner.pages.investment.own import holdings, privacy, profile, wallets
from bookrunner.pages.investment.own.servicing import buybacks, distributions, reinvestment, taxes, votes
from bookrunner.pages.investment.own.wallets import Proving
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router, take_in

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


def own_routes(application: Serving, shell: Shell, operator: str | None) -> Router:
    """Return the routes of what is an investor's own; ``operator`` is that of a sandbox, if any."""
    router = Router()
    take_in(router, profile.routes(application.database, shell))
    take_in(router, wallets.routes(application, shell, operator))
    take_in(router, holdings.routes(application, shell))
    take_in(router, distributions.routes(application.database, shell))
    take_in(router, taxes.routes(application.database, shell))
    take_in(router, privacy.routes(application.database, shell))
    take_in(router, votes.routes(application.database, shell))
    take_in(router, buybacks.routes(application.database, shell))
    take_in(router, reinvestment.routes(application.database, shell))
    return router
