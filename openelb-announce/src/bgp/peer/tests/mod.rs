//! The rules of RFC 4271 and its extensions for one peer, each a sentence, on a clock that the tests turn.

mod bench;
mod collisions;
mod errors;
mod restarts;
mod sessions;
mod table;
mod timers;
mod transmitting;
mod waiting;
mod wired;
