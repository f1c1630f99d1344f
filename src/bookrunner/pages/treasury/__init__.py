"""The fund administrator's console: escrow, statements, the queue and its workbench, refunds and releases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Form, Query, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from bookrunner.adapters.bank import BankFileReader
from bookrunner.adapters.chain import checksum
from bookrunner.books import treasury
from bookrunner.core.errors import NotFound, Refused
from bookrunner.db import Database
from bookrunner.engine.intake import Deposits
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell, mask
from bookrunner.pages.shell.routing import Router
from bookrunner.pages.treasury import account, exchange, facts, money, payouts, stored
from bookrunner.pages.treasury.acts import Administrator, Said, said
from bookrunner.pages.treasury.imports import file_of, import_file

__all__ = ["routes"]

_CONFLICT, _STALE, _SEE_OTHER = 409, 412, 303
_In = Annotated[SignedIn, Depends(requiring(("treasury",)))]
_Said = Annotated[Said, Depends(said)]
_Text = Annotated[str, Form(max_length=4000)]
_Page = Annotated[int, Query(ge=1, le=10_000)]
_RETURNS = ("returned", "may_return", "partials", "failures", "alarms")
_PAYOUTS = ("refunds", "payouts", "releases", "closings", "deductions", "fee_kinds", "fees_shown")
_COINS = ("coins", "transfers")
_ACCOUNT = ("accounts", "told_where_to_pay", "fees", "fee_kinds", "currencies")
_INSTITUTIONS = ("initiations", "settlement_alarms")
_TYPED = ("typed_payee", "typed_amount", "typed_net", "typed_on", "typed_deductions")
_FILES = {
    "trial-balance.csv": treasury.trial_balance_csv,
    "statements.csv": treasury.statement_agreement_csv,
    "three-balances.csv": treasury.three_way_csv,
    "ledger.beancount": treasury.ledger_beancount,
}
_ALWAYS: Mapping[str, Any] = {
    "refusal": None,
    "changed": (),
    "is_done": False,
    "acts": facts.ACTS,
    "exceptions": facts.EXCEPTIONS,
    "mark": facts.mark,
    "mask": mask,
    "address": lambda held: checksum(bytes.fromhex(held)),
}


class Console:
    """Renders the administrator's pages; a refusal comes back on the page it was asked from."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self.database = database
        self.shell = shell

    def page(self, request: Request, offering: str, template: str, shown: Mapping[str, Any]) -> Response:
        """Return a page of one offer's escrow: 412 over a changed record, 409 over any other refusal."""
        head = facts.desk(self.database, offering)
        facts_now = {**_ALWAYS, "desk": head, "home": facts.path_of(offering), **shown}
        status = 200 if facts_now["refusal"] is None else _CONFLICT
        if facts_now["changed"]:
            status = _STALE
        return self.shell.page(request, f"treasury/{template}", facts_now, status)

    def workbench(self, request: Request, offering: str, name: str, **shown: object) -> Response:
        """Return the workbench of one receipt."""
        found = facts.receipt(self.database, offering, name)
        return self.page(request, offering, "escrow/receipt.html", {**found, **shown})

    def refused(
        self, request: Request, on: tuple[str, str], form: Said, fault: Refused, **typed: object
    ) -> Response:
        """Return the workbench with a refusal; what was typed is kept, and what changed meanwhile is told."""
        offering, name = on
        told = {
            "refusal": facts.told(fault),
            "changed": facts.changed(self.database, on, form, fault),
        }
        return self.workbench(request, offering, name, **told, typed=form, **typed)

    def act(self, request: Request, on: tuple[str, str], form: Said, officer: SignedIn) -> Response:
        """Propose or decide, or show why it was refused with nothing typed lost."""
        offering, name = on
        try:
            Administrator(self.database, offering, officer.actor).act(name, form)
        except NotFound:
            raise
        except Refused as fault:
            return self.refused(request, on, form, fault)
        return RedirectResponse(f"{facts.path_of(offering, 'receipts', name)}?done=1", status_code=_SEE_OTHER)

    def rehearse(self, request: Request, on: tuple[str, str], form: Said, officer: SignedIn) -> Response:
        """Show what an act would do to the ledger and the gate; nothing of it stays."""
        offering, name = on
        try:
            found = Administrator(self.database, offering, officer.actor).rehearse(name, form)
        except NotFound:
            raise
        except Refused as fault:
            return self.refused(request, on, form, fault)
        return self.workbench(request, offering, name, rehearsed=found, typed=form)

    def payouts(self, request: Request, offering: str, **shown: object) -> Response:
        """Return refunds, releases and the orders to the bank."""
        found = facts.lists(self.database, offering, _PAYOUTS)
        empty = {"typed": Said(), **dict.fromkeys(_TYPED, "")}
        return self.page(request, offering, "escrow/payouts.html", {**found, **empty, **shown})

    def run(self, request: Request, offering: str, template: str, shown: Mapping[str, Any]) -> Response:
        """Return a page of the pay run."""
        return self.page(request, offering, f"payouts/{template}", shown)

    def returns(self, request: Request, offering: str, **shown: object) -> Response:
        """Return what came back, what may, who may pay again, and what nobody has answered."""
        found = facts.lists(self.database, offering, _RETURNS)
        return self.page(request, offering, "escrow/returns.html", {**found, **shown})

    def stored(self, request: Request, offering: str, **shown: object) -> Response:
        """Return the cheques in hand and what investors have left."""
        found = facts.lists(self.database, offering, ("cheques", "balances", "debits"))
        return self.page(request, offering, "escrow/stored.html", {**found, **shown})

    def account(self, request: Request, offering: str, **shown: object) -> Response:
        """Return where the money of an offer is kept, and what is proposed."""
        found = facts.lists(self.database, offering, _ACCOUNT)
        return self.page(
            request, offering, "escrow/account.html", {**found, "typed": account.Terms(), **shown}
        )

    def coins(self, request: Request, offering: str, **shown: object) -> Response:
        """Return the tokens that are money here, and what the chain has shown of them."""
        found = facts.lists(self.database, offering, _COINS)
        return self.page(request, offering, "escrow/coins.html", {**found, **shown})

    def institutions(self, request: Request, offering: str, **shown: object) -> Response:
        """Return the escrow that was opened for institutions, and settlement messages that do not fit."""
        found = facts.lists(self.database, offering, _INSTITUTIONS)
        return self.page(request, offering, "escrow/institutions.html", {**found, **shown})


