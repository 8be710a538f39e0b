//! A client's data channels: opens them, sends on them, and writes down what comes.

use std::collections::BTreeMap;

use str0m::Event;
use str0m::change::SdpApi;
use str0m::channel::{ChannelConfig, ChannelId, Reliability};

use super::{Client, World};

/// The data channels of one client.
#[derive(Default)]
pub struct Data {
    pub channels: BTreeMap<&'static str, ChannelId>,
    open: Vec<ChannelId>,
    pub messages: Vec<Message>,
}

/// A message that reached a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub channel: ChannelId,
    pub bytes: Vec<u8>,
}

impl Data {
    pub fn note(&mut self, event: Event) {
        match event {
            Event::ChannelOpen(id, _) => self.open.push(id),
            Event::ChannelClose(id) => self.open.retain(|other| *other != id),
            Event::ChannelData(data) => self.messages.push(Message { channel: data.id, bytes: data.data }),
            _ => {}
        }
    }

    pub fn is_open(&self, label: &str) -> bool {
        self.channels.get(label).is_some_and(|id| self.open.contains(id))
    }

    /// What came on a channel, by the order of who sent it.
    pub fn on(&self, label: &str) -> Vec<(u32, &[u8])> {
        let Some(channel) = self.channels.get(label) else { return Vec::new() };
        let here = self.messages.iter().filter(|message| message.channel == *channel);
        here.map(|message| (u32::from_be_bytes(message.bytes[1..5].try_into().unwrap()), &message.bytes[5..])).collect()
    }
}

impl Client {
    /// Sends a binary message. Whether the engine took it.
    pub fn say(&mut self, label: &str, bytes: &[u8]) -> bool {
        self.write(label, true, bytes)
    }

    pub fn write(&mut self, label: &str, binary: bool, bytes: &[u8]) -> bool {
        let channel = self.data.channels.get(label).and_then(|id| self.rtc.channel(*id));
        channel.is_some_and(|mut channel| channel.write(binary, bytes).unwrap_or(false))
    }
}

impl World {
    /// Opens channels of these labels, with a new offer where that takes one.
    pub fn open_channels(&mut self, index: usize, labels: &[&'static str]) {
        let mut opened = Vec::new();
        let mut open = |api: &mut SdpApi<'_>| {
            for label in labels {
                let lossy = Reliability::MaxRetransmits { retransmits: 0 };
                let reliability = if *label == "lossy" { lossy } else { Reliability::default() };
                let label = (*label).to_owned();
                let ordered = label != "lossy";
                let config = ChannelConfig { label, ordered, reliability, ..ChannelConfig::default() };
                opened.push(api.add_channel_with_config(config));
            }
        };
        if self.clients[index].data.channels.is_empty() {
            self.renegotiate(index, |api, _| open(api));
        } else {
            let mut api = self.clients[index].rtc.sdp_api();
            open(&mut api);
            assert!(api.apply().is_none(), "one section is for all channels");
        }
        self.clients[index].data.channels.extend(labels.iter().copied().zip(opened));
    }
}
