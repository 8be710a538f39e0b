"""turnutils_uclient of Debian's coturn: its clients exchange packets with each other, each through its own relay."""

import re
import subprocess

from servers import HOST, HOST6, SECRET, TLS_PORT

MESSAGES = 100
CLIENTS = 4


def cases(server):
    """Name and function of each case."""

    def relays(name, *flags, host=HOST, with_rtcp=False):
        # coturn 4.6 loses a twentieth of what comes over TLS.
        may_lose = server.is_coturn and "-S" in flags
        return f"uclient: {name}", lambda: check_relays(list(flags), host, name, with_rtcp, may_lose)

    return [
        # The longest one first.
        ("uclient: TCP, connections that break give their quota back", check_broken),
        relays("channels"),
        relays("Send indications", "-s"),
        relays("channels, IPv6 relays", "-x"),
        relays("Send indications, IPv6 relays", "-s", "-x"),
        relays("channels, clients on IPv6", "-x", host=HOST6),
        relays("channels, IPv4 asked for", "-X"),
        relays("channels, RTP and RTCP on ports side by side", with_rtcp=True),
        relays("both families for one client", "-Z"),
        relays("TCP, both families for one client", "-t", "-Z"),
        relays("requests more than needed", "-G"),
        relays("padded ChannelData, as pjnath sends it", "-D"),
        relays("requests that must fail in between", "-N"),
        relays("TCP, channels", "-t"),
        relays("TCP, Send indications", "-t", "-s"),
        relays("TCP, clients on IPv6", "-t", "-x", host=HOST6),
        relays("TCP, requests more than needed", "-t", "-G"),
        relays("TLS, channels", "-t", "-S", "-p", str(TLS_PORT)),
        relays("TLS, Send indications", "-t", "-S", "-s", "-p", str(TLS_PORT)),
        relays("TLS on the port of plain TURN", "-t", "-S"),
        relays("DONT-FRAGMENT", "-g"),
        relays("mobility", "-M"),
        relays("mobility, Send indications", "-M", "-s"),
        relays("mobility, IPv6 relays", "-M", "-x"),
        relays("mobility, TCP", "-M", "-t"),
        ("uclient: wrong secret", check_wrong_secret),
        ("uclient: clients that leave without a word", check_abandoned),
        ("uclient: bytes broken at random disturb nobody", check_broken_bytes),
    ]


def command(flags: list[str], host: str, user: str, secret: str = SECRET, with_rtcp: bool = False, clients: int = CLIENTS):
    words = ["turnutils_uclient", "-W", secret, "-u", user, "-y", *([] if with_rtcp else ["-c"])]
    return [*words, "-m", str(clients), "-n", str(MESSAGES), "-l", "170", "-z", "5", *flags, host]


def uclient(flags: list[str], host: str, user: str, secret: str = SECRET, with_rtcp: bool = False, clients: int = CLIENTS):
    words = command(flags, host, user, secret, with_rtcp, clients)
    return subprocess.run(words, capture_output=True, text=True, timeout=90, check=False)


def check_relays(flags: list[str], host: str, name: str, with_rtcp: bool = False, may_lose: bool = False) -> None:
    result = uclient(flags, host, user=name.replace(" ", "-").replace(",", ""), with_rtcp=with_rtcp)
    lines = result.stdout.splitlines()
    every = f"tot_send_msgs={CLIENTS * MESSAGES}, tot_recv_msgs={'' if may_lose else CLIENTS * MESSAGES}"
    assert result.returncode == 0, f"exit code {result.returncode}: {lines[-5:]}"
    assert any(every in line for line in lines), f"not every message came: {lines[-6:]}"
    assert may_lose or any("Total lost packets 0 (0.000000%)" in line for line in lines), f"lost packets: {lines[-6:]}"


def check_wrong_secret() -> None:
    result = uclient([], HOST, user="mallory", secret="guessed")
    assert result.returncode == 255, f"exit code {result.returncode}, not 255: {result.stdout[-500:]}"
    assert "Total lost packets" not in result.stdout, "it relayed all the same"


def check_abandoned() -> None:
    """One user's abandoned allocations fill that user's quota, and nobody else's."""
    for _ in range(30):
        left = uclient(["-O"], HOST, user="abandons")
        if "error 486" in left.stdout:
            break
    else:
        raise AssertionError(f"no error 486 after 30 runs: {left.stdout[-500:]}")
    check_relays([], HOST, "unlike-the-one-who-abandons")


def check_broken() -> None:
    """20 of 24 allocations, twice: the second time only what the first one gave back."""
    result = uclient(["-t", "-B", "-z", "1"], HOST, user="breaks", clients=20)
    lines = result.stdout.splitlines()
    assert result.returncode == 0, f"exit code {result.returncode}: {lines[-5:]}"
    sent = re.findall(r"tot_send_msgs=(\d+)", result.stdout)
    assert sent and int(sent[-1]) < 20 * MESSAGES, f"no connection broke: {lines[-6:]}"
    again = uclient(["-t", "-n", "5"], HOST, user="breaks", clients=20)
    assert again.returncode == 0, f"exit code {again.returncode}, the second time: {again.stdout.splitlines()[-5:]}"


def check_broken_bytes() -> None:
    """A client that breaks a tenth of its messages repeats the broken request for minutes if no answer comes: it is ended."""
    flags = [["-R"], ["-R", "-s"], ["-R", "-t"], ["-R", "-t", "-S"]]
    broken = [subprocess.Popen(command(each, HOST, f"broken-{at}"), stdout=subprocess.PIPE, text=True) for at, each in enumerate(flags)]
    try:
        check_relays([], HOST, "beside-broken-bytes")
    finally:
        for process in broken:
            process.kill()
            process.communicate()
