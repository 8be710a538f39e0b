//! People for somebody else's room: they see and hear a little of it, and some of them send.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;

use crate::load::Load;
use crate::options::{Crowd, Options};
use crate::peer::Shape;
use crate::{network, ours};

/// What each of them looks at: little, for they share a machine with what is tested.
const SHAPE: Shape = Shape { microphone: false, camera: false, audio_slots: 1, video_slots: 1 };
/// How long all may take to connect.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two joins.
const BETWEEN_JOINS: Duration = Duration::from_millis(50);

/// Says `connected` once everybody is, goes on until its input ends, and tells what arrived.
pub fn run(options: &Options, crowd: &Crowd) -> Result<()> {
    network::prepare()?;
    let mut load = Load::new(options.rate)?;
    load.sending = true;
    for number in 0..crowd.count {
        let sends = number < crowd.cameras;
        let (index, offer) = load.offer(Shape { microphone: sends, camera: sends, ..SHAPE })?;
        ours::join(crowd.server, crowd.room.clone(), index, offer, load.sender())?;
        load.run(BETWEEN_JOINS)?;
    }
    load.run_until_connected(PATIENCE)?;
    println!("connected {}", crowd.count);
    let is_over = Arc::new(AtomicBool::new(false));
    let ends = is_over.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        ends.store(true, Ordering::Relaxed);
    });
    while !is_over.load(Ordering::Relaxed) {
        load.run(Duration::from_millis(100))?;
    }
    let packets = load.peers.iter().map(|peer| peer.packets);
    println!("packets {}, for each at least {}", packets.clone().sum::<u64>(), packets.min().unwrap_or(0));
    Ok(())
}
