//! The machine by its rules, alone and with others on a bus of the tests' own.

mod bus;
mod contending;
mod hearing;
mod owning;
mod properties;
