"""Writes src/bookrunner/client/generated from docs/openapi.json: shapes, and a method per operation.

``python -m scripts.generate_client`` writes; with ``--check`` it fails when a file is stale instead.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from scripts.description import MONEY, SHARED, Description, Operation, Schema

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "src/bookrunner/client/generated"
_MADE = "# Made by scripts/generate_client.py from docs/openapi.json; run that again instead."
_PLACES = ("after", "cursor")
_PLAIN = {"date-time": "AwareDatetime", "string": "str", "integer": "int", "boolean": "bool", "null": "None"}
_WIDTH = 100


def python_type(schema: Schema, *, strict: bool) -> str:
    """Return the annotation of a schema; choices are told of what is sent, and texts of what comes back."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return "Exact" if name in MONEY else name
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(python_type(part, strict=strict) for part in schema["anyOf"]))
    if "enum" in schema and strict:
        return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]"
    kind = schema.get("type")
    if kind == "array":
        return f"list[{python_type(schema['items'], strict=strict)}]"
    if kind == "object":
        return f"dict[str, {_values(schema, strict=strict)}]"
    return _PLAIN.get(schema.get("format") or str(kind), "JsonValue")


def _values(schema: Schema, *, strict: bool) -> str:
    patterns = list(schema.get("patternProperties", {}).values())
    values = patterns[0] if patterns else schema.get("additionalProperties", {})
    return python_type(values, strict=strict) if isinstance(values, Mapping) else "JsonValue"


def _sentence(text: str, indent: str) -> str:
    """Write a docstring, folded where a line would be too long."""
    paragraphs = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    quoted = '"""' + ("\n\n".join(paragraphs)).replace("``", "`").replace("\\", "")
    lines = [
        line
        for part in quoted.split("\n")
        for line in (textwrap.wrap(part, _WIDTH, break_long_words=False) or [""])
    ]
    end = ['"""'] if len(lines) > 1 else []
    if not end:
        lines[0] += '"""'
    return "\n".join(f"{indent}{line}".rstrip() for line in (*lines, *end))


def shape(name: str, description: Description) -> str:
    """Return the class of one schema."""
    schema = description.schemas[name]
    strict = name in description.sent
    lines = [f"class {name}({'Sent' if strict else 'Record'}):"]
    lines += [_sentence(schema.get("description", f"{name}."), "    "), ""]
    required = set(schema.get("required", ()))
    properties = schema.get("properties", {})
    for field in sorted(properties, key=lambda one: one not in required):
        kind = python_type(properties[field], strict=strict)
        if field in required:
            lines.append(f"    {field}: {kind}")
        else:
            nullable = kind if "None" in kind.split(" | ") else f"{kind} | None"
            lines.append(f"    {field}: {nullable} = None")
    return "\n".join(lines)


def _ordered(names: Sequence[str], description: Description) -> Iterator[str]:
    """Yield schemas so that each follows those inside it."""
    seen: set[str] = set()
    for name in names:
        for inner in reversed(list(description.within(name))):
            if inner in names and inner not in seen:
                seen.add(inner)
                yield inner


def _used(text: str, names: Sequence[str]) -> list[str]:
    return sorted(name for name in names if re.search(rf"\b{name}\b", text))


def shapes_module(home: str, description: Description) -> str:
    """Return the module with the shapes of one resource."""
    names = [name for name, place in description.homes.items() if place == home]
    body = "\n\n\n".join(shape(name, description) for name in _ordered(names, description))
    imports = ["from __future__ import annotations", ""]
    if _used(body, ["Literal"]):
        imports += ["from typing import Literal", ""]
    if used := _used(body, ["AwareDatetime", "JsonValue"]):
        imports += [f"from pydantic import {', '.join(used)}", ""]
    if home != SHARED:
        shared = [name for name, place in description.homes.items() if place == SHARED]
        if used := _used(body, shared):
            imports += [f"from bookrunner.client.generated.shapes.shared import {', '.join(used)}"]
    imports += [
        f"from bookrunner.client.records import {', '.join(_used(body, ['Exact', 'Record', 'Sent']))}"
    ]
    about = "what several resources share" if home == SHARED else home
    return "\n".join([_MADE, f'"""Shapes: {about}."""', "", *imports, "", "", body, ""])


