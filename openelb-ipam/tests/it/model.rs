//! The ledger beside a plain model: whatever happens, both tell the same story.
//!
//! The model is a few `BTreeMap`s that record what the ledger answered and check, after every
//! operation, the invariants that the answers must obey. Operations are six bytes each, so that
//! property tests and the fuzzer speak the same language.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use openelb_ipam::ipam::{AllocateError, Fate};
use openelb_ipam::pool::{OnShrink, Strategy};
use openelb_ipam::row::ReservationId;
use openelb_ipam::{
    Allocation, Families, Family, FamilyPolicy, Fence, Ipam, Owner, OwnerKey, Pool, PoolSpec,
    PortSet, Reason, Request, Sharing, Snapshot, Time, Uid,
};

/// One operation: a kind and five choices.
pub(crate) type Op = [u8; 6];

/// What the ledger must hold, by its own earlier answers.
pub(crate) struct Model {
    ipam: Ipam,
    replica: Ipam,
    held: BTreeMap<OwnerKey, BTreeMap<Family, IpAddr>>,
    booked: BTreeMap<ReservationId, BTreeSet<IpAddr>>,
    now: Time,
}

impl Model {
    pub(crate) fn new() -> Self {
        let mut model = Self {
            ipam: Ipam::new().with_seed(7),
            replica: Ipam::new().with_seed(7),
            held: BTreeMap::new(),
            booked: BTreeMap::new(),
            now: Time(1_000),
        };
        model.edit_pools(0, 0);
        model
    }

