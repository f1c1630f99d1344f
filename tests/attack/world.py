"""A small offering, built step by step through the keepers' own verbs, up to a step that the caller names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.copies import Opener

Connect = Callable[[str], psycopg.Connection]

STEPS = (
    "published",
    "opened",
    "profiled",
    "cleared",
    "acknowledged",
    "signed",
    "allocated",
    "confirmed",
    "instructed",
    "received",
    "funded",
    "linked",
    "frozen",
    "prepared",
    "submitted",
    "registered",
)
CHAIN = 31337
LIST = ("us.ofac.sdn", "list-1")
PRICE = 50_000
# What the issuer may raise in twelve months; each of these worlds is one offer of many of the same issuer.
MOST_UNITS = {"reg_cf": 1_000, "eu_crowdfunding": 1_000, "reg_a_tier_2": 10_000}
_BY_TWO = {
    "treasury.refund_receipt": "refund",
    "treasury.match_by_hand": "match",
    "treasury.undo_match": "undo",
    "treasury.accept_source": "accept_source",
}
DETAIL = {
    "legal_name": "Example Person",
    "country": "US",
    "address": "1 Example Street, Example",
    "sealed": "00" * 29,
    "tax_id_blind": "11" * 32,
    "email": "person@example.org",
}
_OF_ITS_SESSION = frozenset({"_connect", "_open"})
# What only a person decides, under the programme that the person states in the same transaction.
STATED = "select compliance.decide_under(%s, %s, compliance.programme_in_force())"
DECISIONS = frozenset(
    f"compliance.{verb}"
    for verb in (
        "accept_statement",
        "approve_accreditation",
        "complete_diligence",
        "complete_review",
        "decide_diligence",
        "decide_discrepancy",
        "decide_hit",
        "decide_rule",
        "decide_screening_policy",
        "decline_case",
        "doubt_owner",
        "end_owner",
        "end_party",
        "file_report",
        "judge_again",
        "move_accreditation",
        "propose_release",
        "record_category",
        "record_sophistication",
        "reject_document",
        "review_case",
        "second_hit",
        "set_country_rule",
        "set_look_through",
        "state_purpose",
        "verify_identity",
        "verify_owner",
        "verify_party",
        "withdraw_acceptance",
    )
)


def digest(text: str) -> bytes:
    """Return 32 bytes that stand for a document, an account or a piece of evidence."""
    return hashlib.sha256(text.encode()).digest()


def proof(signed: bytes) -> dict[str, str]:
    """Return a signature of the right shape; the database trusts the signing adapter to have verified it."""
    return {
        "capacity": "self",
        "intent": "I sign",
        "signed_sha256": signed.hex(),
        "public_key": "11" * 32,
        "signature": "22" * 64,
    }


def escrow_terms(account: str = "ESCROW1", **changed: object) -> dict[str, object]:
    """Return the terms of an escrow, with some of them changed."""
    return {
        "agent": "Example Trust Company",
        "beneficiary": "Example Trust Company, as escrow agent",
        "bank": "Example Bank",
        "bank_code": "021000021",
        "account": account,
        "agreement_sha256": digest("escrow agreement").hex(),
        "agreed_on": "2026-03-01",
        "because": "the agreement was signed",
    } | changed


class World:
    """One offering with some investors. Ids end in the offering's label and the investor's number."""

    def __init__(self, connect: Connect, label: str = "one", investors: int = 3) -> None:
        self.exemption = "506(c)"
        self.cap, self.least = 1_000_000, 1
        self.token = digest(label)[:20]
        self.terms: dict[str, object] = {}
        self._connect = connect
        self._open: dict[str, psycopg.Connection] = {}
        self._requests = 0
        self.label = label
        self.offering = f"ofr_{label}"
        self.closing = f"cls_{label}"
        self.document = digest(f"agreement {label}")
        self.numbers = range(1, investors + 1)

    def id(self, prefix: str, number: int) -> str:
        """Return the id of one investor's thing, such as ``inv_one3``."""
        return f"{prefix}_{self.label}{number}"

    def login(self, name: str) -> psycopg.Connection:
        """Return the one autocommit connection of a login."""
        if name not in self._open:
            self._open[name] = self._connect(name)
        return self._open[name]

    def call(self, verb: str, *arguments: object, actor: str = "usr_first") -> Any:  # noqa: ANN401 - any answer
        """Run one verb under the login of its schema and return its answer."""
        if verb in _BY_TWO:
            return self._by_two(_BY_TWO[verb], [*arguments], actor)
        login, function = verb.split(".")
        self._requests += 1
        by = [actor, f"req_{self.label}{self._requests}"]
        values = [*by, *map(_sendable, arguments)]
        statement = sql.SQL("select {}({})").format(
            sql.Identifier(login, function), sql.SQL(", ").join(sql.Placeholder() * len(values))
        )
        connection = self.login(login)
        if verb in DECISIONS:
            with connection.transaction():
                connection.execute(STATED, by)
                row = connection.execute(statement, values).fetchone()
        else:
            row = connection.execute(statement, values).fetchone()
        assert row is not None
        return row[0]

    def _by_two(self, act: str, arguments: list[Any], actor: str) -> str:
        """Let one administrator propose an act about a receipt and another agree; return the refund's id."""
        offering, receipt = arguments[:2]
        investment, because, amount, reason = None, "seen on paper", None, None
        proposer = "usr_proposer"
        if act == "refund":
            reason, amount = arguments[2], (arguments[3:] or [None])[0]
        elif act == "match":
            investment, proposer = arguments[2:]
        elif act == "undo":
            because, proposer = arguments[2:]
        else:
            proposer, because = arguments[2:]
        connection = self.login("treasury")
        with connection.transaction():
            found = connection.execute(
                "select version, status from treasury.receipt where offering_id = %s and receipt_id = %s",
                [offering, receipt],
            ).fetchone()
            seen = 1 if found is None else found[0]
            proposal = f"prp_{self.label}{self._requests}"
            values = [offering, proposal, act, receipt, investment, because, seen, amount, reason]
            self.call("treasury.propose_act", *values, actor=proposer)
            self.call("treasury.decide_act", offering, proposal, "true", "", 1, actor=actor)
        return f"rfd_{receipt}" + ("" if amount is None else ".back")

    def build(self, until: str) -> World:
        """Take every step up to and including ``until``, and return this world.

        On a database that nobody has entered, the steps are those of an earlier test with the same terms.
        """
        if not self._requests and isinstance(self._connect, Opener):
            own = {name: value for name, value in vars(self).items() if name not in _OF_ITS_SESSION}
            key = f"{type(self).__qualname__} {until} {own}"
            left = self._connect.staged(key, lambda connect: self._elsewhere(connect, own, until))
            if isinstance(left, dict):
                vars(self).update(left)
                return self
        return self._steps(until)

    def _elsewhere(self, connect: Opener, own: dict[str, Any], until: str) -> dict[str, Any]:
        other = type(self).__new__(type(self))
        vars(other).update(own | {"_connect": connect, "_open": {}})
        other._steps(until)
        return {name: value for name, value in vars(other).items() if name not in _OF_ITS_SESSION}

    def _steps(self, until: str) -> World:
        for step in STEPS[: STEPS.index(until) + 1]:
            getattr(self, step)()
        return self

    def published(self) -> None:
        terms = {"issuer_id": "iss_one", "name": "Example", "exemption": self.exemption, "currency": "USD"}
        most = MOST_UNITS.get(self.exemption, self.cap)
        numbers = {
            "unit_price_minor": PRICE,
            "units_total": min(self.cap, most),
            "minimum_units": self.least,
        }
        if self.exemption in {"reg_cf", "eu_crowdfunding"} and not self.terms:
            deadline = datetime.now(UTC) + timedelta(days=90)
            self.terms = {"target_minor": PRICE, "closes_at": deadline.isoformat()}
        self.call("engine.open_offer", self.offering, terms | numbers | self.terms)
        for status in ("legal_review", "legal_accepted"):
            self.call("engine.move_offer", self.offering, status, actor=f"usr_{status}")
        self.call("engine.name_token", self.offering, CHAIN, self.token, b"\x02" * 20)
        self.escrow()
        self.call("engine.move_offer", self.offering, "published")
        self.call(
            "registry.open_control_book", self.offering, f"ctl_{self.label}", 1_000_000, digest("authority")
        )
        content = f"agreement {self.label}".encode()
        self.call("subscription.archive", content, "text/plain")
        for kind in ("material", "risk", "representation"):
            self.call(
                "subscription.require_item", self.offering, kind, "first", 1, self.document, "One sentence."
            )

    def escrow(self, account: str = "ESCROW1", name: str = "first") -> None:
        """Let two administrators put an account of the offer in force as its escrow."""
        escrow = f"esc_{self.label}_{name}"
        self.call("treasury.propose_escrow", self.offering, escrow, escrow_terms(account))
        self.call("treasury.decide_escrow", self.offering, escrow, "true", 1, actor="usr_second")

    def opened(self) -> None:
        self._each("engine.open_investment", lambda n: [*self._investment(n), self.id("ivr", n), n])

    def profiled(self) -> None:
        self._each(
            "portal.open_profile", lambda n: [self.id("ivr", n), self.id("acc", n), "individual", DETAIL]
        )

    def cleared(self) -> None:
        evidence = digest("evidence")
        rows = (
            self.login("portal").execute("select investor_id, detail_digest from portal.profile").fetchall()
        )
        found: dict[str, bytes] = dict(rows)
        with self.login("compliance").transaction():
            self.listed()
            for n in self.numbers:
                ivr = self.id("ivr", n)
                self.call("compliance.open_clearance", self.offering, self.id("clr", n), ivr)
                self.call("compliance.open_case", ivr, self.id("kyc", n), "individual")
                self.call("compliance.record_identity", ivr, "approved", evidence, found[ivr], None)
                self.call("compliance.record_screening", ivr, self.id("scr", n), "list-1", None)
                self.call(
                    "compliance.record_accreditation", ivr, self.id("acr", n), "income", evidence, "infinity"
                )

    def listed(self) -> None:
        """Put the one list of these worlds in force."""
        published, entries = date(2026, 3, 1), 1000
        imported = [*LIST, digest("list"), published, entries, "reader.1"]
        if self.call("compliance.import_list", *imported):
            self.call("compliance.activate_list", *LIST, None)

    def acknowledged(self) -> None:
        def items(n: int) -> list[dict[str, object]]:
            kinds = ("material", "risk", "representation")
            return [{"id": self.id(f"ack_{k}", n), "kind": k, "code": "first", "version": 1} for k in kinds]

        self._each("subscription.acknowledge", lambda n: [*self._investment(n), items(n)])

    def signed(self) -> None:
        self._each(
            "subscription.send_agreement",
            lambda n: [self.offering, self.id("agr", n), self.id("inv", n), n, n * PRICE, self.document],
        )
        self._each("subscription.sign", lambda n: [self.offering, self.id("agr", n), proof(self.document)])
        executed = hashlib.sha256(self.document + b"\x22" * 64).digest()
        self._each("subscription.countersign", lambda n: [self.offering, self.id("agr", n), proof(executed)])

    def allocated(self) -> None:
        self._each(
            "subscription.propose_allocation",
            lambda n: [self.offering, self.id("alc", n), self.id("inv", n), n],
        )
        self._each(
            "subscription.approve_allocation",
            lambda n: [self.offering, self.id("alc", n)],
            actor="usr_second",
        )

    def confirmed(self) -> None:
        self._each("engine.confirm", self._investment)
        self._each("engine.confirm_legally", self._investment)

    def instructed(self) -> None:
        self._each(
            "treasury.approve_source",
            lambda n: [self.id("ivr", n), self.id("src", n), digest(f"account {self.id('ivr', n)}")],
        )
        self._each(
            "treasury.release_instructions",
            lambda n: [self.offering, self.id("pay", n), self.id("inv", n), f"RF{n:014}", n * PRICE, "USD"],
        )

    def statement(
        self, name: str, entries: Sequence[dict[str, object]]
    ) -> tuple[dict[str, object], list[dict[str, object]]]:
        """Return the two arguments of an import: the statement and its entries."""
        head: dict[str, object] = {
            "id": f"stm_{self.label}_{name}",
            "account": "escrow-1",
            "bank_id": f"bank-{name}",
            "file_sha256": digest(name).hex(),
            "opening_minor": 0,
            "closing_minor": sum(int(str(e["amount"])) for e in entries),
            "closed_on": "2026-03-31",
            "currency": "USD",
        }
        return head, list(entries)

    def entry(self, n: int, **changed: object) -> dict[str, object]:
        """Return the bank entry that pays one investment in full, with some fields changed."""
        whole: dict[str, object] = {
            "id": self.id("rcp", n),
            "key": f"key-{n}",
            "amount": n * PRICE,
            "currency": "USD",
            "booked_on": "2026-03-30",
            "value_on": "2026-03-30",
            "reference": f"RF{n:014}",
            "fingerprint": digest(f"account {self.id('ivr', n)}").hex(),
            "sender": "Example Person",
            "line_sha256": digest(f"line {n}").hex(),
        }
        return whole | changed

    def received(self) -> None:
        head, entries = self.statement("first", [self.entry(n) for n in self.numbers])
        self.call("treasury.import_statement", self.offering, head, entries)
        self.call("treasury.match", self.offering)

    def funded(self) -> None:
        self.call("treasury.clear", self.offering, None)

    def linked(self) -> None:
        for verb, arguments in (
            (
                "open_mapping",
                lambda n: [self.id("ivr", n), CHAIN, self.address(n), f"{self.id('wlc', n)}@1", "key"],
            ),
            ("mark_screened", lambda n: [f"{self.id('scr', n)}@1"]),
            ("approve_wallet", lambda _: []),
            ("link_wallet", lambda _: []),
        ):
            by = "usr_agent" if verb == "link_wallet" else "usr_first"
            self._each(
                f"registry.{verb}", lambda n, a=arguments: [self.offering, self.id("wmp", n), *a(n)], actor=by
            )

    def asked(self, challenge: str, investor: str, address: bytes, **changed: object) -> dict[str, object]:
        """Return what the portal keeps of a challenge, with some fields changed."""
        now = datetime.now(UTC).replace(microsecond=0)
        nonce = digest(challenge).hex()[:22]
        message = (
            f"I claim 0x{address.hex()} for {investor} in {self.offering}.\n"
            f"Chain ID: {CHAIN}\nNonce: {nonce}\nIssued At: {now.isoformat()}"
        )
        whole: dict[str, object] = {
            "chain_id": CHAIN,
            "address": address.hex(),
            "nonce": nonce,
            "message": message,
            "issued_at": now.isoformat(),
            "expires_at": (now + timedelta(minutes=10)).isoformat(),
        }
        return whole | changed

    def claim_wallet(
        self, claim: str, investor: str, address: bytes, sign: Callable[[str], bytes] = lambda _: b"\x01" * 65
    ) -> None:
        """Let an investor claim a wallet; without what signs, by a proof that has the right shape alone."""
        challenge = f"wch_{claim}"
        asked = self.asked(challenge, investor, address)
        self.call("portal.issue_challenge", self.offering, challenge, investor, asked)
        proof = [sign(str(asked["message"])), "key", None]
        self.call("portal.claim_wallet", self.offering, claim, investor, challenge, *proof)

    def frozen(self) -> None:
        chosen = [self.id("inv", n) for n in self.numbers]
        self.call("engine.freeze_closing", self.offering, self.closing, chosen)

    def members(self, numbers: Iterable[int]) -> list[dict[str, object]]:
        """Return the members of an instruct call for some investors."""
        return [{"investment": self.id("inv", n), "instruction": self.id("iss", n)} for n in numbers]

    def prepared(self) -> None:
        assert self.call("registry.instruct", self.offering, self.closing, self.members(self.numbers)) == {}

    def submitted(self) -> None:
        sender = b"\x07" * 20
        self.call("registry.open_key", CHAIN, sender, f"deliver {self.label}")
        with self.login("registry").transaction():
            lines = self.call("registry.take_lines", self.offering, self.closing, 500)
            nonce = self.call("registry.take_nonce", CHAIN, sender)
            transaction = {
                "id": f"txn_{self.label}",
                "intent": f"deliver {self.closing}",
                "purpose": "deliver",
                "chain_id": CHAIN,
                "sender": sender.hex(),
                "nonce": nonce,
                "max_fee": 2_000_000_000,
                "priority_fee": 1_000_000_000,
                "hash": digest(f"transaction {self.label}").hex(),
                "raw": "00",
            }
            self.call("registry.record_transaction", self.offering, transaction, lines)

    def registered(self) -> None:
        delivered = [{"address": self.address(n).hex(), "units": n, "ordinal": n - 1} for n in self.numbers]
        block = {"number": 5, "hash": digest("block").hex(), "incarnation": digest("genesis").hex()}
        self.call("registry.finalize", self.offering, f"txn_{self.label}", block, delivered)

    def address(self, n: int) -> bytes:
        """Return the wallet of one investor."""
        return digest(f"wallet {self.id('ivr', n)}")[:20]

    def revoke(self, n: int) -> None:
        """Let compliance revoke one investor's identity."""
        self.call("compliance.revoke_identity", self.id("ivr", n), "the document was forged")

    def _investment(self, n: int) -> list[object]:
        return [self.offering, self.id("inv", n)]

    def _each(self, verb: str, arguments: Callable[[int], list[Any]], actor: str = "usr_first") -> None:
        with self.login(verb.partition(".")[0]).transaction():
            for n in self.numbers:
                self.call(verb, *arguments(n), actor=actor)


def _sendable(value: object) -> object:
    if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
        return Jsonb(value)
    return value
