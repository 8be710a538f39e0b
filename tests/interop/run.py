#!/usr/bin/env python3
"""Other people's TURN clients against the real daemon, or against coturn to see that the cases themselves are right.

    tests/lab/enter target/interop-venv/bin/python tests/interop/run.py target/debug/roundturn
    tests/lab/enter target/interop-venv/bin/python tests/interop/run.py /usr/bin/turnserver

Cases run side by side: each has users and ports of its own. The last line is "N passed, N failed".
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import aioice_cases
import discovery_cases
import fragment_cases
import import_cases
import janus_cases
import libnice_cases
import room_cases
import tcp_relay_cases
import uclient_cases
from servers import start


def main() -> int:
    server = start(sys.argv[1], flags=["--mobility"])
    parts = [
        uclient_cases,
        import_cases,
        aioice_cases,
        libnice_cases,
        janus_cases,
        fragment_cases,
        tcp_relay_cases,
        discovery_cases,
        room_cases,
    ]
    cases = [case for part in parts for case in part.cases(server)]
    try:
        with ThreadPoolExecutor(max_workers=6) as pool:
            results = list(pool.map(outcome, cases))
        results.append(outcome(("the server still runs", server.check_alive)))
    finally:
        server.stop()
    for name, seconds, problem in results:
        print(f"{'FAILED' if problem else 'ok':<7} {seconds:6.1f} s  {name}")
        if problem:
            print("    " + problem.replace("\n", "\n    "))
    failed = sum(1 for _, _, problem in results if problem)
    if failed:
        print(f"\nThe end of the server's output:\n{server.log_end()}")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


def outcome(case) -> tuple[str, float, str]:
    """The case's name, how long it took, and what was wrong, empty if nothing was."""
    name, run = case
    began = time.monotonic()
    try:
        run()
        problem = ""
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
    return name, time.monotonic() - began, problem


if __name__ == "__main__":
    sys.exit(main())
