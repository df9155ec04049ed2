//! The services of the configuration: what they hold, whether they answer, what is announced.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use openelb_announce::announcer::Announcement;
use openelb_ipam::{OwnerKey, Request, Time};
use openelb_k8s::api::Protocol;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::speaker::{self, Speaker};
use crate::config::{
    Announce, Config, HealthCheck, InvalidConfig, PoolConfig, SERVICE, ServiceConfig,
};
use crate::engine::{
    Answer, ConfigStatus, Engine, Holder, ServiceState, ServiceStatus, StatusReport,
};
use crate::exit_code::{ExitCode, Failure};

/// The configuration in force and what became of it.
#[derive(Debug)]
pub(super) struct Services {
    config: Config,
    status: ConfigStatus,
    /// Owners of [`Config::services`], by key.
    places: HashMap<OwnerKey, usize>,
    /// Why an owner has not what it asks for.
    refusals: HashMap<OwnerKey, String>,
    health: HashMap<OwnerKey, (bool, String)>,
    checks: watch::Sender<Checks>,
    conflicts: u64,
    last_conflict: BTreeMap<IpAddr, String>,
}

/// The health checks that should run.
pub(super) type Checks = Vec<(OwnerKey, HealthCheck)>;

impl Services {
    /// No configuration yet.
    pub(super) fn new(files: Vec<String>) -> (Self, watch::Receiver<Checks>) {
        let (checks, receiver) = watch::channel(Checks::new());
        let services = Self {
            config: Config::default(),
            status: ConfigStatus {
                files,
                ..ConfigStatus::default()
            },
            places: HashMap::new(),
            refusals: HashMap::new(),
            health: HashMap::new(),
            checks,
            conflicts: 0,
            last_conflict: BTreeMap::new(),
        };
        (services, receiver)
    }

    /// Puts a configuration in force by plan, or keeps the one there is and remembers why.
    pub(super) fn configure(
        &mut self,
        read: Result<Config, InvalidConfig>,
        engine: &mut Engine,
        now: Time,
    ) {
        let config = match read {
            Ok(config) => config,
            Err(invalid) => {
                let errors = invalid.remarks.iter().filter(|remark| remark.is_error());
                return self.refuse(errors.map(crate::config::Diagnostic::brief).collect());
            }
        };
        for warning in &config.warnings {
            warn!("{}", warning.brief());
        }
        if let Err(failure) = self.put_in_force(config, engine, now) {
            self.refuse(vec![failure.message]);
        }
    }

    /// Puts the first configuration in force; there is no earlier one to keep.
    pub(super) fn put_in_force(
        &mut self,
        config: Config,
        engine: &mut Engine,
        now: Time,
    ) -> Result<(), Failure> {
        let specs: Vec<_> = config.pools.iter().map(|pool| pool.spec.clone()).collect();
        let plan = engine.set_pools(&specs, now)?;
        for line in &plan.lines {
            info!("pool plan: {line}");
        }
        self.places = (0..)
            .zip(&config.services)
            .map(|(at, s)| (s.owner.key.clone(), at))
            .collect();
        self.config = config;
        self.status.loads += 1;
        self.status.errors.clear();
        for owner in engine.owners_of_kind(SERVICE) {
            if !self.places.contains_key(&owner) {
                engine.release(&owner, now);
                info!(%owner, "released: it is no longer in the configuration");
            }
        }
        self.refusals.clear();
        for service in &self.config.services {
            serve(service, &mut self.refusals, engine, now);
        }
        let places = &self.places;
        self.health.retain(|owner, _| places.contains_key(owner));
        self.publish_checks();
        info!(
            pools = self.config.pools.len(),
            services = self.config.services.len(),
            "configuration in force"
        );
        Ok(())
    }

    /// Serves the owners that may now get what they were refused.
    pub(super) fn serve_woken(&mut self, engine: &mut Engine, now: Time) {
        // Serving one can wake the next; nobody is woken twice without something having come free,
        // and the bound keeps a mistake there from stopping the daemon.
        for _ in 0..MOST_ROUNDS {
            let woken = engine.take_woken();
            if woken.is_empty() {
                return;
            }
            for owner in woken {
                let service = self
                    .places
                    .get(&owner)
                    .and_then(|at| self.config.services.get(*at));
                if let Some(service) = service {
                    serve(service, &mut self.refusals, engine, now);
                }
            }
        }
    }

