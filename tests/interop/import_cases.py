"""coturn's settings, imported: for each fixture of the importer, the daemon starts with what came out, unchanged.

Each has a lab of its own, with the addresses, certificates and names that its settings speak of, and is asked the table in
oracle.py there.
"""

import shlex
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
FIXTURES = PROJECT / "tests/import/fixtures"


def cases(server):
    """Name and function of each case."""
    if server.is_coturn:
        return []
    fixtures = sorted(FIXTURES.iterdir())
    assert fixtures, f"nothing is in {FIXTURES}"
    return [(f"import: {fixture.name}", lambda fixture=fixture: check(server.program, fixture)) for fixture in fixtures]


def check(program: str, fixture: Path) -> None:
    lab, oracle = PROJECT / "tests/lab/enter", Path(__file__).with_name("oracle.py")
    command = [str(lab), sys.executable, str(oracle), program, str(fixture)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert result.returncode == 0, f"{shlex.join(command)}\n{(result.stdout + result.stderr)[-3000:]}"
