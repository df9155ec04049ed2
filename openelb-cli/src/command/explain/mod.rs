//! `openelb explain`: why an owner has what it has, or nothing.

mod cluster;

use std::io::{self, Write};
use std::net::IpAddr;

pub(super) use self::cluster::{failure, place, serving};
use super::{owner, wish};
use crate::address::Address;
use crate::args::ExplainArgs;
use crate::client;
use crate::config::SERVICE;
use crate::engine::{Answer, Explained, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report};

pub(super) fn run(args: &ExplainArgs, format: Format) -> Result<ExitCode, Failure> {
    let namespace = args.namespace.as_deref();
    if let Some(service) = cluster::service(&args.what, namespace, cluster::is_plugin())? {
        return cluster::explain(&service, &args.cluster, format);
    }
    match args.what.parse::<Address>() {
        Ok(address) => address_in_words(args, address.ledger, format),
        Err(_) => owner_in_words(args, format),
    }
}

/// An address: who has it, then why.
fn address_in_words(
    args: &ExplainArgs,
    address: IpAddr,
    format: Format,
) -> Result<ExitCode, Failure> {
    let Answer::Whois(whois) = client::ask(&args.place, Question::Whois { address })? else {
        return Err(super::unexpected());
    };
    output::print(&whois, format)?;
    if !format.is_data() {
        for owner in whois.owners {
            let question = Question::Explain {
                owner,
                request: None,
            };
            let Answer::Explained(explained) = client::ask(&args.place, question)? else {
                return Err(super::unexpected());
            };
            output::print(&explained, format)?;
        }
    }
    Ok(ExitCode::Success)
}

/// An owner; without a kind it is a service.
fn owner_in_words(args: &ExplainArgs, format: Format) -> Result<ExitCode, Failure> {
    let owner = owner::parse(&args.what, SERVICE)?;
    let request = wish::typed(&args.wish)?.map(Box::new);
    match client::ask(&args.place, Question::Explain { owner, request })? {
        Answer::Explained(explained) => {
            output::print(&explained, format)?;
            Ok(if explained.is_served {
                ExitCode::Success
            } else {
                ExitCode::Refused
            })
        }
        _ => Err(super::unexpected()),
    }
}

impl Report for Explained {
    fn write_human(&self, out: &mut dyn Write, _: Paint) -> io::Result<()> {
        let held: Vec<_> = self
            .addresses
            .iter()
            .map(|held| format!("{} (pool {})", held.shown, held.pool))
            .collect();
        match held.as_slice() {
            [] => writeln!(out, "{} holds nothing", self.owner)?,
            held => writeln!(out, "{} holds {}", self.owner, held.join(" and "))?,
        }
        self.lines
            .iter()
            .try_for_each(|line| writeln!(out, "{line}"))
    }
}
