"""Votes of holders: proposed and opened by two people, cast by holders and delegates, counted by weight."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE, Because, InvestorId, OfferId, Sha256, Shape
from bookrunner.api.shapes.cursors import Cursor, cursor_of, place_of
from bookrunner.api.shapes.moments import Moment, instant
from bookrunner.api.shapes.onboarding import Day
from bookrunner.api.shapes.servicing.owed import (
    OwnVote,
    OwnVotes,
    PositionActed,
    Vote,
    VoteActed,
    VoteCount,
    VotePosition,
    Votes,
    VoteTally,
)
from bookrunner.core.credentials import ISSUER
from bookrunner.core.errors import Malformed, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201
_KEEPER = "engine"
_COUNTED = ("units", "holders", "ballots", "voted", "for", "against", "abstain")
_VoteId = Annotated[str, StringConstraints(pattern="^vot_[0-9A-Za-z_]{1,64}$")]
_Limit = Annotated[int, Query(ge=1, le=PAGE)]


class NewVote(Shape):
    """A resolution with its document; carried by more than that part of for and against."""

    resolution: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")]
    document_sha256: Sha256
    record_on: Day
    ends_at: Moment
    quorum_bps: Annotated[int, Field(ge=0, le=10_000)]
    needed_over: Annotated[int, Field(ge=1, le=999)]
    needed_of: Annotated[int, Field(ge=2, le=1000)]


class VoteDecision(Shape):
    """A second person opens a vote; whoever cancels it says why."""

    decision: Literal["opened", "cancelled"]
    because: Because | None = None


class NewBallot(Shape):
    """Who casts, what, and for which holder: itself when it names none."""

    investor: InvestorId
    choice: Literal["for", "against", "abstain"]
    holder: InvestorId | None = None


class NewProxy(Shape):
    """The holder, and who casts its ballot; null takes the proxy back."""

    investor: InvestorId
    delegate: InvestorId | None


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of votes, which people of the engine decide and holders cast."""
    router = Router(tags=["votes"])
    _reads(router, gateway)
    _decides(router, gateway)
    _casts(router, gateway)
    return router


