"""The settings of one installation, read from the environment at start."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What differs between two deployments; every name is read with the prefix ``BOOKRUNNER_``."""

    model_config = SettingsConfigDict(env_prefix="BOOKRUNNER_", frozen=True)

    state_dir: Path = Path(".state")
    """Where the embedded database, keys and secrets live."""

    database_url: SecretStr | None = None
    """Administrator URL of a PostgreSQL server, 15 or later; the embedded one serves when it is not set."""

    rpc_url: SecretStr | None = None
    """JSON-RPC endpoint of an EVM node; the sandbox's own node serves when it is not set."""

    chain_id: int = 31337
    """The chain that the node must be on (EIP-155)."""

    host: str = "127.0.0.1"
    """Address on which the pages listen."""

    port: int = 8360
    """Port on which the pages listen."""

    log_json: bool = False
    """Write the log as JSON lines."""