    /// The whole state.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.ipam.snapshot()
    }

    /// Carries an operation out and checks everything.
    pub(crate) fn step(&mut self, [kind, who, shape, pin, pool, sharing]: Op) {
        match kind % 16 {
            0..=4 => self.allocate(&owner(who), &request(shape, pin, pool, sharing), &[]),
            5 => {
                let held = self.held.get(&owner(who).key).into_iter().flatten();
                let held = held.map(|(_, address)| *address);
                let leave: Vec<IpAddr> = held.chain([address(shape >> 3, pin)]).collect();
                self.allocate(&owner(who), &request(shape, pin, pool, sharing), &leave);
            }
            6 | 7 => self.release(&owner(who), shape),
            8 => self.reserve(&owner(who), &request(shape, pin, pool, sharing), sharing),
            9 => self.commit(who),
            10 => self.abort(who),
            11 => self.quarantine(address(who, shape)),
            12 => self.advance(u64::from(who) * 40),
            13 => self.edit_pools(who, shape),
            14 => self.prefix(&owner(who), shape),
            _ => self.restart(),
        }
        self.check();
    }

    fn allocate(&mut self, owner: &Owner, request: &Request, leave: &[IpAddr]) {
        self.ipam.expire(self.now);
        self.forget_lapsed();
        let before = self.ipam.clone();
        let answer = self
            .ipam
            .allocate_elsewhere(owner, request, leave, self.now);
        let generation = self.ipam.generation();
        match &answer {
            Ok(allocation) => self.check_allocation(&before, owner, request, leave, allocation),
            Err(error) => check_refusal(&before, owner, request, error),
        }
        // I5: repeating changes nothing, not even the generation.
        let again = self.ipam.allocate(owner, request, self.now);
        assert_eq!(
            self.ipam.generation(),
            generation,
            "a repeat changed something"
        );
        match (answer, again) {
            (Ok(first), Ok(second)) => assert_eq!(first.addresses, second.addresses),
            (Err(first), Err(second)) => assert_eq!(first.reason(), second.reason()),
            (first, second) => panic!("a repeat answered {second:?} after {first:?}"),
        }
    }

    fn check_allocation(
        &mut self,
        before: &Ipam,
        owner: &Owner,
        request: &Request,
        leave: &[IpAddr],
        got: &Allocation,
    ) {
        let wanted = request.wanted().unwrap();
        let old = self.held.get(&owner.key).cloned().unwrap_or_default();
        // I6: a pair is complete or it is not given.
        let is_pair = wanted.second.is_some() && wanted.is_all_or_nothing;
        assert!(!is_pair || got.addresses.len() == 2, "half a pair: {got:?}");
        assert!(!got.addresses.is_empty());
        let order = got
            .addresses
            .iter()
            .map(|assigned| Family::of(assigned.address));
        let expected = wanted
            .order()
            .filter(|family| got.address(*family).is_some());
        assert!(order.eq(expected), "order of {got:?}");
        for assigned in &got.addresses {
            let family = Family::of(assigned.address);
            for pin in request
                .addresses
                .iter()
                .filter(|pin| Family::of(**pin) == family)
            {
                assert_eq!(*pin, assigned.address, "the pin decides");
            }
            match old.get(&family) {
                Some(held) if *held == assigned.address => {}
                Some(held) if leave.contains(held) => {}
                Some(held) => check_mismatch(before, owner, request, *held),
                None => {}
            }
            if old.get(&family) != Some(&assigned.address) {
                check_new(before, owner, request, assigned.address, &assigned.pool);
            }
        }
        let new = got
            .addresses
            .iter()
            .map(|assigned| (Family::of(assigned.address), assigned.address));
        self.held.insert(owner.key.clone(), new.collect());
    }

    fn release(&mut self, owner: &Owner, fence: u8) {
        let old_uid = Uid::from("some-other-uid");
        let has_uid = self
            .ipam
            .holdings(owner.key.as_str())
            .is_some_and(|row| row.owner.uid.is_some());
        if fence.is_multiple_of(5) && has_uid {
            let before = self.ipam.generation();
            assert!(
                self.ipam
                    .release(&owner.key, Fence::Uid(&old_uid), self.now)
                    .is_err()
            );
            assert_eq!(self.ipam.generation(), before);
            return;
        }
        let held = self.held.remove(&owner.key).unwrap_or_default();
        let released = self.ipam.release(&owner.key, Fence::Any, self.now).unwrap();
        let expected: BTreeSet<IpAddr> = held.into_values().collect();
        assert_eq!(
            released.addresses.iter().copied().collect::<BTreeSet<_>>(),
            expected
        );
        let generation = self.ipam.generation();
        assert!(
            self.ipam
                .release(&owner.key, Fence::Any, self.now)
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            self.ipam.generation(),
            generation,
            "releasing twice changed something"
        );
        self.forget_lapsed();
    }

    fn reserve(&mut self, owner: &Owner, request: &Request, life: u8) {
        self.ipam.expire(self.now);
        self.forget_lapsed();
        let deadline = self.now + Duration::from_millis(1 + u64::from(life) * 20);
        // I7: aborting puts back bit for bit what was there.
        let mut trial = self.ipam.clone();
        let before = self.ipam.snapshot();
        if let Ok(reservation) = trial.reserve(owner, request, deadline, self.now) {
            assert!(trial.abort(reservation.id, self.now));
            assert_eq!(trial.snapshot().rows, before.rows, "an abort left a trace");
            assert_eq!(trial.audit(), [""; 0]);
        }
        let held: BTreeSet<IpAddr> = self
            .held
            .get(&owner.key)
            .into_iter()
            .flatten()
            .map(|(_, a)| *a)
            .collect();
        if let Ok(reservation) = self.ipam.reserve(owner, request, deadline, self.now) {
            let addresses = reservation
                .addresses
                .iter()
                .map(|assigned| assigned.address);
            let new = addresses
                .filter(|address| !held.contains(address))
                .collect();
            self.booked.insert(reservation.id, new);
        }
        self.forget_lapsed();
    }

    fn commit(&mut self, nth: u8) {
        let Some(id) = self.nth_booking(nth) else {
            return;
        };
        let owner = self
            .ipam
            .reservations()
            .find(|(open, ..)| *open == id)
            .map(|(_, owner, _)| owner.clone());
        let outcome = self.ipam.commit(id, self.now);
        self.booked.remove(&id);
        if let (Ok(allocation), Some(owner)) = (outcome, owner) {
            let new = allocation
                .addresses
                .iter()
                .map(|a| (Family::of(a.address), a.address));
            self.held.insert(owner, new.collect());
        }
        self.forget_lapsed();
    }

    fn abort(&mut self, nth: u8) {
        let Some(id) = self.nth_booking(nth) else {
            return;
        };
        self.ipam.abort(id, self.now);
        self.booked.remove(&id);
        assert!(
            self.ipam.commit(id, self.now).is_err(),
            "an aborted reservation is gone"
        );
        self.forget_lapsed();
    }

    fn quarantine(&mut self, address: IpAddr) {
        let until = self.now + Duration::from_secs(3);
        if let Ok(lost) = self.ipam.quarantine(address, until, "seen", self.now) {
            for owner in lost {
                let held = self.held.get_mut(&owner).unwrap();
                held.retain(|_, held| *held != address);
                if held.is_empty() {
                    self.held.remove(&owner);
                }
            }
        }
        self.forget_lapsed();
    }

    fn advance(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
        self.ipam.expire(self.now);
        assert!(self.ipam.next_deadline().is_none_or(|at| at > self.now));
        self.forget_lapsed();
    }

    fn edit_pools(&mut self, variant: u8, policy: u8) {
        let specs = pools(variant, policy);
        let plan = self.ipam.plan_pools(&specs).unwrap();
        for effect in plan.effects() {
            if matches!(effect.fate, Fate::Released | Fate::Reassigned)
                && let Some(held) = self.held.get_mut(&effect.owner)
            {
                held.retain(|_, address| *address != effect.address);
                if held.is_empty() {
                    self.held.remove(&effect.owner);
                }
            }
        }
        let stale = plan.clone();
        let is_empty = plan.is_empty();
        self.ipam.apply_pools(plan, self.now).unwrap();
        assert!(
            is_empty || self.ipam.apply_pools(stale, self.now).is_err(),
            "a stale plan was taken"
        );
        assert!(
            self.ipam.plan_pools(&specs).unwrap().is_empty(),
            "a plan that never ends"
        );
        self.forget_lapsed();
    }

    fn prefix(&mut self, owner: &Owner, length: u8) {
        let (family, length) = if length.is_multiple_of(2) {
            (Family::V4, 30)
        } else {
            (Family::V6, 125)
        };
        let pool = "open".parse().unwrap();
        if let Ok(first) = self
            .ipam
            .allocate_prefix(owner, &pool, family, length, self.now)
        {
            let generation = self.ipam.generation();
            let again = self
                .ipam
                .allocate_prefix(owner, &pool, family, length, self.now)
                .unwrap();
            assert_eq!((first, generation), (again, self.ipam.generation()));
            self.held.entry(owner.key.clone()).or_default();
        }
        self.forget_lapsed();
    }

    /// I10: what is restored is what was.
    fn restart(&mut self) {
        let snapshot = self.ipam.snapshot();
        let restored = Ipam::restore(snapshot.clone()).unwrap().with_seed(7);
        assert_eq!(restored.snapshot(), snapshot);
        assert_eq!(restored.audit(), [""; 0]);
        self.ipam = restored;
    }

    fn check(&mut self) {
        assert_eq!(self.ipam.audit(), [""; 0]);
        self.check_counts();
        self.check_held();
        self.check_replica();
        self.ipam.take_woken();
    }

    /// I3.
    fn check_counts(&self) {
        for pool in self.ipam.pools() {
            for family in Family::ALL {
                let usage = self.ipam.usage(pool.name(), family).unwrap();
                let parts = [
                    usage.free,
                    usage.used,
                    usage.reserved,
                    usage.cooling,
                    usage.quarantined,
                ];
                assert_eq!(
                    parts.into_iter().sum::<openelb_ipam::AddressCount>(),
                    usage.capacity
                );
            }
        }
    }

    /// I1, I2, I11: the ledger holds exactly what it said, inside pools or known to be orphaned.
    fn check_held(&self) {
        let rows: BTreeMap<OwnerKey, BTreeMap<Family, IpAddr>> = self
            .ipam
            .allocations()
            .map(|row| {
                let claims = row
                    .claims
                    .iter()
                    .map(|claim| (Family::of(claim.address), claim.address));
                (row.owner.key, claims.collect())
            })
            .collect();
        // An owner of a prefix alone has no address.
        let with_address = |held: BTreeMap<OwnerKey, BTreeMap<Family, IpAddr>>| -> BTreeMap<_, _> {
            held.into_iter()
                .filter(|(_, held)| !held.is_empty())
                .collect()
        };
        let (rows, held) = (with_address(rows), with_address(self.held.clone()));
        assert_eq!(rows, held);
        let universe = |address: IpAddr| {
            self.ipam
                .pools()
                .any(|pool| pool.universe().contains(address))
        };
        for address in held.values().flat_map(BTreeMap::values) {
            assert!(
                universe(*address) || self.ipam.whois(*address).is_orphaned,
                "{address}"
            );
        }
    }

    /// I10 at every cut: changes since the last step bring the replica to the same state.
    fn check_replica(&mut self) {
        let changes = self.ipam.changes_since(self.replica.generation());
        match changes {
            Ok(changes) => {
                self.replica.apply_changes(changes.clone()).unwrap();
                self.replica.apply_changes(changes).unwrap();
            }
            Err(_) => self.replica = Ipam::restore(self.ipam.snapshot()).unwrap(),
        }
        assert_same(&self.replica.snapshot(), &self.ipam.snapshot());
        assert_eq!(self.replica.audit(), [""; 0]);
    }

    fn forget_lapsed(&mut self) {
        let open: BTreeSet<ReservationId> = self.ipam.reservations().map(|(id, ..)| id).collect();
        self.booked.retain(|id, _| open.contains(id));
        assert_eq!(
            self.booked.len(),
            open.len(),
            "a reservation that nobody made"
        );
        for address in self.booked.values().flatten() {
            let status = self.ipam.whois(*address).status;
            assert!(
                !matches!(status, openelb_ipam::ipam::Status::Free),
                "{address} is booked and free"
            );
        }
    }

    fn nth_booking(&self, nth: u8) -> Option<ReservationId> {
        self.booked
            .keys()
            .nth(usize::from(nth) % self.booked.len().max(1))
            .copied()
    }
}

