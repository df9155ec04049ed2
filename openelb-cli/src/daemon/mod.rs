//! `openelb run`: configuration in, addresses allocated and announced, until it is told to stop.
//!
//! ```text
//!  files, SIGHUP ─────┐                    ┌─ store (one commit for many inputs)
//!  control socket ────┤                    │
//!  health checks ─────┼─ inputs ─ keeper ──┤
//!  /metrics ──────────┘             │      └─ speaker ─ announcer (threads of its own)
//!                                   └──────── conflicts ───┘
//! ```

mod bgp;
mod health;
mod http;
mod journal;
mod keeper;
mod link;
mod log;
mod metrics;
mod rights;
mod server;
mod services;
mod speaker;
mod upstream;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use tracing::info;

use self::keeper::{Input, Keeper};
use self::services::{Checks, Services};
use self::speaker::Speaker;
use crate::args::{Listen, NodeArgs, RunArgs};
use crate::client;
use crate::clock;
use crate::config::{self, Config};
use crate::engine::{self, Engine};
use crate::exit_code::{ExitCode, Failure};
use crate::store::{DirectoryLock, RedbStore};

pub(crate) use self::rights::give_up_capabilities;
pub(crate) use self::speaker::start_announcer;
pub(crate) use self::watch::Files;

/// Runs the daemon in the foreground; returns after it was told to stop. `config` is what was read
/// from `files`.
pub(crate) fn run(args: &RunArgs, config: Config, files: Files) -> Result<(), Failure> {
    log::start(args.log_format, &args.log)?;
    let _lock = DirectoryLock::create(&args.place.state_dir, "openelb run")
        .map_err(|error| client::lock_failure(&error))?;
    let store =
        RedbStore::open(&args.place.state_dir).map_err(|error| engine::store_failure(&error))?;
    let mut engine = Engine::open(Box::new(store))?;
    let names = files
        .paths()
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let (mut services, checks) = Services::new(names);
    services.put_in_force(config, &mut engine, clock::now())?;
    engine.commit()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(ExitCode::Failed, format!("cannot start: {error}")))?;
    runtime.block_on(async {
        let mut daemon = Daemon::start(args, engine, services, checks, files).await?;
        info!(socket = %daemon.socket.display(), "ready");
        daemon.until_told_to_stop().await;
        daemon.stop().await
    })
}

struct Daemon {
    keeper: Keeper,
    thread: keeper::Thread,
    socket: PathBuf,
    signals: Signals,
    reload: Arc<Notify>,
}

struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Daemon {
    async fn start(
        args: &RunArgs,
        engine: Engine,
        services: Services,
        checks: tokio::sync::watch::Receiver<Checks>,
        files: Files,
    ) -> Result<Self, Failure> {
        let page = bind_page(args.metrics).await?;
        let (teller, news) = mpsc::channel(MOST_NEWS);
        // Before the speaker, which gives up the rights that sources need.
        let upstreams = upstream::start(teller.clone())?;
        let speaker = if args.no_announce {
            Speaker::silent()
        } else {
            Speaker::start(teller, services.needs())?
        };
        let socket = client::socket_path(&args.place);
        let listener = listen(&socket)?;
        let signals = Signals::listen()?;
        let (keeper, thread) = Keeper::start(engine, services, speaker, upstreams, news)?;
        tokio::spawn(server::serve(listener, keeper.clone()));
        tokio::spawn(health::supervise(checks, keeper.clone()));
        if let Some(listener) = page {
            tokio::spawn(http::serve(listener, keeper.clone()));
        }
        let reload = Arc::new(Notify::new());
        let told = Arc::clone(&reload);
        let node = args.node.clone();
        tokio::spawn(reload_whenever(told, files.clone(), node, keeper.clone()));
        let changed = Arc::clone(&reload);
        tokio::spawn(files.watch(move || changed.notify_one()));
        Ok(Self {
            keeper,
            thread,
            socket,
            signals,
            reload,
        })
    }

    /// Returns also when what the daemon is for has ended by itself.
    async fn until_told_to_stop(&mut self) {
        loop {
            // Signals are remembered by the streams, so none is lost when another arm wins; that the
            // keeper has ended stays so.
            tokio::select! {
                () = self.keeper.ended() => return,
                _ = self.signals.hangup.recv() => self.reload.notify_one(),
                _ = self.signals.terminate.recv() => return info!("told to stop by SIGTERM"),
                _ = self.signals.interrupt.recv() => return info!("told to stop by SIGINT"),
            }
        }
    }

    /// Withdraws everything, then ends. An error tells what had ended by itself.
    async fn stop(self) -> Result<(), Failure> {
        self.keeper.tell(Input::Stop).await;
        let thread = self.thread;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        let _ = std::fs::remove_file(&self.socket);
        let ended = joined.ok().and_then(Result::ok);
        ended.unwrap_or_else(|| Err(panicked()))
    }
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(
                    ExitCode::Failed,
                    format!("cannot listen for signals: {error}"),
                )
            })
        };
        Ok(Self {
            hangup: listen(SignalKind::hangup())?,
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }
}

async fn bind_page(listen: Listen) -> Result<Option<TcpListener>, Failure> {
    let Listen::At(at) = listen else {
        return Ok(None);
    };
    http::bind(at).await.map(Some).map_err(|error| {
        let message = format!("cannot listen on {at} for /metrics: {error}");
        Failure::new(ExitCode::Failed, message)
            .next("choose another with --metrics ADDR, or --metrics off")
    })
}

fn listen(socket: &Path) -> Result<UnixListener, Failure> {
    server::listen(socket).map_err(|error| {
        let message = format!("cannot listen on {}: {error}", socket.display());
        Failure::new(ExitCode::Failed, message)
            .next("choose another with --socket PATH; it may be at most 107 bytes long")
    })
}

/// What it said is on standard error.
fn panicked() -> Failure {
    Failure::new(
        ExitCode::Failed,
        "the thread that keeps allocations panicked",
    )
    .next("start the daemon again, and report what it wrote")
}

/// Reads the files again whenever it is told to. Told twice meanwhile, it reads once more.
async fn reload_whenever(told: Arc<Notify>, files: Files, node: NodeArgs, keeper: Keeper) {
    loop {
        told.notified().await;
        // What is read now need not be noticed once more.
        files.look_again();
        let (paths, node) = (files.paths().to_vec(), node.clone());
        // Large files take a while, and the checks and the socket must not wait for them.
        let load = move || {
            let node = config::this_node(node.node_name.as_deref(), &node.labels);
            config::load(&paths, &node)
        };
        if let Ok(read) = tokio::task::spawn_blocking(load).await {
            keeper.tell(Input::Configure(Box::new(read))).await;
        }
    }
}

/// News that may wait; the announcer's listener waits when there are more.
const MOST_NEWS: usize = 256;