def method(operation: Operation, schemas: Mapping[str, Schema]) -> str:
    """Return the method of one operation."""
    body, version = operation.body, operation.version
    places = [name for name in operation.named("query") if name in _PLACES]
    parts = [f"{name}: str" for name in operation.named("path")]
    if body is not None:
        parts.append(f"body: {body[0]}" if body[1] else f"body: {body[0]} | None = None")
    keyword = []
    for told in operation.parameters:
        if told["in"] == "query":
            kind = python_type(told["schema"], strict=True)
            needed = "" if told.get("required") else " | None = None"
            keyword.append(f"{told['name']}: {kind.removesuffix(' | None')}{needed}")
    keyword.sort(key=lambda one: "=" in one)
    if version is not None:
        keyword.insert(0, "if_match: ETag" if version else "if_match: ETag | None = None")
        keyword.sort(key=lambda one: "=" in one)
    if operation.is_keyed:
        keyword.append("idempotency_key: str | None = None")
    signature = ", ".join(["self", *parts, *(["*", *keyword] if keyword else [])])
    answers = operation.answer or "bytes"
    lines = [f"    def {operation.name}({signature}) -> {answers}:"]
    lines.append(_sentence(operation.told["description"], "        "))
    filled = [
        _filled(field, operation.named(where)) for field, where in (("path", "path"), ("query", "query"))
    ]
    filled += ["body=body"] if body is not None else []
    filled += ["if_match=if_match"] if version is not None else []
    filled += ["idempotency_key=idempotency_key"] if operation.is_keyed else []
    call = f"Call({', '.join(filter(None, filled))})"
    told = f'OPERATIONS["{operation.name}"]'
    verb = f"record({answers}, {told}, {call})" if operation.answer else f"content({told}, {call})"
    lines.append(f"        return self._transport.{verb}")
    return "\n".join(lines) + (_pages(operation, places[0], operation.listed(schemas)) if places else "")


def _filled(field: str, names: Sequence[str]) -> str:
    return f"{field}={{{', '.join(f'{json.dumps(name)}: {name}' for name in names)}}}" if names else ""


def _pages(operation: Operation, place: str, listed: tuple[str, str]) -> str:
    """Return the method that yields the records of all pages of a list, of its field and their schema."""
    field, record = listed
    told = {p["name"]: p for p in operation.parameters if p["in"] == "query"}
    others = [name for name in told if name not in {place, "limit"}]
    kind = python_type(told[place]["schema"], strict=True).removesuffix(" | None")
    items = operation.name.removeprefix("list_")
    signature = [
        f"{name}: str" if told[name].get("required") else f"{name}: str | None = None" for name in others
    ]
    signature += [f"{place}: {kind} | None = None", "limit: int | None = None"]
    within = operation.named("path")
    taken = ", ".join(["self", *(f"{name}: str" for name in within), "*", *signature])
    given = (*within, *(f"{name}={name}" for name in others), f"{place}=at or {place}", "limit=limit")
    passed = ", ".join(given)
    return "\n" + "\n".join(
        [
            "",
            f"    def each_of_{items}({taken}) -> Iterator[{record}]:",
            f'        """Yield every record of :meth:`{operation.name}`, page by page."""',
            "",
            f"        def page(at: {kind} | None) -> tuple[list[{record}], {kind} | None]:",
            f"            found = self.{operation.name}({passed})",
            f"            return found.{field}, found.next",
            "",
            "        return every(page)",
        ]
    )


def calls_module(tag: str, description: Description) -> str:
    """Return the module with the methods of one resource."""
    operations = [o for o in description.operations if o.tag == tag]
    body = "\n\n".join(method(o, description.schemas) for o in operations)
    imports = ["from __future__ import annotations", ""]
    if "Iterator[" in body:
        imports += ["from collections.abc import Iterator", ""]
    if "Literal[" in body:
        imports += ["from typing import Literal", ""]
    if "AwareDatetime" in body:
        imports += ["from pydantic import AwareDatetime", ""]
    imports.append("from bookrunner.client.generated.operations import OPERATIONS")
    for home in (tag, SHARED):
        names = [name for name, place in description.homes.items() if place == home]
        if used := _used(re.sub(r'""".*?"""', "", body, flags=re.DOTALL), names):
            imports.append(f"from bookrunner.client.generated.shapes.{home} import {', '.join(used)}")
    if "ETag" in body:
        imports.append("from bookrunner.client.records import ETag")
    used = [name for name in ("Call", "every") if f"{name}(" in body]
    imports.append(f"from bookrunner.client.transport import {', '.join(used)}, Transport")
    title = f"{tag.capitalize()}Calls"
    start = [
        f"class {title}:",
        f'    """The operations of {tag}."""',
        "",
        "    def __init__(self, transport: Transport) -> None:",
        "        self._transport = transport",
        "",
    ]
    return "\n".join([_MADE, f'"""Calls: {tag}."""', "", *imports, "", "", *start, body, ""])


