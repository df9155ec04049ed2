//! The controller and the speaker of a cluster.

fn main() {}
