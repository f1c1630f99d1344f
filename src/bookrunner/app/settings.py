"""What differs between two installations, and what of it is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bookrunner.adapters.chain import MAX_LINES, Chain, Signer
from bookrunner.adapters.chain.deposits import DepositKeys, DepositTree
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.identity import IdentityProvider
from bookrunner.adapters.identity.providers import Answering, Inquiry, answering, posting
from bookrunner.adapters.mail import Post
from bookrunner.adapters.mail.smtp import SmtpPost
from bookrunner.app.anchors import open_anchor_key
from bookrunner.app.capital import Around, ScoringService, TokenService, around
from bookrunner.core.errors import BookrunnerError, ConfigurationError
from bookrunner.db import default_state, diagnose, diagnose_server, from_url
from bookrunner.engine.intake import Watched

SANDBOX_CHAIN: Final = 31337


class SigningService(BaseModel):
    """Where a key signs by JSON-RPC, and its address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr
    address: str


class CallLimits(BaseModel):
    """How many calls of the API a caller may make in a minute, and pages a visitor; 0 is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: int = Field(default=6000, ge=0, le=10_000_000)
    address: int = Field(default=600, ge=0, le=10_000_000)
    visitor: int = Field(default=1200, ge=0, le=10_000_000)


class Webhooks(BaseModel):
    """Where webhooks may go, and for how many days a message that came through is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    loopback: bool = False
    keep_days: int = Field(default=30, ge=1, le=3650)


class Settings(BaseSettings):
    """What differs between two deployments; every name is read with the prefix ``BOOKRUNNER_``."""

    model_config = SettingsConfigDict(env_prefix="BOOKRUNNER_", frozen=True)

    state_dir: Path = Field(default_factory=default_state)
    """Where the embedded database, keys and secrets live; see `default_state`."""

    database_url: SecretStr | None = None
    """Administrator URL of a PostgreSQL server, 15 or later; the embedded one serves when it is not set."""

    rpc_url: SecretStr | None = None
    """JSON-RPC endpoints of EVM nodes, with commas between; without it the sandbox's own node serves."""

    chain_id: int = SANDBOX_CHAIN
    """The chain that the node must be on (EIP-155)."""

    signers: dict[str, SigningService] = Field(default_factory=dict)
    """Signing services of the agent's and the treasury's key, as JSON; key files serve when it is not set."""

    deposit_key: str | None = None
    """Extended public key of the deposit addresses; the embedded chain has a key of its own."""

    orders_to: str | None = None
    """Folder or address of a bank to which the worker sends refunds and releases by itself."""

    delivery_lines: int = Field(default=MAX_LINES, ge=1, le=MAX_LINES)
    """Most investors in one delivery; fewer where the rules of a token cost more gas."""

    host: str = "127.0.0.1"
    """Address on which the pages listen."""

    port: int = 8360
    """Port on which the pages listen."""

    hosts: tuple[str, ...] = ()
    """Names that the pages answer to beside the address and the loopback, as a JSON list."""

    passkey_site: str | None = None
    """Host name that passkeys are bound to, such as invest.example; without it there are none."""

    accounts_only: bool = False
    """Let people sign in at the pages with an account alone, and no more with a key."""

    lists_dir: Path | None = None
    """Folder in which published sanctions lists appear; the worker puts new ones in force."""

    identity_secrets: dict[str, dict[str, SecretStr]] = Field(default_factory=dict)
    """Webhook secrets of identity providers as JSON, by provider (persona, standard, sumsub) and key id."""

    identity_inquiries: dict[str, Inquiry] = Field(default_factory=dict)
    """Where identity providers are asked, as JSON by provider: url and credential."""

    scorer: ScoringService | None = None
    """What scores requests of institutions, as JSON: url, key, model and at most how many seconds."""

    tokens: TokenService | None = None
    """Whose tokens open the escrow of institutions, as JSON: issuer and audience."""

    settlement_secrets: dict[str, SecretStr] = Field(default_factory=dict)
    """Secrets of the settlement webhook as JSON, by key id; two while one replaces the other."""

    mail_server: SecretStr | None = None
    """Mail server for mail that points to notices: smtp://HOST:PORT, or smtps://USER:PASSWORD@HOST:PORT."""

    mail_sender: str = "notices@localhost"
    """Address that this mail comes from."""

    webhooks: Webhooks = Webhooks()
    """Days that delivered webhook messages are kept, ``keep_days``, and ``loopback`` for a sandbox; JSON."""

    traces_to: str | None = Field(default=None, pattern="^https?://")
    """Address of an OpenTelemetry collector (OTLP over HTTP) that gets traces; without it there are none."""

    log_json: bool = False
    """Log every act as a JSON line; otherwise only warnings are written, in words."""

    limits: CallLimits = CallLimits()
    """Calls of the API in a minute, as JSON: of a ``key``, of an ``address`` without one; 0 is no limit."""

    @property
    def rpc_urls(self) -> list[str]:
        """The endpoints of ``rpc_url`` in the order of asking; none for the sandbox's own node.

        Raises ConfigurationError for one that is set and names none.
        """
        if self.rpc_url is None:
            return []
        urls = [url.strip() for url in self.rpc_url.get_secret_value().split(",") if url.strip()]
        if not urls:
            raise ConfigurationError("BOOKRUNNER_RPC_URL names no endpoint")
        return urls

    @property
    def is_sandbox(self) -> bool:
        """Whether database, node and chain are the sandbox's own, and none of them anybody else's."""
        return self.chain_id == SANDBOX_CHAIN and not self.database_url and not self.rpc_urls


