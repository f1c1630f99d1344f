# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: conversions."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.conversions import (
    ConversionActed,
    ConversionDecision,
    Conversions,
    ConversionWorking,
    NewConversion,
    NewInput,
)
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class ConversionsCalls:
    """The operations of conversions."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_conversions(self, offer: str) -> Conversions:
        """List the conversions of an offer, the newest first, each with the rules that it waits for."""
        return self._transport.record(
            Conversions, OPERATIONS["list_conversions"], Call(path={"offer": offer})
        )

    def propose_conversion(
        self, offer: str, body: NewConversion, *, idempotency_key: str | None = None
    ) -> ConversionActed:
        """Propose a conversion into units of another offer of the same issuer, on the issuer's authority.

        Refuses `one_conversion_waits`, `conversion_stays_with_its_issuer`, `ratio_takes_no_interest`,
        `conversion_is_in_the_currency_of_both_offers` and `conversion_goes_into_another_class`.
        """
        return self._transport.record(
            ConversionActed,
            OPERATIONS["propose_conversion"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def get_conversion_working(self, offer: str, conversion: str) -> ConversionWorking:
        """Return the inputs of a conversion and what each holder gets by them.

        Refuses `conversion_exists`.
        """
        return self._transport.record(
            ConversionWorking,
            OPERATIONS["get_conversion_working"],
            Call(path={"offer": offer, "conversion": conversion}),
        )

    def decide_conversion(
        self,
        offer: str,
        conversion: str,
        body: ConversionDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ConversionActed:
        """Approve or decline a conversion on its version as another person, or abandon one not begun.

        Refuses `conversion_has_its_inputs`, `conversion_needs_two_people` and
        `whoever_confirms_an_input_approves_nothing`.
        """
        return self._transport.record(
            ConversionActed,
            OPERATIONS["decide_conversion"],
            Call(
                path={"offer": offer, "conversion": conversion},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def confirm_conversion_input(
        self, offer: str, conversion: str, body: NewInput, *, idempotency_key: str | None = None
    ) -> ConversionActed:
        """Confirm an input from a paper; a later one of the same name takes its place.

        Refuses `conversion_takes_the_inputs_of_its_formula`, `conversion_inputs_are_locked`,
        `conversion_input_is_an_amount_or_a_day` and `conversion_input_is_within_its_bounds`.
        """
        return self._transport.record(
            ConversionActed,
            OPERATIONS["confirm_conversion_input"],
            Call(path={"offer": offer, "conversion": conversion}, body=body, idempotency_key=idempotency_key),
        )
