"""What people of a break's owner do with it: take it on, say why it is, say what was put right, accept it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import StringConstraints

from bookrunner.api.caller import Decided, Write
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import Because, OfferId, Shape
from bookrunner.api.shapes.decided import BreakActed
from bookrunner.core.credentials import KEEPERS

_BreakId = Annotated[str, StringConstraints(pattern="^brk_[0-9A-Za-z_]{1,64}$")]


class Assignment(Shape):
    """Who has the break from now on; without a name it is whoever calls."""

    person: Annotated[str, StringConstraints(pattern="^[a-z0-9][a-zA-Z0-9._-]{1,62}$")] | None = None


class BreakAnswer(Shape):
    """Why the records differ, or what was put right; neither verifies the break."""

    kind: Literal["explained", "corrected"]
    answer: Because


class BreakAcceptance(Shape):
    """Why an explained difference may stand."""

    because: Because


def routes(gateway: Gateway) -> APIRouter:
    """Return the acts on breaks, for a key of the keeper that owns the break."""
    router = Router(prefix="/v1/offers/{offer}/breaks/{break_id}", tags=["breaks"])

    async def act(write: Write, offer: str, break_id: str, said: tuple[str, str | None]) -> Response:
        actor = await gateway.admitted(write.caller, *KEEPERS)
        return await gateway.write_for(
            write,
            actor,
            "reconciliation",
            "act_on_break",
            offering=offer,
            break_id=break_id,
            version=write.decided_on,
            serving=write.caller.keeper,
            act=said[0],
            words=said[1],
        )

    @router.post("/assignments", operation_id="assign_break", response_model=BreakActed)
    async def assigned(write: Decided, offer: OfferId, break_id: _BreakId, body: Assignment) -> Response:
        """Give a break to a person of its owner, on the version that was seen."""
        return await act(write, offer, break_id, ("assign", body.person))

    @router.post("/answers", operation_id="answer_break", response_model=BreakActed)
    async def answered(write: Decided, offer: OfferId, break_id: _BreakId, body: BreakAnswer) -> Response:
        """Say why a break is, or what was put right, as its person; the next run looks again."""
        said = "explain" if body.kind == "explained" else "correct"
        return await act(write, offer, break_id, (said, body.answer))

    @router.post("/acceptances", operation_id="accept_break", response_model=BreakActed)
    async def accepted(write: Decided, offer: OfferId, break_id: _BreakId, body: BreakAcceptance) -> Response:
        """Accept an explained break with a reason, as another person than who explained it."""
        return await act(write, offer, break_id, ("accept", body.because))

    return router
