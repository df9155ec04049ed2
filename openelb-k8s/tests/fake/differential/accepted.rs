//! Where the fake differs from the real server, and why that is right.

/// Why a difference at this place of this step is accepted; none: it is not.
pub(super) fn reason(step: &str, path: &str) -> Option<&'static str> {
    let mut accepted = ACCEPTED.iter();
    let found = accepted.find(|(steps, paths, _)| step.starts_with(steps) && path.contains(paths));
    found.map(|(.., reason)| *reason)
}

/// Every reason.
pub(super) fn reasons() -> impl Iterator<Item = &'static str> {
    ACCEPTED.iter().map(|(.., reason)| *reason)
}

/// Beginning of the step's name, part of the path, reason.
const ACCEPTED: &[(&str, &str, &str)] = &[
    (
        "",
        ".details.causes",
        "the real server checks twice and says it twice, or adds that it stopped checking",
    ),
    (
        "eip with",
        "body.message",
        "the real server adds that it did not come to the CEL rules, which the fake has not",
    ),
    (
        "list with a broken token",
        "body.message",
        "the message quotes the inside of a token",
    ),
    (
        "list of what does not exist",
        "body",
        "a path that nobody serves has no Status; nobody reads what it has",
    ),
    (
        "slice without endpoints",
        "body.endpoints",
        "Go writes an empty list as null here",
    ),
    (
        "event",
        "body.deprecatedSource",
        "a field of the older Event, always empty",
    ),
    (
        "node",
        "body",
        "the real server taints a new Node and writes empty fields of its status",
    ),
];
