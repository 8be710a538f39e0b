//! The operator's lists of networks: the longest prefix wins, deny wins a tie.
//!
//! Networks contain each other or have nothing in common, so that they cut the addresses into stretches:
//!
//! ```text
//!  deny  10.0.0.0/8      ├───────────────────────────┤
//!  allow 10.1.0.0/16             ├───────┤
//!  marks            None │ Deny  │ Allow │ Deny      │ None
//! ```
//!
//! An address belongs to the last mark that is not behind it: lists of ten thousands of networks cost a packet no more than
//! a few steps.

use std::net::IpAddr;

use crate::config::PeerRules;

/// What an operator says of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Allow,
    Deny,
}

/// The lists, ready to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lists {
    v4: Vec<Mark>,
    v6: Vec<Mark>,
}

/// What is said of addresses from here on, to the next mark.
type Mark = (u128, Option<Verb>);

/// The first and the last address of a network, and what is said of it.
type Stretch = (u128, u128, Verb);

impl Lists {
    pub(super) fn new(rules: &PeerRules) -> Self {
        let deny = rules.deny.iter().map(|net| (*net, Verb::Deny));
        let all: Vec<_> = deny.chain(rules.allow.iter().map(|net| (*net, Verb::Allow))).collect();
        let of = |is_v4: bool| {
            let of_family = all.iter().filter(|(net, _)| net.addr().is_ipv4() == is_v4);
            marks(of_family.map(|(net, verb)| (number(net.network()), number(net.broadcast()), *verb)).collect())
        };
        Self { v4: of(true), v6: of(false) }
    }

    /// What is said of `address`, if anything is.
    pub(super) fn verb(&self, address: IpAddr) -> Option<Verb> {
        let (marks, address) = (if address.is_ipv4() { &self.v4 } else { &self.v6 }, number(address));
        let next = marks.partition_point(|(from, _)| *from <= address);
        marks[..next].last()?.1
    }
}

fn marks(mut stretches: Vec<Stretch>) -> Vec<Mark> {
    // What contains others comes before them, and of equals allow, so that deny is marked over it.
    stretches.sort_by_key(|(first, last, verb)| (*first, std::cmp::Reverse(*last), *verb));
    let (mut marks, mut around) = (Vec::new(), Vec::<Stretch>::new());
    for stretch in stretches {
        while let Some((_, last, _)) = around.pop_if(|(_, last, _)| *last < stretch.0) {
            set(&mut marks, last + 1, around.last().map(|(_, _, verb)| *verb));
        }
        set(&mut marks, stretch.0, Some(stretch.2));
        around.push(stretch);
    }
    while let Some((_, last, _)) = around.pop() {
        // Behind the last address there is nothing to say.
        if let Some(next) = last.checked_add(1) {
            set(&mut marks, next, around.last().map(|(_, _, verb)| *verb));
        }
    }
    marks
}

fn set(marks: &mut Vec<Mark>, from: u128, verb: Option<Verb>) {
    marks.pop_if(|(last, _)| *last == from);
    marks.push((from, verb));
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u32::from(v4).into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use ipnet::IpNet;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Networks and addresses that meet often: few bits at both ends of an address are set.
    fn address() -> impl Strategy<Value = IpAddr> {
        let v4 = (0..4u32, 0..4u32).prop_map(|(high, low)| Ipv4Addr::from(high << 30 | low).into());
        let v6 = (0..4u128, 0..4u128).prop_map(|(high, low)| Ipv6Addr::from(high << 126 | low).into());
        let all = prop_oneof![Just("255.255.255.255"), Just("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")];
        prop_oneof![v4, v6, all.prop_map(|text| text.parse().unwrap())]
    }

    fn network() -> impl Strategy<Value = IpNet> {
        (address(), 0..=128u8).prop_map(|(address, len)| {
            let len = if address.is_ipv4() { len / 4 } else { len };
            IpNet::new(address, len).unwrap().trunc()
        })
    }

    /// What the rule says, word for word.
    fn longest(rules: &PeerRules, address: IpAddr) -> Option<Verb> {
        let find = |nets: &[IpNet]| nets.iter().filter(|net| net.contains(&address)).map(IpNet::prefix_len).max();
        match (find(&rules.allow), find(&rules.deny)) {
            (None, None) => None,
            (allow, deny) => Some(if deny >= allow { Verb::Deny } else { Verb::Allow }),
        }
    }

    proptest! {
        #[test]
        fn the_longest_prefix_wins_and_deny_wins_a_tie(
            allow in vec(network(), 0..8),
            deny in vec(network(), 0..8),
            addresses in vec(address(), 1..20),
        ) {
            let rules = PeerRules { allow, deny };
            let lists = Lists::new(&rules);
            for address in addresses {
                prop_assert_eq!(lists.verb(address), longest(&rules, address), "{} in {:?}", address, rules);
            }
        }
    }
}