def routes(
    database: Database,
    reader: BankFileReader,
    shell: Shell,
    deposits: Deposits | None,
    *,
    rates: exchange.Reader,
) -> Router:
    """Return the routes below ``/treasury``; each asks for a session of the treasury keeper."""
    router = Router(prefix="/treasury")
    pages = Console(database, shell)
    exchange.rate_routes(router, database, shell, rates)
    _escrow_routes(router, pages)
    _statement_routes(router, pages, reader)
    _queue_routes(router, pages)
    _owner_routes(router, pages)
    _part_routes(router, pages)
    _payout_routes(router, pages)
    shown = {"payouts": pages.payouts, "returns": pages.returns, "coins": pages.coins}
    shown["institutions"] = pages.institutions
    money.routes(router, database, shown, deposits)
    stored.routes(router, database, pages.stored)
    account.routes(router, database, pages.account)
    payouts.routes(router, database, pages.run)
    exchange.routes(router, database, pages.account)
    return router


def _escrow_routes(router: Router, pages: Console) -> None:
    @router.get("")
    def offers(request: Request, _: _In) -> Response:
        return pages.shell.page(request, "treasury/offers.html", {"desks": facts.desks(pages.database)})

    @router.get("/{offering}")
    def escrow(request: Request, offering: str, _: _In, *, account: str = "") -> Response:
        shown = facts.overview(pages.database, offering, account)
        return pages.page(request, offering, "escrow/overview.html", shown)

    @router.get("/{offering}/returns")
    def returns(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return pages.returns(request, offering, is_done=done)

    @router.get("/{offering}/files/{name}")
    def file(offering: str, name: str, _: _In, *, account: str = "") -> Response:
        facts.desk(pages.database, offering)
        keeper = treasury.keeper(pages.database)
        if name == "account.csv":
            text = treasury.account_statement_csv(keeper, offering, account)
        elif name in _FILES:
            text = _FILES[name](keeper, offering)
        else:
            raise NotFound(f"there is no file {name}")
        kept = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return PlainTextResponse(text, headers=kept)


def _statement_routes(router: Router, pages: Console, reader: BankFileReader) -> None:
    def shown(request: Request, offering: str, **more: object) -> Response:
        found = facts.lists(pages.database, offering, ("statements",))
        return pages.page(request, offering, "escrow/statements.html", {**found, "imported": None, **more})

    @router.get("/{offering}/statements")
    def statements(request: Request, offering: str, _: _In) -> Response:
        return shown(request, offering)

    @router.post("/{offering}/statements")
    def take(
        request: Request, offering: str, officer: _In, *, raw: Annotated[bytes, Depends(file_of)]
    ) -> Response:
        try:
            imported = import_file(pages.database, reader, (offering, officer.actor), raw)
        except NotFound:
            raise
        except Refused as fault:
            return shown(request, offering, refusal=facts.told(fault))
        return shown(request, offering, imported=imported)


def _queue_routes(router: Router, pages: Console) -> None:
    @router.get("/{offering}/queue")
    def queue(request: Request, offering: str, _: _In, *, state: str = "", page: _Page = 1) -> Response:
        chosen = state if state in facts.STATES else ""
        shown = facts.queue(pages.database, offering, chosen, page)
        return pages.page(request, offering, "escrow/queue.html", shown)

    @router.get("/{offering}/queue/now")
    def now(request: Request, offering: str, _: _In, *, state: str = "", page: _Page = 1) -> Response:
        chosen = state if state in facts.STATES else ""
        shown = facts.queue(pages.database, offering, chosen, page)
        head = {"desk": facts.desk(pages.database, offering), "home": facts.path_of(offering)}
        return pages.shell.fragment(request, "treasury/escrow/waiting.html", {**_ALWAYS, **head, **shown})

    @router.get("/{offering}/receipts/{name}")
    def receipt(request: Request, offering: str, name: str, _: _In, *, done: bool = False) -> Response:
        return pages.workbench(request, offering, name, is_done=done)

    @router.post("/{offering}/receipts/{name}")
    def act(request: Request, offering: str, name: str, officer: _In, *, form: _Said) -> Response:
        return pages.act(request, (offering, name), form, officer)

    @router.post("/{offering}/receipts/{name}/rehearsal")
    def rehearse(request: Request, offering: str, name: str, officer: _In, *, form: _Said) -> Response:
        return pages.rehearse(request, (offering, name), form, officer)


def _owner_routes(router: Router, pages: Console) -> None:
    @router.post("/{offering}/receipts/{name}/owner")
    def own(request: Request, offering: str, name: str, officer: _In) -> Response:
        try:
            treasury.keeper(pages.database).give_receipt(
                actor=officer.actor, offering=offering, receipt=name, owner=officer.actor
            )
        except Refused as fault:
            return pages.workbench(request, offering, name, refusal=facts.told(fault))
        return RedirectResponse(facts.path_of(offering, "receipts", name), status_code=_SEE_OTHER)


def _part_routes(router: Router, pages: Console) -> None:
    @router.post("/{offering}/receipts/{name}/parts")
    def divide(
        request: Request, offering: str, name: str, officer: _In, *, form: _Said, amounts: _Text = ""
    ) -> Response:
        code = str(facts.receipt(pages.database, offering, name)["receipt"]["currency"])
        try:
            Administrator(pages.database, offering, officer.actor).divide(name, amounts, code)
        except Refused as fault:
            return pages.refused(request, (offering, name), form, fault, typed_parts=amounts)
        return RedirectResponse(facts.path_of(offering, "receipts", name), status_code=_SEE_OTHER)

    @router.post("/{offering}/receipts/{name}/whole")
    def combine(
        request: Request,
        offering: str,
        name: str,
        officer: _In,
        *,
        form: _Said,
        part: Annotated[tuple[str, ...], Form()] = (),
    ) -> Response:
        try:
            whole = Administrator(pages.database, offering, officer.actor).combine(part)
        except Refused as fault:
            return pages.refused(request, (offering, name), form, fault)
        return RedirectResponse(facts.path_of(offering, "receipts", whole), status_code=_SEE_OTHER)

    @router.post("/{offering}/receipts/{name}/payer")
    def payer(request: Request, offering: str, name: str, officer: _In, *, purpose: _Text = "") -> Response:
        try:
            shown = Administrator(pages.database, offering, officer.actor).payer(name, purpose)
        except Refused as fault:
            return pages.workbench(request, offering, name, refusal=facts.told(fault))
        return pages.workbench(request, offering, name, payer=shown)


def _payout_routes(router: Router, pages: Console) -> None:
    @router.get("/{offering}/payouts")
    def payouts(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return pages.payouts(request, offering, is_done=done)

    @router.post("/{offering}/payouts")
    def take_order(
        request: Request, offering: str, officer: _In, *, order: _Text = "", purpose: _Text = ""
    ) -> Response:
        facts.desk(pages.database, offering)
        try:
            raw = Administrator(pages.database, offering, officer.actor).order(order, purpose)
        except NotFound:
            raise
        except Refused as fault:
            return pages.payouts(request, offering, refusal=facts.told(fault), typed_on=order)
        is_xml = raw.lstrip().startswith(b"<")
        name, kind = (f"{order}.xml", "application/xml") if is_xml else (f"{order}.ach", "text/plain")
        kept = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(raw, media_type=kind, headers=kept)

    @router.post("/{offering}/releases/{release}")
    def decide(
        request: Request,
        offering: str,
        release: str,
        officer: _In,
        *,
        form: _Said,
        payee: _Text = "",
        amount: _Text = "",
        net: _Text = "",
    ) -> Response:
        code = str(facts.desk(pages.database, offering)["currency"])
        try:
            Administrator(pages.database, offering, officer.actor).decide_release(
                release, form, payee, (amount, net, code)
            )
        except Refused as fault:
            told = {
                "refusal": facts.told(fault),
                "changed": facts.changed(pages.database, (offering, release), form, fault),
            }
            typed = {
                "typed": form,
                "typed_payee": payee,
                "typed_amount": amount,
                "typed_net": net,
                "typed_on": release,
            }
            return pages.payouts(request, offering, **told, **typed)
        return RedirectResponse(f"{facts.path_of(offering, 'payouts')}?done=1", status_code=_SEE_OTHER)
