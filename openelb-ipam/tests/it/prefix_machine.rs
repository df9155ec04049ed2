//! Random histories of a changing prefix against the model.

use openelb_ipam::dynamic_prefix::{Machine, Settings, State};
use openelb_ipam::{Time, relative::RelativeRange};
use proptest::prelude::*;

use crate::prefix_model::{PrefixModel, Step};

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_invariant_of_a_prefix_holds_whatever_is_told(steps: Vec<Step>) {
        let mut model = PrefixModel::new();
        for step in steps {
            model.step(step);
        }
    }

    #[test]
    fn any_state_however_damaged_is_restored_to_one_that_holds_its_invariants(
        steps: Vec<Step>,
        cut: prop::sample::Index,
        now: u64,
    ) {
        let mut model = PrefixModel::new();
        for step in steps {
            model.step(step);
        }
        let mut state: State = model.state().clone();
        let all = state.deprecated.clone();
        state.deprecated.extend(all);
        if !state.sightings.is_empty() {
            let at = cut.index(state.sightings.len());
            let twice = state.sightings[at].clone();
            state.sightings.push(twice);
        }
        state.preferred.take_if(|_| now % 2 == 0);
        let mut machine = Machine::restore(Settings::default(), state, Time(now));
        for _ in 0..20 {
            machine.handle_timeout(machine.poll_timeout().unwrap_or(Time(now)));
            let generations = machine.generations();
            prop_assert!(generations.preferred.is_some() || generations.deprecated.is_empty());
            prop_assert!(generations.deprecated.len() <= machine.settings().generations);
        }
    }

    #[test]
    fn a_relative_range_stays_in_its_block(text in "[a-z]{1,5}/::[0-9a-f]{1,4}(-::[0-9a-f]{1,4})?") {
        if let Ok(range) = text.parse::<RelativeRange>() {
            let space = openelb_ipam::relative::ledger_space(range.prefix());
            let ledger = range.in_ledger();
            for end in [ledger.first(), ledger.last()] {
                let std::net::IpAddr::V6(end) = end else { panic!("of IPv6") };
                prop_assert!(space.contains(&end));
            }
        }
    }
}
