# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: buybacks."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.buybacks import (
    BuybackActed,
    BuybackDecision,
    Buybacks,
    LineReleaseDecision,
    LineReleases,
    NewBuyback,
    NewLineRelease,
    NewTender,
    TenderActed,
)
from bookrunner.client.generated.shapes.shared import ServicingActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class BuybacksCalls:
    """The operations of buybacks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_buybacks(self, offer: str) -> Buybacks:
        """List the buy-backs of an offer, the newest first, with what is offered, accepted and left."""
        return self._transport.record(Buybacks, OPERATIONS["list_buybacks"], Call(path={"offer": offer}))

    def propose_buyback(
        self, offer: str, body: NewBuyback, *, idempotency_key: str | None = None
    ) -> BuybackActed:
        """Propose a buy-back on the issuer's authority; another person opens it.

        Refuses `one_buyback_is_under_way`, `buyback_states_its_limit`, `bought_money_pays_a_unit`,
        `buyback_window_ends_after_it_opens` and `buyback_price_is_in_the_currency_of_the_offer`.
        """
        return self._transport.record(
            BuybackActed,
            OPERATIONS["propose_buyback"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_buyback(
        self,
        offer: str,
        buyback: str,
        body: BuybackDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> BuybackActed:
        """Open, decline, accept or abandon a buy-back on its version.

        Refuses `buyback_needs_two_people`, `window_is_over_before_acceptance`, `something_is_offered`,
        `whoever_tenders_for_another_accepts_nothing`, `acceptance_meets_units_at_rest`,
        `buyback_is_given_up_by_another_person` and `abandoned_buyback_pays_nobody`.
        """
        return self._transport.record(
            BuybackActed,
            OPERATIONS["decide_buyback"],
            Call(
                path={"offer": offer, "buyback": buyback},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def list_line_releases(self, offer: str, buyback: str) -> LineReleases:
        """List the lines that somebody asks to let go, or that were let go, those that wait first."""
        return self._transport.record(
            LineReleases, OPERATIONS["list_line_releases"], Call(path={"offer": offer, "buyback": buyback})
        )

    def propose_line_release(
        self,
        offer: str,
        buyback: str,
        body: NewLineRelease,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ServicingActed:
        """Ask to let one line of a started buy-back go, on the version of the buy-back seen.

        Another person decides. Refuses `released_line_is_open`, `released_line_has_its_price_set_apart`,
        `released_line_cannot_be_cancelled` and `line_is_released_once`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["propose_line_release"],
            Call(
                path={"offer": offer, "buyback": buyback},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def decide_line_release(
        self,
        offer: str,
        buyback: str,
        line_release: str,
        body: LineReleaseDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ServicingActed:
        """Let a line go as another person, or decline: its units are free, its price is the issuer's again.

        Refuses `line_release_needs_two_people`, `released_line_is_open` and
        `released_line_cannot_be_cancelled`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["decide_line_release"],
            Call(
                path={"offer": offer, "buyback": buyback, "line_release": line_release},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def tender_units(
        self, offer: str, buyback: str, body: NewTender, *, idempotency_key: str | None = None
    ) -> TenderActed:
        """Record what a holder offers within the window, or that it takes its offer back.

        Refuses `tender_for_another_names_its_paper`, `tender_is_within_the_free_balance`,
        `holder_tenders_once`, `tender_is_of_a_holder`, `tender_comes_within_the_window` and
        `tender_is_withdrawn_within_the_window`.
        """
        return self._transport.record(
            TenderActed,
            OPERATIONS["tender_units"],
            Call(path={"offer": offer, "buyback": buyback}, body=body, idempotency_key=idempotency_key),
        )
