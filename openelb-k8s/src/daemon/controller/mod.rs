//! The controller: watches feed the machine, what it wants written is carried out.

mod feed;
mod latency;
mod pods;
mod prefixes;
mod process;
#[cfg(test)]
mod tests;
mod writes;

use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use tokio::time::sleep;

use super::Failure;
use super::args::{Args, Command, ControllerArgs};
use super::http::Pages;
use super::stop::Stop;
use super::webhook;
use crate::client::{Backoff, Client, Election, Leadership, Recorder, Version, Writer, connect};
use crate::controller::Settings;
use crate::names;
use pods::Pods;
use process::Process;

/// Runs until it is told to stop.
pub(super) async fn run(args: &Args, controller: &ControllerArgs) -> Result<(), Failure> {
    let mut stop = Stop::listen().map_err(Failure::Runtime)?;
    let client = connect(&args.place()).await?;
    let (pages, mut questions) = Pages::new();
    for (listen, flag) in [
        (controller.metrics_addr, "--metrics-addr"),
        (controller.readiness_addr, "--readiness-addr"),
    ] {
        if let Some(address) = listen.0 {
            pages.serve(address, flag).await?;
        }
    }
    let mut asking = pin!(version(&client));
    let version = loop {
        // Each is cancel-safe, or kept across the turns.
        tokio::select! {
            () = stop.told() => return Ok(()),
            version = &mut asking => break version,
            Some(question) = questions.recv() => question.answer_starting(),
        }
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        kubernetes = format!("{}.{}", version.major, version.minor),
        "the controller starts"
    );
    if controller.webhook {
        webhook::serve(
            client.clone(),
            &args.namespace,
            controller.webhook_port,
            pages,
        )
        .await?;
    }
    let seed = RandomState::new().hash_one(0_u8);
    let process = process(
        args,
        controller,
        &client,
        settings(controller, version, seed),
    );
    let stopped = async move { stop.told().await };
    let fed = feed::start(&client, seed);
    process.run(fed, questions, stopped).await;
    Ok(())
}

/// What `openelb-k8s ARGUMENTS` does as the controller, by a client that is there already and until
/// `stop` is done. Nothing is served: health and metrics are the process's. Whatever is left to chance
/// follows from `seed`: no two controllers of a cluster should have the same.
pub async fn control(
    arguments: &[&str],
    client: Client,
    seed: u64,
    stop: impl Future<Output = ()>,
) -> Result<(), clap::Error> {
    let args = Args::try_parse_from(arguments)?;
    let Command::Controller(controller) = &args.command else {
        return Err(clap::Error::new(ErrorKind::InvalidSubcommand));
    };
    let (_pages, questions) = Pages::new();
    let version = version(&client).await;
    let process = process(
        &args,
        controller,
        &client,
        settings(controller, version, seed),
    );
    let fed = feed::start(&client, seed);
    process.run(fed, questions, stop).await;
    Ok(())
}

/// The machine and what carries its writes out.
fn process(
    args: &Args,
    controller: &ControllerArgs,
    client: &Client,
    settings: Settings,
) -> Process {
    let width = controller.concurrent_writes;
    let writer = Writer::new(client.clone(), names::FIELD_MANAGER, width);
    let identity = identity(args);
    let name = names::FIELD_MANAGER;
    let (recorder, events) = Recorder::new(client.clone(), writer.clone(), name, &identity);
    tokio::spawn(events);
    let leadership = if controller.leader_elect {
        let election = Election {
            namespace: args.namespace.clone(),
            lease: LEASE.to_owned(),
            identity,
        };
        election.stand(client.clone())
    } else {
        Leadership::always()
    };
    let pods = Pods::start(client, writer.clone(), recorder.clone(), settings.seed);
    Process::new(settings, controller, writer, recorder, leadership, pods)
}

fn settings(controller: &ControllerArgs, version: Version, seed: u64) -> Settings {
    Settings {
        serving: controller.serving(),
        is_mode_known: version.knows_ip_mode(),
        cap: controller.ledger_cap,
        seed,
    }
}

/// Asks until the API server answers.
async fn version(client: &Client) -> Version {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        match Version::of(client).await {
            Ok(version) => return version,
            Err(failure) => {
                tracing::warn!(%failure, "the API server does not tell its version; asking again");
                sleep(backoff.pause()).await;
            }
        }
    }
}

/// The name of the pod, and a number: a pod that restarts is another candidate.
fn identity(args: &Args) -> String {
    let number = RandomState::new().hash_one(0_u8) >> 32;
    let name = match args.pod_name.as_str() {
        "" => "openelb-controller",
        name => name,
    };
    format!("{name}_{number:08x}")
}

/// `OpenELB`'s Lease: its controller and this one never lead at once while an upgrade goes on.
const LEASE: &str = "openelb-controller";

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
