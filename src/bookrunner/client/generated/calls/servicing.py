# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: servicing."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.servicing import (
    Coupons,
    NewPayeeAccount,
    NewPayingWallet,
    NewRemittance,
    NewTaxYear,
    PayeeAccountDecision,
    PayeeAccounts,
    PayingWalletDecision,
    PayingWallets,
    RemittanceDecision,
    Remittances,
    TaxYearDecision,
    TaxYears,
)
from bookrunner.client.generated.shapes.shared import ServicingActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class ServicingCalls:
    """The operations of servicing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_coupons(self, offer: str) -> Coupons:
        """List the coupons of the schedule in force: what pays each with its working, the fixing it lacks."""
        return self._transport.record(Coupons, OPERATIONS["list_coupons"], Call(path={"offer": offer}))

    def list_payee_accounts(self, offer: str) -> PayeeAccounts:
        """List the accounts of payees that wait or are in force, and by which rail; no account is told."""
        return self._transport.record(
            PayeeAccounts, OPERATIONS["list_payee_accounts"], Call(path={"offer": offer})
        )

    def name_payee_account(
        self, offer: str, body: NewPayeeAccount, *, idempotency_key: str | None = None
    ) -> ServicingActed:
        """Propose an account that no book has, and open the screening of its payee; another person agrees.

        Refuses `one_payee_account_is_proposed`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["name_payee_account"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_payee_account(
        self,
        offer: str,
        account: str,
        body: PayeeAccountDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ServicingActed:
        """Put an account in force or decline it, as another person.

        Refuses `payee_account_needs_two_people` and `payee_is_screened_before_it_is_paid`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["decide_payee_account"],
            Call(
                path={"offer": offer, "account": account},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def list_paying_wallets(self, offer: str) -> PayingWallets:
        """List the wallets that an offer pays from, that in force first."""
        return self._transport.record(
            PayingWallets, OPERATIONS["list_paying_wallets"], Call(path={"offer": offer})
        )

    def propose_paying_wallet(
        self, offer: str, body: NewPayingWallet, *, idempotency_key: str | None = None
    ) -> ServicingActed:
        """Propose the wallet whose key this installation holds for an offer; no caller names an address.

        Refuses `payer_key_is_at_hand`, `paying_wallet_pays_in_an_accepted_coin`,
        `one_paying_wallet_is_proposed` and `lost_wallet_pays_no_more`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["propose_paying_wallet"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_paying_wallet(
        self,
        offer: str,
        wallet: str,
        body: PayingWalletDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ServicingActed:
        """Put a wallet in force as another person, in the place of the one before it, or decline it.

        Refuses `paying_wallet_needs_two_people`, `paying_wallet_serves_one_offer` and
        `replaced_paying_wallet_funds_nothing`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["decide_paying_wallet"],
            Call(
                path={"offer": offer, "wallet": wallet},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def list_remittances(self, offer: str) -> Remittances:
        """List the remittances of withheld tax, the newest first; no account is told."""
        return self._transport.record(
            Remittances, OPERATIONS["list_remittances"], Call(path={"offer": offer})
        )

    def propose_remittance(
        self, offer: str, body: NewRemittance, *, idempotency_key: str | None = None
    ) -> ServicingActed:
        """Propose that withheld tax goes to the tax office; another person agrees."""
        return self._transport.record(
            ServicingActed,
            OPERATIONS["propose_remittance"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_remittance(
        self,
        offer: str,
        remittance: str,
        body: RemittanceDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ServicingActed:
        """Agree to a remittance or decline it as another person, try it again, or give it up.

        Refuses `remittance_needs_two_people`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["decide_remittance"],
            Call(
                path={"offer": offer, "remittance": remittance},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def list_tax_years(self, offer: str) -> TaxYears:
        """List the tax years, the last first, each with how many payments it does not count as they are."""
        return self._transport.record(TaxYears, OPERATIONS["list_tax_years"], Call(path={"offer": offer}))

    def draft_tax_year(
        self, offer: str, body: NewTaxYear, *, idempotency_key: str | None = None
    ) -> ServicingActed:
        """Draft the forms of a year from what was paid in it.

        Refuses `tax_year_has_its_forms` and `one_tax_year_stands`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["draft_tax_year"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_tax_year(
        self,
        offer: str,
        tax_year: str,
        body: TaxYearDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ServicingActed:
        """Release the forms of a year as another person, or cancel it.

        Refuses `tax_year_needs_two_people` and `forms_sum_to_what_was_paid`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["decide_tax_year"],
            Call(
                path={"offer": offer, "tax_year": tax_year},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
