"""What one person confirms on a page: a receipt as final, and units that another has proposed."""

from __future__ import annotations

import hashlib
import re

import httpx
import pytest

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.attack.world import Connect
from tests.pages.conftest import Site
from tests.pages.test_access import visitor
from tests.pages.world import OFFERING, UNITS, World

pytestmark = pytest.mark.timeout(240)

RECEIPT = f"/treasury/{OFFERING}/receipts/rcp_0004"
UNITS_PAGE = f"/desk/{OFFERING}/allocations"


def status(connect: Connect) -> str:
    row = connect("owner").execute(b"select status from treasury.receipt where receipt_id = 'rcp_0004'")
    return str((row.fetchone() or ("",))[0])


def seen(client: httpx.Client) -> str:
    """Return the version in the form that confirms."""
    form = re.search(
        r'name="seen" value="(\d+)"><input type="hidden" name="choice"', client.get(RECEIPT).text
    )
    assert form is not None
    return form[1]


def test_a_receipt_is_confirmed_once_on_the_version_seen(
    site: Site, endpoint: Endpoint, connect: Connect
) -> None:
    with visitor(site, issue(endpoint, "fund.flo", "treasury", actor="usr_admin")) as client:
        version = seen(client)
        stale = client.post(RECEIPT, data={"seen": "0", "choice": "clear"})
        assert (stale.status_code, status(connect)) == (412, "matched")
        assert "decision is on the version seen" in stale.text
        rehearsed = client.post(f"{RECEIPT}/rehearsal", data={"seen": version, "choice": "clear"})
        assert (rehearsed.status_code, status(connect)) == (200, "matched")
        assert client.post(RECEIPT, data={"seen": version, "choice": "clear"}).status_code == 303
        assert status(connect) == "cleared"
        page = client.get(RECEIPT).text
        assert "Confirm as final" not in page
        later = re.findall(r'name="seen" value="(\d+)"', page)[0]
        again = client.post(RECEIPT, data={"seen": later, "choice": "clear"})
        assert (again.status_code, "confirmed receipt is matched" in again.text) == (409, True)


def propose(world: World, actor: str) -> None:
    """Have an agreement countersigned, and its units proposed by an actor."""
    desk, document = world.subscription, b"agreement 0005"
    signed = hashlib.sha256(hashlib.sha256(document).digest() + b"\x02" * 64).hexdigest()
    proof = {"capacity": "officer", "intent": "I countersign", "signed_sha256": signed}
    proof |= {"public_key": "03" * 32, "signature": "04" * 64}
    desk.countersign(actor="issuer", offering=OFFERING, agreement="agr_0005", proof=proof)
    on = {"offering": OFFERING, "approval": "alc_page", "investment": "inv_0005"}
    desk.propose_allocation(actor=actor, **on, units=UNITS)


def test_units_are_approved_by_another_person_than_proposed_them(site: Site, endpoint: Endpoint) -> None:
    propose(site.world, "key:desk.rosa")
    keys = {
        name: issue(endpoint, name, "subscription", actor="usr_admin") for name in ("desk.rosa", "desk.sam")
    }
    with visitor(site, keys["desk.rosa"]) as rosa:
        assert "another person approves" in rosa.get(UNITS_PAGE).text
        refused = rosa.post(UNITS_PAGE, data={"approval": "alc_page"})
        assert (refused.status_code, "allocation needs two people" in refused.text) == (409, True)
    with visitor(site, keys["desk.sam"]) as sam:
        assert "1 waits for a second person" in sam.get(UNITS_PAGE).text
        assert sam.post(UNITS_PAGE, data={"approval": "alc_none"}).status_code in {404, 409}
        assert sam.post(UNITS_PAGE, data={"approval": "alc_page"}).status_code == 303
        assert "No units wait for a second person" in sam.get(UNITS_PAGE).text
    with visitor(site, issue(endpoint, "fund.flo", "treasury", actor="usr_admin")) as other:
        assert other.get(UNITS_PAGE).status_code == 403