def _reads(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/v1/offers/{offer}/votes", operation_id="list_votes")
    async def every(caller: Called, offer: OfferId) -> Votes:
        """List the votes of an offer, the latest first, at most 200; an issuer those of its own."""

        def work(of: Within) -> list[Row]:
            required(of, offer, caller.keeper)
            return _listed(of, caller.keeper, offer, None)

        return {"votes": [_shown(row) for row in await gateway.read(caller, work)]}

    @router.get("/v1/offers/{offer}/votes/{vote}", operation_id="get_vote")
    async def one(caller: Called, offer: OfferId, vote: _VoteId, response: Response) -> Vote:
        """Return one vote, with its result once it is closed; its ETag is the version of a decision."""
        rows = await gateway.read(caller, lambda of: _listed(of, caller.keeper, offer, vote))
        if not rows:
            raise UnknownRecord("vote_exists", f"there is no vote {vote} in {offer}")
        response.headers["ETag"] = f'"{rows[0]["version"]}"'
        return _shown(rows[0])

    @router.get("/v1/offers/{offer}/votes/{vote}/tally", operation_id="get_vote_tally")
    async def tally(
        caller: Called, offer: OfferId, vote: _VoteId, *, cursor: Cursor = None, limit: _Limit = 50
    ) -> VoteTally:
        """Return the count of a vote so far, and its positions by holder with weight and ballot."""

        def work(of: Within) -> tuple[dict[str, int], list[Row]]:
            count = of.vote_count(offering=offer, vote=vote)
            if count is None:
                raise UnknownRecord("vote_exists", f"there is no vote {vote} in {offer}")
            on = {"offering": offer, "vote": vote, "after": place_of(cursor), "most": limit}
            return count, list(of.vote_positions(**on))

        count, rows = await gateway.read(caller, work)
        positions = [_position(row) for row in rows]
        return {
            "vote": vote,
            "count": _count(count),
            "positions": positions,
            "next": cursor_of(rows, "holder_id", limit),
        }

    @router.get("/v1/investors/{investor}/votes", operation_id="list_own_votes")
    async def own(caller: Called, investor: InvestorId) -> OwnVotes:
        """List the positions that an investor votes with, its own and those under a proxy; at most 200."""
        await gateway.speaker(caller, investor)
        rows: list[Row] = await gateway.read_for(
            _KEEPER, lambda of: list(of.own_positions(investor=investor, most=PAGE))
        )
        return {"votes": [_own(row) for row in rows]}


def _decides(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/v1/offers/{offer}/votes",
        operation_id="propose_vote",
        response_model=VoteActed,
        status_code=_CREATED,
    )
    async def proposed(write: Written, offer: OfferId, body: NewVote) -> Response:
        """Propose a vote; another person opens it, after its record date has ended."""
        asked = body.model_dump(mode="json", exclude={"document_sha256", "ends_at"})
        answer = await gateway.write(
            write,
            _KEEPER,
            "propose_vote",
            offering=offer,
            vote=new_id("vot"),
            terms=json.dumps(asked | {"closes_at": body.ends_at.isoformat()}),
            document_sha256=bytes.fromhex(body.document_sha256),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/v1/offers/{offer}/votes/{vote}/decisions", operation_id="decide_vote", response_model=VoteActed
    )
    async def decided(write: Decided, offer: OfferId, vote: _VoteId, body: VoteDecision) -> Response:
        """Open a vote on its version, as another person than who proposed it, or cancel it.

        Opened, it keeps the register of its record date as weights. Refuses ``record_date_has_ended`` and
        ``vote_weighs_by_the_register``.
        """
        is_opened = body.decision == "opened"
        if not is_opened and body.because is None:
            raise Malformed("cancelled_vote_says_why", "say why it is cancelled")
        return await gateway.write(
            write,
            _KEEPER,
            "decide_vote",
            offering=offer,
            vote=vote,
            version=write.decided_on,
            is_opened=is_opened,
            because=body.because,
        )


def _casts(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/v1/offers/{offer}/votes/{vote}/ballots", operation_id="cast_ballot", response_model=PositionActed
    )
    async def cast(write: Written, offer: OfferId, vote: _VoteId, body: NewBallot) -> Response:
        """Cast the ballot of a holder, or cast it anew: the last one before the end counts.

        Refuses ``ballot_is_cast_in_time``, ``ballot_has_a_position`` and, for another holder,
        ``delegate_has_a_proxy``.
        """
        actor = await gateway.speaker(write.caller, body.investor)
        holder = body.holder or body.investor
        delegate = None if holder == body.investor else body.investor
        said = {"holder": holder, "choice": body.choice, "delegate": delegate}
        return await gateway.write_for(
            write, actor, _KEEPER, "cast_ballot", offering=offer, vote=vote, **said
        )

    @router.post(
        "/v1/offers/{offer}/votes/{vote}/proxies", operation_id="give_proxy", response_model=PositionActed
    )
    async def given(write: Written, offer: OfferId, vote: _VoteId, body: NewProxy) -> Response:
        """Let another investor cast the ballot of a holder in this vote, or take that back."""
        actor = await gateway.speaker(write.caller, body.investor)
        said = {"proxy": new_id("prx"), "holder": body.investor, "delegate": body.delegate}
        return await gateway.write_for(write, actor, _KEEPER, "give_proxy", offering=offer, vote=vote, **said)


def _listed(of: Within, keeper: str, offer: str, vote: str | None) -> list[Row]:
    lookup = of.issuer_votes if keeper == ISSUER else of.votes
    return list(lookup(offering=offer, vote=vote, most=PAGE))


def _shown(row: Row) -> Vote:
    return {
        "id": row["vote_id"],
        "offer": row["offering_id"],
        "status": row["status"],
        "resolution": row["resolution"],
        "document_sha256": row["document"],
        "record_on": row["record_on"].isoformat(),
        "ends_at": instant(row["closes_at"]),
        "is_open": row["is_open"],
        "quorum_bps": row["quorum_bps"],
        "needed_over": row["needed_over"],
        "needed_of": row["needed_of"],
        "proposed_by": row["proposed_by"],
        "opened_by": row["opened_by"],
        "because": row["because"],
        "result": None if row["result"] is None else _count(row["result"]),
        "version": str(row["version"]),
    }


def _count(told: dict[str, int]) -> VoteCount:
    units, holders, ballots, voted, in_favour, against, abstained = (str(told[name]) for name in _COUNTED)
    return {
        "units": units,
        "holders": int(holders),
        "ballots": int(ballots),
        "voted": voted,
        "in_favour": in_favour,
        "against": against,
        "abstained": abstained,
        "quorum_is_met": bool(told["quorum_is_met"]),
        "is_carried": bool(told["is_carried"]),
    }


def _position(row: Row) -> VotePosition:
    return {
        "holder": row["holder_id"],
        "units": str(row["units"]),
        "choice": row["choice"],
        "cast_at": None if row["cast_at"] is None else instant(row["cast_at"]),
        "cast_for_it_by": row["cast_for_it_by"],
        "delegate": row["delegate_id"],
        "version": str(row["version"]),
    }


def _own(row: Row) -> OwnVote:
    return {
        **_position(row),
        "vote": row["vote_id"],
        "offer": row["offering_id"],
        "status": row["status"],
        "resolution": row["resolution"],
        "document_sha256": row["document"],
        "record_on": row["record_on"].isoformat(),
        "ends_at": instant(row["closes_at"]),
        "is_open": row["is_open"],
        "because": row["because"],
        "result": None if row["result"] is None else _count(row["result"]),
    }
