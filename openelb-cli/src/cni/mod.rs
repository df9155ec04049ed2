//! `openelb-cni`: a CNI IPAM plugin that takes host-local's configuration and its leases as they are.
//!
//! A container runtime starts it for every ADD and DEL, so it does little: read the environment and standard
//! input ([`Network`]), take the lock on the network's leases (`store`), choose (`choose`), answer. How many
//! files both read and write does not depend on how many addresses are held. Nothing is left running.
//!
//! What it promises: no address is held twice, whatever is killed or runs beside it, host-local included; what
//! is held is freed by DEL, by GC, or after a reboot.

mod answer;
mod choose;
mod command;
mod config;
mod error;
mod invocation;
mod resolv;
mod store;
mod version;

use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

pub use self::config::{Addressing, Network, Place, Ranges, Route, Span};
pub use self::error::{Code, Error};
pub use self::invocation::{Arguments, Attachment};
pub use self::store::{Entry, Host, Page, Summary};
pub use self::version::Version;

use self::invocation::Invocation;

/// The whole program: one invocation of the plugin, from its environment to its exit status.
pub fn main() -> ExitCode {
    let invocation = Invocation::read(|name| std::env::var(name).ok());
    let outcome = invocation
        .map_err(|error| (error, Version::NEWEST))
        .and_then(|invocation| {
            let input = read_input().map_err(|error| (error, Version::NEWEST))?;
            run(&invocation, &input, Host::here()).map(|answer| (invocation, input, answer))
        });
    match outcome {
        Ok((invocation, input, Some(answer))) => {
            if print(&answer).is_ok() {
                return ExitCode::SUCCESS;
            }
            // Nobody learnt of the addresses, so nobody has them.
            if let Invocation::Add(attachment, _) = invocation {
                let _ = run(&Invocation::Del(attachment), &input, Host::here());
            }
            ExitCode::FAILURE
        }
        Ok((_, _, None)) => ExitCode::SUCCESS,
        Err((error, version)) => {
            let _ = print(&error.to_json(version));
            ExitCode::FAILURE
        }
    }
}

/// Carries out an invocation; an error comes with the version in which it is to be told.
fn run(
    invocation: &Invocation,
    input: &[u8],
    host: Host,
) -> Result<Option<Value>, (Error, Version)> {
    if *invocation == Invocation::Version {
        return Ok(Some(versions(input)));
    }
    let network = Network::read(input).map_err(|error| (error, Version::NEWEST))?;
    let done = match invocation {
        Invocation::Add(attachment, arguments) => {
            command::add(&network, attachment, arguments, host)
                .map(|answer| Some(answer.to_json(network.version())))
        }
        Invocation::Del(attachment) => command::del(&network, attachment, host).map(|()| None),
        Invocation::Check(attachment, arguments) => network
            .require("CHECK", Version::V0_4_0)
            .and_then(|()| command::check(&network, attachment, arguments, host))
            .map(|()| None),
        Invocation::Gc => {
            let known = network.require("GC", Version::V1_1_0);
            known
                .and_then(|()| command::gc(&network, host))
                .map(|()| None)
        }
        Invocation::Status => {
            let known = network.require("STATUS", Version::V1_1_0);
            known
                .and_then(|()| command::status(&network, host))
                .map(|()| None)
        }
        Invocation::Version => Ok(None),
    };
    done.map_err(|error| (error, network.version()))
}

/// The answer to VERSION, in the version that the question names.
fn versions(input: &[u8]) -> Value {
    let question: Value = serde_json::from_slice(input).unwrap_or_default();
    let asked = question
        .get("cniVersion")
        .and_then(Value::as_str)
        .and_then(Version::read);
    let known: Vec<_> = Version::ALL.iter().map(|version| version.name()).collect();
    json!({"cniVersion": asked.unwrap_or(Version::NEWEST).name(), "supportedVersions": known})
}

/// All of standard input; nothing when a person sits there.
fn read_input() -> Result<Vec<u8>, Error> {
    let mut input = Vec::with_capacity(4096);
    let mut stdin = io::stdin().lock();
    if stdin.is_terminal() {
        return Ok(input);
    }
    stdin.read_to_end(&mut input).map_err(|error| {
        Error::new(
            Code::Io,
            format!("cannot read the network configuration from standard input: {error}"),
        )
        .next("the container runtime has to write it there")
    })?;
    Ok(input)
}

fn print(answer: &Value) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{answer}")?;
    stdout.flush()
}

#[cfg(test)]
mod tests;
