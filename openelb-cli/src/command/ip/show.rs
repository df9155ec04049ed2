//! The answers of the `ip` verbs for people.

use std::io::{self, Write};

use crate::engine::{Allocated, Holder, Holdings, Released, Whois};
use crate::output::{Paint, Report, Table};

impl Report for Allocated {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        holders(&self.allocations).write(out)?;
        for refused in &self.refused {
            let reason = paint.bad(&refused.reason);
            writeln!(
                out,
                "no address for {}: {reason}; {}",
                refused.owner, refused.hint
            )?;
        }
        Ok(())
    }
}

impl Report for Released {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        for holder in &self.released {
            let addresses: Vec<_> = holder
                .addresses
                .iter()
                .map(|held| held.shown.to_string())
                .collect();
            writeln!(out, "released {} of {}", addresses.join(", "), holder.owner)?;
        }
        for owner in &self.unknown {
            writeln!(
                out,
                "{}: {owner} holds no address",
                paint.warn("nothing to release")
            )?;
        }
        Ok(())
    }
}

impl Report for Holdings {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        if self.holders.is_empty() {
            writeln!(out, "nobody holds an address")?;
        } else {
            holders(&self.holders).write(out)?;
        }
        for owner in &self.waiting {
            writeln!(out, "{}: {owner}", paint.warn("waits for an address"))?;
        }
        Ok(())
    }
}

impl Report for Whois {
    fn write_human(&self, out: &mut dyn Write, _: Paint) -> io::Result<()> {
        writeln!(out, "{}", self.text)
    }
}

fn holders(holders: &[Holder]) -> Table {
    let mut table = Table::new(["OWNER", "ADDRESS", "POOL"]);
    for holder in holders {
        for held in &holder.addresses {
            table.row([
                holder.owner.to_string(),
                held.shown.to_string(),
                held.pool.to_string(),
            ]);
        }
    }
    table
}
