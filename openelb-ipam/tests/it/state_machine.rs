//! Random histories against the model.

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::model::{Model, Op};

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_invariant_holds_whatever_happens_in_whatever_order(sequential 1..80 => Ledger);
}

/// Which operations are possible does not depend on the state: the ledger must stand any of them.
struct Histories;

impl ReferenceStateMachine for Histories {
    type State = ();
    type Transition = Op;

    fn init_state() -> BoxedStrategy<()> {
        Just(()).boxed()
    }

    fn transitions((): &()) -> BoxedStrategy<Op> {
        any::<Op>().boxed()
    }

    fn apply((): (), _: &Op) {}
}

struct Ledger;

impl StateMachineTest for Ledger {
    type SystemUnderTest = Model;
    type Reference = Histories;

    fn init_test((): &()) -> Model {
        Model::new()
    }

    fn apply(mut model: Model, (): &(), op: Op) -> Model {
        model.step(op);
        model
    }
}
