//! The controller as it is, against the fake server: what it does, and that nothing which goes wrong
//! makes it give an address twice, lose one or move one.

mod crash;
mod judge;
mod serve;
mod trouble;
mod world;
