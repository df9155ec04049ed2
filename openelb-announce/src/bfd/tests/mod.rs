//! Two sessions over links made of numbers: what the handshake, the timers and the polls promise
//! together.

mod properties;
mod world;
