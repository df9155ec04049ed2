//! The five routers behind one door: configured, started, ended and asked in the same words.

pub(crate) mod bird;
pub(crate) mod description;
pub(crate) mod exabgp;
pub(crate) mod frr;
pub(crate) mod gobgp;
pub(crate) mod heard;
pub(crate) mod openbgpd;
pub(crate) mod process;

use std::net::IpAddr;

pub(crate) use description::{Description, Family, Feature, Neighbor, Remote};
pub(crate) use heard::Heard;

use crate::lab::Scratch;
use crate::world::{Host, pause};
use process::Process;

/// One of the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Frr,
    Bird,
    GoBgp,
    ExaBgp,
    OpenBgpd,
}

/// How one of the programs is spoken to.
trait Dialect {
    /// What has to be installed, each with its Debian package.
    fn programs(&self) -> &'static [(&'static str, &'static str)];

    /// Why it cannot do this, if it cannot.
    fn lacks(&self, feature: Feature) -> Option<&'static str>;

    /// Writes the configuration.
    fn configure(&self, place: &Place, description: &Description);

    /// The command lines that run it, in the order of their start, none of them as a daemon.
    fn commands(&self, place: &Place, description: &Description) -> Vec<String>;

    /// The socket that the first of them makes and the others cannot do without.
    fn inner_socket(&self, _: &Place) -> Option<String> {
        None
    }

    /// Is it ready to be asked? Whatever has to be said to it after its start is said here, once.
    fn is_ready(&self, place: &Place, description: &Description) -> bool;

    /// The sessions that it knows, none while it cannot be asked.
    fn sessions(&self, place: &Place) -> Vec<Session>;

    /// What it has heard, all families and neighbours; nothing while it cannot be asked.
    fn table(&self, place: &Place) -> Vec<Heard>;

    /// How many paths it has heard.
    fn count(&self, place: &Place) -> usize {
        self.table(place).len()
    }

    /// Asks a neighbour for its routes again.
    fn refresh(&self, place: &Place, neighbor: &Neighbor, family: Family);
}

/// A host and the directory of the router on it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) host: Host,
    pub(crate) scratch: Scratch,
}

/// What a router says about one neighbour.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The neighbour's address, or its interface.
    pub(crate) neighbor: String,
    pub(crate) is_established: bool,
    /// All that the router says, for a look at details and for reports.
    pub(crate) words: String,
}

/// One router on one host; ended with the test.
pub(crate) struct Router {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    description: Description,
    processes: Vec<Process>,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Frr,
        Self::Bird,
        Self::GoBgp,
        Self::ExaBgp,
        Self::OpenBgpd,
    ];

    /// What has to be installed, each with its Debian package.
    pub(crate) fn programs(self) -> &'static [(&'static str, &'static str)] {
        self.dialect().programs()
    }

    /// Why it cannot do this, if it cannot.
    pub(crate) fn lacks(self, feature: Feature) -> Option<&'static str> {
        self.dialect().lacks(feature)
    }

    fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::Frr => &frr::Frr,
            Self::Bird => &bird::Bird,
            Self::GoBgp => &gobgp::GoBgp,
            Self::ExaBgp => &exabgp::ExaBgp,
            Self::OpenBgpd => &openbgpd::OpenBgpd,
        }
    }
}

impl Router {
    /// Configures a router on `host` and starts it.
    pub(crate) fn start(kind: Kind, host: &Host, description: Description) -> Self {
        let mut router = Self::prepare(kind, host, description);
        router.run();
        router
    }

    /// Configures a router on `host`.
    pub(crate) fn prepare(kind: Kind, host: &Host, description: Description) -> Self {
        let place = Place {
            host: host.clone(),
            scratch: Scratch::new(),
        };
        kind.dialect().configure(&place, &description);
        Self {
            kind,
            place,
            description,
            processes: Vec::new(),
        }
    }

    /// Starts what is not running; returns when it can be asked.
    pub(crate) fn run(&mut self) {
        assert!(self.processes.is_empty(), "{:?} runs already", self.kind);
        let dialect = self.kind.dialect();
        let socket = dialect.inner_socket(&self.place);
        let _ = socket.as_ref().map(std::fs::remove_file);
        for line in dialect.commands(&self.place, &self.description) {
            let log = self.place.scratch.path().join(LOG);
            let process = Process::start(&self.place.host, &line, &log);
            self.processes.push(process);
            self.wait("its first process listens to the others", |_| {
                socket
                    .as_ref()
                    .is_none_or(|it| std::fs::exists(it).unwrap())
            });
        }
        let description = self.description.clone();
        self.wait("it can be asked", |router| {
            dialect.is_ready(&router.place, &description)
        });
    }

