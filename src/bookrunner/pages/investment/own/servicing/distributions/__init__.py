"""What an investor is paid: gross, withheld, net, and why a line waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.distributions import Distributions
from bookrunner.pages.investment.own.itself import Itself
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.language import later
from bookrunner.pages.shell.routing import Router

__all__ = ["routes"]

STATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "entitled": ("waiting", "wait", later("approved")),
    "owed": ("waiting", "wait", later("owed")),
    "held": ("held", "wait", later("held")),
    "paying": ("progress", "calm", later("with the bank")),
    "paid": ("confirmed", "good", later("paid")),
    "returned": ("refused", "bad", later("came back")),
    "unclaimed": ("missing", "bad", later("unclaimed")),
    "released": ("cancelled", "grey", later("not bought")),
}
# A match is nobody's to read but the officer's: the investor is told of a check.
BECAUSE: Final[Mapping[str, str]] = {
    "match_with_a_list": later("A check is not finished; the amount is kept for you."),
    "screening_waits": later("A check is not finished; the amount is kept for you."),
    "wallet_change_in_progress": later("Your wallet is being changed; the amount is kept for you."),
    "registration_change_in_progress": later(
        "Your registration is being changed; the amount is kept for you."
    ),
    "payee_change_in_progress": later("Your payee is being changed; the amount is kept for you."),
    "account_change_in_progress": later("Your account is being changed; the amount is kept for you."),
    "account_is_not_known": later("We know no account of yours. Tell the administrator where to pay."),
    "account_is_not_named": later("You have several accounts. Tell the administrator which one to pay to."),
    "account_does_not_fit_its_rail": later(
        "Your account cannot be paid the way that was agreed. Tell the administrator where to pay."
    ),
    "wallet_is_not_linked": later("No wallet of yours is linked. Tell the administrator where to pay."),
    "wallet_changed_since_the_record_date": later(
        "Your wallet changed since the record date; the administrator asks you, and keeps the amount for you."
    ),
    "money_is_on_another_rail": later("The money has to come another way; the amount is kept for you."),
    "chain_refuses_the_payment": later("The token did not take the payment; the amount is kept for you."),
}


def routes(database: Database, shell: Shell) -> Router:
    """Return the route of ``/holdings/distributions``; an investor reads its own alone."""
    router = Router()
    terms = Distributions(Desk(database)).terms

    @router.get("/holdings/distributions")
    def distributions(request: Request, investor: Itself) -> Response:
        shown = {
            "lines": terms.distributions_of(investor=investor.name),
            "pills": STATES,
            "because": BECAUSE,
        }
        return shell.page(request, "investment/own/servicing/distributions/page.html", shown)

    return router