fn assert_same(left: &Snapshot, right: &Snapshot) {
    assert_eq!(left.generation, right.generation);
    for (a, b) in left.rows.iter().zip(&right.rows) {
        assert_eq!(a, b);
    }
    assert_eq!(left.rows.len(), right.rows.len());
}

/// A plain request is refused only when every pool that serves it is full.
fn check_refusal(before: &Ipam, owner: &Owner, request: &Request, error: &AllocateError) {
    let plain = request.addresses.is_empty() && request.policy == FamilyPolicy::SingleStack;
    let Ok(wanted) = request.wanted() else {
        assert_eq!(error.reason(), Reason::InvalidAddress);
        return;
    };
    if !plain {
        return;
    }
    for pool in before.pools() {
        let spec = pool.spec();
        let is_named = request.pool.as_ref().is_none_or(|name| *name == spec.name);
        let is_open = request.pool.is_some() || spec.auto_assign;
        let serves = is_named
            && is_open
            && !spec.is_disabled
            && before.conflict_of(&spec.name).is_none()
            && (request.pool.is_some() && spec.serve_explicit
                || pool.admits_namespace(owner.key.namespace(), &request.namespace_labels));
        if !serves
            || spec.namespace_quota.is_some()
            || spec.strategy == Strategy::LeastRecentlyReleased
        {
            continue;
        }
        for family in wanted.order() {
            let usage = before.usage(&spec.name, family).unwrap();
            assert!(
                usage.free.is_zero(),
                "{error}: pool {} has free {family}",
                spec.name
            );
        }
    }
}

