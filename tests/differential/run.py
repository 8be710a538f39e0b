#!/usr/bin/env python3
"""The same requests to coturn and to the daemon: where the outcomes differ, differences.py says why.

    tests/lab/enter python3 tests/differential/run.py target/debug/roundturn

Prints every difference with its reason. One that has no reason fails, and so does a reason for a difference that is none.
The last line is "N passed, N failed".
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))

from client import Client
from differences import DIFFERENCES
from scripts import scripts
from servers import HOST, PORT, SECRET, start

COTURN = "/usr/bin/turnserver"
# coturn asks a thread for keys, and answers other datagrams meanwhile.
PATIENCE = 1.0
QUOTA = 3


def main() -> int:
    began = time.monotonic()
    theirs = outcomes(COTURN, flags=[f"--user-quota={QUOTA}"])
    ours = outcomes(sys.argv[1], variables={"ROUNDTURN_LIMITS__ALLOCATIONS_PER_USER": str(QUOTA)})
    assert theirs.keys() == ours.keys()
    used, wrong, same = set(), [], 0
    for case, coturn in theirs.items():
        if coturn == ours[case]:
            same += 1
            continue
        reasons = [known for known in DIFFERENCES if known.explains(case, coturn, ours[case])]
        used.update(id(reason) for reason in reasons)
        if len(reasons) != 1:
            wrong.append(f"{case}: coturn {coturn!r}, we {ours[case]!r}, and {len(reasons)} reasons for it")
    for known in DIFFERENCES:
        known.show()
        if id(known) not in used:
            wrong.append(f"no longer different: {known.cases}: coturn {known.coturn!r}, we {known.ours!r}")
    print("\n".join(wrong))
    print(f"{same} outcomes are the same, {len(theirs) - same} differ, in {time.monotonic() - began:.0f} s")
    print(f"{len(theirs) + len(DIFFERENCES) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


def outcomes(program: str, **how) -> dict[str, str]:
    """What came of every request of every script, by transport, script and the request's number in it."""
    server, found = start(program, **how), {}
    patience = PATIENCE if server.is_coturn else 0
    try:
        for transport in ["udp", "tcp"]:
            for count, (name, script) in enumerate(scripts().items()):
                said: list[str] = []
                # A user for each script, so that none uses up another's quota.
                link = (transport, patience if transport == "udp" else 0)
                script(Client((HOST, PORT), SECRET, f"{transport}{count}", link, said))
                found |= {f"{transport}: {name} #{index}": outcome for index, outcome in enumerate(said, 1)}
        server.check_alive()
    finally:
        server.stop()
    return found


if __name__ == "__main__":
    sys.exit(main())
