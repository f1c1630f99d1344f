"""The pipeline of institutional capital: a board by state, one request with its path, requests to review."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Protocol

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core.errors import NotFound, Refused
from bookrunner.db import Database, Row, load
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

Facts = dict[str, Any]


class Move(Protocol):
    """Carries one act on a request out, as a form says it."""

    def __call__(
        self, request: Request, visitor: SignedIn, offering: str, *, form: Mapping[str, str]
    ) -> None:
        """Act, or raise what the books refuse."""
        ...


STATES: Final = ("pending", "under_internal_review", "escrow_initiated", "funded", "cancelled")
KEEPERS: Final = ("engine", "compliance")
_CONFLICT, _SEE_OTHER = 409, 303
_IN = Annotated[SignedIn, Depends(requiring(KEEPERS))]
_HOW: Final[Mapping[str, tuple[str, str]]] = {
    "review_opened": (
        "Internal review",
        "A reviewer of the desk, who is not the one who asked, takes it up.",
    ),
    "escrow_initiated": (
        "Escrow",
        "The desk or a program with a token opens it for a confirmed investment and says when it settles.",
    ),
    "funded": (
        "Funded",
        "The signed settlement message confirms it, once the treasury has the money and it is final.",
    ),
    "cancelled": ("Cancelled", "The desk ends it for a reason. It stays ended."),
}


async def _form_of(request: Request) -> dict[str, str]:
    async with request.form(max_files=0, max_fields=20) as read:
        return {name: value for name, value in read.items() if isinstance(value, str)}


def board(database: Database, offering: str) -> Facts:
    """Return the requests of an offer by state."""
    with database.transaction("engine") as transaction:
        queries = load(__package__)
        rows = list(queries.board(transaction, offering=offering))
        sentences = {row["state"]: row["sentence"] for row in queries.board_states(transaction)}
    columns = []
    for state in STATES:
        of_state = [row for row in rows if row["status"] == state]
        total = sum(row["amount_minor"] for row in of_state)
        columns.append({"state": state, "sentence": sentences[state], "rows": of_state, "total": total})
    return {
        "columns": columns,
        "open": sum(row["status"] not in {"funded", "cancelled"} for row in rows),
        "overdue": sum(row["is_overdue"] for row in rows),
    }


def reviews(database: Database, visitor: SignedIn, offering: str) -> Facts:
    """Return the scored requests of an offer, with the entity's words, as an officer decides on them."""
    with database.transaction(visitor.keeper) as transaction:
        found = list(load(__package__).intakes(transaction, offering=offering))
    return {"intakes": found, "waiting": sum(row["status"] == "in_review" for row in found)}


def _one(database: Database, offering: str, allocation: str) -> Facts:
    with database.transaction("engine") as transaction:
        queries = load(__package__)
        row: Row | None = queries.allocation(transaction, offering=offering, allocation=allocation)
        if row is None:
            raise NotFound(f"there is no {allocation} in {offering}")
        on = {"offering": offering, "allocation": allocation}
        path = list(queries.path(transaction, **on, intake=row["intake_id"]))
        moves = list(queries.next_moves(transaction, status=row["status"]))
        candidates = list(queries.candidates(transaction, **on))
        intake = queries.intake(transaction, offering=offering, intake=row["intake_id"])
    return {
        "one": row,
        "happened": [{**each, "because": _because(each, row, intake)} for each in path],
        "steps": [_step(move, row, candidates) for move in moves],
        "candidates": candidates,
        "intake": intake,
        "trail": [(state, _reached(state, row["status"])) for state in STATES[:4]],
    }


def _because(event: Row, row: Row, intake: Row | None) -> str:
    """Say why a move was made, where its person or its rules said so."""
    verb = event["kind"].partition(".")[2]
    said = {
        "requested": "After the intake." if row["intake_id"] else "Entered by the desk.",
        "cancelled": row["cancelled_because"],
        "fast_tracked": "The score met no rule that asks for a person.",
        "escrow_initiated": f"For {row['investment_id']}, settles by {str(row['settlement_due_at'])[:10]}.",
        "funded": f"Message {row['settlement_message']}, signed under {row['settlement_key_id']}.",
    }
    if intake is not None:
        said |= dict.fromkeys(("approved", "declined"), intake["decided_because"])
        said["sent_to_review"] = " ".join(intake["sentences"] or ())
    return str(said.get(verb, ""))


def _step(move: Row, row: Row, candidates: list[Row]) -> Facts:
    """Return a move that is listed, who makes it, and what it still waits for."""
    title, how = _HOW[move["trigger"]]
    waits = []
    if move["to_state"] != "cancelled" and not row["is_cleared"]:
        waits.append("a clearance of the entity that is in force")
    if move["to_state"] == "escrow_initiated" and not candidates:
        waits.append("a confirmed investment of the entity with this amount")
    if move["to_state"] == "funded":
        if not row["funds_are_received"]:
            waits.append("the money, received and matched")
        if not row["funds_are_cleared"]:
            waits.append("the money, final")
    return {"to": move["to_state"], "role": move["role"], "title": title, "how": how, "waits": waits}


def _reached(state: str, status: str) -> str:
    if status == "cancelled":
        return "open"
    here, there = STATES.index(status), STATES.index(state)
    return "current" if here == there else "done" if there < here else "open"


def attach(
    router: Router,
    database: Database,
    shell: Shell,
    *,
    frame: Callable[[SignedIn, str], Facts],
    move: Move,
) -> None:
    """Add the page of one request; ``frame`` is what pages of the desk share, ``move`` carries an act out."""

    def shown(
        request: Request, visitor: SignedIn, on: tuple[str, str], refusal: Facts | None = None
    ) -> Response:
        facts = {
            **frame(visitor, on[0]),
            **_one(database, *on),
            "view": "institutions",
            "title": "Institutional allocation",
            "may_act": visitor.keeper == KEEPERS[0],
            "refusal": refusal,
        }
        return shell.page(request, "desk/capital/allocation.html", facts, _CONFLICT if refusal else 200)

    @router.get("/{offering}/institutions/{allocation}")
    def look(request: Request, offering: str, allocation: str, visitor: _IN) -> Response:
        return shown(request, visitor, (offering, allocation))

    @router.post("/{offering}/institutions/{allocation}")
    def act(
        request: Request,
        offering: str,
        allocation: str,
        *,
        form: Annotated[dict[str, str], Depends(_form_of)],
    ) -> Response:
        visitor = requiring(KEEPERS[:1])(request)
        try:
            move(request, visitor, offering, form={**form, "allocation": allocation})
        except NotFound:
            raise
        except Refused as refused:
            return shown(
                request, visitor, (offering, allocation), {"rule": refused.rule, "detail": refused.detail}
            )
        return RedirectResponse(f"/desk/{offering}/institutions/{allocation}", status_code=_SEE_OTHER)
