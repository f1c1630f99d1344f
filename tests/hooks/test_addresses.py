"""Where webhooks may not go: forbidden addresses, names that answer anew, redirects, other certificates."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest

from bookrunner.adapters.webhooks import (
    AddressRefused,
    AddressRule,
    Answer,
    Outcome,
    Sender,
    check_address,
    parse_target,
    resolve,
)
from bookrunner.app.settings import Settings, hooks_on_loopback
from bookrunner.core.errors import ConfigurationError
from tests.hooks.conftest import NAME, Receiver, receiving, to_loopback

PLAIN, HOST, PORT = AddressRule.URL_IS_PLAIN, AddressRule.HOST_IS_A_PUBLIC_NAME, AddressRule.PORT_IS_OPEN
URLS = [
    ("http://hooks.example.org/", PLAIN),
    ("ftp://hooks.example.org/", PLAIN),
    ("file:///etc/passwd", PLAIN),
    ("https:///in", PLAIN),
    ("https://user:word@hooks.example.org/", PLAIN),
    ("https://hooks.example.org@127.0.0.1/", PLAIN),
    ("https://hooks.example.org/#part", PLAIN),
    ("https://hooks.example.org\\@127.0.0.1/", PLAIN),
    ("https://hooks.example.org/a b", PLAIN),
    ("https://hooks.example.org/\r\nX-Other: 1", PLAIN),
    ("https://HOOKS.example.org/", PLAIN),
    ("https://höoks.example.org/", PLAIN),
    ("https://[::1]/", PLAIN),
    ("https://[::ffff:10.0.0.1]/", PLAIN),
    ("https://hooks.example.org:99999999/", PLAIN),
    ("https://hooks.example.org/" + "a" * 2000, PLAIN),
    ("https://localhost/", HOST),
    ("https://LOCALHOST/", PLAIN),
    ("https://other.localhost/", HOST),
    ("https://127.0.0.1/", HOST),
    ("https://127.1/", HOST),
    ("https://2130706433/", HOST),
    ("https://0x7f.0.0.0x1/", HOST),
    ("https://0177.0.0.1/", HOST),
    ("https://8.8.8.8/", HOST),
    ("https://metadata/", HOST),
    ("https://metadata.google.internal/", HOST),
    ("https://printer.local/", HOST),
    ("https://router.home.arpa/", HOST),
    ("https://hooks.example.org./", HOST),
    ("https://.example.org/", HOST),
    ("https://-a.example.org/", HOST),
    ("https://" + ".".join(["a" * 60] * 5) + ".org/", HOST),
    ("https://hooks.example.org:22/", PORT),
    ("https://hooks.example.org:80/", PORT),
    ("https://hooks.example.org:0/", PORT),
    ("https://hooks.example.org:65536/", PORT),
]
ADDRESSES = [
    "0.0.0.0",  # noqa: S104 - an address to be refused
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:8.8.8.8",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "no address",
]


def posted(sender: Sender, url: str) -> Answer:
    """Send once."""
    return asyncio.run(sender.post(url, b"{}", {"content-type": "application/json"}))


@pytest.mark.parametrize(("url", "rule"), URLS, ids=[url[:48] for url, _ in URLS])
def test_an_address_that_is_not_plain_and_public_is_refused(url: str, rule: AddressRule) -> None:
    with pytest.raises(AddressRefused) as caught:
        parse_target(url)
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org",
        "https://hooks.example.org/in?to=a&b=%20c",
        "https://hooks.example.org:8443/x",
        "https://xn--hoks-6qa.example.org/",
        "https://hooks.example.org:443/",
    ],
)
def test_a_plain_public_address_is_taken(url: str) -> None:
    assert parse_target(url).host.endswith("example.org")


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_name_that_leads_to_such_an_address_is_sent_nothing(address: str) -> None:
    asked = []

    async def answer(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["93.184.215.14", address]

    with pytest.raises(AddressRefused):
        check_address(address)
    said = posted(Sender(resolving=answer), "https://hooks.example.org/in")
    assert (said.outcome, said.status_code) == (Outcome.FORBIDDEN_ADDRESS, None)
    assert asked == [("hooks.example.org", 443)]


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::1"])
def test_a_public_address_is_taken(address: str) -> None:
    assert str(check_address(address)) == address


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1"])
def test_what_a_sandbox_may_is_the_loopback_alone(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(address, loopback=True)
    assert str(check_address("127.0.0.1", loopback=True)) == "127.0.0.1"


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_that_is_met(receiver: Receiver) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    async def rebinding(_host: str, _port: int) -> Sequence[str]:
        return answers.pop(0)

    sender = Sender(loopback=True, trusted=receiver.context(), resolving=rebinding)
    said = posted(sender, receiver.url("/in?x=1"))
    assert (said.outcome, said.status_code) == (Outcome.ACCEPTED, 204)
    (message,) = receiver.came
    assert message.path == "/in?x=1"
    assert message.headers["host"] == f"{NAME}:{receiver.port}"
    assert answers == [["10.0.0.1"]]
    assert posted(sender, receiver.url()).outcome is Outcome.FORBIDDEN_ADDRESS
    assert len(receiver.came) == 1


def test_a_receiver_of_this_machine_is_met_in_a_sandbox_alone(receiver: Receiver) -> None:
    sender = Sender(trusted=receiver.context(), resolving=to_loopback)
    assert posted(sender, receiver.url()).outcome is Outcome.FORBIDDEN_ADDRESS
    assert receiver.came == []


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.says = lambda _: (status, {"location": receiver.url("/other")}, b"")
    said = posted(Sender(loopback=True, trusted=receiver.context(), resolving=to_loopback), receiver.url())
    assert (said.outcome, said.status_code) == (Outcome.REDIRECTED, status)
    assert [message.path for message in receiver.came] == ["/in"]


def test_the_certificate_must_be_the_one_of_the_name(tmp_path: Path) -> None:
    with receiving(tmp_path, "other.example.org") as other:
        sender = Sender(loopback=True, trusted=other.context(), resolving=to_loopback)
        assert posted(sender, other.url(host=NAME)).outcome is Outcome.UNREACHABLE
        assert posted(sender, other.url(host="other.example.org")).outcome is Outcome.ACCEPTED
        stranger = Sender(loopback=True, resolving=to_loopback)
        assert posted(stranger, other.url(host="other.example.org")).outcome is Outcome.UNREACHABLE


def test_a_proxy_of_the_environment_is_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    sender = Sender(loopback=True, trusted=receiver.context(), resolving=to_loopback)
    assert posted(sender, receiver.url()).outcome is Outcome.ACCEPTED


def test_of_a_long_answer_a_part_is_read(receiver: Receiver) -> None:
    receiver.says = lambda _: (200, {}, b"a" * 20_000_000)
    said = posted(Sender(loopback=True, trusted=receiver.context(), resolving=to_loopback), receiver.url())
    assert said.outcome is Outcome.ACCEPTED
    assert said.answer_sha256 == "bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a"


def test_the_system_resolves_a_name_to_its_addresses() -> None:
    found = asyncio.run(resolve("localhost", 443))
    assert set(found) <= {"127.0.0.1", "::1"}
    assert len(found) == len(set(found)) > 0


def test_nobody_there_and_no_such_name_are_failures_and_no_errors(receiver: Receiver) -> None:
    async def nowhere(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    async def nothing(_host: str, _port: int) -> Sequence[str]:
        return []

    assert posted(Sender(resolving=nowhere), receiver.url()).outcome is Outcome.UNREACHABLE
    assert posted(Sender(resolving=nothing), receiver.url()).outcome is Outcome.UNREACHABLE
    shut = Sender(loopback=True, resolving=to_loopback)
    assert posted(shut, f"https://{NAME}:1024/").outcome is Outcome.UNREACHABLE


def test_a_receiver_that_says_nothing_is_left_after_its_seconds(receiver: Receiver) -> None:
    over = Event()

    def silent(_: object) -> tuple[int, dict[str, str], bytes]:
        over.wait(60)
        return 204, {}, b""

    receiver.says = silent
    sender = Sender(loopback=True, trusted=receiver.context(), resolving=to_loopback, seconds=1)
    try:
        assert posted(sender, receiver.url()).outcome is Outcome.TIMED_OUT
    finally:
        over.set()


def test_only_a_sandbox_may_send_to_its_own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKRUNNER_WEBHOOKS", '{"loopback": true}')
    assert hooks_on_loopback(Settings())
    for name, value in (("DATABASE_URL", "postgresql://db/x"), ("RPC_URL", "https://node.example.org")):
        with monkeypatch.context() as set_too:
            set_too.setenv(f"BOOKRUNNER_{name}", value)
            with pytest.raises(ConfigurationError):
                hooks_on_loopback(Settings())
