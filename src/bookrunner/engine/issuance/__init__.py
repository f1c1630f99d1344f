"""Chain transactions exactly once, and the token of an offer."""

from bookrunner.engine.issuance.checks import TokenCheck, check_chain
from bookrunner.engine.issuance.control import Controls
from bookrunner.engine.issuance.deliveries import Deliveries, Target
from bookrunner.engine.issuance.posting import Postings
from bookrunner.engine.issuance.registrations import register_missing
from bookrunner.engine.issuance.stops import Outcome, start_again
from bookrunner.engine.issuance.submission import (
    PATIENCE_SECONDS,
    ChainStalled,
    Keys,
    Submitter,
    Terms,
    gas_for,
)
from bookrunner.engine.issuance.token import deploy_token
from bookrunner.engine.issuance.transfers import Transfers

__all__ = [
    "PATIENCE_SECONDS",
    "ChainStalled",
    "Controls",
    "Deliveries",
    "Keys",
    "Outcome",
    "Postings",
    "Submitter",
    "Target",
    "Terms",
    "TokenCheck",
    "Transfers",
    "check_chain",
    "deploy_token",
    "gas_for",
    "register_missing",
    "start_again",
]
