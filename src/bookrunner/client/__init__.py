"""A typed client of the API: a method for each operation, exact money, refusals as errors."""

from bookrunner.client.errors import (
    ApiRefused,
    GateClosed,
    HeaderMissing,
    Malformed,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotReady,
    Problem,
    ServerFault,
    ShapeFault,
    StillRunning,
    TooManyRequests,
    Unreachable,
    VersionChanged,
    VersionNotNamed,
)
from bookrunner.client.generated import Bookrunner, shapes
from bookrunner.client.records import ETag, Record, Sent
from bookrunner.client.transport import Call, Operation, Transport, fresh_key
from bookrunner.core.money import Money, currency

__all__ = [
    "ApiRefused",
    "Bookrunner",
    "Call",
    "ETag",
    "GateClosed",
    "HeaderMissing",
    "Malformed",
    "Money",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "NotReady",
    "Operation",
    "Problem",
    "Record",
    "Sent",
    "ServerFault",
    "ShapeFault",
    "StillRunning",
    "TooManyRequests",
    "Transport",
    "Unreachable",
    "VersionChanged",
    "VersionNotNamed",
    "currency",
    "fresh_key",
    "shapes",
]
