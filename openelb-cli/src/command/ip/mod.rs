//! `openelb ip`: allocate, release and look up addresses.

mod bulk;
mod show;

use openelb_ipam::{OwnerKey, PoolName};

use self::bulk::Chunks;
use super::{owner, wish};
use crate::args::{AllocArgs, IpVerb, ListArgs, ReleaseArgs, ReserveArgs, WhoisArgs};
use crate::client;
use crate::engine::{Allocated, Answer, Owners, Question, Refused, Released};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format};

pub(super) fn run(verb: IpVerb, format: Format) -> Result<ExitCode, Failure> {
    match verb {
        IpVerb::Alloc(args) => alloc(&args, format),
        IpVerb::Release(args) => release(&args, format),
        IpVerb::Reserve(args) => reserve(&args, format),
        IpVerb::Ls(args) => list(&args, format),
        IpVerb::Whois(args) => whois(&args, format),
    }
}

fn alloc(args: &AllocArgs, format: Format) -> Result<ExitCode, Failure> {
    let request = Box::new(wish::request(&args.wish)?);
    let mut report = Allocated::default();
    let chunks = match (&args.from_file, &args.owner) {
        (Some(file), _) => Chunks::of(&bulk::read_owners(file)?),
        (None, Some(text)) => {
            let stem = owner::parse(text, owner::MANUAL)?;
            Chunks::one(match args.count {
                Some(count) => Owners::Numbered { stem, count },
                None => Owners::Named(vec![stem]),
            })
        }
        (None, None) => Chunks::of(&[]),
    };
    for owners in chunks {
        let question = Question::Allocate {
            owners,
            request: request.clone(),
        };
        let Answer::Allocated(part) = client::ask(&args.place, question)? else {
            return Err(super::unexpected());
        };
        report.generation = part.generation;
        report.allocations.extend(part.allocations);
        report.refused.extend(part.refused);
    }
    finish_allocation(&report, format)
}

/// A single refusal is a failure with its reason; of several, the table says which.
fn finish_allocation(report: &Allocated, format: Format) -> Result<ExitCode, Failure> {
    if let ([], [refused]) = (report.allocations.as_slice(), report.refused.as_slice())
        && !format.is_data()
    {
        return Err(refusal(refused));
    }
    output::print(report, format)?;
    Ok(if report.refused.is_empty() {
        ExitCode::Success
    } else {
        ExitCode::Refused
    })
}

fn refusal(refused: &Refused) -> Failure {
    let mut message = format!("no address for {}: {}", refused.owner, refused.reason);
    for refusal in &refused.refusals {
        message.push_str("\n  - ");
        message.push_str(refusal);
    }
    Failure::new(ExitCode::Refused, message).next(&refused.hint)
}

fn release(args: &ReleaseArgs, format: Format) -> Result<ExitCode, Failure> {
    let owners: Vec<OwnerKey> = if let Some(file) = &args.from_file {
        bulk::read_owners(file)?
    } else {
        let typed = args
            .owner
            .iter()
            .map(|text| owner::parse(text, owner::MANUAL));
        typed.collect::<Result<_, _>>()?
    };
    let mut report = Released::default();
    for portion in Chunks::of(&owners) {
        let Owners::Named(owners) = portion else {
            continue;
        };
        let question = Question::Release { owners };
        let Answer::Released(part) = client::ask(&args.place, question)? else {
            return Err(super::unexpected());
        };
        report.generation = part.generation;
        report.released.extend(part.released);
        report.unknown.extend(part.unknown);
    }
    if let ([], [unknown]) = (report.released.as_slice(), report.unknown.as_slice())
        && !format.is_data()
    {
        return Err(
            Failure::new(ExitCode::NotFound, format!("{unknown} holds no address"))
                .next("see `openelb ip ls` for who does"),
        );
    }
    output::print(&report, format)?;
    Ok(if report.unknown.is_empty() {
        ExitCode::Success
    } else {
        ExitCode::NotFound
    })
}

fn reserve(args: &ReserveArgs, format: Format) -> Result<ExitCode, Failure> {
    let name = args
        .name
        .clone()
        .unwrap_or_else(|| args.address.to_string().replace('/', "-"));
    let owner = owner::parse(&name, owner::RESERVATION)?;
    let question = Question::Reserve {
        address: args.address.ledger,
        owner,
    };
    match client::ask(&args.place, question)? {
        Answer::Allocated(report) => finish_allocation(&report, format),
        _ => Err(super::unexpected()),
    }
}

fn list(args: &ListArgs, format: Format) -> Result<ExitCode, Failure> {
    let pool = args.pool.as_deref().map(str::parse::<PoolName>).transpose();
    let pool = pool.map_err(|error| Failure::new(ExitCode::Invalid, error))?;
    let question = Question::List {
        pool,
        namespace: args.namespace.clone(),
    };
    match client::ask(&args.place, question)? {
        Answer::Holdings(holdings) => output::print(&holdings, format)?,
        _ => return Err(super::unexpected()),
    }
    Ok(ExitCode::Success)
}

fn whois(args: &WhoisArgs, format: Format) -> Result<ExitCode, Failure> {
    match client::ask(
        &args.place,
        Question::Whois {
            address: args.address.ledger,
        },
    )? {
        Answer::Whois(whois) => {
            output::print(&whois, format)?;
            Ok(if whois.state == "OutsidePools" {
                ExitCode::NotFound
            } else {
                ExitCode::Success
            })
        }
        _ => Err(super::unexpected()),
    }
}
