"""A scorer behind an API that speaks the OpenAI protocol: one question, one answer, within one deadline."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bookrunner.adapters.identity.address import is_safe
from bookrunner.adapters.scoring import Facts, Score, ScorerFailed, ScorerRule, Tier
from bookrunner.adapters.scoring.prompt import PROMPT_VERSION, question
from bookrunner.core.errors import ConfigurationError

SECONDS: Final = 30.0
ANSWER_BYTES_MAX: Final = 256 * 1024
_STRANGERS: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
# What is compressed could be far longer than it looks.
_PLAIN: Final = "identity"
_Percent = Annotated[int, Field(ge=0, le=100)]
_Sentence = Annotated[str, StringConstraints(min_length=1, max_length=600)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Parts(_Strict):
    entity: _Percent
    jurisdiction: _Percent
    compliance_history: _Percent
    tranche_fit: _Percent


class _Answer(_Strict):
    score: _Percent
    parts: _Parts
    tier: Literal["fast_track", "manual_review"]
    reasons: Annotated[list[_Sentence], Field(min_length=1, max_length=8)]
    facts_used: Annotated[list[str], Field(max_length=40)]
    has_instructions: bool


class RemoteScorer:
    """One model at one address, under our key; nothing but that address is ever asked."""

    prompt_version = PROMPT_VERSION

    def __init__(self, address: str, key: str, model: str, *, seconds: float = SECONDS) -> None:
        """Raise ConfigurationError for an address that is not ``https``, or ``http`` on the loopback."""
        if not is_safe(address):
            raise ConfigurationError("the scorer is asked at an https address, or on the loopback")
        if not key.strip() or not key.isascii() or not key.isprintable() or not model.strip():
            raise ConfigurationError("the scorer has a key and a model")
        self.model = model
        self._url = f"{address.rstrip('/')}/chat/completions"
        self._key = key
        self._seconds = seconds

    async def score(self, facts: Facts) -> Score:
        """Return the model's score of these facts.

        Raises ScorerFailed ``scorer_answers`` (no answer in time, or a fault of the server),
        ``scorer_accepts_us``, ``scorer_has_room`` (429), ``scorer_gives_a_score`` (declined or cut short) and
        ``score_has_its_shape``. A redirection is not followed, and nothing is asked twice.
        """
        try:
            return read_score(await self._asked(facts))
        except TimeoutError:
            raise ScorerFailed(
                ScorerRule.SCORER_ANSWERS, f"no answer within {self._seconds:g} seconds"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise ScorerFailed(ScorerRule.SCORER_ANSWERS, type(fault).__name__) from None

    async def _asked(self, facts: Facts) -> bytes:
        headers = {"Authorization": f"Bearer {self._key}", "Accept-Encoding": _PLAIN}
        # The limits of the client are for each read; a server that drips is stopped by the whole.
        async with (
            asyncio.timeout(self._seconds),
            httpx.AsyncClient(timeout=self._seconds, trust_env=False) as client,
            client.stream("POST", self._url, headers=headers, json=question(self.model, facts)) as answer,
        ):
            _check(answer.status_code)
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > ANSWER_BYTES_MAX:
                    raise ScorerFailed(ScorerRule.SCORE_HAS_ITS_SHAPE, "the answer is longer than 256 KiB")
            return bytes(body)


def read_score(body: bytes) -> Score:
    """Return the score in a chat completion; raises ScorerFailed as `RemoteScorer.score` does.

    Refusals are told apart from answers that were cut short or have another form.
    """
    try:
        said: Any = json.loads(body)
        choice = said["choices"][0]
        message, reason, model = choice["message"], choice["finish_reason"], said["model"]
        refusal, content = message.get("refusal"), message.get("content")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ScorerFailed(ScorerRule.SCORE_HAS_ITS_SHAPE, "the answer is no chat completion") from None
    if refusal or reason == "content_filter":
        raise ScorerFailed(ScorerRule.SCORER_GIVES_A_SCORE, "the model declined to answer")
    if reason != "stop":
        raise ScorerFailed(ScorerRule.SCORER_GIVES_A_SCORE, "the model did not finish its answer")
    if not isinstance(content, str) or not isinstance(model, str):
        raise ScorerFailed(ScorerRule.SCORE_HAS_ITS_SHAPE, "the answer has no content or no model")
    return _validated(content, model)


def _validated(content: str, model: str) -> Score:
    try:
        answer = _Answer.model_validate_json(content)
    except UnicodeEncodeError:
        raise ScorerFailed(ScorerRule.SCORE_HAS_ITS_SHAPE, "the answer is no Unicode") from None
    except ValidationError as error:
        places = {str(one["loc"][0]) if one["loc"] else "answer" for one in error.errors()}
        known = sorted(places & {*_Answer.model_fields, "answer"})
        raise ScorerFailed(
            ScorerRule.SCORE_HAS_ITS_SHAPE, f"not as agreed: {', '.join(known) or 'unknown members'}"
        ) from None
    if not set(answer.facts_used) <= set(Facts.__dataclass_fields__):
        raise ScorerFailed(ScorerRule.SCORE_HAS_ITS_SHAPE, "it rests on facts that were not sent")
    reasons = [" ".join(each.split()) for each in answer.reasons]
    if not all(map(_is_text, (model, *reasons))):
        raise ScorerFailed(
            ScorerRule.SCORE_HAS_ITS_SHAPE, "the model or a reason is no text that can be kept"
        )
    return Score(
        score=answer.score,
        parts=answer.parts.model_dump(),
        tier=Tier(answer.tier),
        reasons=reasons,
        facts_used=sorted(set(answer.facts_used)),
        has_instructions=answer.has_instructions,
        model=model[:120],
    )


def _is_text(said: str) -> bool:
    """Say whether there is something to read and nothing that a database or a page cannot hold."""
    return bool(said.strip()) and not any(unicodedata.category(each) in {"Cc", "Cs"} for each in said)


def _check(status: int) -> None:
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ScorerFailed(ScorerRule.SCORER_HAS_ROOM, "it takes no more requests at this moment")
    if status in _STRANGERS:
        raise ScorerFailed(ScorerRule.SCORER_ACCEPTS_US, f"it answered {status}")
    raise ScorerFailed(ScorerRule.SCORER_ANSWERS, f"it answered {status}")
