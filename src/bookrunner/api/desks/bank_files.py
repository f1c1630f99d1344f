"""Bank files of an offer: a statement is posted whole or refused, and its receipts are read by it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints

from bookrunner.adapters.bank import BankFileReader, Statement
from bookrunner.api.caller import Called, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE, BankStatementId, OfferId, Shape, money
from bookrunner.api.shapes.cursors import Cursor, cursor_of, place_of
from bookrunner.api.shapes.decided import BankStatement, BankStatements, StatementPosted
from bookrunner.books import treasury
from bookrunner.core.errors import NotReady, Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within
from bookrunner.engine.intake import post_statement

_CREATED = 201
_KEEPER = "treasury"
_Limit = Annotated[int, Query(ge=1, le=PAGE)]


class NewBankFile(Shape):
    """One statement as the bank wrote it, in base64: camt.053, camt.054, MT940, BAI2 or CSV."""

    content: Annotated[
        str, StringConstraints(min_length=1, max_length=4_000_000, pattern="^[A-Za-z0-9+/]+={0,2}$")
    ]


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of bank statements, for keys of the treasury."""
    router = Router(prefix="/v1/offers/{offer}/bank_statements", tags=["banking"])
    _reads(router, gateway)
    keeper = treasury.keeper(gateway.database)

    @router.post("", operation_id="post_bank_statement", response_model=StatementPosted, status_code=_CREATED)
    async def posted(write: Written, request: Request, offer: OfferId, body: NewBankFile) -> Response:
        """Post a statement whole and match its receipts by the rules; the same entry is posted once.

        It is refused when it was posted before, lacks a balance or does not add up. Files of more than
        3 MB are posted at the console or by the command line.
        """
        actor = await gateway.admitted(write.caller, _KEEPER)
        reader: BankFileReader | None = request.app.state.bank_files
        if reader is None:
            raise NotReady("bank_files_have_their_reader", "nothing here reads bank files")
        try:
            raw = base64.b64decode(body.content, validate=True)
        except binascii.Error:
            raise Refused("file_is_written_in_base64", "the content is not base64") from None
        statement = await gateway.run(partial(_only, reader, raw))
        name, digest = new_id("stm"), sha256(raw).hexdigest()

        def post(within: Within, _: Mapping[str, Any]) -> None:
            post_statement(within, statement, (offer, actor), (name, digest))

        answer = await gateway.write_with(
            write,
            keeper,
            "take_bank_statement",
            post,
            offering=offer,
            statement=name,
            file_sha256=digest,
        )
        answer.status_code = _CREATED
        return answer

    return router


def _only(reader: BankFileReader, raw: bytes) -> Statement:
    return reader.read_file(raw).only_statement()


def _reads(router: APIRouter, gateway: Gateway) -> None:
    @router.get("", operation_id="list_bank_statements")
    async def listed(
        caller: Called, offer: OfferId, cursor: Cursor = None, limit: _Limit = 50
    ) -> BankStatements:
        """List the bank statements that were posted for an offer by id, with the states of their receipts."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(
                of.bank_statements(offering=offer, statement=None, after=place_of(cursor), most=limit)
            )

        rows = await gateway.read(caller, work)
        return {
            "bank_statements": [_shown(row) for row in rows],
            "next": cursor_of(rows, "statement_id", limit),
        }

    @router.get("/{bank_statement}", operation_id="get_bank_statement")
    async def one(caller: Called, offer: OfferId, bank_statement: BankStatementId) -> BankStatement:
        """Return one bank statement; its receipts are those that name it."""
        await gateway.admitted(caller, _KEEPER)
        named = {"offering": offer, "statement": bank_statement, "after": None, "most": 1}
        rows = await gateway.read(caller, lambda of: list(of.bank_statements(**named)))
        if not rows:
            raise UnknownRecord("statement_exists", f"there is no statement {bank_statement} in {offer}")
        return _shown(rows[0])


def _shown(row: Row) -> BankStatement:
    return {
        "id": row["statement_id"],
        "status": row["status"],
        "account": row["account"],
        "bank_statement_id": row["bank_statement_id"],
        "file_sha256": row["file_sha256"],
        "opening": money(row["opening_minor"], row["currency"]),
        "closing": money(row["closing_minor"], row["currency"]),
        "closed_on": row["closed_on"].isoformat(),
        "entries": row["entries"],
        "receipts": row["receipts"],
        "version": str(row["version"]),
    }
