//! Which address belongs to whom.
