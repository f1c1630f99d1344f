# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: debt."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.debt import (
    CouponFixings,
    CouponSchedules,
    CouponWorking,
    DebtDecision,
    LotLeft,
    LotsLeft,
    NewCouponPayment,
    NewCouponSchedule,
    NewFixing,
    NewInstalmentPayment,
    NewPrincipalTerms,
    PrincipalTermsListed,
)
from bookrunner.client.generated.shapes.shared import DistributionActed, ServicingActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport, every


class DebtCalls:
    """The operations of debt."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_coupon_fixings(self, offer: str) -> CouponFixings:
        """List the fixings that wait, then those in force, the last day first; at most 200."""
        return self._transport.record(
            CouponFixings, OPERATIONS["list_coupon_fixings"], Call(path={"offer": offer})
        )

    def propose_coupon_fixing(
        self, offer: str, body: NewFixing, *, idempotency_key: str | None = None
    ) -> ServicingActed:
        """Say what an index was on a day; no coupon uses it before another person agrees."""
        return self._transport.record(
            ServicingActed,
            OPERATIONS["propose_coupon_fixing"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_coupon_fixing(
        self,
        offer: str,
        fixing: str,
        body: DebtDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ServicingActed:
        """Put a fixing in force as another person, or decline it.

        Refuses `fixing_needs_two_people` and `index_is_fixed_once_a_day`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["decide_coupon_fixing"],
            Call(
                path={"offer": offer, "fixing": fixing},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def list_coupon_schedules(self, offer: str) -> CouponSchedules:
        """List the terms of coupons, the last first."""
        return self._transport.record(
            CouponSchedules, OPERATIONS["list_coupon_schedules"], Call(path={"offer": offer})
        )

    def propose_coupon_schedule(
        self, offer: str, body: NewCouponSchedule, *, idempotency_key: str | None = None
    ) -> ServicingActed:
        """Propose the terms of coupons; another person puts them in force.

        Refuses `terms_are_in_the_currency_of_the_offer`, `coupon_names_its_index`,
        `indexed_coupon_has_its_base`, `coupon_is_on_principal` and `coupons_end_after_they_start`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["propose_coupon_schedule"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_coupon_schedule(
        self,
        offer: str,
        schedule: str,
        body: DebtDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ServicingActed:
        """Put terms in force as another person, in the place of those before them, or decline them.

        Refuses `schedule_needs_two_people` and `terms_are_of_the_units_as_proposed`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["decide_coupon_schedule"],
            Call(
                path={"offer": offer, "schedule": schedule},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def draft_coupon(
        self, offer: str, number: str, body: NewCouponPayment, *, idempotency_key: str | None = None
    ) -> DistributionActed:
        """Draft the distribution that pays a coupon, and open the screening of its payees.

        Another person approves it. Refuses `coupon_has_its_fixing`, `coupon_is_paid_once`,
        `distribution_pays_its_coupon` and `record_date_is_reconciled`.
        """
        return self._transport.record(
            DistributionActed,
            OPERATIONS["draft_coupon"],
            Call(path={"offer": offer, "number": number}, body=body, idempotency_key=idempotency_key),
        )

    def work_coupon(self, offer: str, number: str, *, record_on: str) -> CouponWorking:
        """Work a coupon out on the units of a day; nothing is written.

        Refuses `coupon_has_its_fixing`, `coupon_exists` and `coupon_schedule_is_in_force`.
        """
        return self._transport.record(
            CouponWorking,
            OPERATIONS["work_coupon"],
            Call(path={"offer": offer, "number": number}, query={"record_on": record_on}),
        )

    def draft_instalment(
        self, offer: str, number: str, body: NewInstalmentPayment, *, idempotency_key: str | None = None
    ) -> DistributionActed:
        """Draft the distribution that pays an instalment, and open the screening of its payees.

        Another person approves it. Refuses `instalment_exists`, `instalment_is_paid_once`,
        `principal_terms_follow_the_split`, `principal_is_paid_between_coupons`,
        `instalment_is_of_the_units_after_the_conversion`, `distribution_pays_its_instalment` and
        `record_date_is_reconciled`.
        """
        return self._transport.record(
            DistributionActed,
            OPERATIONS["draft_instalment"],
            Call(path={"offer": offer, "number": number}, body=body, idempotency_key=idempotency_key),
        )

    def list_principal_lots(
        self, offer: str, *, cursor: str | None = None, limit: int | None = None
    ) -> LotsLeft:
        """List what each lot has left of its principal, by the terms in force."""
        return self._transport.record(
            LotsLeft,
            OPERATIONS["list_principal_lots"],
            Call(path={"offer": offer}, query={"cursor": cursor, "limit": limit}),
        )

    def each_of_principal_lots(
        self, offer: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Iterator[LotLeft]:
        """Yield every record of :meth:`list_principal_lots`, page by page."""

        def page(at: str | None) -> tuple[list[LotLeft], str | None]:
            found = self.list_principal_lots(offer, cursor=at or cursor, limit=limit)
            return found.lots, found.next

        return every(page)

    def list_principal_terms(self, offer: str) -> PrincipalTermsListed:
        """List the terms with what is left of a unit, the last first; and the instalments in force."""
        return self._transport.record(
            PrincipalTermsListed, OPERATIONS["list_principal_terms"], Call(path={"offer": offer})
        )

    def propose_principal_terms(
        self, offer: str, body: NewPrincipalTerms, *, idempotency_key: str | None = None
    ) -> ServicingActed:
        """Propose the principal of a unit and its instalments; another person puts them in force.

        Refuses `terms_are_in_the_currency_of_the_offer`, `instalments_sum_to_the_principal` and
        `one_instalment_a_day`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["propose_principal_terms"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_principal_terms(
        self,
        offer: str,
        terms: str,
        body: DebtDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ServicingActed:
        """Put terms in force as another person, in the place of those before them, or decline them.

        Refuses `amortisation_needs_two_people`, `principal_is_what_is_outstanding`,
        `open_instalment_is_paid_first` and `terms_are_of_the_units_as_proposed`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["decide_principal_terms"],
            Call(
                path={"offer": offer, "terms": terms},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
