"""Builds the documentation site into build/docs: ``python -m scripts.build_site [TARGET]``.

The pages of docs/ are staged with the reference of the API and with those of the root; a link that leads out
of the documentation, to a source or a test, becomes the name of that file.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from scripts.description import Description, Operation, Schema
from scripts.generate_client import python_type

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "build" / "docs"
_FROM_ROOT = {"ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
_LINK = re.compile(r"\[([^\]\n]+)\]\(([^)#\s]*)(#[^)\s]*)?\)")
NAVIGATION: Sequence[tuple[str, str | Sequence[tuple[str, str]]]] = (
    ("Quick start", (("Bookrunner", "index.md"), ("The first hour", "first-hour.md"))),
    (
        "Concepts",
        (
            ("The five books", "books.md"),
            ("Architecture", "ARCHITECTURE.md"),
            ("Words", "glossary.md"),
            ("States", "states.md"),
            ("Refusals", "refusals.md"),
        ),
    ),
    (
        "Parts",
        (
            ("Screening", "screening.md"),
            ("Allocation", "allocation.md"),
            ("Institutions", "capital.md"),
            ("Payments", "payments.md"),
            ("Filings owed", "filings.md"),
            ("Distributions", "distributions.md"),
        ),
    ),
    (
        "API",
        (
            ("How to call it", "api.md"),
            ("Python client", "client.md"),
            ("Agents", "agents.md"),
            ("Services", "services.md"),
            ("Webhooks", "webhooks.md"),
            ("Reconciliation", "reconciliation.md"),
            ("Who may call what", "authority.md"),
        ),
    ),
    (
        "People and records",
        (
            ("Accounts", "access.md"),
            ("Who owns which fact", "ownership.md"),
        ),
    ),
    ("Guarantees", (("Guarantees", "guarantees.md"), ("Known faults", "known-faults.md"))),
    (
        "Operations",
        (
            ("Operations", "operations.md"),
            ("Commands and settings", "commands.md"),
            ("Security", "SECURITY.md"),
            ("Security of an installation", "security/policy.md"),
            ("ASVS", "security/asvs.md"),
            ("ASVS 1 to 5", "security/asvs-1-5.md"),
            ("ASVS 6 to 10", "security/asvs-6-10.md"),
            ("ASVS 11 to 17", "security/asvs-11-17.md"),
            ("Changes", "CHANGELOG.md"),
            ("Contributing", "CONTRIBUTING.md"),
        ),
    ),
)
_CONFIGURATION = """[project]
site_name = "Bookrunner"
site_description = "A tokenized offering over five books as one gated workflow"
docs_dir = "pages"
site_dir = "site"
use_directory_urls = false
nav = {navigation}

[project.theme]
font = false
features = ["navigation.sections", "navigation.top", "search.highlight", "toc.follow"]

[project.validation]
not_found = "warn"
anchors = "ignore"

