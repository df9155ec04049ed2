//! What a virtual router does, on a virtual clock.

mod bench;
mod changing;
mod checking;
mod lan;
mod pausing;
mod properties;
mod states;
mod strangers;
mod timers;