    /// Takes a verdict of a health check.
    pub(super) fn hear_health(&mut self, owner: OwnerKey, is_healthy: bool, detail: String) {
        // A verdict may arrive after a reload that removed its check.
        if !self.places.contains_key(&owner) {
            return;
        }
        if is_healthy {
            info!(%owner, "the health check passes");
        } else {
            warn!(%owner, %detail, "the health check fails; the announcement is withdrawn");
        }
        self.health.insert(owner, (is_healthy, detail));
    }

    /// Notes a conflict for the status.
    pub(super) fn hear_conflict(&mut self, address: &IpAddr, cause: &str) {
        self.conflicts += 1;
        self.last_conflict.insert(*address, cause.to_owned());
    }

    /// Everything that should be announced.
    pub(super) fn announcements(&self, engine: &Engine) -> BTreeMap<IpAddr, Announcement> {
        let pools = self.pools();
        let mut announcements = BTreeMap::new();
        for service in &self.config.services {
            let holder = engine.holder(&service.owner.key);
            if self.state(service, holder.as_ref()).0 != ServiceState::Announced {
                continue;
            }
            for held in holder.into_iter().flat_map(|holder| holder.addresses) {
                let Some(pool) = pools.get(&*held.pool) else {
                    continue;
                };
                let Some(interfaces) = pool.interfaces.clone().filter(|_| speaks(pool)) else {
                    continue;
                };
                let probe = speaker::probe(pool.probe);
                let address = held.address;
                announcements.insert(
                    address,
                    Announcement {
                        address,
                        interfaces,
                        probe,
                    },
                );
            }
        }
        announcements
    }

