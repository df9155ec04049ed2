//! An explanation as a tree for people.

use std::fmt::{self, Display, Formatter};

use super::{Address, Announcement, Explanation, PoolAnswer};

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Service {}: {:?}", self.service, self.verdict)?;
        if let Some(reason) = self.reason {
            write!(f, " ({reason})")?;
        }
        write!(f, ", {}", self.summary)?;
        let mut branches = Vec::new();
        if !self.asks.is_empty() {
            branches.push(Branch::leaf(format!("asks for {}", self.asks.join(", "))));
        }
        branches.extend(self.addresses.iter().map(address));
        branches.extend(self.pools.iter().map(pool));
        branches.extend(
            self.next
                .iter()
                .map(|next| Branch::leaf(format!("next: {next}"))),
        );
        draw(f, &branches, "")
    }
}

/// A line and what belongs to it.
struct Branch {
    text: String,
    branches: Vec<Self>,
}

impl Branch {
    fn leaf(text: String) -> Self {
        Self {
            text,
            branches: Vec::new(),
        }
    }
}

fn address(address: &Address) -> Branch {
    let Address {
        address,
        relative,
        eip,
        how,
        is_shown,
        announcements,
    } = address;
    let eip = eip
        .as_deref()
        .map_or_else(|| "of no Eip".to_owned(), |eip| format!("of Eip {eip}"));
    let relative = relative.as_ref();
    let relative = relative.map_or_else(String::new, |text| format!(" ({text})"));
    let shown = if *is_shown {
        ""
    } else {
        ", not in the status yet"
    };
    let branches = if announcements.is_empty() {
        vec![Branch::leaf("no node says anything about it".to_owned())]
    } else {
        announcements
            .iter()
            .map(|it| Branch::leaf(announcement(it)))
            .collect()
    };
    Branch {
        text: format!("{how} {address}{relative} {eip}{shown}"),
        branches,
    }
}

fn announcement(announcement: &Announcement) -> String {
    let Announcement {
        node,
        state,
        protocol,
        place,
        since,
        reason,
        station,
    } = announcement;
    let details = [
        ("at", place),
        ("since", since),
        ("because", reason),
        ("by", station),
    ];
    let details = details.into_iter().filter(|(_, value)| !value.is_empty());
    let details: Vec<_> = details
        .map(|(word, value)| format!(" {word} {value}"))
        .collect();
    format!("{node}: {state} by {protocol}{}", details.concat())
}

fn pool(answer: &PoolAnswer) -> Branch {
    let text = match answer.refused_by {
        Some(name) => format!("Eip {} refuses: {name}", answer.eip),
        None => format!("Eip {} can serve it", answer.eip),
    };
    let checks = answer.checks.iter();
    let checks = checks.map(|check| {
        let mark = if check.is_met { "yes" } else { "NO " };
        Branch::leaf(format!("{mark} {}: {}", check.name, check.fact))
    });
    Branch {
        text,
        branches: checks.collect(),
    }
}

fn draw(f: &mut Formatter<'_>, branches: &[Branch], indent: &str) -> fmt::Result {
    for (at, branch) in branches.iter().enumerate() {
        let is_last = at + 1 == branches.len();
        let (joint, below) = if is_last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        write!(f, "\n{indent}{joint}{}", branch.text)?;
        draw(f, &branch.branches, &format!("{indent}{below}"))?;
    }
    Ok(())
}
