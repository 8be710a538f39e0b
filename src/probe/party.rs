//! One TURN client of the two that a probe needs.

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;

use stun::message::{METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, Method};
use turn::client::{Client, ClientConfig};
use webrtc_util::Conn;

use super::Target;
use super::tap::Tap;
use super::trouble::Trouble;

/// A client, its socket, and its relay once it has one.
pub struct Party {
    client: Client,
    tap: Arc<Tap>,
    relay: Option<Box<dyn Conn + Send + Sync>>,
}

impl Party {
    /// Opens a socket to the server.
    pub async fn open(server: SocketAddr, target: &Target) -> Result<Self, Trouble> {
        let local = |error: &dyn Display| Trouble::Local(error.to_string());
        let tap = Arc::new(Tap::open(server).await.map_err(|error| local(&error))?);
        let config = ClientConfig {
            stun_serv_addr: server.to_string(),
            turn_serv_addr: server.to_string(),
            username: target.username.clone(),
            password: target.password.clone(),
            realm: String::new(),
            software: String::new(),
            rto_in_ms: 0,
            conn: tap.clone(),
            vnet: None,
        };
        let client = Client::new(config).await.map_err(|error| local(&error))?;
        client.listen().await.map_err(|error| local(&error))?;
        Ok(Self { client, tap, relay: None })
    }

    /// Asks what our address looks like from there.
    pub async fn bind(&self) -> Result<SocketAddr, Trouble> {
        self.ask(METHOD_BINDING, self.client.send_binding_request()).await
    }

    /// Allocates a relay and tells its address.
    pub async fn allocate(&mut self) -> Result<SocketAddr, Trouble> {
        let relay = self.ask(METHOD_ALLOCATE, self.client.allocate()).await?;
        let address = relay.local_addr().map_err(|error| Trouble::Odd(error.to_string()))?;
        self.relay = Some(Box::new(relay));
        Ok(address)
    }

    /// Sends through the relay: the first time after a permission and as an indication, later through a channel.
    pub async fn send(&self, data: &[u8], peer: SocketAddr) -> Result<(), Trouble> {
        let relay = self.relay()?;
        self.ask(METHOD_CREATE_PERMISSION, relay.send_to(data, peer)).await.map(|_| ())
    }

    /// Waits for data that `peer` sent to the relay.
    pub async fn receive(&self, buffer: &mut [u8], peer: SocketAddr) -> Result<usize, Trouble> {
        let received = self.relay()?.recv_from(buffer).await;
        let (length, from) = received.map_err(|error| Trouble::Odd(error.to_string()))?;
        if from != peer {
            return Err(Trouble::Odd(format!("data came from {from} instead of {peer}")));
        }
        Ok(length)
    }

    /// Waits until the channel to the peer is bound.
    pub async fn channel(&self) -> Result<(), Trouble> {
        self.tap.answered(METHOD_CHANNEL_BIND).await
    }

    /// How many messages came through a channel.
    pub fn channel_data(&self) -> usize {
        self.tap.channel_data()
    }

    /// Gives the relay back.
    pub async fn close(self) {
        if let Some(relay) = &self.relay {
            let _ = relay.close().await;
        }
        let _ = self.client.close().await;
    }

    fn relay(&self) -> Result<&(dyn Conn + Send + Sync), Trouble> {
        self.relay.as_deref().ok_or_else(|| Trouble::Odd("there is no relay".to_owned()))
    }

    /// Does what `work` does; its failure is told by what the server answered, which says more than the client's error.
    async fn ask<T, E: Display>(&self, method: Method, work: impl Future<Output = Result<T, E>>) -> Result<T, Trouble> {
        tokio::select! {
            biased;
            trouble = self.tap.refused() => Err(trouble),
            done = work => done.map_err(|error| match self.tap.latest(method) {
                Some(Err(trouble)) => trouble,
                Some(Ok(())) if method == METHOD_ALLOCATE => {
                    Trouble::Odd("the server gives relays to anyone, without asking for credentials".to_owned())
                }
                Some(Ok(())) => Trouble::Odd(error.to_string()),
                None => Trouble::NoAnswer,
            }),
        }
    }
}
