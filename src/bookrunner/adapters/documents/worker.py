"""The typesetting program: a request a line on standard input, a header line and the PDF on standard output.

It runs by its path in an isolated interpreter, so it imports nothing of ours; :mod:`.typesetter` starts it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any

import typst

_FONTS = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)


def main() -> None:
    """Answer requests until standard input ends; the arguments are the most bytes of address space."""
    limit = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        head, content = answer(json.loads(line))
        answers.write(json.dumps({**head, "size": len(content)}).encode() + b"\n" + content)
        answers.flush()


def answer(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Set one document; return the queried labels and the PDF, or what the engine said and no bytes."""
    try:
        compiler = typst.Compiler(
            request["main"],
            root=request["root"],
            font_paths=_FONTS,
            package_path=request["root"],
            package_cache_path=request["root"],
            sys_inputs={"packet": json.dumps(request["packet"])},
        )
        content = compiler.compile(pdf_standards=["a-2b"], timestamp=request["timestamp"])
        labels = {name: json.loads(compiler.query(f"<{name}>", field="value")) for name in request["labels"]}
    except typst.TypstError as fault:
        return {"fault": fault.message}, b""
    if not isinstance(content, bytes):
        return {"fault": "the engine returned no single file"}, b""
    return {"labels": labels}, content


if __name__ == "__main__":
    main()