/// Stickiness: an address is given up only for a reason that the request names.
fn check_mismatch(before: &Ipam, owner: &Owner, request: &Request, held: IpAddr) {
    let family = Family::of(held);
    let row = before.holdings(owner.key.as_str()).unwrap();
    let pool = row
        .claims
        .iter()
        .find(|claim| claim.address == held)
        .map(|claim| claim.pool.clone())
        .unwrap();
    let is_repinned = request
        .addresses
        .iter()
        .any(|pin| Family::of(*pin) == family && *pin != held);
    let is_moved = request.pool.as_ref().is_some_and(|name| *name != pool);
    let shares = matches!(
        before.whois(held).status,
        openelb_ipam::ipam::Status::Held {
            sharing: Some(_),
            ..
        }
    );
    let drains = before.whois(held).is_orphaned
        && before
            .pools()
            .any(|p| *p.name() == pool && p.spec().on_shrink == OnShrink::Drain);
    assert!(
        is_repinned || is_moved || shares || drains,
        "{held} was taken from {owner} for nothing"
    );
}

/// A new address was free, or shared by agreement, or on its way back to its last owner; the lowest
/// strategy gives the lowest (I8).
fn check_new(before: &Ipam, owner: &Owner, request: &Request, address: IpAddr, pool: &str) {
    use openelb_ipam::ipam::Status;
    let state = before
        .pools()
        .find(|state| &**state.name() == pool)
        .unwrap();
    assert!(
        state.universe().contains(address),
        "{address} is not of pool {pool}"
    );
    assert!(!state.spec().is_disabled, "a disabled pool gave {address}");
    let family = Family::of(address);
    match before.whois(address).status {
        Status::Free => {}
        Status::Held { owners, .. } => {
            assert!(
                request.sharing.is_some() || state.spec().share_pinned,
                "{owners:?} share {address}"
            );
            return;
        }
        Status::Booked(_) => assert!(request.sharing.is_some() || state.spec().share_pinned),
        Status::Cooling { owner: last, .. } => assert_eq!(last, owner.key),
        other => panic!("{address} was given although {other:?}"),
    }
    let is_automatic = request
        .addresses
        .iter()
        .all(|pin| Family::of(*pin) != family);
    let is_returning = !matches!(before.whois(address).status, Status::Free);
    if is_automatic && !is_returning && state.spec().strategy == Strategy::Lowest {
        let lowest =
            addresses_of(state, family).find(|a| matches!(before.whois(*a).status, Status::Free));
        assert_eq!(lowest, Some(address), "not the lowest of pool {pool}");
    }
}

