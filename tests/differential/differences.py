"""Every intended difference between coturn 4.6.1 and us."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass
class Difference:
    """`cases` are patterns of names without their transport; * stands for anything."""

    cases: list[str]
    coturn: str
    ours: str
    reason: str
    transports: tuple[str, ...] = ("udp", "tcp")

    def names(self) -> list[str]:
        return [f"{transport}: {case}" for transport in self.transports for case in self.cases]

    def explains(self, case: str, coturn: str, ours: str) -> bool:
        return (coturn, ours) == (self.coturn, self.ours) and any(fnmatchcase(case, name) for name in self.names())

    def show(self) -> None:
        print(f"\n{' and '.join(self.transports)}: coturn {self.coturn!r}, we {self.ours!r}")
        print("".join(f"    {case}\n" for case in self.cases) + f"  {self.reason}")


ALLOCATED = "success: lifetime mapped relayed sealed"
CHALLENGE = "401: nonce realm"

SHA256 = "MESSAGE-INTEGRITY-SHA256 is a proof (RFC 8489 §14.6), whether it was agreed on or not; coturn reads only SHA-1"
SEALED = "whoever has proved a key gets sealed answers (RFC 8489 §9.2.4), errors included"
UNPROVED = "441 and 437 are for who has proved a key (RFC 8656 §5); this one has proved none (RFC 8489 §9.2.4)"
BOTH = "ADDITIONAL-ADDRESS-FAMILY asks for a relay of each family (RFC 8656 §7.2); coturn 4.6.1 gives one here"
FAMILIES = "RFC 8656 §7.2: 400 for both family attributes at once, for an additional one other than IPv6, and with R of EVEN-PORT"
TOKENS = "RFC 8656 §7.2: 508 for every token that is not valid"
TRANSPORTS = "RFC 8656 §7.2: 442 for a transport that is not supported"
TRAILING = "RFC 8489 §14.5: what comes after MESSAGE-INTEGRITY is ignored, since anybody can have added it"
MALFORMED = "RFC 8489 §6.3: malformed messages are discarded"

DIFFERENCES = [
    Difference(
        ["*, sha256, *"], CHALLENGE, "437: sealed", SHA256,
    ),
    Difference(["Allocate, sha256, *"], CHALLENGE, ALLOCATED, SHA256),
    Difference(["Refresh, sha256, allocation #2"], CHALLENGE, "success: lifetime sealed", SHA256),
    Difference(["CreatePermission, sha256, allocation #2", "ChannelBind, sha256, allocation #2"], CHALLENGE, "success: sealed", SHA256),
    Difference(
        ["*, expired, no allocation #1"], CHALLENGE, "437: sealed",
        "a credential must be fresh when an allocation is made; for everything else it is a key like any other",
    ),
    Difference(
        ["*, expired, allocation #2", "other user on the same 5 tuple #[234]"], "441", "441: sealed", SEALED,
    ),
    Difference(["retransmission #4", "other user on the same 5 tuple #5"], "437", "437: sealed", SEALED),
    Difference(
        ["*, other realm, *", "*, unknown user, allocation #2"], "441", CHALLENGE, UNPROVED,
    ),
    Difference(["Allocate, other realm, *"], "437", CHALLENGE, UNPROVED),
    Difference(
        ["CreatePermission, good, no allocation #1", "ChannelBind, good, no allocation #1"], "400: sealed", "437: sealed",
        "RFC 8656 §5: a request that does not fit any allocation gets 437",
    ),
    Difference(
        ["both families #1"], ALLOCATED, "success: lifetime mapped relayed x2 sealed", BOTH,
    ),
    Difference(["both families #2"], "443: sealed", "success: lifetime sealed", BOTH + ", so that there is no IPv6 relay to end"),
    Difference(["both families #6"], "success: lifetime sealed", "437: sealed", "both relays have been ended by then"),
    Difference(
        ["family twice over #1", "additional family v4 #1"], ALLOCATED, "400: sealed",
        FAMILIES,
    ),
    Difference(["reserve with additional family #1"], "success: lifetime mapped relayed sealed token", "400: sealed", FAMILIES),
    Difference(["family malformed #1"], "440: sealed", "400: sealed", "a family that is too short is none that is not supported"),
    Difference(
        ["token with even port #1", "token with family #1"], ALLOCATED, "400: sealed",
        "RFC 8656 §7.2: 400 for RESERVATION-TOKEN beside EVEN-PORT or a family",
    ),
    Difference(["token malformed #1"], "400: sealed", "508: sealed", TOKENS),
    Difference(["reservation #[34]"], "404: sealed", "508: sealed", TOKENS + "; there is no 404 in TURN"),
    Difference(
        ["reservation of another user #2"], ALLOCATED, "508: sealed",
        "a reservation is on the account of who made it, and an overheard token is worth nothing",
    ),
    Difference(["transport of no relay #1"], "400: sealed", "442: sealed", TRANSPORTS),
    Difference(["transport tcp #1"], "400: sealed", "442: sealed", TRANSPORTS, ("udp",)),
    Difference(["transport tcp #1"], ALLOCATED, "442: sealed", "TCP relays (RFC 6062) are off unless asked for", ("tcp",)),
    Difference(
        ["permissions #9", "permissions #10"], "success: sealed", "400: sealed",
        "RFC 8656 §10.2: 400 where no well-formed XOR-PEER-ADDRESS is left",
    ),
    Difference(
        ["forbidden addresses #[3-8]", "forbidden addresses v6 #[3-9]"], "success: sealed", "403: sealed",
        "RFC 8656 §21.1.2, §21.2: addresses of this host, private, link-local, multicast and those that embed IPv4 are no peers",
    ),
    Difference(
        ["lifetimes #[78]"], "success: lifetime sealed", "437: sealed",
        "RFC 8656 §8.2: 437 once the allocation is gone; coturn keeps it for a moment",
    ),
    Difference(
        ["attributes after integrity #1"], "420: sealed unknown", ALLOCATED, TRAILING,
    ),
    Difference(["attributes after integrity #[23]"], "437: sealed", "success: lifetime sealed", TRAILING),
    Difference(["answers of a server #1"], "420: sealed unknown", ALLOCATED, "an attribute that is known and means nothing here is ignored"),
    Difference(
        ["send without permission #4"], "400: sealed", "silence",
        "RFC 8489 §6.3: a method that is none of this class is discarded; Send is an indication only",
    ),
    Difference(["integrity malformed #1"], CHALLENGE, "silence", MALFORMED),
    Difference(["truncated #4"], CHALLENGE, "silence", MALFORMED, ("udp",)),
    Difference(["truncated #1"], CHALLENGE, "silence", MALFORMED, ("tcp",)),
    Difference(["no cookie #1"], "success", "silence", "RFC 8656 §5: no RFC 3489; its answers serve reflection", ("udp",)),
    Difference(
        ["no cookie #1", "junk #1"], "no answer any more", "closed",
        "a stream in which nobody knows where the next message begins is ended", ("tcp",),
    ),
]  # fmt: skip
