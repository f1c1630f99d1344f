"""The in-tree e-sign provider: our own signer with its envelopes in a folder of the state."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bookrunner.adapters.documents.packet import ISSUER
from bookrunner.adapters.documents.render import Rendered, SignatureBox
from bookrunner.adapters.identity.webhook import sign as sign_message
from bookrunner.adapters.signing.ceremony import Ceremony, Envelope, Party
from bookrunner.adapters.signing.provider import EnvelopeEvent, Fetched, Notice, read_notice
from bookrunner.core import clock
from bookrunner.core.errors import NotFound, Refused

_ENDED: Final = {EnvelopeEvent.COMPLETED, EnvelopeEvent.VOIDED, EnvelopeEvent.EXPIRED, EnvelopeEvent.DECLINED}
Message = tuple[Sequence[tuple[str, str]], bytes]


class LocalProvider:
    """Keeps envelopes below a folder and signs with the ceremony; ``secret`` signs links and messages.

    Each step is written whole before the next, under a lock that other processes see, so that two officers
    who countersign at once make one executed file.
    """

    def __init__(
        self,
        folder: Path,
        ceremony: Ceremony,
        secret: bytes,
        *,
        read_clock: Callable[[], datetime] = clock.now,
    ) -> None:
        self._folder = folder
        self._ceremony = ceremony
        self._secret = secret
        self._now = read_clock
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def create(self, envelope: Envelope, *, expires_at: datetime, idempotency_key: str) -> str:
        """Return the reference of a new envelope, or the earlier one of the same key.

        Refuses ``idempotency_key_names_one_envelope`` when the key came with something else before.
        """
        ref = "env_" + hashlib.sha256(idempotency_key.encode()).hexdigest()[:26]
        asked = {"envelope": _written(envelope), "expires_at": expires_at.isoformat()}
        with self._locked(ref, new=True):
            if self._path(ref, "state.json").exists():
                if self._state(ref)["asked"] != asked:
                    raise Refused("idempotency_key_names_one_envelope")
                return ref
            self._put(ref, "rendered.pdf", envelope.rendered.content)
            self._save(ref, {"asked": asked, "serials": {}, "notices": []}, EnvelopeEvent.SENT)
        return ref

    def signing_url(self, ref: str, party: str, *, ttl: timedelta) -> str:
        """Return the path where this party signs, with a token that is good for ``ttl``."""
        until = int((self._now() + ttl).timestamp())
        return f"/signing/{ref}/{party}?until={until}&token={self._token(ref, party, until)}"

    def sign(self, ref: str, party: str, *, until: int, token: str, intent: str) -> EnvelopeEvent:
        """Sign as the party whose link this is, and return where the envelope stands then.

        Refuses ``signing_link_is_valid``, ``envelope_is_open``, ``parties_sign_in_their_order`` and what the
        ceremony refuses.
        """
        fits = hmac.compare_digest(token, self._token(ref, party, until))
        if not fits or self._now().timestamp() > until:
            raise Refused("signing_link_is_valid")
        with self._locked(ref):
            state = self._state(ref)
            envelope = self._envelope(ref, state)
            if _last(state) in _ENDED or self._now() > datetime.fromisoformat(state["asked"]["expires_at"]):
                raise Refused("envelope_is_open", ref)
            waiting = {p.id: f for f, p in envelope.signers.items() if f not in state["serials"]}
            waiting = waiting or {envelope.issuer.id: ISSUER}
            if party not in waiting:
                raise Refused("parties_sign_in_their_order", f"{', '.join(waiting)} comes next")
            return self._signed(ref, state, envelope, (waiting[party], intent))

    def void(self, ref: str, reason: str) -> None:
        """End an envelope; refuses ``envelope_is_open`` when it is executed or has ended otherwise."""
        with self._locked(ref):
            state = self._state(ref)
            if _last(state) in _ENDED:
                raise Refused("envelope_is_open", ref)
            self._save(ref, state | {"void_because": reason}, EnvelopeEvent.VOIDED)

    def status(self, ref: str) -> EnvelopeEvent:
        """Return the last thing that happened to an envelope."""
        return _last(self._state(ref))

    def fetch_signed(self, ref: str) -> Fetched:
        """Return the file as far as the investor's signers signed it; refuses ``envelope_is_signed``."""
        serials = {name: n for name, n in self._state(ref)["serials"].items() if name != ISSUER}
        if not serials:
            raise Refused("envelope_is_signed", ref)
        return Fetched(self._path(ref, f"signed{len(serials)}.pdf").read_bytes(), serials)

    def fetch_executed(self, ref: str) -> Fetched:
        """Return the executed file; refuses ``envelope_is_completed``."""
        state = self._state(ref)
        if _last(state) is not EnvelopeEvent.COMPLETED:
            raise Refused("envelope_is_completed", ref)
        return Fetched(self._path(ref, "executed.pdf").read_bytes(), state["serials"])

    def messages(self, ref: str) -> list[Message]:
        """Return the signed messages about an envelope, as they would be posted to a listener."""
        bodies = [(item["id"], json.dumps(item).encode()) for item in self._state(ref)["notices"]]
        return [
            (sign_message(id_, body, now=self._now(), secrets=[self._secret]), body) for id_, body in bodies
        ]

    def verify_webhook(self, headers: Iterable[tuple[str, str]], raw_body: bytes) -> Sequence[Notice]:
        """Return the notice of one message of ours; refuses each rule of a webhook."""
        return [read_notice(headers, raw_body, now=self._now(), secrets={"local": self._secret})]

    def _signed(
        self, ref: str, state: dict[str, Any], envelope: Envelope, act: tuple[str, str]
    ) -> EnvelopeEvent:
        (field, intent), serials = act, state["serials"]
        after = None
        if serials:
            signed = self._path(ref, f"signed{len(serials)}.pdf").read_bytes()
            after = signed, self._ceremony.expected(envelope, **serials)
        if field != ISSUER:
            made = self._ceremony.sign(envelope, intent=intent, field=field, after=after)
            name, kind = f"signed{len(serials) + 1}.pdf", EnvelopeEvent.SIGNED
        elif after is None:
            raise AssertionError("the issuer comes last")
        else:
            made = self._ceremony.countersign(envelope, after[0], investor=after[1], intent=intent)
            name, kind = "executed.pdf", EnvelopeEvent.COMPLETED
        self._put(ref, name, made.content)
        return self._save(ref, state | {"serials": {**serials, field: made.serial}}, kind)

    def _envelope(self, ref: str, state: dict[str, Any]) -> Envelope:
        asked = state["asked"]["envelope"]
        boxes = {name: SignatureBox(**box) for name, box in asked["rendered"]["boxes"].items()}
        content = self._path(ref, "rendered.pdf").read_bytes()
        rendered = Rendered(**(asked["rendered"] | {"content": content, "boxes": boxes}))
        signers = {field: Party(**party) for field, party in asked["signers"].items()}
        return Envelope(asked["id"], rendered, signers, Party(**asked["issuer"]))

    def _token(self, ref: str, party: str, until: int) -> str:
        return hmac.digest(self._secret, f"{ref}/{party}/{until}".encode(), "sha256").hex()

    def _state(self, ref: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._path(ref, "state.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotFound(f"no envelope {ref}") from None
        return found

    def _save(self, ref: str, state: Mapping[str, Any], kind: EnvelopeEvent) -> EnvelopeEvent:
        notice = {
            "id": f"ntc_{secrets.token_hex(13)}",
            "kind": kind.value,
            "ref": ref,
            "occurred_at": self._now().isoformat(),
        }
        text = json.dumps({**state, "notices": [*state["notices"], notice]})
        self._put(ref, "state.json", text.encode())
        return kind

    def _put(self, ref: str, name: str, content: bytes) -> None:
        part = self._path(ref, f".{name}.{secrets.token_hex(4)}")
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path(ref, name))

    def _path(self, ref: str, name: str) -> Path:
        if not ref.startswith("env_") or not ref.removeprefix("env_").isalnum():
            raise NotFound("no such envelope")
        return self._folder / ref / name

    @contextmanager
    def _locked(self, ref: str, *, new: bool = False) -> Iterator[None]:
        lock = self._path(ref, "lock")
        if new:
            lock.parent.mkdir(mode=0o700, exist_ok=True)
        elif not lock.parent.exists():
            raise NotFound(f"no envelope {ref}")
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _last(state: Mapping[str, Any]) -> EnvelopeEvent:
    return EnvelopeEvent(state["notices"][-1]["kind"])


def _written(envelope: Envelope) -> dict[str, Any]:
    written = asdict(envelope)
    del written["rendered"]["content"]
    return written
