"""The description of the API as a page to read: made here, with nothing from elsewhere and no script."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

PATH: Final = "/docs"
_STYLE: Final = (files(__package__) / "reader.css").read_text(encoding="utf-8")
_STYLE_SHA256: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_SHA256}'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
Told = Mapping[str, Any]
Rows = Iterator[tuple[str, str, str]]
"""Names, types and sentences; the last two are HTML already."""


def routes(app: FastAPI) -> APIRouter:
    """Return the route of the page; it shows what ``app`` describes of itself."""
    router = APIRouter()

    @router.get(PATH, include_in_schema=False)
    async def read() -> HTMLResponse:
        """Show every operation with what it reads and answers."""
        return HTMLResponse(page(app.openapi()), headers={"Content-Security-Policy": POLICY})

    return router


def page(told: Told) -> str:
    """Return the page of a description (OpenAPI 3.1)."""
    areas: dict[str, list[str]] = {}
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            answers = _answers(operation, told["components"]["responses"])
            shown = _operation(f"{method.upper()} {path}", operation, answers)
            areas.setdefault(operation["tags"][0], []).append(shown)
    schemas = sorted(told["components"]["schemas"].items())
    links = "".join(f'<li><a href="#{escape(area)}">{escape(area)}</a></li>' for area in areas)
    parts = "".join(_section(escape(area), "".join(found)) for area, found in areas.items())
    shapes = "".join(_schema(name, one) for name, one in schemas)
    title, about = escape(told["info"]["title"]), escape(told["info"].get("description", ""))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><header><h1>{title} API {escape(told['info']['version'])}</h1><p>{about}</p>"
        '<p><a href="/v1/openapi.json">openapi.json</a></p></header>'
        f'<nav aria-label="Areas"><ul>{links}<li><a href="#shapes">shapes</a></li></ul></nav>'
        f"<main>{parts}{_section('shapes', shapes)}</main></body></html>"
    )


def _section(name: str, content: str) -> str:
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{name}</h2>{content}</section>'


def _operation(call: str, operation: Told, answers: Rows) -> str:
    method, _, path = call.partition(" ")
    name = escape(operation["operationId"])
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return (
        f'<details id="{name}"><summary><b>{method}</b> <code>{escape(path)}</code>'
        f" <span>{name}</span></summary><p>{escape(operation.get('description', ''))}</p>"
        f"{_rows('Reads', _parameters(operation))}{'' if body is None else _body(body)}"
        f"{_rows('Answers', answers)}</details>"
    )


def _parameters(operation: Told) -> Rows:
    for one in operation.get("parameters", ()):
        needed = "" if one.get("required") else ", if given"
        said = one.get("description") or one.get("schema", {}).get("description", "")
        yield one["name"], f"{escape(one['in'])}{needed}", escape(said)


def _body(body: Told) -> str:
    shown = json.dumps(body["example"], indent=2, ensure_ascii=False) if "example" in body else ""
    example = f'<pre tabindex="0">{escape(shown)}</pre>' if shown else ""
    return f"<h3>Body: {_type(body.get('schema', {}))}</h3>{example}"


def _answers(operation: Told, shared: Told) -> Rows:
    for status, given in operation["responses"].items():
        answer = shared[given["$ref"].rpartition("/")[2]] if "$ref" in given else given
        kinds = " or ".join(_type(one.get("schema", {})) for one in answer.get("content", {}).values())
        yield status, kinds, escape(answer.get("description", ""))


def _schema(name: str, schema: Told) -> str:
    needed = set(schema.get("required", ()))
    fields = [
        (field, _type(one) + ("" if field in needed else ", if given"), escape(one.get("description", "")))
        for field, one in schema.get("properties", {}).items()
    ]
    said = escape(schema.get("description", ""))
    label = escape(name)
    return (
        f'<details id="{label}"><summary><span>{label}</span></summary><p>{said}</p>'
        f"{_rows('Fields', iter(fields))}</details>"
    )


def _type(schema: Told) -> str:
    """Say what a schema is, as HTML: a link to a shape, a list of one, a choice, or a plain type."""
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return " or ".join(
            f"<code>{escape(str(v))}</code>" for v in schema.get("enum", [schema.get("const")])
        )
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("format") or schema.get("type") or "anything"))


def _rows(title: str, rows: Rows) -> str:
    """Return a table under a title; nothing where there is no row."""
    cells = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{kind}</td><td>{said}</td></tr>'
        for name, kind, said in rows
    )
    return f"<h3>{title}</h3><table>{cells}</table>" if cells else ""
