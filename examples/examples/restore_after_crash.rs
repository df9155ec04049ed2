//! Surviving a crash: write the changed rows of each step, read them back, lose nothing.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::error::Error;

use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Snapshot, Time};

/// Any store that can write a few rows and a number at once will do; this one keeps JSON in memory.
#[derive(Default)]
struct Store {
    generation: u64,
    rows: BTreeMap<String, String>,
}

impl Store {
    /// One transaction: all of it, or none.
    fn save(&mut self, ipam: &Ipam) -> Result<(), Box<dyn Error>> {
        let changes = ipam.changes_since(self.generation)?;
        for key in &changes.deletes {
            self.rows.remove(&key.to_string());
        }
        for row in &changes.puts {
            self.rows
                .insert(row.key().to_string(), serde_json::to_string(row)?);
        }
        self.generation = changes.to;
        Ok(())
    }

    fn load(&self) -> Result<Ipam, Box<dyn Error>> {
        let rows = self.rows.values().map(|row| serde_json::from_str(row));
        let rows = rows.collect::<Result<_, _>>()?;
        Ok(Ipam::restore(Snapshot {
            generation: self.generation,
            rows,
        })?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut ipam, mut store) = (Ipam::new(), Store::default());
    let pool = PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"]);
    let plan = ipam.plan_pools(&[pool])?;
    ipam.apply_pools(plan, Time(0))?;
    store.save(&ipam)?;

    // An address is announced only after the row that says whose it is was written.
    let (web, mail): (Owner, Owner) = ("service/shop/web".parse()?, "service/shop/mail".parse()?);
    let saved = ipam.allocate(&web, &Request::dual_stack(), Time(1))?;
    store.save(&ipam)?;
    println!(
        "web has {saved}, written at generation {}",
        store.generation
    );

    // This one was given, but the process died before it was written: nobody was told of it.
    let lost = ipam.allocate(&mail, &Request::dual_stack(), Time(2))?;
    println!("mail was given {lost}, and then the power went");
    drop(ipam);

    let mut ipam = store.load()?;
    println!(
        "restored at generation {}: {} owner",
        ipam.generation(),
        ipam.owner_count()
    );
    let again = ipam.allocate(&web, &Request::dual_stack(), Time(3))?;
    assert_eq!(
        again.to_string(),
        saved.to_string(),
        "web keeps its addresses"
    );
    assert!(!again.is_changed, "and asking again changes nothing");
    println!(
        "mail asks again and gets {}",
        ipam.allocate(&mail, &Request::dual_stack(), Time(4))?
    );
    Ok(())
}
