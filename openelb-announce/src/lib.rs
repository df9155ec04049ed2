//! Tells the network where an address lives.
