"""Time-stamps (RFC 3161): an authority inside the sandbox that answers requests with real tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute
from pyhanko.sign.timestamps import TimeStamper

from bookrunner.adapters.signing.certificates import KeyPair
from bookrunner.core import clock

# An arc for examples: no published policy stands behind the sandbox's clock.
_POLICY: Final = "2.999.1"
_ALGORITHM: Final = "sha256"


class SandboxTimeStamper(TimeStamper):
    """Stamps with the sandbox's key and clock, with a random serial number and the requester's nonce."""

    def __init__(self, pair: KeyPair, read_clock: Callable[[], datetime] = clock.now) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._pair = pair
        self._certificate = asn1_x509.Certificate.load(pair.der)
        self._now = read_clock

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Return the granted response to one request."""
        now = self._now()
        token = self._token(self._statement(req, now), now)
        granted = tsp.PKIStatusInfo({"status": tsp.PKIStatus("granted")})
        return tsp.TimeStampResp({"status": granted, "time_stamp_token": token})

    def _statement(self, request: tsp.TimeStampReq, now: datetime) -> bytes:
        fields = {
            "version": "v1",
            "policy": _POLICY,
            "message_imprint": request["message_imprint"],
            "serial_number": secrets.randbits(120) + 1,
            "gen_time": now,
        }
        if request["nonce"].native is not None:
            fields["nonce"] = request["nonce"]
        return bytes(tsp.TSTInfo(fields).dump())

    def _token(self, statement: bytes, now: datetime) -> cms.ContentInfo:
        certificate = self._certificate
        attributes = cms.CMSAttributes(
            [
                simple_cms_attribute("content_type", "tst_info"),
                simple_cms_attribute("signing_time", cms.Time({"utc_time": core.UTCTime(now)})),
                simple_cms_attribute("signing_certificate_v2", as_signing_certificate_v2(certificate)),
                simple_cms_attribute("message_digest", hashlib.sha256(statement).digest()),
            ]
        )
        digest = algos.DigestAlgorithm({"algorithm": _ALGORITHM})
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    {
                        "issuer_and_serial_number": {
                            "issuer": certificate.issuer,
                            "serial_number": certificate.serial_number,
                        }
                    }
                ),
                "digest_algorithm": digest,
                "signed_attrs": attributes,
                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                "signature": self._pair.key.sign(attributes.dump(), ECDSA(hashes.SHA256())),
            }
        )
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": cms.DigestAlgorithms([digest]),
                "encap_content_info": {
                    "content_type": "tst_info",
                    "content": cms.ParsableOctetString(statement),
                },
                "certificates": [certificate],
                "signer_infos": [signer],
            }
        )
        return cms.ContentInfo({"content_type": "signed_data", "content": signed})