[project.markdown_extensions.tables]
[project.markdown_extensions.toc]
[project.markdown_extensions.attr_list]
[project.markdown_extensions.pymdownx.highlight]
[project.markdown_extensions.pymdownx.superfences]
"""


def staged(root: Path = ROOT) -> Mapping[str, str]:
    """Return every page of the site by its path."""
    sources = {p.relative_to(root / "docs").as_posix(): p for p in (root / "docs").rglob("*.md")}
    sources |= {name: root / name for name in _FROM_ROOT}
    found = {name: path.read_text(encoding="utf-8") for name, path in sources.items()}
    found |= reference((root / "docs/openapi.json").read_text(encoding="utf-8"))
    found["decisions/index.md"] = _decisions(found)
    return {name: _relinked(name, text, found) for name, text in found.items()}


def _relinked(name: str, text: str, pages: Mapping[str, str]) -> str:
    """Lead each link to a page of the site; one that leads elsewhere becomes the text of its link."""
    folder = PurePosixPath(name).parent
    base = PurePosixPath(".") if name in _FROM_ROOT else PurePosixPath("docs")

    def led(link: re.Match[str]) -> str:
        shown, target, anchor = link[1], link[2], link[3] or ""
        if "://" in target or not target:
            return link[0]
        place = _resolved(base / folder / target).removeprefix("docs/")
        place = "index.md" if place == "README.md" else place
        place = f"{place}/index.md" if f"{place}/index.md" in pages else place
        if place not in pages and place != "openapi.json":
            return shown if "`" in shown else f"`{place}`" if shown.endswith(Path(place).suffix) else shown
        up = "../" * (len(folder.parts))
        return f"[{shown}]({up}{place}{anchor})"

    return _LINK.sub(led, text)


def _resolved(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _decisions(pages: Mapping[str, str]) -> str:
    lines = ["# Decisions\n", "Why things are so, one page each.\n"]
    for name in sorted(name for name in pages if name.startswith("decisions/")):
        title = pages[name].splitlines()[0].removeprefix("# ")
        lines.append(f"- [{title}]({name})")
    return "\n".join(lines).replace("](decisions/", "](") + "\n"


def reference(text: str) -> Mapping[str, str]:
    """Return the reference of the API, a page for each resource, from its description."""
    whole = json.loads(text)
    described = Description(text)
    every = [
        Operation(told["operationId"], method.upper(), path, told["tags"][0], told)
        for path, methods in whole["paths"].items()
        for method, told in methods.items()
    ]
    pages = {}
    for tag in sorted({o.tag for o in every}):
        lines = [f"# {tag.capitalize()}\n"]
        names: list[str] = []
        for operation in sorted((o for o in every if o.tag == tag), key=lambda o: (o.path, o.method)):
            lines += [*_operation(operation), ""]
            for name in (operation.answer, operation.body[0] if operation.body else None):
                names += described.within(name) if name else []
        lines += ["## Shapes\n"] if names else []
        for name in sorted(set(names)):
            lines += [*_shape(name, described.schemas[name]), ""]
        pages[f"reference/{tag}.md"] = "\n".join(lines)
    pages["reference/index.md"] = "\n".join(
        [
            "# Reference\n",
            f"{len(every)} operations; the whole description is [openapi.json](../openapi.json).\n",
        ]
        + [f"- [{tag}]({tag}.md)" for tag in sorted({o.tag for o in every})]
    )
    return pages


def _operation(operation: Operation) -> Iterator[str]:
    yield f"## {operation.name}\n"
    yield f"`{operation.method} {operation.path}`\n"
    yield str(operation.told["description"]) + "\n"
    if operation.parameters:
        yield "| Parameter | In | Needed |\n|---|---|---|"
        for told in operation.parameters:
            yield f"| `{told['name']}` | {told['in']} | {'yes' if told.get('required') else 'no'} |"
        yield ""
    if operation.body:
        yield f"Sends `{operation.body[0]}`.\n"
        example = operation.told["requestBody"]["content"]["application/json"].get("example")
        if example is not None:
            yield f"```json\n{json.dumps(example, indent=2)}\n```\n"
    statuses = ", ".join(sorted(operation.told["responses"]))
    yield f"Answers `{operation.answer or 'bytes'}`; statuses {statuses}."


def _shape(name: str, schema: Schema) -> Iterator[str]:
    yield f"### {name}\n"
    yield str(schema.get("description", "")) + "\n"
    properties = schema.get("properties", {})
    if properties:
        yield "| Field | Type | Needed |\n|---|---|---|"
    for field, told in properties.items():
        kind = python_type(told, strict=True).replace("Exact", "money").replace("|", "or")
        yield f"| `{field}` | `{kind}` | {'yes' if field in schema.get('required', ()) else 'no'} |"


def llms(pages: Mapping[str, str]) -> str:
    """Return llms.txt: what this is, and where a program that reads finds each page."""
    about = pages["index.md"].split("\n\n")[1].replace("\n", " ")
    lines = ["# Bookrunner", "", f"> {about}", ""]
    for title, entries in _navigation(pages):
        lines += [f"## {title}", ""]
        lines += [f"- [{name}]({path.removesuffix('.md')}.html)" for name, path in entries]
        lines.append("")
    lines += ["## Machine readable", "", "- [OpenAPI 3.1 description](openapi.json)", ""]
    return "\n".join(lines)


def _navigation(pages: Mapping[str, str]) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    for title, entries in NAVIGATION:
        yield title, entries if not isinstance(entries, str) else ((title, entries),)
    found = sorted(name for name in pages if name.startswith("reference/") and name != "reference/index.md")
    yield (
        "Reference",
        (("Reference", "reference/index.md"), *((Path(n).stem.capitalize(), n) for n in found)),
    )
    yield "Decisions", (("Decisions", "decisions/index.md"),)


def _entry(name: str, path: str) -> str:
    return f"{{{json.dumps(name)} = {json.dumps(path)}}}"


def build(target: Path = TARGET) -> None:
    """Build the site into a folder; raises CalledProcessError when a page has a fault."""
    work = target.parent / f".{target.name}"
    shutil.rmtree(work, ignore_errors=True)
    pages = staged()
    for name, text in pages.items():
        path = work / "pages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "docs/openapi.json", work / "pages/openapi.json")
    (work / "pages/llms.txt").write_text(llms(pages), encoding="utf-8")
    entries = [
        f"{{{json.dumps(title)} = [{', '.join(_entry(*one) for one in inner)}]}}"
        for title, inner in _navigation(pages)
    ]
    configuration = _CONFIGURATION.replace("{navigation}", f"[{', '.join(entries)}]")
    (work / "zensical.toml").write_text(configuration, encoding="utf-8")
    zensical = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    subprocess.run([*zensical, "--config-file", "zensical.toml"], cwd=work, check=True)
    shutil.rmtree(target, ignore_errors=True)
    shutil.move(work / "site", target)
    shutil.rmtree(work)


if __name__ == "__main__":
    build(*(Path(argument).resolve() for argument in sys.argv[1:2]))
