//! The daemon: builds its parts, spawns them, and ends them in the opposite order.
//!
//! ```text
//!  settings ─► addresses ─► ports, ledger ─► shards bind ─► HTTP binds ─► READY
//!                                               everything is bound before anything runs
//!  SIGHUP ─► settings anew: upkeep
//!  SIGTERM, SIGINT ─► bye to everyone ─► HTTP ends ─► shards end
//! ```

mod budget;
mod certificate;
mod host;
mod key_set;
mod listeners;
mod open_files;
pub(crate) mod parts;
#[cfg(feature = "probe")]
mod self_test;
mod signals;
mod summary;
mod upkeep;
mod watch;
mod webhooks;

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use metrics_exporter_prometheus::PrometheusHandle;
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch as channel};

use self::budget::Budget;
use self::certificate::Certificate;
use self::listeners::ListenError;
use self::signals::{Signals, told_to_stop};
use self::summary::Summary;
use self::upkeep::Upkeep;
use crate::clock;
use crate::config::Settings;
use crate::health::Health;
use crate::http::{self, ApiKeys, AppState, Origins};
use crate::ledger::Ledger;
use crate::logging::Level;
use crate::nat::{AddressError, Addresses};
use crate::net::tls::TlsError;
use crate::net::udp::BindError;
use crate::ports::Ports;
use crate::shard::Shard;
use crate::shard::mailbox::{FromShard, Shards, ToShard};
use crate::signal::happening::Happening;
use crate::signal::protocol::Bye;
use crate::signal::{self, SignalConfig, SignalHandle};
use crate::systemd::Notifier;

