# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: profiles."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.profiles import (
    ChangeDecision,
    ChangeSeen,
    DelegationActed,
    Delegations,
    Look,
    NewChange,
    NewDelegate,
    NewDetail,
    NewProfile,
    Profile,
    ProfileActed,
    ProfileSeen,
    Purpose,
)
from bookrunner.client.generated.shapes.shared import InvestorActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class ProfilesCalls:
    """The operations of profiles."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def open_profile(self, body: NewProfile, *, idempotency_key: str | None = None) -> ProfileActed:
        """Open the profile of a new investor; its numbers are sealed under a key of its own."""
        return self._transport.record(
            ProfileActed, OPERATIONS["open_profile"], Call(body=body, idempotency_key=idempotency_key)
        )

    def get_profile(self, investor: str) -> Profile:
        """Return what a profile is and which fields it has; a look of its own shows what they say."""
        return self._transport.record(Profile, OPERATIONS["get_profile"], Call(path={"investor": investor}))

    def request_profile_change(
        self, investor: str, body: NewChange, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Ask for a change of a verified profile; an officer who did not ask decides."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["request_profile_change"],
            Call(path={"investor": investor}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def decide_profile_change(
        self,
        investor: str,
        change: str,
        body: ChangeDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> InvestorActed:
        """Make a requested change the next version, or decline it, as another person than who asked."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["decide_profile_change"],
            Call(
                path={"investor": investor, "change": change},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def look_at_profile_change(self, investor: str, change: str, body: Purpose) -> ChangeSeen:
        """Show each field that a change would change, before and after; the look is on record."""
        return self._transport.record(
            ChangeSeen,
            OPERATIONS["look_at_profile_change"],
            Call(path={"investor": investor, "change": change}, body=body),
        )

    def list_delegates(self, investor: str) -> Delegations:
        """List whom an investor has named, those that stand first."""
        return self._transport.record(
            Delegations, OPERATIONS["list_delegates"], Call(path={"investor": investor})
        )

    def name_delegate(
        self, investor: str, body: NewDelegate, *, idempotency_key: str | None = None
    ) -> DelegationActed:
        """Name a delegate that has an account; it acts when it has accepted."""
        return self._transport.record(
            DelegationActed,
            OPERATIONS["name_delegate"],
            Call(path={"investor": investor}, body=body, idempotency_key=idempotency_key),
        )

    def end_delegation(
        self, investor: str, delegation: str, *, idempotency_key: str | None = None
    ) -> DelegationActed:
        """End a delegation from this moment on."""
        return self._transport.record(
            DelegationActed,
            OPERATIONS["end_delegation"],
            Call(path={"investor": investor, "delegation": delegation}, idempotency_key=idempotency_key),
        )

    def look_at_profile(self, investor: str, body: Look) -> ProfileSeen:
        """Show the fields of one version; who looked and for what is on record before they are shown."""
        return self._transport.record(
            ProfileSeen, OPERATIONS["look_at_profile"], Call(path={"investor": investor}, body=body)
        )

    def amend_profile(
        self, investor: str, body: NewDetail, *, if_match: ETag, idempotency_key: str | None = None
    ) -> ProfileActed:
        """Write the next version of a profile; what was verified is locked, and changes by request alone."""
        return self._transport.record(
            ProfileActed,
            OPERATIONS["amend_profile"],
            Call(path={"investor": investor}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )
