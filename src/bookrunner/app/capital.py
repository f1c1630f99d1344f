"""What the institutional capital lifecycle reaches outside: its scorer, its tokens, its settlements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bookrunner.adapters.identity import TokenVerifier
from bookrunner.adapters.identity.tokens import TokenIssuer
from bookrunner.adapters.identity.webhook import decode_secret, verify
from bookrunner.adapters.payments.settlements import parse_settlement
from bookrunner.adapters.scoring import Scorer
from bookrunner.adapters.scoring.client import SECONDS, RemoteScorer
from bookrunner.core import clock
from bookrunner.core.errors import ConfigurationError, NotReady, Refused
from bookrunner.core.log import warn
from bookrunner.engine import Desk
from bookrunner.engine.allocation.capital import Intakes, hear_settlement

SENDER = "settlements"


class ScoringService(BaseModel):
    """A model behind an API that speaks the OpenAI protocol: its address up to the version, key and name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    key: SecretStr
    model: str
    seconds: float = Field(default=SECONDS, ge=0.1, le=60)

    def opened(self) -> RemoteScorer:
        """Return the scorer; raises ConfigurationError as `RemoteScorer` does."""
        key = self.key.get_secret_value()
        return RemoteScorer(self.url, key, self.model, seconds=self.seconds)


class TokenService(BaseModel):
    """An OpenID provider, as its tokens name it, and the audience that they name for us."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class Around:
    """What of the lifecycle is set up; a part that is not answers nothing in its place."""

    scorer: Scorer | None = None
    tokens: TokenVerifier | None = None
    secrets: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def lacking(self) -> list[str]:
        """A sentence for each part that is not set up, and what stays closed without it."""
        parts = (
            (self.scorer, "BOOKRUNNER_SCORER is not set: the intake of institutions takes nothing up"),
            (self.tokens, "BOOKRUNNER_TOKENS is not set: no program can open the escrow of institutions"),
            (self.secrets, "BOOKRUNNER_SETTLEMENT_SECRETS is not set: no settlement can be confirmed"),
        )
        return [sentence for part, sentence in parts if not part]


def around(
    scoring: ScoringService | None, tokens: TokenService | None, secrets: Mapping[str, SecretStr]
) -> Around:
    """Return what settings name; raises ConfigurationError naming the setting that does not serve."""
    with _naming("BOOKRUNNER_SCORER"):
        scorer = None if scoring is None else scoring.opened()
    with _naming("BOOKRUNNER_TOKENS"):
        issuer = None if tokens is None else TokenIssuer(tokens.issuer, tokens.audience)
    with _naming("BOOKRUNNER_SETTLEMENT_SECRETS"):
        decoded = {name: decode_secret(secret.get_secret_value()) for name, secret in secrets.items()}
    return Around(scorer, issuer, decoded)


@contextmanager
def _naming(setting: str) -> Iterator[None]:
    try:
        yield
    except ConfigurationError as fault:
        raise ConfigurationError(f"{setting}: {fault}") from None


class Capital:
    """The lifecycle of one installation."""

    def __init__(self, desk: Desk, parts: Around) -> None:
        self._desk = desk
        self._secrets = parts.secrets
        self.tokens = parts.tokens
        self.intakes = Intakes(desk.database, parts.scorer)
        self.lacking = parts.lacking

    def hear(self, headers: Iterable[tuple[str, str]], body: bytes) -> str:
        """Verify and carry out one signed settlement; refuses as `hear_settlement` and `verify` do.

        Raises NotReady ``settlement_secret_is_configured`` where no secret is set.
        """
        if not self._secrets:
            raise NotReady("settlement_secret_is_configured", "no settlement can be confirmed here")
        try:
            message = verify(headers, body, now=clock.now(), secrets=self._secrets)
            told = parse_settlement(body)
        except Refused as refused:
            warn("a settlement is refused", source=SENDER, rule=refused.rule)
            raise
        return hear_settlement(self._desk, message, (told, body), sender=SENDER)
