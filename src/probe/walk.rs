//! The steps of a probe, in their order.

use std::net::SocketAddr;
use std::time::Duration;

use super::party::Party;
use super::trouble::Trouble;
use super::{Echo, Report, Step, Target, milliseconds};
use crate::clock;

/// How many packets go round.
const ECHOES: usize = 10;
/// The size of each, in bytes: about a voice packet.
const PACKET: usize = 160;
/// How long each may take before it counts as lost.
const PATIENCE: Duration = Duration::from_millis(500);

/// Walks through all steps, and gives the relays back in any case.
pub async fn run(target: &Target, on_step: impl FnMut(&Step)) -> Report {
    let mut walk = Walk { target, report: Report::default(), on_step };
    let mut parties = Vec::with_capacity(2);
    walk.all(&mut parties).await;
    for party in parties {
        party.close().await;
    }
    walk.report
}

struct Walk<'a, F> {
    target: &'a Target,
    report: Report,
    on_step: F,
}

impl<F: FnMut(&Step)> Walk<'_, F> {
    /// Parties are handed out as soon as they are there, so that none is forgotten. `None`: a step failed.
    async fn all(&mut self, parties: &mut Vec<Party>) -> Option<()> {
        let target = self.target;
        let server = self.step("resolve", resolve(target), ToString::to_string).await?;
        parties.push(self.step_quietly("bind", Party::open(server, target)).await?);
        let one = parties.first_mut()?;
        self.step("bind", one.bind(), |mapped| format!("our address is {mapped}")).await?;
        let relay = |relay: &SocketAddr| format!("relay {relay}");
        let near = self.step("allocate", one.allocate(), relay).await?;
        parties.push(self.step_quietly("allocate a second", Party::open(server, target)).await?);
        let other = parties.last_mut()?;
        let far = self.step("allocate a second", other.allocate(), relay).await?;

        let (one, other) = (parties.first()?, parties.last()?);
        // The other one first: it must let the data in that comes with the second permission.
        let permit = async {
            other.send(b"hello", near).await?;
            one.send(b"hello", far).await
        };
        self.step("create permissions", permit, |()| "for each other's relay".to_owned()).await?;
        let indicate = indicate(one, other, near, far);
        self.step("send indication", indicate, |()| "arrived at the second relay".to_owned()).await?;
        let channels = async { one.channel().await.and(other.channel().await) };
        self.step("bind channels", channels, |()| "to each other's relay".to_owned()).await?;
        let echo = self.step("echo", echo(one, other, near, far), in_words).await?;
        self.report.echo = Some(echo);
        Some(())
    }

    async fn step<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<T, Trouble>>,
        words: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let started = clock::now();
        let done = tokio::time::timeout(self.target.timeout, work).await.unwrap_or(Err(Trouble::NoAnswer));
        let took = clock::now().saturating_duration_since(started);
        let (outcome, value) = match done {
            Ok(value) => (Ok(words(&value)), Some(value)),
            Err(trouble) => (Err(trouble), None),
        };
        let step = Step { name, took, outcome };
        (self.on_step)(&step);
        self.report.steps.push(step);
        value
    }

    /// A part of a step that is worth a word only when it fails.
    async fn step_quietly<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Option<T> {
        match tokio::time::timeout(self.target.timeout, work).await.unwrap_or(Err(Trouble::NoAnswer)) {
            Ok(value) => Some(value),
            Err(trouble) => self.step(name, async { Err(trouble) }, |_: &T| String::new()).await,
        }
    }
}

async fn resolve(target: &Target) -> Result<SocketAddr, Trouble> {
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let mut found = found.map_err(|error| Trouble::Unresolved(error.to_string()))?;
    found.next().ok_or_else(|| Trouble::Unresolved("the name has no address".to_owned()))
}

/// The greeting has been sent as an indication; UDP may lose it, so it is sent again until one arrives.
async fn indicate(one: &Party, other: &Party, near: SocketAddr, far: SocketAddr) -> Result<(), Trouble> {
    let mut buffer = [0; 1500];
    let mut sent = 1;
    loop {
        match tokio::time::timeout(PATIENCE, other.receive(&mut buffer, near)).await {
            Ok(received) => return received.map(|_| ()),
            Err(_) if sent == ECHOES => return Err(Trouble::Lost(sent)),
            Err(_) => one.send(b"hello", far).await?,
        }
        sent += 1;
    }
}

/// Sends packets one after the other; the other end sends each back as it came.
async fn echo(one: &Party, other: &Party, near: SocketAddr, far: SocketAddr) -> Result<Echo, Trouble> {
    let mut trips = Vec::with_capacity(ECHOES);
    let reflect = async {
        let mut buffer = [0; 1500];
        loop {
            let length = other.receive(&mut buffer, near).await?;
            other.send(buffer.get(..length).unwrap_or_default(), near).await?;
        }
    };
    let send = async {
        for number in 0..ECHOES {
            trips.extend(round_trip(one, far, number).await?);
        }
        Ok(())
    };
    let done: Result<(), Trouble> = tokio::select! {
        ended = reflect => ended,
        ended = send => ended,
    };
    done?;
    trips.sort_unstable();
    let (Some(&shortest), Some(&longest), Some(&median)) = (trips.first(), trips.last(), trips.get(trips.len() / 2))
    else {
        return Err(Trouble::Lost(ECHOES));
    };
    if one.channel_data() == 0 || other.channel_data() == 0 {
        return Err(Trouble::Odd("data came back as indications although channels are bound".to_owned()));
    }
    Ok(Echo { sent: ECHOES, received: trips.len(), shortest, median, longest })
}

/// Sends packet `number` and waits for it; `None` where it is lost.
async fn round_trip(one: &Party, far: SocketAddr, number: usize) -> Result<Option<Duration>, Trouble> {
    let mut packet = [0x5a; PACKET];
    packet[..8].copy_from_slice(&(number as u64).to_be_bytes());
    let started = clock::now();
    one.send(&packet, far).await?;
    let back = async {
        let mut buffer = [0; 1500];
        // A late one of those before does not count.
        while one.receive(&mut buffer, far).await.map(|length| buffer.get(..length) != Some(&packet[..]))? {}
        Ok(clock::now().saturating_duration_since(started))
    };
    tokio::time::timeout(PATIENCE, back).await.map_or(Ok(None), |trip: Result<_, Trouble>| trip.map(Some))
}

fn in_words(echo: &Echo) -> String {
    format!(
        "{} of {} packets back through channels, round trip {} ({} to {})",
        echo.received,
        echo.sent,
        milliseconds(echo.median),
        milliseconds(echo.shortest),
        milliseconds(echo.longest)
    )
}
