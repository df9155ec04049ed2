//! Many owners at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use openelb_ipam::OwnerKey;

use super::super::owner;
use crate::engine::Owners;
use crate::exit_code::{ExitCode, Failure};

/// Reads owners, one a line; empty lines and those that start with `#` are left out.
pub(super) fn read_owners(file: &Path) -> Result<Vec<OwnerKey>, Failure> {
    let failed = |error: io::Error| {
        Failure::new(
            ExitCode::Invalid,
            format!("cannot read {}: {error}", file.display()),
        )
        .next("name a file with one owner a line, or - for standard input")
    };
    let lines: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file).map_err(failed)?))
    };
    let mut owners = Vec::new();
    for (number, line) in (1_u64..).zip(lines.lines()) {
        let line = line.map_err(failed)?;
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let owner = owner::parse(text, owner::MANUAL).map_err(|failure| Failure {
            message: format!("{}:{number}: {}", file.display(), failure.message),
            ..failure
        })?;
        owners.push(owner);
    }
    Ok(owners)
}

/// Owners in portions that one request can carry, with progress on a terminal.
pub(super) struct Chunks {
    portions: std::vec::IntoIter<Owners>,
    bar: ProgressBar,
}

impl Chunks {
    /// One portion.
    pub(super) fn one(owners: Owners) -> Self {
        Self {
            portions: vec![owners].into_iter(),
            bar: ProgressBar::hidden(),
        }
    }

    /// As many portions as it takes.
    pub(super) fn of(owners: &[OwnerKey]) -> Self {
        let bar = if owners.len() > PORTION && io::stderr().is_terminal() {
            let bar = ProgressBar::new(u64::try_from(owners.len()).unwrap_or(u64::MAX));
            bar.set_draw_target(ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec}");
            style.map(|style| bar.set_style(style)).ok();
            bar
        } else {
            ProgressBar::hidden()
        };
        let portions: Vec<_> = owners
            .chunks(PORTION)
            .map(|part| Owners::Named(part.to_vec()))
            .collect();
        Self {
            portions: portions.into_iter(),
            bar,
        }
    }
}

impl Iterator for Chunks {
    type Item = Owners;

    /// The next portion; whoever asks for it has finished the one before.
    fn next(&mut self) -> Option<Owners> {
        let next = self.portions.next();
        match &next {
            Some(Owners::Named(owners)) => self.bar.inc(u64::try_from(owners.len()).unwrap_or(0)),
            Some(Owners::Numbered { .. }) => {}
            None => self.bar.finish_and_clear(),
        }
        next
    }
}

/// 20,000 owners of 40 characters are about 1 MB of request: a fraction of what is accepted, and
/// enough that the commit and not the round trip decides.
const PORTION: usize = 20_000;
