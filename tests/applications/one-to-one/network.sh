#!/usr/bin/env bash
# A server at home and two people at theirs, each behind a router that changes addresses and lets nobody in.
#
#   person-a 10.1.0.2 ── router-a 203.0.113.20 ─┐
#   person-b 10.2.0.2 ── router-b 203.0.113.30 ─┼─ the net, 203.0.113.0/24 (this namespace is 203.0.113.1)
#   server 192.168.77.10 ── router-s 203.0.113.7┘  forwards a few ports to the server
#
# The routers of the two give every connection a port by chance, so that neither can be called from outside: only a relay
# leads from one to the other.
set -euo pipefail

# name, address outside, network inside, address of the machine inside
home() {
  local name=$1 outside=$2 inside=$3 machine=$4
  ip netns add "router-$name"
  ip netns add "$machine"
  ip link add "out-$name" type veth peer name outside netns "router-$name"
  ip link set "out-$name" master br-net up
  ip link add inside netns "router-$name" type veth peer name card0 netns "$machine"
  ip -n "router-$name" link set lo up
  ip -n "router-$name" link set outside up
  ip -n "router-$name" link set inside up
  ip -n "router-$name" address add "$outside/24" dev outside
  ip -n "router-$name" address add "$inside.1/24" dev inside
  ip -n "router-$name" route add default via 203.0.113.1
  ip -n "$machine" link set lo up
  ip -n "$machine" link set card0 up
  ip -n "$machine" address add "$inside.${5:-2}/24" dev card0
  ip -n "$machine" route add default via "$inside.1"
  ip netns exec "router-$name" sysctl -qw net.ipv4.ip_forward=1
}

# Names of namespaces are files; these are the lab's own and go with it.
mkdir -p /run/netns
mount -t tmpfs lab /run/netns

ip link add br-net type bridge
ip link set br-net up
ip address add 203.0.113.1/24 dev br-net
home s 203.0.113.7 192.168.77 server 10
home a 203.0.113.20 10.1.0 person-a
home b 203.0.113.30 10.2.0 person-b

for name in a b; do
  ip netns exec "router-$name" nft -f - <<'RULES'
table ip nat {
  chain out { type nat hook postrouting priority srcnat; oifname "outside" masquerade fully-random; }
}
table ip filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "inside" accept
    ct state established,related accept
  }
}
RULES
done

ip netns exec router-s nft -f - <<'RULES'
table ip nat {
  chain in {
    type nat hook prerouting priority dstnat;
    iifname "outside" tcp dport { 3478, 8080, 9000 } dnat to 192.168.77.10
    iifname "outside" udp dport { 3478, 49160-49199 } dnat to 192.168.77.10
  }
  chain out { type nat hook postrouting priority srcnat; oifname "outside" masquerade; }
}
RULES
