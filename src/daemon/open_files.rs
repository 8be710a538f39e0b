//! Each relay and each stream is an open file: as many as the system lets us have.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::config::Settings;

/// Files that are open beside those of relays and streams, generously.
const OTHERS: u64 = 64;

/// Raises the soft limit, which shells keep low for the sake of old programs, to the hard one, and says so where all
/// relays that the settings allow would not fit.
pub fn raise(settings: &Settings) {
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(error) => return tracing::warn!(%error, "the limit of open files is not known"),
    };
    if soft < hard
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::warn!(%error, "the limit of open files stays at {soft}");
    }
    let needed = needed(settings);
    if hard < needed {
        tracing::warn!(
            "this process may open {hard} files, but needs {needed} for as many relays as limits.allocations and ports.udp \
             allow; raise LimitNOFILE= of the unit, or ulimit -Hn"
        );
    }
}

/// A socket for each relay that there may be, and one for its client where that comes over TCP. Connections of TCP relays
/// are not in it: few allocations have any, and a Connect without a file to be had is refused.
fn needed(settings: &Settings) -> u64 {
    2 * settings.limits.allocations.min(settings.ports.clone().count()) as u64 + OTHERS
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn as_many_files_are_needed_as_relays_and_their_clients_may_hold() {
        let settings = |text| Settings::parse(Path::new("r.toml"), text, &[]).expect("settings");
        let few_ports = settings("[ports]\nudp = \"50000-50099\"\n");
        assert_eq!(needed(&few_ports), 2 * 100 + OTHERS);
        let few_allocations = settings("[limits]\nallocations = 10\n");
        assert_eq!(needed(&few_allocations), 2 * 10 + OTHERS);
    }

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        raise(&Settings::parse(Path::new("r.toml"), "", &[]).expect("settings"));
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
        assert_eq!(soft, hard);
    }
}
