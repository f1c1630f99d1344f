"""Bad data is refused at its field, with a reason that holds no personal data."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest

from bookrunner.adapters.documents import SnapshotRule, Template, Typesetter, amount_in_words, render_packet
from bookrunner.core.errors import Refused
from bookrunner.core.money import Money, currency
from tests.documents import samples

Change = Callable[[samples.Data], object]


def _name(text: str) -> Change:
    return lambda data: data["investor"].update(legal_name=text)


def _owners(count: int) -> Change:
    owner = {"name": "A", "relation": "beneficial owner", "basis_points": 100}
    return lambda data: data.update(owners=[owner] * count)


CASES: tuple[tuple[str, Change, str], ...] = (
    ("a control character", _name("Ann\x00Lee"), SnapshotRule.PRINTABLE),
    ("a line break", _name("Ann\nLee"), SnapshotRule.PRINTABLE),
    ("a tab", _name("Ann\tLee"), SnapshotRule.PRINTABLE),
    ("a right-to-left override", _name("\u202eeviL"), SnapshotRule.PRINTABLE),
    ("an isolate", _name("Ann \u2066Lee\u2069"), SnapshotRule.PRINTABLE),
    ("a zero-width joiner", _name("Ann\u200dLee"), SnapshotRule.PRINTABLE),
    ("a private letter", _name("Ann \ue000"), SnapshotRule.PRINTABLE),
    ("half a surrogate pair", _name("Ann \ud83d"), SnapshotRule.PRINTABLE),
    (
        "a bidirectional mark deep inside",
        lambda d: d["risks"][2].update(sentence="a\u200fb"),
        SnapshotRule.PRINTABLE,
    ),
    ("two blanks", _name("Ann  Lee"), SnapshotRule.PLAIN_SPACES),
    ("a blank at the end", _name("Ann "), SnapshotRule.PLAIN_SPACES),
    ("a blank that does not break", _name("Ann\u00a0Lee"), SnapshotRule.PLAIN_SPACES),
    ("letters taken apart", _name(unicodedata.normalize("NFD", "Łukasz Ó")), SnapshotRule.NFC),
    ("400 letters", _name("A" * 400), SnapshotRule.LENGTH),
    ("an empty name", _name(""), SnapshotRule.LENGTH),
    ("an emoji", lambda d: _all_names(d, "Tom \U0001f600"), "every_letter_has_a_glyph"),
    ("a letter without a font", lambda d: _all_names(d, "王小明"), "every_letter_has_a_glyph"),
    ("a missing key", lambda d: d["offer"].pop("exemption"), SnapshotRule.REQUIRED),
    ("an unknown key", lambda d: d["offer"].update(discount=5), SnapshotRule.KNOWN),
    ("a missing tax form", lambda d: d["tax"].pop("classification"), SnapshotRule.REQUIRED),
    ("an unknown tax form", lambda d: d["tax"].update(form="W-7"), SnapshotRule.REQUIRED),
    ("no owner", _owners(0), SnapshotRule.COUNT),
    ("sixty owners", _owners(60), SnapshotRule.COUNT),
    ("no risk", lambda d: d.update(risks=[]), SnapshotRule.COUNT),
    ("an amount that is text", lambda d: d["investment"].update(amount_minor="25000000"), SnapshotRule.SHAPE),
    ("half a unit", lambda d: d["investment"].update(units=0.5), SnapshotRule.SHAPE),
    ("more units than JSON keeps exact", lambda d: d["investment"].update(units=2**60), SnapshotRule.SHAPE),
    ("a day that no calendar has", lambda d: d.update(as_of="2026-02-30T00:00:00Z"), SnapshotRule.SHAPE),
    ("an unknown currency", lambda d: d["offer"].update(currency="XQQ"), "currency_is_known"),
    (
        "a fact from the future",
        lambda d: d["risks"][0].update(acknowledged_at="2026-03-03T00:00:00Z"),
        SnapshotRule.TIMES,
    ),
    ("a risk listed twice", lambda d: d["risks"].append(d["risks"][0]), SnapshotRule.ONCE),
    ("one unit more", lambda d: d["investment"].update(units=2_501), SnapshotRule.PRODUCT),
    (
        "other words",
        lambda d: d["investment"].update(amount_in_words="two hundred fifteen thousand and 00/100 USD"),
        SnapshotRule.WORDS,
    ),
    ("a signer who is somebody else", lambda d: d["signers"][0].update(name="Ann Lee"), SnapshotRule.SIGNER),
    ("a second signer of an individual", lambda d: d["signers"].append(_signer(2)), SnapshotRule.SIGNER),
    ("one joint owner alone", lambda d: _joint(d)["owners"].pop(), SnapshotRule.OWNERS_SIGN),
    ("a joint owner who does not sign", lambda d: _joint(d)["signers"].pop(), SnapshotRule.OWNERS_SIGN),
    (
        "a joint signer who owns nothing",
        lambda d: _joint(d)["signers"].append(_signer(9)),
        SnapshotRule.OWNERS_SIGN,
    ),
    (
        "a signer listed twice",
        lambda d: _trust(d)["signers"].append(d["signers"][0]),
        SnapshotRule.SIGNERS_ONCE,
    ),
    (
        "two people as one party",
        lambda d: _trust(d)["signers"].append(_signer(1) | {"party_id": "pty_investor"}),
        SnapshotRule.SIGNERS_ONCE,
    ),
    (
        "a signer who countersigns",
        lambda d: _trust(d)["signers"].append(_signer(2) | {"party_id": "pty_issuer"}),
        SnapshotRule.SIGNERS_ONCE,
    ),
    (
        "fewer than the authority asks for",
        lambda d: _trust(d).update(signatures_required=2),
        SnapshotRule.ENOUGH,
    ),
    ("nobody signs", lambda d: d.update(signers=[]), SnapshotRule.COUNT),
    ("eleven signers", lambda d: d.update(signers=[_signer(n) for n in range(11)]), SnapshotRule.COUNT),
    ("a tax form of somebody else", lambda d: d["tax"].update(name="Ann Lee"), SnapshotRule.TAX_NAME),
    ("more than the whole", lambda d: d["owners"].append(d["owners"][0]), SnapshotRule.SHARES),
    (
        "consent after the first document",
        lambda d: d["consent"].update(given_at="2026-03-01T10:00:01Z"),
        SnapshotRule.CONSENT,
    ),
    (
        "consent before the sample was opened",
        lambda d: d["consent"].update(format_opened_at="2026-03-01T09:59:30Z"),
        SnapshotRule.CONSENT,
    ),
    ("a representation not made", lambda d: d["representations"][1].update(made=False), SnapshotRule.MADE),
    ("a representation left out", lambda d: d["representations"].pop(0), SnapshotRule.MADE),
)


def _signer(number: int) -> samples.Data:
    return {
        "party_id": f"pty_{number}",
        "name": f"Ann Lee {number}",
        "capacity": "Manager",
        "authority": "Resolution of 2026-01-10",
    }


def _joint(data: samples.Data) -> samples.Data:
    data.update(samples.joint())
    return data


def _trust(data: samples.Data) -> samples.Data:
    data.update(samples.trust())
    return data


def _all_names(data: samples.Data, name: str) -> None:
    data.update(samples.named(name))


@pytest.mark.parametrize(("change", "rule"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_refused_with_its_reason(press: Typesetter, packet: Template, change: Change, rule: str) -> None:
    data = samples.individual()
    change(data)
    with pytest.raises(Refused) as refused:
        render_packet(packet, data, press)
    assert refused.value.rule == rule
    assert "Ann" not in str(refused.value)
    assert "Lee" not in str(refused.value)


def test_a_letter_without_a_glyph_is_named_by_its_code_point(press: Typesetter, packet: Template) -> None:
    with pytest.raises(Refused, match="U\\+738B"):
        render_packet(packet, samples.named("Jan 王"), press)


def test_every_rule_is_broken_by_a_case() -> None:
    assert set(SnapshotRule) <= {rule for _, _, rule in CASES}


@pytest.mark.parametrize(
    ("minor", "code", "words"),
    [
        (1, "USD", "zero and 01/100 USD"),
        (250_000_00, "USD", "two hundred fifty thousand and 00/100 USD"),
        (1_019_021_99, "EUR", "one million nineteen thousand twenty-one and 99/100 EUR"),
        (1_000_000_110, "JPY", "one billion one hundred ten JPY"),
        (12_345, "KWD", "twelve and 345/1000 KWD"),
    ],
)
def test_amounts_in_words(minor: int, code: str, words: str) -> None:
    assert amount_in_words(Money(minor, currency(code))) == words
