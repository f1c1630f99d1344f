"""An export of another system is compared with our books by a mapping of its columns."""

from __future__ import annotations

import pytest

from bookrunner.app import Application
from bookrunner.core.errors import Refused
from bookrunner.reconciliation.outside import compare, read_mapping
from tests.attack.world import Connect
from tests.reconciliation.conftest import Books

HOLDINGS = b'book = "holdings"\n[columns]\ninvestor_id = "Holder"\nunits = "Shares"\n'
PAID = b'book = "payments"\n[columns]\nreference = "Ref"\namount = "Amount (USD)"\n'


def test_exports_of_an_agent_and_an_administrator(connect: Connect, application: Application) -> None:
    books = Books(connect)
    books.build("registered")
    one, two, three = (books.id("ivr", n) for n in books.numbers)
    against = application.comparing.against
    same = f"Shares,Name,Holder\n1,A,{one}\n2,B,{two}\n3,C,{three}\n".encode()
    assert against(books.offering, same, HOLDINGS).agrees
    other = f'\ufeffHolder,Shares\r\n{one},"1,000"\r\n{two},2\r\nivr_x,9\r\n'.encode()
    found = against(books.offering, other, HOLDINGS)
    assert (found.equal, found.only_ours, found.only_theirs) == (1, [three], ["ivr_x"])
    assert found.different == [(one, "units", "1", "1000")]
    paid = (
        b'Ref,Amount (USD)\nRF00000000000001,500.00\nRF00000000000002,"1,000.01"\nRF00000000000003,1500.00\n'
    )
    found = against(books.offering, paid, PAID)
    assert found.different == [("RF00000000000002", "amount", "100000", "100001")]
    wallets = b'book = "wallets"\n[columns]\ninvestor_id = "Holder"\naddress = "Wallet"\n'
    lines = "".join(f"{books.id('ivr', n)},0x{books.address(n).hex().upper()}\n" for n in books.numbers)
    assert against(books.offering, f"Holder,Wallet\n{lines}".encode(), wallets).agrees
    listed = b'book = "investments"\n[columns]\ninvestment_id = "Deal"\nstatus = "State"\n'
    state = f"Deal,State\n{books.id('inv', 1)},legally_confirmed\n".encode()
    found = against(books.offering, state, listed)
    assert (found.equal, len(found.only_ours)) == (1, 2)


def test_our_own_records_that_repeat_an_id_or_have_none_are_named() -> None:
    mapped = read_mapping(b'book = "holdings"\n[columns]\naddress = "Wallet"\nunits = "Shares"\n')
    ours = [
        {"address": "aa", "units": 5, "investor_id": "ivr_1"},
        {"address": "aa", "units": 7, "investor_id": "ivr_2"},
        {"address": None, "units": 9, "investor_id": "ivr_3"},
        {"address": "bb", "units": 1, "investor_id": "ivr_4"},
    ]
    theirs = {"aa": {"address": "aa", "units": "7"}, "bb": {"address": "bb", "units": "1"}}
    found = compare(ours, theirs, mapped)
    assert (found.equal, found.repeated, found.without_id) == (1, ["aa"], ["units 9, investor_id ivr_3"])
    assert found.different == [("aa", "units", "5", "7")]
    assert not found.agrees
    assert not compare(ours[1:3], {"aa": theirs["aa"]}, mapped).agrees


@pytest.mark.parametrize(
    ("rule", "export", "mapping"),
    [
        ("mapping_is_readable", b"", b"book = "),
        ("mapping_is_readable", b"", b'book = "people"'),
        ("mapping_is_readable", b"", b'book = "holdings"\n[columns]\nunits = "Shares"\n'),
        ("mapping_is_readable", b"", b'book = "holdings"\n[columns]\ninvestor_id = "A"\namount = "B"\n'),
        ("export_has_its_columns", b"Holder,Units\n", HOLDINGS),
        ("export_names_each_record_once", b"Holder,Shares\na,1\na,1\n", HOLDINGS),
        ("export_names_each_record_once", b"Holder,Shares\n,1\n", HOLDINGS),
        ("export_value_is_exact", b"Holder,Shares\na,1.5\n", HOLDINGS),
        ("export_value_is_exact", b'Holder,Shares\na,"1,5"\n', HOLDINGS),
        ("export_is_readable", b"Holder,Shares\na,\xff\n", HOLDINGS),
    ],
)
def test_a_file_that_cannot_be_compared_is_refused(
    connect: Connect, application: Application, *, rule: str, export: bytes, mapping: bytes
) -> None:
    books = Books(connect)
    books.published()
    with pytest.raises(Refused) as refused:
        application.comparing.against(books.offering, export, mapping)
    assert refused.value.rule == rule
