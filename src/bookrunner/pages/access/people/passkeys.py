"""Passkeys: what a browser is asked, and whether its answer is right (Web Authentication, level 3)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from bookrunner.core.errors import Malformed, NotAuthenticated
from bookrunner.db import Row

Answer = Mapping[str, Any]
_VERIFIED = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Signed:
    """What a passkey answered, checked: its new count, and the bytes that it signed with."""

    count: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Passkeys:
    """Asks for passkeys of one site; ``site`` is the relying party's id, the host name they are bound to.

    A passkey verifies its person (a finger, a face, a PIN) each time, and answers to this site alone.
    """

    site: str

    def origin(self, request: Request) -> str:
        """Return the origin that an answer comes from: this very host, in the clear for localhost alone."""
        return f"{'http' if self.site == 'localhost' else 'https'}://{request.headers.get('host', '')}"

    def new(self, account: Row, known: Sequence[bytes], challenge: bytes) -> dict[str, Any]:
        """Return what a browser is asked to make a passkey for an account, beside those it has."""
        options = generate_registration_options(
            rp_id=self.site,
            rp_name="Bookrunner",
            user_name=account["name"],
            user_id=account["account_id"].encode(),
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        )
        return _plain(options_to_json(options))

    def signing(self, challenge: bytes, known: Sequence[bytes] = ()) -> dict[str, Any]:
        """Return what a browser is asked to sign with one of these passkeys, or with any of the site."""
        options = generate_authentication_options(
            rp_id=self.site,
            challenge=challenge,
            user_verification=_VERIFIED,
            allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        )
        return _plain(options_to_json(options))

    def made(self, request: Request, answer: Answer, challenge: bytes) -> dict[str, Any]:
        """Return a new passkey as it is kept; raises NotAuthenticated ``passkey_answers_what_was_asked``."""
        try:
            made = verify_registration_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=self.site,
                expected_origin=self.origin(request),
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as fault:
            raise _wrong() from fault
        return {
            "kind": "passkey",
            "passkey_id": made.credential_id.hex(),
            "public_key": made.credential_public_key.hex(),
            "sign_count": made.sign_count,
            "transports": [str(each) for each in answer.get("response", {}).get("transports", [])][:8],
        }

    def signed(self, request: Request, answer: Answer, challenge: bytes, passkey: Row) -> Signed:
        """Return the checked answer of a passkey; raises ``passkey_answers_what_was_asked``."""
        try:
            found = verify_authentication_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=self.site,
                expected_origin=self.origin(request),
                credential_public_key=bytes(passkey["public_key"]),
                credential_current_sign_count=passkey["sign_count"],
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as fault:
            raise _wrong() from fault
        return Signed(found.new_sign_count, base64url_to_bytes(answer["response"]["signature"]))


def fresh() -> bytes:
    """Return a challenge of 256 random bits."""
    return secrets.token_bytes(32)


def challenge_in(answer: Answer) -> bytes:
    """Return the challenge that an answer says it is to; raises Malformed ``passkey_answer_is_readable``."""
    try:
        said = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
        return base64url_to_bytes(said["challenge"])
    except (ValueError, KeyError, TypeError) as fault:
        raise Malformed("passkey_answer_is_readable", "it is no answer of a passkey") from fault


def id_in(answer: Answer) -> bytes:
    """Return the id of the passkey that answered; raises Malformed ``passkey_answer_is_readable``."""
    try:
        return base64url_to_bytes(answer["id"])
    except (ValueError, KeyError, TypeError) as fault:
        raise Malformed("passkey_answer_is_readable", "it is no answer of a passkey") from fault


def _plain(options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(options)
    return found


def _wrong() -> NotAuthenticated:
    return NotAuthenticated("passkey_answers_what_was_asked", "the passkey answered something else")
