"""A bank statement of 100,000 credits: read, booked and matched, as one import of the file.

Every credit carries the reference of one open payment and comes from the approved account of its
investor. The file is a camt.053 in its shortest form; reading it is part of the time.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

from bench.stage import ESCROW, BenchFailed, open_escrow, served
from bookrunner.adapters.bank.camt import CamtReader
from bookrunner.core.reference import make_reference
from bookrunner.db import Database, Server, load
from bookrunner.db.catalog import session
from bookrunner.engine.desk import Desk
from bookrunner.engine.intake.receipts import fingerprint, import_statement

RECEIPTS = 100_000
DUE_MINOR = 1_000_000
PORTION = 10_000
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def run(full: bool) -> dict[str, object]:
    """Import one file; returns the seconds for 100,000 receipts and the largest memory of this process.

    Raises BenchFailed unless every credit is matched and the ledger stands at zero.
    """
    count = RECEIPTS if full else RECEIPTS // 5
    with served() as server:
        prepare(server, count)
        raw = b"".join(statement(count))
        print(f"a statement of {count} credits, {len(raw) / 2**20:.0f} MiB", flush=True)
        database = Database(server.endpoint, max_size=2)
        try:
            open_escrow(Desk(database).treasury, "ofr_bench")
            started = time.perf_counter()
            added = import_statement(Desk(database), CamtReader(), "ofr_bench", raw, actor="bench")
            seconds = time.perf_counter() - started
        finally:
            database.close()
        with session(server.endpoint.admin_dsn()) as connection:
            found = load("bench").receipts_stand(connection)
    if (added, found["matched"], found["received"], found["uneven"]) != (count, count, count, 0):
        raise BenchFailed(f"{count} credits left {dict(found)}")
    return {
        "name": "receipts",
        "seconds_per_100k": round(seconds * RECEIPTS / count, 2),
        "receipts": count,
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def prepare(server: Server, count: int) -> None:
    """Open so many payments; only the guards of this filling are suspended."""
    queries = load("bench")
    with session(server.endpoint.admin_dsn()) as connection:
        with connection.transaction():
            queries.suspend_guards(connection)
            queries.suspend_treasury_guards(connection)
            queries.add_offer(connection)
            queries.add_investments(connection, count=count)
            queries.add_positions(connection, count=count)
            for first in range(1, count + 1, PORTION):
                numbers = range(first, min(first + PORTION, count + 1))
                queries.add_payments(
                    connection,
                    numbers=list(numbers),
                    references=[make_reference(f"{n:012d}") for n in numbers],
                    fingerprints=[fingerprint(account(n)) for n in numbers],
                    due=DUE_MINOR,
                )
            queries.restore_treasury_guards(connection)
            queries.restore_guards(connection)
        queries.vacuum(connection)
        queries.checkpoint(connection)


def account(n: int) -> str:
    """Return the account that the n-th investor pays from."""
    return f"021000021-{n:09d}"


def statement(count: int) -> Iterator[bytes]:
    """Yield the parts of a camt.053 with so many credits."""
    total = f"{count * DUE_MINOR // 100}.{count * DUE_MINOR % 100:02d}"
    yield (
        f'<Document xmlns="{_NAMESPACE}"><BkToCstmrStmt><GrpHdr><MsgId>m</MsgId>'
        "<CreDtTm>2026-03-02T18:00:00Z</CreDtTm></GrpHdr><Stmt><Id>bench-1</Id><ElctrncSeqNb>1</ElctrncSeqNb>"
        "<CreDtTm>2026-03-02T18:00:00Z</CreDtTm>"
        f"<Acct><Id><Othr><Id>{ESCROW}</Id></Othr></Id><Ccy>USD</Ccy></Acct>"
        f"{_balance('OPBD', '0.00')}{_balance('CLBD', total)}"
    ).encode()
    for n in range(1, count + 1):
        yield (
            f'<Ntry><Amt Ccy="USD">{DUE_MINOR // 100}.00</Amt>'
            "<CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
            f"<BookgDt><Dt>2026-03-02</Dt></BookgDt><AcctSvcrRef>B{n}</AcctSvcrRef><NtryDtls><TxDtls>"
            f"<RltdPties><DbtrAcct><Id><Othr><Id>{account(n)}</Id></Othr></Id></DbtrAcct></RltdPties>"
            f"<RmtInf><Ustrd>{make_reference(f'{n:012d}')}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        ).encode()
    yield b"</Stmt></BkToCstmrStmt></Document>"


def _balance(kind: str, amount: str) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{amount}</Amt>'
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>"
    )
