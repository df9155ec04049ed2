//! The services of the configuration: what they hold, and whether they answer.

mod report;
mod together;
mod wanted;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use openelb_ipam::{OwnerKey, Request, Time};
use openelb_k8s::api::{Profile, Protocol};
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::speaker::Needs;
use crate::config::{
    Announce, BgpConfig, Config, Diagnostic, HealthCheck, InvalidConfig, PoolConfig, PrefixConfig,
    SERVICE, ServiceConfig,
};
use crate::engine::{ConfigStatus, Engine};
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
    last_conflict: BTreeMap<IpAddr, (Time, String)>,
    /// Raised whenever what should be announced may differ although the allocations are the same.
    version: u64,
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
            version: 0,
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
                return self.refuse(errors.map(Diagnostic::brief).collect());
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
        // First: what a service asks for may be an address under a prefix.
        let follow: Vec<_> = config.prefixes.iter().map(|it| it.follow.clone()).collect();
        engine.follow(&follow, now);
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
        self.version += 1;
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

    /// Serves once more those that were refused: a prefix that was not known then may have what they
    /// ask for.
    pub(super) fn serve_refused(&mut self, engine: &mut Engine, now: Time) {
        let refused: Vec<OwnerKey> = self.refusals.keys().cloned().collect();
        for owner in refused {
            if let Some(service) = self
                .places
                .get(&owner)
                .and_then(|at| self.config.services.get(*at))
            {
                serve(service, &mut self.refusals, engine, now);
            }
        }
    }

    /// The prefixes of the configuration.
    pub(super) fn prefixes(&self) -> &[PrefixConfig] {
        &self.config.prefixes
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
        self.version += 1;
    }

    /// Notes a conflict for the status, which shows it for a while.
    pub(super) fn hear_conflict(&mut self, address: IpAddr, cause: &str, now: Time) {
        self.conflicts += 1;
        self.last_conflict
            .retain(|_, (at, _)| now - *at < CONFLICT_SHOWN);
        self.last_conflict.insert(address, (now, cause.to_owned()));
    }

    /// Changes whenever what should be announced may differ although the allocations are the same.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// What a service of the configuration asks for.
    pub(super) fn request(&self, owner: &OwnerKey) -> Option<Request> {
        self.service(owner).map(|service| service.request.clone())
    }

    /// The BGP speaker of the configuration.
    pub(super) fn bgp(&self) -> Option<&BgpConfig> {
        self.config.bgp.as_ref()
    }

    /// What the configuration needs of the link.
    pub(super) fn needs(&self) -> Needs {
        let is_on_link =
            |pool: &PoolConfig| matches!(pool.protocol, Protocol::Layer2 | Protocol::Vip);
        let is_configuring = |pool: &PoolConfig| {
            let routers = pool.routers.as_ref();
            routers.is_some_and(|routers| routers.virtual_mac || routers.accept)
        };
        let election = self.config.election.as_ref();
        Needs {
            link: self.config.pools.iter().any(is_on_link),
            configuring: self.config.pools.iter().any(is_configuring),
            realtime: election.is_some_and(|election| election.profile == Profile::Fast),
        }
    }

    /// Whether every health check has had its first verdict, so that nothing is missing from what
    /// is announced only because the daemon has just started.
    pub(super) fn is_settled(&self) -> bool {
        let checked = |service: &&ServiceConfig| {
            service.health_check.is_some() && service.announce == Announce::Always
        };
        let mut checked = self.config.services.iter().filter(checked);
        checked.all(|service| self.health.contains_key(&service.owner.key))
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

    fn service(&self, owner: &OwnerKey) -> Option<&ServiceConfig> {
        self.places
            .get(owner)
            .and_then(|at| self.config.services.get(*at))
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
                info!(%owner, addresses = %engine.in_words(&allocation.to_string()), "allocated");
            }
            match allocation.missing {
                None => refusals.remove(owner),
                Some(family) => {
                    refusals.insert(owner.clone(), format!("no {family} address can be had now"))
                }
            };
        }
        Err(error) => {
            let refusal = engine.in_words(&error.to_string());
            // Said once, however often it is tried again.
            if refusals.get(owner) != Some(&refusal) {
                warn!(%owner, reason = %error.reason(), "no address: {refusal}");
            }
            refusals.insert(owner.clone(), refusal);
        }
    }
}

const MOST_ROUNDS: usize = 10_000;

/// Twice the time an address is kept out of use after a conflict.
const CONFLICT_SHOWN: Duration = Duration::from_mins(10);