    /// Ends it as an administrator does, with SIGTERM; returns when it is gone.
    pub(crate) fn stop(&mut self) {
        for process in self.processes.drain(..).rev() {
            process.end("TERM");
        }
    }

    /// Ends it at once, with SIGKILL.
    pub(crate) fn kill(&mut self) {
        for process in self.processes.drain(..).rev() {
            process.end("KILL");
        }
    }

    /// Stops all of its processes, as if the machine were out of breath.
    pub(crate) fn freeze(&self) {
        self.processes
            .iter()
            .for_each(|process| process.signal("STOP"));
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) {
        self.processes
            .iter()
            .for_each(|process| process.signal("CONT"));
    }

    /// What it has heard, in a stable order.
    pub(crate) fn table(&self) -> Vec<Heard> {
        let mut table: Vec<Heard> = self.kind.dialect().table(&self.place);
        table = table.into_iter().map(Heard::sorted).collect();
        table.sort();
        table
    }

    /// How many paths it has heard; quicker than the table where there are many.
    pub(crate) fn count(&self) -> usize {
        self.kind.dialect().count(&self.place)
    }

    /// What it has heard from one neighbour.
    pub(crate) fn heard_from(&self, neighbor: &str) -> Vec<Heard> {
        let neighbor: IpAddr = neighbor.parse().unwrap();
        let mut table = self.table();
        table.retain(|heard| heard.from == Some(neighbor));
        table
    }

    pub(crate) fn session(&self, neighbor: &str) -> Option<Session> {
        let mut sessions = self.kind.dialect().sessions(&self.place).into_iter();
        sessions.find(|session| session.neighbor == neighbor)
    }

    pub(crate) fn is_established(&self, neighbor: &str) -> bool {
        self.session(neighbor)
            .is_some_and(|session| session.is_established)
    }

    /// Waits for the session with this neighbour.
    pub(crate) fn wait_established(&self, neighbor: &str) {
        self.wait(
            &format!("the session with {neighbor} is established"),
            |router| router.is_established(neighbor),
        );
    }

    /// Asks this neighbour for its routes again.
    pub(crate) fn refresh(&self, neighbor: &str, family: Family) {
        let mut neighbors = self.description.neighbors.iter();
        let neighbor = neighbors.find(|it| it.name() == neighbor).unwrap();
        self.kind.dialect().refresh(&self.place, neighbor, family);
    }

    /// Waits for something, and shows what the router said if that does not come.
    pub(crate) fn wait(&self, what: &str, mut check: impl FnMut(&Self) -> bool) {
        let comes = self.becomes(&mut check);
        self.insist(comes, what);
    }

    /// Waits for something; does it come?
    pub(crate) fn becomes(&self, check: &mut dyn FnMut(&Self) -> bool) -> bool {
        (0..PATIENCE).any(|_| {
            let holds = check(self);
            if !holds {
                pause();
            }
            holds
        })
    }

    /// Fails with all that the router says unless something holds.
    pub(crate) fn insist(&self, holds: bool, what: &str) {
        assert!(holds, "{:?}: not so: {what}\n{}", self.kind, self.report());
    }

    /// What it wrote while it ran.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read(self.place.scratch.path().join(LOG)).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The routes in the kernel's table of its host that a routing daemon put there.
    pub(crate) fn installed(&self, family: Family) -> Vec<String> {
        let flag = if family == Family::Ipv4 { "-4" } else { "-6" };
        let table = self
            .place
            .host
            .sh(&format!("ip {flag} route show proto bird"));
        let table = table
            + &self
                .place
                .host
                .sh(&format!("ip {flag} route show proto bgp"));
        table.lines().map(str::to_owned).collect()
    }

    fn report(&self) -> String {
        let log = self.log();
        let skipped = log.lines().count().saturating_sub(60);
        let log: Vec<&str> = log.lines().skip(skipped).collect();
        let sessions = self.kind.dialect().sessions(&self.place);
        let sessions: Vec<String> = sessions
            .iter()
            .map(|session| format!("{}: {:.1500}", session.neighbor, session.words))
            .collect();
        let table = self.table();
        let routes = table.len();
        let table: Vec<String> = table.iter().take(20).map(|it| format!("{it:?}")).collect();
        format!(
            "--- log\n{}\n--- sessions\n{}\n--- {routes} routes\n{}",
            log.join("\n"),
            sessions.join("\n"),
            table.join("\n")
        )
    }
}

// Times 20 ms and what the check takes; only ever reached by a test that fails.
const PATIENCE: u32 = 1500;
const LOG: &str = "log";