fn addresses_of(pool: &Pool, family: Family) -> impl Iterator<Item = IpAddr> {
    pool.universe()
        .ranges(family)
        .iter()
        .flat_map(|range| (0..).map_while(|n| range.nth(n)))
}

/// One of a few owners in two namespaces, sometimes with a uid.
fn owner(n: u8) -> Owner {
    let namespace = if n & 1 == 0 { "blue" } else { "green" };
    let owner: Owner = format!("service/{namespace}/s{}", (n >> 1) % 10)
        .parse()
        .unwrap();
    if n >= 0xc0 {
        owner.with_uid(if n & 0x20 == 0 { "one" } else { "two" })
    } else {
        owner
    }
}

/// A request of one of many shapes.
fn request(shape: u8, pin: u8, pool: u8, sharing: u8) -> Request {
    let mut request = match shape % 8 {
        0 | 1 => Request::default(),
        2 => Request::single(Family::V4),
        3 => Request::single(Family::V6),
        4 => Request::dual_stack(),
        5 => Request::dual_stack().ipv6_first(),
        6 => Request::prefer_dual_stack(),
        _ => Request {
            families: Families::Any,
            policy: FamilyPolicy::PreferDualStack,
            ..Request::default()
        },
    };
    if pin >= 0xd0 {
        request = request.pin(address(shape >> 3, pin));
    }
    request.pool = match pool % 12 {
        0 => Some("bound".parse().unwrap()),
        1 => Some("open".parse().unwrap()),
        2 => Some("nowhere".parse().unwrap()),
        _ => None,
    };
    if sharing >= 0xb0 {
        let key = if sharing & 1 == 0 { "red" } else { "white" };
        let port = format!("TCP/{}", 80 + u16::from(sharing >> 1 & 3));
        let ports: PortSet = [port.parse().unwrap()].into_iter().collect();
        request = request.share(Sharing::new(key), ports);
    }
    request
}

/// An address near the pools.
fn address(a: u8, b: u8) -> IpAddr {
    let low = b % 20;
    let text = match a % 4 {
        0 => format!("192.0.2.{low}"),
        1 => format!("198.51.100.{low}"),
        2 => format!("2001:db8::{low:x}"),
        _ => format!("2001:db8:1::{low:x}"),
    };
    text.parse().unwrap()
}

/// One of several sets of pools, over the same few addresses.
fn pools(variant: u8, policy: u8) -> Vec<PoolSpec> {
    let name = |name: &str| name.parse().unwrap();
    let mut bound = PoolSpec::new(name("bound"), ["198.51.100.0/29", "2001:db8:1::/126"]);
    bound.namespaces = vec!["blue".to_string()];
    let mut open = PoolSpec::new(name("open"), ["192.0.2.0/28", "2001:db8::/124"]);
    open.on_shrink =
        [OnShrink::Retain, OnShrink::Drain, OnShrink::Reassign][usize::from(policy % 3)];
    bound.on_shrink = open.on_shrink;
    let strategies = [
        Strategy::Lowest,
        Strategy::NextFit,
        Strategy::LeastRecentlyReleased,
        Strategy::Random,
        Strategy::HashStable,
        Strategy::SolicitedNode,
    ];
    open.strategy = strategies[usize::from(policy / 3 % 6)];
    open.cool_down = Duration::from_millis(if policy & 0x20 == 0 { 0 } else { 2_000 });
    match variant % 9 {
        1 => open.ranges = vec!["192.0.2.0/29".into(), "2001:db8::/124".into()],
        2 => open.exclude = vec!["192.0.2.2-192.0.2.4".into(), "2001:db8::2".into()],
        3 => open.is_disabled = true,
        4 => return vec![open],
        5 => return vec![bound],
        6 => {
            bound.ranges = vec!["192.0.2.8/29".into(), "2001:db8::8/125".into()];
            bound.namespace_quota = Some(2);
        }
        7 => {
            open.namespace_quota = Some(3);
            bound.serve_explicit = true;
            bound.share_pinned = true;
        }
        8 => return vec![open, bound],
        _ => {}
    }
    vec![bound, open]
}
