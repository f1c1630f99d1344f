"""Identity providers of the tests: the sandbox's as a process, and faulty ones on a socket."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bookrunner.core.errors import ConfigurationError
from bookrunner.sandbox.entering.provider import ADDRESS

_START_SECONDS = 30.0


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start the sandbox provider of a configured folder, lend its address, and end its process."""
    known = folder / ADDRESS
    known.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bookrunner.sandbox.entering.provider", str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not known.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ConfigurationError("the sandbox provider does not start")
            time.sleep(0.01)
        yield known.read_text(encoding="ascii")
    finally:
        process.kill()
        process.wait()


@contextmanager
def answering(status: int, content: object, *, seen: list[dict[str, str]] | None = None) -> Iterator[str]:
    """Serve one answer to every question, noting the path and headers of each."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if seen is not None:
                seen.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
            self.send_response(status)
            self.send_header("location", "http://192.0.2.1/")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def misbehaving(act: Callable[[socket.socket], None]) -> Iterator[str]:
    """Take connections and do ``act`` with each instead of answering."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stopping = threading.Event()
        listening.settimeout(0.1)

        def serve() -> None:
            while not stopping.is_set():
                try:
                    taken, _ = listening.accept()
                except TimeoutError:
                    continue
                with taken:
                    taken.settimeout(5)
                    try:
                        act(taken)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stopping.set()
            thread.join()


def drip(taken: socket.socket) -> None:
    """Answer one byte at a time, so that no single read is ever late."""
    taken.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(100):
        taken.sendall(b" ")
        time.sleep(0.05)


def drip_headers(taken: socket.socket) -> None:
    """Never come to the end of the headers."""
    taken.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100):
        taken.sendall(b"x-more: 1\r\n")
        time.sleep(0.05)


def hang(taken: socket.socket) -> None:
    """Say nothing for a while."""
    taken.recv(4096)
    time.sleep(2)


def hang_up(taken: socket.socket) -> None:
    """Close without an answer."""
    taken.recv(16)


def babble(taken: socket.socket) -> None:
    """Answer something that is no HTTP."""
    taken.recv(4096)
    taken.sendall(b"250 hello\r\n\r\n")