    /// Everything on one screen.
    pub(super) fn status(&self, engine: &Engine, speaker: &Speaker) -> StatusReport {
        let services: Vec<_> = self
            .config
            .services
            .iter()
            .map(|s| self.service_status(s, engine))
            .collect();
        let announcements = speaker.status();
        let mut problems: Vec<String> = Vec::new();
        problems.extend(
            engine
                .read_only()
                .map(|reason| format!("the store is read-only: {reason}")),
        );
        problems.extend(
            self.status
                .errors
                .iter()
                .map(|e| format!("the configuration was refused: {e}")),
        );
        problems.extend(
            self.last_conflict
                .iter()
                .map(|(address, cause)| format!("conflict about {address}: {cause}")),
        );
        problems.extend(
            services
                .iter()
                .filter(|s| matches!(s.state, ServiceState::Waiting | ServiceState::Unhealthy))
                .map(|s| format!("{}: {}", s.owner, s.detail)),
        );
        problems.extend(
            announcements
                .iter()
                .flat_map(|a| a.warnings.iter().cloned()),
        );
        StatusReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            generation: engine.generation(),
            read_only: engine.read_only().map(str::to_owned),
            config: self.status.clone(),
            pools: engine.pools(),
            services,
            announcer: speaker.summary(),
            announcements,
            conflicts: self.conflicts,
            problems,
        }
    }

    /// What a service of the configuration asks for.
    pub(super) fn request(&self, owner: &OwnerKey) -> Option<Request> {
        self.service(owner).map(|service| service.request.clone())
    }

    /// Refuses to release by hand what the configuration asks for.
    pub(super) fn check_release(&self, owners: &[OwnerKey]) -> Result<(), Failure> {
        match owners.iter().find(|owner| self.places.contains_key(*owner)) {
            None => Ok(()),
            Some(owner) => {
                let message = format!("{owner} is a service of the configuration");
                Err(Failure::new(ExitCode::Refused, message)
                    .next("remove it from the configuration file; it is then released by itself"))
            }
        }
    }

    /// Adds what the configuration says about announcing to an explanation.
    pub(super) fn explain_announcement(&self, answer: Answer) -> Answer {
        let Answer::Explained(mut explained) = answer else {
            return answer;
        };
        let owner = explained.owner.clone();
        match self.service(&owner) {
            None => explained.lines.push(format!(
                "{owner} is no service of the configuration: never announced"
            )),
            Some(service) => {
                let holder = Holder {
                    owner,
                    addresses: explained.addresses.clone(),
                };
                let holder = Some(holder).filter(|holder| !holder.addresses.is_empty());
                let (state, detail) = self.state(service, holder.as_ref());
                let because = if detail.is_empty() {
                    detail
                } else {
                    format!(": {detail}")
                };
                explained
                    .lines
                    .push(format!("announcement: {state:?}{because}"));
            }
        }
        Answer::Explained(explained)
    }

    fn service(&self, owner: &OwnerKey) -> Option<&ServiceConfig> {
        self.places
            .get(owner)
            .and_then(|at| self.config.services.get(*at))
    }

    fn pools(&self) -> HashMap<&str, &PoolConfig> {
        self.config
            .pools
            .iter()
            .map(|pool| (&*pool.spec.name, pool))
            .collect()
    }

    fn refuse(&mut self, errors: Vec<String>) {
        self.status.refusals += 1;
        for error in &errors {
            error!("configuration refused, the old one stays in force: {error}");
        }
        self.status.errors = errors;
    }

    fn publish_checks(&mut self) {
        let with_check = |service: &ServiceConfig| {
            let check = service.health_check.clone()?;
            Some((service.owner.key.clone(), check))
        };
        let checks: Checks = self.config.services.iter().filter_map(with_check).collect();
        let checked: HashSet<&OwnerKey> = checks.iter().map(|(owner, _)| owner).collect();
        self.health.retain(|owner, _| checked.contains(owner));
        self.checks.send_if_modified(|current| {
            let is_new = *current != checks;
            *current = checks;
            is_new
        });
    }

    fn service_status(&self, service: &ServiceConfig, engine: &Engine) -> ServiceStatus {
        let holder = engine.holder(&service.owner.key);
        let (state, detail) = self.state(service, holder.as_ref());
        let addresses = holder.map(|holder| holder.addresses).unwrap_or_default();
        ServiceStatus {
            owner: service.owner.key.clone(),
            addresses,
            state,
            detail,
        }
    }

    /// What is done with the addresses of a service, and why.
    fn state(&self, service: &ServiceConfig, holder: Option<&Holder>) -> (ServiceState, String) {
        let refusal = self
            .refusals
            .get(&service.owner.key)
            .cloned()
            .unwrap_or_default();
        let Some(holder) = holder else {
            return (ServiceState::Waiting, refusal);
        };
        let pools = self.pools();
        let is_spoken =
            |held: &crate::engine::Held| pools.get(&*held.pool).is_some_and(|pool| speaks(pool));
        match (service.announce, self.health.get(&service.owner.key)) {
            (Announce::Never, _) => (ServiceState::Allocated, "announce: Never".to_owned()),
            (Announce::Standby, _) => (ServiceState::Standby, refusal),
            (Announce::Always, _) if !holder.addresses.iter().any(is_spoken) => (
                ServiceState::Allocated,
                "its pool is not announced by this daemon".to_owned(),
            ),
            (Announce::Always, Some((false, detail))) => (ServiceState::Unhealthy, detail.clone()),
            (Announce::Always, None) if service.health_check.is_some() => (
                ServiceState::Unhealthy,
                "the first health check is under way".to_owned(),
            ),
            (Announce::Always, _) => (ServiceState::Announced, refusal),
        }
    }
}

/// Gives a service what it asks for, or remembers why not.
fn serve(
    service: &ServiceConfig,
    refusals: &mut HashMap<OwnerKey, String>,
    engine: &mut Engine,
    now: Time,
) {
    let owner = &service.owner.key;
    match engine.allocate(&service.owner, &service.request, now) {
        Ok(allocation) => {
            if allocation.is_changed {
                info!(%owner, addresses = %allocation, "allocated");
            }
            match allocation.missing {
                None => refusals.remove(owner),
                Some(family) => {
                    refusals.insert(owner.clone(), format!("no {family} address can be had now"))
                }
            };
        }
        Err(error) => {
            warn!(%owner, reason = %error.reason(), "no address: {error}");
            refusals.insert(owner.clone(), error.to_string());
        }
    }
}

/// Whether this daemon announces the addresses of a pool.
fn speaks(pool: &PoolConfig) -> bool {
    pool.protocol == Protocol::Layer2
}

const MOST_ROUNDS: usize = 10_000;
