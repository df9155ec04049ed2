//! The provider gives another prefix and the first again, within the hold-down: nothing happens.

use serde_json::{Value, json};

use super::super::trouble::Trouble;
use super::super::{Outcome, Scenario, until};
use super::{A, B, HOLD_DOWN, offered, taken_back, unexpected};
use crate::lab::plan::NODE_A;

pub(super) fn flap(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let (store, addresses) = (play.store()?, play.addresses()?);
    let generation = play.node(NODE_A)?.generation()?;
    play.offer(&[offered(B), taken_back(A)])?;
    until("the daemon has heard of the other prefix", || {
        let known = play.prefix()?;
        let is_heard = known.pointer("/tentative/prefix") == Some(&json!(B));
        Ok(is_heard.then_some(()).ok_or_else(|| known.to_string()))
    })?;
    play.offer(&[offered(A), taken_back(B)])?;
    until("the daemon has heard that the first is back", || {
        let known = play.prefix()?;
        let is_back = known.get("tentative").is_none_or(Value::is_null);
        Ok(is_back.then_some(()).ok_or_else(|| known.to_string()))
    })?;
    let octets = play.goes_on()?;
    let renumbered = play.prefix()?.get("renumbered").and_then(Value::as_u64);
    if renumbered != Some(0) || play.addresses()? != addresses {
        let seen = format!("renumbered {renumbered:?} times, {:?}", play.addresses()?);
        return Err(unexpected("the addresses stay", seen));
    }
    if play.store()? != store || play.node(NODE_A)?.generation()? != generation {
        return Err(unexpected("nothing is written", "the store has changed"));
    }
    let hold_down = HOLD_DOWN.as_secs();
    Ok(Outcome {
        summary: "another prefix came and went within the hold-down: nothing changed".to_owned(),
        details: vec![
            format!("{B} was advertised for less than {hold_down} s, then {A} again"),
            "not an octet of the store was written, and the download went on".to_owned(),
        ],
        facts: json!({ "generation": generation, "octets": octets, "renumbered": 0 }),
    })
}
