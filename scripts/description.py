"""The API's description as the client is made from it: operations, their shapes, and where each belongs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Schema = Mapping[str, Any]
MONEY = {"Amount", "Price"}
SHARED = "shared"
_VALUE = {"JsonValue"}
_LEFT_OUT = {"Problem", "ClosedGate", "MissingCondition", "ShapeFault", "Nothing"}


@dataclass(frozen=True)
class Operation:
    """One operation as the client calls it."""

    name: str
    method: str
    path: str
    tag: str
    told: Schema

    @property
    def parameters(self) -> Sequence[Schema]:
        """Its parameters, in the order of the description."""
        found: Sequence[Schema] = self.told.get("parameters", [])
        return found

    def named(self, where: str) -> list[str]:
        """Return the names of its parameters in the path, the query or the headers."""
        return [p["name"] for p in self.parameters if p["in"] == where]

    @property
    def is_keyed(self) -> bool:
        """Whether its calls carry an idempotency key."""
        return "Idempotency-Key" in self.named("header")

    @property
    def version(self) -> bool | None:
        """Whether a call must name a version; None where it has none to name."""
        found = [p["required"] for p in self.parameters if p["name"] == "If-Match"]
        return found[0] if found else None

    @property
    def body(self) -> tuple[str, bool] | None:
        """The schema of its body and whether it must be sent; None where nothing is said by it."""
        sent = self.told.get("requestBody")
        if sent is None:
            return None
        schema = sent["content"]["application/json"]["schema"]
        parts = [part["$ref"] for part in (schema, *schema.get("anyOf", ())) if "$ref" in part]
        name = parts[0].rpartition("/")[2]
        return None if name in _LEFT_OUT else (name, "$ref" in schema)

    @property
    def is_stream(self) -> bool:
        """Whether its answer does not end, and so is no record."""
        return any("text/event-stream" in told.get("content", {}) for told in self.told["responses"].values())

    def listed(self, schemas: Mapping[str, Schema]) -> tuple[str, str]:
        """Return the field of the answer that holds the records of a list, and their schema."""
        fields = schemas[self.answer or ""]["properties"]
        (found,) = (
            (name, told["items"]["$ref"]) for name, told in fields.items() if told.get("type") == "array"
        )
        return found[0], found[1].rpartition("/")[2]

    @property
    def answer(self) -> str | None:
        """The schema of its answer; None for bytes."""
        for status, told in self.told["responses"].items():
            if status.startswith("2"):
                schema = told.get("content", {}).get("application/json", {}).get("schema", {})
                return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None
        return None


class Description:
    """The description with what each module of the client has of it."""

    def __init__(self, text: str) -> None:
        whole = json.loads(text)
        self.schemas: Mapping[str, Schema] = whole["components"]["schemas"]
        self.operations = [
            Operation(told["operationId"], method.upper(), path, told["tags"][0], told)
            for path, methods in whole["paths"].items()
            for method, told in methods.items()
        ]
        # What nobody with a key calls, such as the messages of providers, is signed by another scheme.
        self.operations = [
            o
            for o in self.operations
            if (o.method == "GET" or "security" in o.told or o.is_keyed) and not o.is_stream
        ]

    @cached_property
    def tags(self) -> Sequence[str]:
        """The resources, sorted."""
        return sorted({o.tag for o in self.operations})

    @cached_property
    def sent(self) -> frozenset[str]:
        """The schemas that calls send, with those inside them."""
        return frozenset(n for o in self.operations if o.body for n in self.within(o.body[0]))

    def within(self, name: str) -> Iterator[str]:
        """Yield a schema and the schemas inside it."""
        yield name
        for inner in sorted(set(_references(self.schemas[name])) - MONEY - _VALUE - {name}):
            yield from self.within(inner)

    @cached_property
    def homes(self) -> Mapping[str, str]:
        """The module of each schema: that of the one resource that uses it, else the shared one."""
        users: dict[str, set[str]] = defaultdict(set)
        for operation in self.operations:
            for name in filter(None, (operation.answer, operation.body and operation.body[0])):
                for inner in self.within(name):
                    users[inner].add(operation.tag)
        return {name: min(tags) if len(tags) == 1 else SHARED for name, tags in sorted(users.items())}


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield str(schema["$ref"]).rpartition("/")[2]
        for key, value in schema.items():
            if key not in {"example", "examples", "default"}:
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)
