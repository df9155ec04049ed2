//! The lab as a stage for other people's plays: one JSON request a line, one JSON answer a line.
//!
//! The end-to-end tests are written against this. `docs/lab.md` describes every request.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, Write};
use std::net::IpAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use ipnet::IpNet;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;
use serde_json::{Value, json};

use super::capture::{Capture, Sighting};
use super::census::{Census, Tally};
use super::clock::{Stopwatch, micros};
use super::host::{Rights, openelb};
use super::neighbor::{self, Resolution};
use super::network::Network;
use super::probe::{self, Stream};
use super::station::{Check, Station};

/// Obeys the requests on standard input until it ends.
pub(crate) fn obey(network: &Network) -> io::Result<()> {
    let mut stage = Stage {
        network,
        processes: BTreeMap::new(),
        streams: Vec::new(),
        captures: BTreeMap::new(),
        censuses: BTreeMap::new(),
        clock: Stopwatch::start(),
    };
    for line in io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(request) => stage.obey(request),
            Err(error) => Err(format!("read the request: {error}")),
        };
        let answer = match answer {
            Ok(seen) => json!({ "ok": seen }),
            Err(error) => json!({ "error": error }),
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

/// One request. `host` names a host of the lab, `process` is a name of the caller's choice.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Request {
    /// Lists the hosts.
    Hosts {},
    /// Delivers traffic for a prefix on a host.
    Deliver { host: String, prefix: IpNet },
    /// Gives a host's interface one more address of its own.
    Own { host: String, address: IpNet },
    /// Sets a value below `/proc/sys/net`.
    Sysctl {
        host: String,
        name: String,
        value: String,
    },
    /// Plugs these hosts into the second switch, which a cable joins with the first.
    Group { hosts: Vec<String> },
    /// Cuts the cable between the switches.
    Split {},
    /// Joins the switches again.
    Heal {},
    /// Takes a host from the network, as when its power fails.
    Cut { host: String },
    /// Gives it back its cable.
    Mend { host: String },
    /// Tells the time on the clock of this stage, from which all times count.
    Now {},
    /// Starts a process.
    Start(Start),
    /// Sends a signal by its name, such as `SIGTERM`.
    Signal { process: String, signal: String },
    /// Waits for a process to end.
    Wait { process: String, patience_ms: u64 },
    /// Forgets a neighbour and asks the network again.
    Resolve {
        host: String,
        address: IpAddr,
        patience_ms: u64,
    },
    /// Looks into the neighbour table without asking the network.
    Known { host: String, address: IpAddr },
    /// Connects and reads who answers.
    Ask {
        host: String,
        address: IpAddr,
        port: u16,
        patience_ms: u64,
    },
    /// Starts to ask each address at a steady rate.
    Stream(Questions),
    /// Stops asking and reports.
    Finish {},
    /// Starts to note ARP and neighbour discovery heard by a host.
    Capture { host: String },
    /// Tells what was heard so far.
    Heard { host: String },
    /// Stops noting and tells what was heard.
    Sightings { host: String },
    /// Starts to ask everybody who has each address, and to note who answers.
    Census {
        host: String,
        addresses: Vec<IpAddr>,
    },
    /// Stops asking and tells who answered.
    Tally { host: String },
}

/// A process; `openelb` as program means this very binary.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    host: String,
    process: String,
    argv: Vec<String>,
    rights: Rights,
    log: PathBuf,
}

/// Questions to the service behind some addresses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Questions {
    host: String,
    addresses: Vec<IpAddr>,
    port: u16,
    interval_us: u64,
}

/// What the requests act on.
struct Stage<'n> {
    network: &'n Network,
    processes: BTreeMap<String, Child>,
    streams: Vec<Stream>,
    captures: BTreeMap<String, Capture>,
    censuses: BTreeMap<String, Census>,
    clock: Stopwatch,
}

