# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""The client as the description has it."""

from __future__ import annotations

from pydantic import JsonValue

from bookrunner.client.generated import shapes
from bookrunner.client.generated.calls.agreements import AgreementsCalls
from bookrunner.client.generated.calls.allocation import AllocationCalls
from bookrunner.client.generated.calls.amendments import AmendmentsCalls
from bookrunner.client.generated.calls.banking import BankingCalls
from bookrunner.client.generated.calls.breaks import BreaksCalls
from bookrunner.client.generated.calls.buybacks import BuybacksCalls
from bookrunner.client.generated.calls.closings import ClosingsCalls
from bookrunner.client.generated.calls.compliance import ComplianceCalls
from bookrunner.client.generated.calls.conversions import ConversionsCalls
from bookrunner.client.generated.calls.debt import DebtCalls
from bookrunner.client.generated.calls.distributions import DistributionsCalls
from bookrunner.client.generated.calls.endpoints import EndpointsCalls
from bookrunner.client.generated.calls.events import EventsCalls
from bookrunner.client.generated.calls.filings import FilingsCalls
from bookrunner.client.generated.calls.health import HealthCalls
from bookrunner.client.generated.calls.holdings import HoldingsCalls
from bookrunner.client.generated.calls.institutions import InstitutionsCalls
from bookrunner.client.generated.calls.instructions import InstructionsCalls
from bookrunner.client.generated.calls.investments import InvestmentsCalls
from bookrunner.client.generated.calls.offers import OffersCalls
from bookrunner.client.generated.calls.ownership import OwnershipCalls
from bookrunner.client.generated.calls.payments import PaymentsCalls
from bookrunner.client.generated.calls.profiles import ProfilesCalls
from bookrunner.client.generated.calls.proposals import ProposalsCalls
from bookrunner.client.generated.calls.receipts import ReceiptsCalls
from bookrunner.client.generated.calls.refunds import RefundsCalls
from bookrunner.client.generated.calls.register import RegisterCalls
from bookrunner.client.generated.calls.reinvestment import ReinvestmentCalls
from bookrunner.client.generated.calls.releases import ReleasesCalls
from bookrunner.client.generated.calls.servicing import ServicingCalls
from bookrunner.client.generated.calls.splits import SplitsCalls
from bookrunner.client.generated.calls.statements import StatementsCalls
from bookrunner.client.generated.calls.suitability import SuitabilityCalls
from bookrunner.client.generated.calls.transfers import TransfersCalls
from bookrunner.client.generated.calls.votes import VotesCalls
from bookrunner.client.generated.calls.wallets import WalletsCalls
from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.transport import Call, Transport

__all__ = ["OPERATIONS", "Bookrunner", "shapes"]


class Bookrunner(Transport):
    """One server under one key; an attribute for each resource, a method for each operation."""

    def call(self, operation: str, call: Call) -> JsonValue:
        """Make any operation by its name and return plain JSON; raises KeyError without one."""
        return self.value(OPERATIONS[operation], call)

    @property
    def agreements(self) -> AgreementsCalls:
        """The operations of agreements."""
        return AgreementsCalls(self)

    @property
    def allocation(self) -> AllocationCalls:
        """The operations of allocation."""
        return AllocationCalls(self)

    @property
    def amendments(self) -> AmendmentsCalls:
        """The operations of amendments."""
        return AmendmentsCalls(self)

    @property
    def banking(self) -> BankingCalls:
        """The operations of banking."""
        return BankingCalls(self)

    @property
    def breaks(self) -> BreaksCalls:
        """The operations of breaks."""
        return BreaksCalls(self)

    @property
    def buybacks(self) -> BuybacksCalls:
        """The operations of buybacks."""
        return BuybacksCalls(self)

    @property
    def closings(self) -> ClosingsCalls:
        """The operations of closings."""
        return ClosingsCalls(self)

    @property
    def compliance(self) -> ComplianceCalls:
        """The operations of compliance."""
        return ComplianceCalls(self)

    @property
    def conversions(self) -> ConversionsCalls:
        """The operations of conversions."""
        return ConversionsCalls(self)

    @property
    def debt(self) -> DebtCalls:
        """The operations of debt."""
        return DebtCalls(self)

    @property
    def distributions(self) -> DistributionsCalls:
        """The operations of distributions."""
        return DistributionsCalls(self)

    @property
    def endpoints(self) -> EndpointsCalls:
        """The operations of endpoints."""
        return EndpointsCalls(self)

    @property
    def events(self) -> EventsCalls:
        """The operations of events."""
        return EventsCalls(self)

    @property
    def filings(self) -> FilingsCalls:
        """The operations of filings."""
        return FilingsCalls(self)

    @property
    def health(self) -> HealthCalls:
        """The operations of health."""
        return HealthCalls(self)

    @property
    def holdings(self) -> HoldingsCalls:
        """The operations of holdings."""
        return HoldingsCalls(self)

    @property
    def institutions(self) -> InstitutionsCalls:
        """The operations of institutions."""
        return InstitutionsCalls(self)

    @property
    def instructions(self) -> InstructionsCalls:
        """The operations of instructions."""
        return InstructionsCalls(self)

    @property
    def investments(self) -> InvestmentsCalls:
        """The operations of investments."""
        return InvestmentsCalls(self)

    @property
    def offers(self) -> OffersCalls:
        """The operations of offers."""
        return OffersCalls(self)

    @property
    def ownership(self) -> OwnershipCalls:
        """The operations of ownership."""
        return OwnershipCalls(self)

    @property
    def payments(self) -> PaymentsCalls:
        """The operations of payments."""
        return PaymentsCalls(self)

    @property
    def profiles(self) -> ProfilesCalls:
        """The operations of profiles."""
        return ProfilesCalls(self)

    @property
    def proposals(self) -> ProposalsCalls:
        """The operations of proposals."""
        return ProposalsCalls(self)

    @property
    def receipts(self) -> ReceiptsCalls:
        """The operations of receipts."""
        return ReceiptsCalls(self)

    @property
    def refunds(self) -> RefundsCalls:
        """The operations of refunds."""
        return RefundsCalls(self)

    @property
    def register(self) -> RegisterCalls:
        """The operations of register."""
        return RegisterCalls(self)

    @property
    def reinvestment(self) -> ReinvestmentCalls:
        """The operations of reinvestment."""
        return ReinvestmentCalls(self)

    @property
    def releases(self) -> ReleasesCalls:
        """The operations of releases."""
        return ReleasesCalls(self)

    @property
    def servicing(self) -> ServicingCalls:
        """The operations of servicing."""
        return ServicingCalls(self)

    @property
    def splits(self) -> SplitsCalls:
        """The operations of splits."""
        return SplitsCalls(self)

    @property
    def statements(self) -> StatementsCalls:
        """The operations of statements."""
        return StatementsCalls(self)

    @property
    def suitability(self) -> SuitabilityCalls:
        """The operations of suitability."""
        return SuitabilityCalls(self)

    @property
    def transfers(self) -> TransfersCalls:
        """The operations of transfers."""
        return TransfersCalls(self)

    @property
    def votes(self) -> VotesCalls:
        """The operations of votes."""
        return VotesCalls(self)

    @property
    def wallets(self) -> WalletsCalls:
        """The operations of wallets."""
        return WalletsCalls(self)
