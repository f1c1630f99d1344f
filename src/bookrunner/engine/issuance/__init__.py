"""Chain transactions exactly once, and the token of an offer."""

from bookrunner.engine.issuance.control import Controls
from bookrunner.engine.issuance.stops import Outcome, start_again
from bookrunner.engine.issuance.submission import ChainStalled, Keys, Submitter, gas_for
from bookrunner.engine.issuance.token import deploy_token
from bookrunner.engine.issuance.transfers import Transfers

__all__ = [
    "ChainStalled",
    "Controls",
    "Keys",
    "Outcome",
    "Submitter",
    "Transfers",
    "deploy_token",
    "gas_for",
    "start_again",
]