def read_settings() -> Settings:
    """Return the settings of the environment.

    Raises ConfigurationError naming those that cannot be read, without their values.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = [f"BOOKRUNNER_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors()]
        raise ConfigurationError("; ".join(sorted(faults))) from None


def hooks_on_loopback(settings: Settings) -> bool:
    """Say whether webhooks may go to this machine.

    Raises ConfigurationError where database or node are somebody else's: then it is no sandbox.
    """
    if settings.webhooks.loopback and not settings.is_sandbox:
        raise ConfigurationError(
            "loopback of BOOKRUNNER_WEBHOOKS is for a sandbox with its own database and chain"
        )
    return settings.webhooks.loopback


@dataclass(frozen=True, slots=True)
class Outside:
    """What an installation reaches outside of its books and its chain; nothing unless it is set."""

    lists: Path | None = None
    inquiries: Answering = field(default_factory=dict)
    deposits: Watched | None = None
    orders_to: str | None = None
    post: Post | None = None
    capital: Around = field(default_factory=Around)
    anchoring: Signer | None = None

    @classmethod
    def of(cls, settings: Settings, keys: Path, *, embedded: bool) -> Self:
        """Read what settings name; raises ConfigurationError as `inquiry_providers` does."""
        return cls(
            lists=settings.lists_dir,
            post=mail_post(settings),
            inquiries=inquiry_providers(settings),
            deposits=open_deposits(keys, settings, embedded=embedded),
            orders_to=settings.orders_to,
            capital=around(settings.scorer, settings.tokens, settings.settlement_secrets),
            anchoring=open_anchor_key(keys, settings.chain_id, embedded=True) if embedded else None,
        )


NOTHING: Final = Outside()


def identity_providers(settings: Settings) -> dict[str, tuple[IdentityProvider, dict[str, bytes]]]:
    """Return the identity providers that may post; raises ConfigurationError as `posting` does."""
    return posting(
        {
            name: {key: secret.get_secret_value() for key, secret in keys.items()}
            for name, keys in settings.identity_secrets.items()
        }
    )


def mail_post(settings: Settings) -> Post | None:
    """Return what hands mail to the server of the settings, None where there is none."""
    url = settings.mail_server
    return None if url is None else SmtpPost(url.get_secret_value(), settings.mail_sender)


def inquiry_providers(settings: Settings) -> Answering:
    """Return the identity providers that can be asked; raises ConfigurationError as `answering` does."""
    signing = {name: secrets for name, (_, secrets) in identity_providers(settings).items()}
    return answering(settings.identity_inquiries, signing)


def open_deposits(folder: Path, settings: Settings, *, embedded: bool) -> Watched | None:
    """Return the tree that deposit addresses come from, None when a chain of others has none."""
    if settings.deposit_key is not None:
        return Watched(DepositTree.parse(settings.deposit_key), settings.chain_id)
    return (
        Watched(DepositKeys.open(folder, chain_id=settings.chain_id).tree, settings.chain_id)
        if embedded
        else None
    )


def refuse_other_chain(chain: Chain, chain_id: int) -> None:
    """Raise ConfigurationError unless the node answers and is on the chain that the settings name."""
    found = chain.chain_id()
    if found != chain_id:
        raise ConfigurationError(f"the node is on chain {found}, BOOKRUNNER_CHAIN_ID says {chain_id}")


def diagnose_capital(settings: Settings) -> tuple[list[str], list[str]]:
    """Return what of the institutional lifecycle is wrong, and what of it stays closed: it is not set."""
    try:
        return [], around(settings.scorer, settings.tokens, settings.settlement_secrets).lacking
    except ConfigurationError as fault:
        return [str(fault)], []


def diagnose_chain(settings: Settings) -> list[str]:
    """Return a sentence when the node of the settings cannot be used; the sandbox's own always can."""
    try:
        urls = settings.rpc_urls
    except ConfigurationError as fault:
        return [str(fault)]
    if not urls:
        return []
    try:
        with EvmChain(*urls) as chain:
            refuse_other_chain(chain, settings.chain_id)
    except BookrunnerError as fault:
        return [f"BOOKRUNNER_RPC_URL: {fault}"]
    return []


def diagnose_database(settings: Settings) -> list[str]:
    """Return a sentence for each thing that is wrong with the database that the settings point to."""
    state = settings.state_dir.resolve()
    if settings.database_url is None:
        return diagnose(state / "database")
    try:
        return diagnose_server(from_url(settings.database_url.get_secret_value(), state))
    except ConfigurationError as fault:
        return [str(fault)]
