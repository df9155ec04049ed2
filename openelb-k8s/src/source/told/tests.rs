//! Tests of what becomes of what a source tells.

use openelb_ipam::Time;

use super::*;

const A: &str = "2001:db8:a::/56";
const B: &str = "2001:db8:b::/56";

fn until(prefix: &str, valid: u64) -> Lease {
    Lease {
        valid_until: Some(Time(valid)),
        ..endless(prefix.parse().unwrap())
    }
}

fn words(inputs: &[Input]) -> Vec<String> {
    let word = |input: &Input| match input {
        Input::Seen(seen) => format!("seen {}", seen.prefix),
        Input::Gone { prefix, .. } => format!("gone {prefix}"),
        Input::Failed { why, .. } => format!("failed: {why}"),
        other => format!("{other:?}"),
    };
    inputs.iter().map(word).collect()
}

#[test]
fn only_what_differs_is_told_the_new_before_the_old_goes() {
    let mut told = Told::new(3, "file");
    assert_eq!(
        words(&told.replace(vec![until(A, 1)])),
        [format!("seen {A}")]
    );
    assert_eq!(told.replace(vec![until(A, 1)]), []);
    assert_eq!(
        words(&told.replace(vec![until(A, 2)])),
        [format!("seen {A}")]
    );
    let expected = [format!("seen {B}"), format!("gone {A}")];
    assert_eq!(words(&told.replace(vec![until(B, 2)])), expected);
}

#[test]
fn a_failure_is_told_once_takes_nothing_back_and_ends_with_a_word() {
    let mut told = Told::new(0, "file");
    told.replace(vec![until(A, 1)]);
    assert_eq!(
        words(&told.fail("gone fishing".to_owned())),
        ["failed: gone fishing"]
    );
    assert_eq!(told.fail("gone fishing".to_owned()), []);
    assert_eq!(
        told.replace(vec![until(A, 1)]),
        [Input::Worked { source: 0 }]
    );
}