def operations_module(description: Description) -> str:
    """Return the module that lists every operation by its name."""
    rows = []
    for operation in sorted(description.operations, key=lambda o: o.name):
        flags = [operation.is_keyed, bool(operation.version)]
        while flags and not flags[-1]:
            flags.pop()
        query = operation.named("query")
        one = "," if len(query) == 1 else ""
        asks = [f"query=({', '.join(map(json.dumps, query))}{one})"] if query else []
        told = [json.dumps(operation.method), json.dumps(operation.path), *map(str, flags), *asks]
        values = ", ".join(told)
        rows.append(f"    {json.dumps(operation.name)}: Operation({values}),")
    imports = [
        "from __future__ import annotations",
        "",
        "from collections.abc import Mapping",
        "from typing import Final",
        "",
        "from bookrunner.client.transport import Operation",
    ]
    start = [_MADE, '"""Every operation by its name."""', "", *imports, ""]
    return "\n".join([*start, "OPERATIONS: Final[Mapping[str, Operation]] = {", *rows, "}", ""])


def front_module(description: Description) -> str:
    """Return the module with the client itself."""
    imports = ["from __future__ import annotations", "", "from pydantic import JsonValue", ""]
    imports += ["from bookrunner.client.generated import shapes"]
    for tag in description.tags:
        imports.append(f"from bookrunner.client.generated.calls.{tag} import {tag.capitalize()}Calls")
    imports.append("from bookrunner.client.generated.operations import OPERATIONS")
    imports.append("from bookrunner.client.transport import Call, Transport")
    body = [
        "class Bookrunner(Transport):",
        '    """One server under one key; an attribute for each resource, a method for each operation."""',
        "",
        "    def call(self, operation: str, call: Call) -> JsonValue:",
        '        """Make any operation by its name and return plain JSON; raises KeyError without one."""',
        "        return self.value(OPERATIONS[operation], call)",
    ]
    for tag in description.tags:
        body += [
            "",
            "    @property",
            f"    def {tag}(self) -> {tag.capitalize()}Calls:",
            f'        """The operations of {tag}."""',
            f"        return {tag.capitalize()}Calls(self)",
        ]
    names = '__all__ = ["OPERATIONS", "Bookrunner", "shapes"]'
    about = '"""The client as the description has it."""'
    return "\n".join([_MADE, about, "", *imports, "", names, "", "", *body, ""])


def shapes_front(description: Description) -> str:
    """Return the module that has every shape by its name."""
    imports = []
    for home in sorted(set(description.homes.values())):
        names = sorted(name for name, place in description.homes.items() if place == home)
        again = ", ".join(f"{name} as {name}" for name in names)
        imports.append(f"from bookrunner.client.generated.shapes.{home} import {again}")
    return "\n".join([_MADE, '"""Every shape by its name."""', "", *imports, ""])


def modules(text: str) -> Mapping[str, str]:
    """Return every module by its path in the folder, formatted."""
    description = Description(text)
    made = {
        "__init__.py": front_module(description),
        "operations.py": operations_module(description),
        "calls/__init__.py": f'{_MADE}\n"""Calls by resource."""\n',
        "shapes/__init__.py": shapes_front(description),
    }
    for tag in description.tags:
        made[f"calls/{tag}.py"] = calls_module(tag, description)
    for home in sorted(set(description.homes.values())):
        made[f"shapes/{home}.py"] = shapes_module(home, description)
    return {name: _formatted(module, name) for name, module in made.items()}


def _formatted(module: str, name: str) -> str:
    ruff = Path(sys.executable).parent / "ruff"
    ours = '--config=lint.isort.known-first-party=["bookrunner"]'
    for command in (["check", "--fix", "--select=I", "--quiet", ours], ["format", "--quiet"]):
        done = subprocess.run(
            [str(ruff), *command, f"--stdin-filename={FOLDER / name}", "-"],
            input=module,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        module = done.stdout
    return module


def main(arguments: Sequence[str]) -> int:
    """Write the modules, or with ``--check`` name those that are stale; return the exit status."""
    made = modules((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
    kept = {p.relative_to(FOLDER).as_posix(): p for p in FOLDER.rglob("*.py")} if FOLDER.is_dir() else {}
    stale = [n for n in made if n not in kept or kept[n].read_text(encoding="utf-8") != made[n]]
    stale += [name for name in kept if name not in made]
    for name in sorted(stale):
        if "--check" not in arguments:
            _write(FOLDER / name, made.get(name))
        print(name, "is stale" if "--check" in arguments else "written")
    return int(bool(stale) and "--check" in arguments)


def _write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
