"""Intake of institutions' requests: taken up, scored once, and sent where the rules say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final, Protocol, TypeVar

from bookrunner.adapters.scoring import Facts, Score, Scorer, ScorerFailed, ScorerRule, without_personal_data
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.db import Database, Keeper, Row

# Longer than any scorer may take; after it a request that a crash cut short can be taken up again.
LEASE_SECONDS: Final = 90

T = TypeVar("T")
Begun = Row


class Run(Protocol):
    """Carries work with the database to where it may block."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]:
        """Return what the work returns."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an institution asks for; ``entity`` and ``actor`` come from its credential."""

    offering: str
    entity: str
    actor: str
    request: str
    body_sha256: bytes
    tranche: str
    amount_minor: int
    currency: str
    statement: str


class Intakes:
    """The intake of one installation; without a scorer it takes nothing up."""

    def __init__(self, database: Database, scorer: Scorer | None) -> None:
        self._keeper = Keeper(database, "engine", __package__)
        self._scorer = scorer

    @property
    def is_open(self) -> bool:
        """Say whether there is a scorer."""
        return self._scorer is not None

    async def take(self, asked: Asked, run: Run) -> tuple[Row, bool]:
        """Score a request once and send it on; return how it stands, and whether it was known before.

        ``run`` carries work with the database to a thread. Raises ScorerFailed with nothing scored, and
        refuses ``request_key_has_one_body``, ``request_has_come_to_its_end`` (its score is being asked for),
        ``offer_is_open_to_new_money``, ``allocation_is_for_a_known_institution``,
        ``one_pending_request_per_entity_and_tranche`` and ``approved_request_is_entered_first``.
        """
        scorer = self._scorer
        if scorer is None:
            raise ScorerFailed(
                ScorerRule.SCORER_IS_CONFIGURED, "no scorer is set up; the intake takes nothing up"
            )
        begun = await run(lambda: self._begin(asked))
        where = {"offering": asked.offering, "intake": begun["intake"]}
        if begun["is_fresh"]:
            await self._score(asked, begun, scorer, run)
        return await run(lambda: self.found(**where)), not begun["is_fresh"]

    def take_now(self, asked: Asked) -> Row:
        """Do what :meth:`take` does, for a caller on a thread of its own."""

        async def here(work: Callable[[], T]) -> T:
            return work()

        row, _ = asyncio.run(self.take(asked, here))
        return row

    def found(self, offering: str, intake: str, entity: str | None = None) -> Row:
        """Return one request with its score, if need be of one entity alone; refuses ``intake_exists``."""
        row: Row | None = self._keeper.intake(offering=offering, intake=intake, entity=entity)
        if row is None:
            raise UnknownRecord("intake_exists", f"there is no {intake} in {offering}")
        return row

    def initiate_escrow(
        self, actor: str, request: str, body_sha256: bytes, asked: Mapping[str, str]
    ) -> tuple[str, bool]:
        """Open escrow once; return the stored answer and whether it was known."""
        row = self._keeper.initiate_escrow_once(
            actor=actor, request=request, body_sha256=body_sha256, asked=dict(asked)
        )
        tell("escrow is initiated", offering=asked["offering"], subject=asked["allocation"])
        return row["answer"], row["is_replay"]

    def _begin(self, asked: Asked) -> Begun:
        begun: Begun = self._keeper.begin_intake(
            actor=asked.actor,
            request=asked.request,
            offering=asked.offering,
            intake=new_id("itk"),
            entity=asked.entity,
            body_sha256=asked.body_sha256,
            asked={
                "tranche": asked.tranche,
                "amount_minor": asked.amount_minor,
                "currency": asked.currency,
                "statement": asked.statement,
                "sent": without_personal_data(asked.statement),
            },
            lease_seconds=LEASE_SECONDS,
        )
        return begun

    async def _score(self, asked: Asked, begun: Begun, scorer: Scorer, run: Run) -> None:
        """Ask for a score and keep it; whatever comes in between leaves the request unscored."""
        facts = Facts(statement=without_personal_data(asked.statement), **begun["facts"])
        left: str | None = ScorerRule.SCORER_ANSWERS
        try:
            score = await scorer.score(facts)
            await run(lambda: self._record(asked, begun, _told(score, scorer)))
            left = None
        except Refused as refused:
            # A later attempt has taken over: the request is no longer this one's to leave.
            left = None if refused.rule == "score_answers_the_last_attempt" else refused.rule
            raise
        finally:
            rule = left
            if rule is not None:
                await run(lambda: self._leave(asked, begun, rule))

    def _record(self, asked: Asked, begun: Begun, score: dict[str, object]) -> None:
        """Keep the score; where the books refuse what follows from it, nothing of it is kept."""
        named = {"actor": asked.actor, "request": asked.request, "offering": asked.offering}
        self._keeper.record_score(**named, intake=begun["intake"], attempt=begun["attempt"], score=score)
        tell("an intake is scored", offering=asked.offering, subject=begun["intake"])

    def _leave(self, asked: Asked, begun: Begun, rule: str) -> None:
        self._keeper.leave_unscored(
            actor=asked.actor,
            request=asked.request,
            offering=asked.offering,
            intake=begun["intake"],
            attempt=begun["attempt"],
            rule=rule,
        )
        warn("an intake is left unscored", offering=asked.offering, subject=begun["intake"], rule=rule)


def _told(score: Score, scorer: Scorer) -> dict[str, object]:
    """Return what is kept of a score; a model that answers under another name is kept with both."""
    model = score.model if score.model == scorer.model else f"{scorer.model}={score.model}"
    return {**asdict(score), "model": model, "prompt_version": scorer.prompt_version}
