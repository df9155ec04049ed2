//! The ledger as its users see it: acceptance cases, invariants, crashes.

#[cfg(test)]
mod model;
#[cfg(test)]
mod state_machine;