/// Why the daemon could not start.
#[derive(Debug, Error)]
pub enum Error {
    /// What the world calls this host is not known.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A socket for TURN or media could not be had.
    #[error("{0}; {hint}", hint = listeners::hint(.0))]
    Socket(#[from] BindError),
    /// The certificate is no use.
    #[error("{0}; set tls.certificate and tls.key to files that this process may read, or leave both out")]
    Tls(#[from] TlsError),
    /// An HTTP socket could not be had.
    #[error(transparent)]
    Http(#[from] ListenError),
    /// No randomness, thread or runtime is to be had.
    #[error("cannot start: {0}")]
    System(String),
}

/// Events of all shards that wait for signaling. Shards keep what does not fit, and throw away what the next one
/// replaces.
const EVENTS: usize = 4096;

/// Threads of the runtime: it moves words, not packets.
const RUNTIME_THREADS: usize = 2;

/// Serves until SIGTERM or SIGINT. `file` is what the settings are read from again, `level` that of the log.
///
/// # Errors
/// [`enum@Error`] where a part cannot start.
pub fn run(settings: Settings, file: Option<&Path>, level: Level) -> Result<(), Error> {
    open_files::raise(&settings);
    let metrics = http::metrics::install().map_err(|error| Error::System(error.to_string()))?;
    let runtime = runtime()?;
    let signals = runtime.block_on(async { Signals::listen() });
    let bound = Bound::new(&settings)?;
    let web = runtime.block_on(listeners::bind(&settings.listen))?;
    let daemon = Daemon::spawn(settings, bound, &runtime)?;
    runtime.block_on(daemon.serve(web, metrics, signals, file.map(Path::to_path_buf), level));
    Ok(())
}

/// Looks at what settings name and the start will want, and changes nothing.
///
/// # Errors
/// [`Error::Tls`]
pub fn examine(settings: &Settings) -> Result<(), Error> {
    Certificate::load(settings.tls.as_ref())?;
    Ok(())
}

/// Everything that packets go through, bound, and not yet read.
struct Bound {
    addresses: Addresses,
    budget: Budget,
    shards: Vec<Shard>,
    mailboxes: Shards,
    events: mpsc::Receiver<FromShard>,
    ledger: Arc<Ledger>,
    certificate: Option<Certificate>,
}

impl Bound {
    fn new(settings: &Settings) -> Result<Self, Error> {
        let addresses = Addresses::find(&settings.address)?;
        let certificate = Certificate::load(settings.tls.as_ref())?;
        certificate.iter().for_each(Certificate::announce);
        let tls = certificate.as_ref().map(Certificate::config);
        let ports = Ports::new(settings.ports.clone());
        let ledger = Ledger::new(settings.limits.clone());
        let budget = Budget::new(settings, Arc::clone(&ledger));
        let (sender, events) = mpsc::channel(EVENTS);
        let turn_key = random()?;
        let mut shards = Vec::new();
        let mut mailboxes = Vec::new();
        for index in 0..settings.shards.count {
            let config = parts::shard(index, settings, &addresses, tls.clone(), [turn_key, random()?]);
            let (shard, mailbox) = Shard::bind(config, Arc::clone(&ports), Arc::clone(&ledger), sender.clone())?;
            shards.push(shard);
            mailboxes.push(mailbox);
        }
        Ok(Self { addresses, budget, shards, mailboxes: Shards::new(mailboxes), events, ledger, certificate })
    }
}

/// Everything, running.
struct Daemon {
    settings: Settings,
    addresses: Addresses,
    sfu_ports: Vec<u16>,
    health: Arc<Health>,
    budget: Budget,
    api_keys: ApiKeys,
    origins: Origins,
    /// The largest frame of a WebSocket.
    frame_bytes: usize,
    happened: Option<mpsc::Receiver<Happening>>,
    mailboxes: Shards,
    signal: SignalHandle,
    ledger: Arc<Ledger>,
    certificate: Option<Certificate>,
    threads: Vec<JoinHandle<()>>,
}

impl Daemon {
    fn spawn(settings: Settings, bound: Bound, runtime: &Runtime) -> Result<Self, Error> {
        let Bound { addresses, budget, shards, mailboxes, events, ledger, certificate } = bound;
        let sfu_ports = shards.iter().map(Shard::sfu_port).collect();
        let threads = shards.into_iter().map(|shard| shard.spawn(mailboxes.neighbours()));
        let threads = threads.collect::<Result<_, _>>().map_err(Error::system)?;
        let health = Arc::new(Health::default());
        let config = SignalConfig::new(&settings, &addresses, parts::slots(&settings), random()?);
        let _guard = runtime.enter();
        let (happenings, happened) = mpsc::channel(webhooks::QUEUE);
        let signal = signal::spawn(config, mailboxes.clone(), events, Arc::clone(&health), happenings);
        let api_keys = ApiKeys::new(&settings.auth.api_keys);
        let origins = Origins::new(&settings.listen.origins);
        let frame_bytes = settings.frames.bytes;
        Ok(Self {
            settings,
            addresses,
            sfu_ports,
            health,
            budget,
            api_keys,
            origins,
            frame_bytes,
            happened: Some(happened),
            mailboxes,
            signal,
            ledger,
            certificate,
            threads,
        })
    }

    async fn serve(
        mut self,
        web: listeners::Listeners,
        metrics: PrometheusHandle,
        signals: Signals,
        file: Option<PathBuf>,
        level: Level,
    ) {
        let (stop, stopped) = channel::channel(false);
        let state = AppState::new(
            self.signal.clone(),
            Arc::clone(&self.health),
            self.api_keys.clone(),
            self.origins.clone(),
            self.frame_bytes,
        );
        self.announce(&web.http_addresses());
        let servers = tokio::spawn(web.serve(state, metrics, stopped));
        let notifier = Notifier::new();
        let watchdog = tokio::spawn(watch::run(notifier, self.mailboxes.clone(), Arc::clone(&self.health)));
        let settings = channel::Sender::new(Arc::new(self.settings.clone()));
        #[cfg(feature = "probe")]
        let self_test = {
            let (ledger, health) = (Arc::clone(&self.ledger), Arc::clone(&self.health));
            self_test::spawn(settings.subscribe(), &self.addresses, ledger, health)
        };
        let webhooks = self.happened.take().map(|happened| webhooks::spawn(settings.subscribe(), happened));
        let key_set = key_set::spawn(settings.subscribe(), self.signal.clone());
        let upkeep = self.upkeep(settings, file, level, notifier).spawn(signals.hangups);
        let budget = self.budget.spawn();
        self.health.set_serving(true);
        notifier.ready("serving");

        tokio::spawn(signals::explain(signals.others));
        let name = told_to_stop().await;
        tracing::info!("{name}: stopping");
        notifier.stopping("saying goodbye");
        tokio::spawn(second_signal_ends());
        self.health.set_draining(true);
        #[cfg(feature = "probe")]
        self_test.abort();
        key_set.abort();
        upkeep.abort();
        if let Some(webhooks) = webhooks {
            webhooks.abort();
        }
        budget.abort();
        watchdog.abort();
        self.signal.drain(Bye::Restarting).await;
        // Nobody is left to hear of it when the servers are gone already.
        let _ = stop.send(true);
        let _ = servers.await;
        self.end_shards();
        tracing::info!("stopped");
    }

    fn upkeep(
        &mut self,
        settings: channel::Sender<Arc<Settings>>,
        file: Option<PathBuf>,
        level: Level,
        notifier: Notifier,
    ) -> Upkeep {
        Upkeep {
            file,
            settings,
            addresses: self.addresses.clone(),
            certificate: self.certificate.take(),
            shards: self.mailboxes.clone(),
            ledger: Arc::clone(&self.ledger),
            signal: self.signal.clone(),
            api_keys: self.api_keys.clone(),
            origins: self.origins.clone(),
            level,
            notifier,
        }
    }

    /// Tells on stdout what there is to know; nobody may be there to read it.
    fn announce(&self, http: &[SocketAddr]) {
        let summary = Summary {
            settings: &self.settings,
            addresses: &self.addresses,
            http,
            sfu_ports: &self.sfu_ports,
            unix_secs: clock::unix_secs(),
        };
        let mut stdout = std::io::stdout();
        let text = summary.render(stdout.is_terminal());
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }

    fn end_shards(self) {
        let mut told = Vec::new();
        for (shard, thread) in self.threads.into_iter().enumerate() {
            match self.mailboxes.send(shard, ToShard::Stop) {
                Ok(()) => told.push(thread),
                Err(error) => tracing::warn!("{error}; it ends with the process"),
            }
        }
        for thread in told {
            // A shard that panicked has ended the process.
            let _ = thread.join();
        }
        // Shards count the rest when they end.
        self.budget.write();
    }
}

impl Error {
    /// Whether it is the settings that are to be changed, and to start again helps nothing: a certificate is no use, or a port
    /// is one that this process may not have. An address may still come, and a port become free.
    pub fn is_of_settings(&self) -> bool {
        let is_forbidden = |source: &std::io::Error| source.kind() == std::io::ErrorKind::PermissionDenied;
        match self {
            Self::Tls(_) => true,
            Self::Socket(BindError::Bind { source, .. }) | Self::Http(ListenError::Bind { source, .. }) => {
                is_forbidden(source)
            }
            Self::Address(_) | Self::Socket(_) | Self::Http(_) | Self::System(_) => false,
        }
    }

    fn system(error: impl std::fmt::Display) -> Self {
        Self::System(error.to_string())
    }
}

fn runtime() -> Result<Runtime, Error> {
    Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .thread_name("words")
        .enable_all()
        .build()
        .map_err(Error::system)
}

fn random() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(Error::system)?;
    Ok(bytes)
}

/// Who asks twice does not want to wait.
async fn second_signal_ends() {
    told_to_stop().await;
    std::process::exit(1);
}
