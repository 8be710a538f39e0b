"""turnutils_uclient of Debian's coturn: its clients exchange packets with each other, each through its own relay."""

import subprocess

from servers import HOST, HOST6, SECRET, TLS_PORT

MESSAGES = 100
CLIENTS = 4


def cases(server):
    """Name and function of each case."""

    def relays(name, *flags, host=HOST):
        return f"uclient: {name}", lambda: check_relays(list(flags), host, name)

    return [
        relays("channels"),
        relays("Send indications", "-s"),
        relays("channels, IPv6 relays", "-x"),
        relays("Send indications, IPv6 relays", "-s", "-x"),
        relays("channels, clients on IPv6", "-x", host=HOST6),
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
    ]


def uclient(flags: list[str], host: str, user: str, secret: str = SECRET):
    command = ["turnutils_uclient", "-W", secret, "-u", user, "-y", "-c", *flags]
    command += ["-m", str(CLIENTS), "-n", str(MESSAGES), "-l", "170", "-z", "5", host]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def check_relays(flags: list[str], host: str, name: str) -> None:
    result = uclient(flags, host, user=name.replace(" ", "-").replace(",", ""))
    lines = result.stdout.splitlines()
    every = f"tot_send_msgs={CLIENTS * MESSAGES}, tot_recv_msgs={CLIENTS * MESSAGES}"
    assert result.returncode == 0, f"exit code {result.returncode}: {lines[-5:]}"
    assert any(every in line for line in lines), f"not every message came: {lines[-6:]}"
    assert any("Total lost packets 0 (0.000000%)" in line for line in lines), f"lost packets: {lines[-6:]}"


def check_wrong_secret() -> None:
    result = uclient([], HOST, user="mallory", secret="guessed")
    assert result.returncode == 255, f"exit code {result.returncode}, not 255: {result.stdout[-500:]}"
    assert "Total lost packets" not in result.stdout, "it relayed all the same"
