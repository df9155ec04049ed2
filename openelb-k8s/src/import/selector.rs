//! Several label selectors, of which one must match, as one.

use openelb_ipam::pool::{Operator, Requirement, Selector};

/// One selector that matches what any of these matches; `None` when there is no such selector.
///
/// Selectors that name a value of the same label, as those of host names do, become one of several
/// values; a selector that matches everything matches everything.
pub(super) fn any_of(selectors: &[Selector]) -> Option<Selector> {
    match selectors {
        [] => Some(Selector::default()),
        [one] => Some(one.clone()),
        several if several.contains(&Selector::default()) => Some(Selector::default()),
        several => {
            let mut values = Vec::new();
            let mut label: Option<&str> = None;
            for selector in several {
                let (key, mut more) = single_label(selector)?;
                if *label.get_or_insert(key) != key {
                    return None;
                }
                values.append(&mut more);
            }
            values.sort_unstable();
            values.dedup();
            let requirement = Requirement {
                key: label?.to_owned(),
                operator: Operator::In,
                values,
            };
            Some(Selector {
                match_expressions: vec![requirement],
                ..Selector::default()
            })
        }
    }
}

/// The label and its values, of a selector that asks for nothing else.
pub(super) fn single_label(selector: &Selector) -> Option<(&str, Vec<String>)> {
    let mut labels = selector.match_labels.iter();
    match (
        labels.next(),
        labels.next(),
        selector.match_expressions.as_slice(),
    ) {
        (Some((key, value)), None, []) => Some((key, vec![value.to_owned()])),
        (None, None, [one]) if one.operator == Operator::In => {
            Some((one.key.as_str(), one.values.clone()))
        }
        _ => None,
    }
}