impl Stage<'_> {
    fn obey(&mut self, request: Request) -> Result<Value, String> {
        match request {
            Request::Hosts {} => Ok(self.hosts()),
            Request::Deliver { host, prefix } => done(self.station(&host)?.deliver(prefix)),
            Request::Own { host, address } => done(self.station(&host)?.own(address, Check::Skip)),
            Request::Sysctl { host, name, value } => {
                done(self.station(&host)?.set_sysctl(&name, &value))
            }
            Request::Group { hosts } => done(self.network.group(&hosts)),
            Request::Split {} => done(self.network.split()),
            Request::Heal {} => done(self.network.heal()),
            Request::Cut { host } => done(self.network.cut(&host)),
            Request::Mend { host } => done(self.network.mend(&host)),
            Request::Now {} => Ok(json!({ "at_us": micros(self.clock.elapsed()) })),
            Request::Start(start) => self.start(start),
            Request::Signal { process, signal } => self.signal(&process, &signal),
            Request::Wait {
                process,
                patience_ms,
            } => self.wait(&process, Duration::from_millis(patience_ms)),
            Request::Resolve {
                host,
                address,
                patience_ms,
            } => self.resolve(&host, address, Duration::from_millis(patience_ms)),
            Request::Known { host, address } => self.known(&host, address),
            Request::Ask {
                host,
                address,
                port,
                patience_ms,
            } => self.ask(&host, address, port, Duration::from_millis(patience_ms)),
            Request::Stream(questions) => self.stream(questions),
            Request::Finish {} => self.finish(),
            Request::Capture { host } => self.capture(host),
            Request::Heard { host } => self.heard(&host),
            Request::Sightings { host } => self.sightings(&host),
            Request::Census { host, addresses } => self.census(host, addresses),
            Request::Tally { host } => self.tally(&host),
        }
    }

    fn station(&self, name: &str) -> Result<&Station, String> {
        self.network
            .station(name)
            .ok_or_else(|| format!("no host is called {name}"))
    }

    fn hosts(&self) -> Value {
        let hosts = self.network.stations().iter().map(|station| {
            json!({
                "name": station.plan.name,
                "mac": station.plan.mac.to_string(),
                "addresses": station.plan.addresses,
                "namespace": station.host.namespace_path(),
            })
        });
        Value::Array(hosts.collect())
    }

    fn start(&mut self, start: Start) -> Result<Value, String> {
        let Start {
            host,
            process,
            argv,
            rights,
            log,
        } = start;
        let (program, rest) = argv.split_first().ok_or("argv is empty")?;
        let mut command = if program == "openelb" {
            openelb()
        } else {
            Command::new(program)
        };
        let log = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(text)?;
        command
            .args(rest)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(text)?)
            .stderr(log);
        let child = self
            .station(&host)?
            .host
            .spawn(command, rights)
            .map_err(text)?;
        let pid = child.id();
        self.processes.insert(process, child);
        Ok(json!({ "pid": pid }))
    }

    fn process(&mut self, name: &str) -> Result<&mut Child, String> {
        self.processes
            .get_mut(name)
            .ok_or_else(|| format!("no process is called {name}"))
    }

    fn signal(&mut self, process: &str, signal: &str) -> Result<Value, String> {
        let signal: Signal = signal.parse().map_err(text)?;
        let pid = i32::try_from(self.process(process)?.id()).map_err(text)?;
        done(kill(Pid::from_raw(pid), signal))
    }

    fn wait(&mut self, process: &str, patience: Duration) -> Result<Value, String> {
        let child = self.process(process)?;
        let waited = Stopwatch::start();
        loop {
            if let Some(status) = child.try_wait().map_err(text)? {
                return Ok(json!({ "code": status.code(), "signal": status.signal() }));
            }
            if waited.elapsed() > patience {
                return Err(format!("{process} still runs after {patience:?}"));
            }
            thread::sleep(POLL);
        }
    }

    fn resolve(&self, host: &str, address: IpAddr, patience: Duration) -> Result<Value, String> {
        let host = &self.station(host)?.host;
        match host
            .run(move || neighbor::resolve(address, patience))
            .map_err(text)?
        {
            Resolution::Resolved(mac) => Ok(self.owner(Some(mac))),
            Resolution::Unanswered => Ok(self.owner(None)),
        }
    }

    fn known(&self, host: &str, address: IpAddr) -> Result<Value, String> {
        let host = &self.station(host)?.host;
        let known = host.run(move || neighbor::known(address));
        Ok(self.owner(known.map_err(text)?))
    }

    fn ask(
        &self,
        host: &str,
        address: IpAddr,
        port: u16,
        patience: Duration,
    ) -> Result<Value, String> {
        let host = &self.station(host)?.host;
        let answer = host.run(move || probe::ask(address, port, patience));
        Ok(json!({ "answer": answer.map_err(text)? }))
    }

    fn owner(&self, mac: Option<openelb_announce::wire::Mac>) -> Value {
        let host = mac.and_then(|mac| self.network.owner(mac));
        json!({ "mac": mac.map(|mac| mac.to_string()), "host": host })
    }

    fn stream(&mut self, questions: Questions) -> Result<Value, String> {
        let (port, interval) = (questions.port, Duration::from_micros(questions.interval_us));
        let clock = self.clock;
        for address in questions.addresses {
            let host = &self.station(&questions.host)?.host;
            let stream = host.run(move || Stream::start(address, port, interval, clock));
            self.streams.push(stream.map_err(text)?);
        }
        Ok(Value::Null)
    }

    fn finish(&mut self) -> Result<Value, String> {
        let reports: Result<Vec<_>, _> = self.streams.drain(..).map(Stream::finish).collect();
        serde_json::to_value(reports.map_err(text)?).map_err(text)
    }

    fn capture(&mut self, host: String) -> Result<Value, String> {
        let clock = self.clock;
        let start = move || Capture::start(clock);
        let capture = self.station(&host)?.host.run(start).map_err(text)?;
        self.captures.insert(host, capture);
        Ok(Value::Null)
    }

    fn heard(&self, host: &str) -> Result<Value, String> {
        let capture = self.captures.get(host);
        let capture = capture.ok_or_else(|| format!("{host} is not capturing"))?;
        Ok(self.tell(capture.heard()))
    }

    fn sightings(&mut self, host: &str) -> Result<Value, String> {
        let capture = self.captures.remove(host);
        let capture = capture.ok_or_else(|| format!("{host} is not capturing"))?;
        Ok(self.tell(capture.finish().map_err(text)?))
    }

    fn census(&mut self, host: String, addresses: Vec<IpAddr>) -> Result<Value, String> {
        let clock = self.clock;
        let station = self.station(&host)?;
        let mac = station.plan.mac;
        let start = move || Census::start(&addresses, mac, clock);
        let census = station.host.run(start).map_err(text)?;
        self.censuses.insert(host, census);
        Ok(Value::Null)
    }

    fn tally(&mut self, host: &str) -> Result<Value, String> {
        let census = self.censuses.remove(host);
        let census = census.ok_or_else(|| format!("{host} asks nobody"))?;
        let addresses = census.addresses().to_vec();
        let tally = census.finish().map_err(text)?;
        let tell = |address: &IpAddr| self.tell_tally(&tally, *address);
        Ok(addresses.iter().map(tell).collect())
    }

    fn tell_tally(&self, tally: &Tally, address: IpAddr) -> Value {
        let overlaps = tally.overlaps(|_, _| true).into_iter();
        let overlaps = overlaps.filter(|overlap| overlap.address == address);
        let tenures = tally.tenures(address).into_iter().map(|tenure| {
            json!({
                "host": self.network.owner(tenure.host),
                "since_us": micros(tenure.since),
            })
        });
        json!({
            "address": address,
            "asked": tally.rounds(),
            "overlaps_at_us": overlaps.map(|overlap| micros(overlap.asked)).collect::<Vec<_>>(),
            "longest_silence_us": micros(tally.longest_silence(address)),
            "tenures": tenures.collect::<Vec<_>>(),
        })
    }

    fn tell(&self, heard: Vec<Sighting>) -> Value {
        let sightings = heard.into_iter().map(|sighting| {
            json!({
                "at_us": sighting.at.as_micros(),
                "from": self.network.owner(sighting.from),
                "message": sighting.message,
                "address": sighting.address,
            })
        });
        Value::Array(sightings.collect())
    }
}

fn done<E: Display>(result: Result<(), E>) -> Result<Value, String> {
    result.map(|()| Value::Null).map_err(text)
}

fn text(error: impl Display) -> String {
    error.to_string()
}

const POLL: Duration = Duration::from_millis(2);
