//! The contract that every protocol machine keeps: events and time in, frames and deadlines out.

use crate::time::Time;

/// A protocol as a value: it owns no socket, no clock, no thread and no source of randomness.
///
/// Whoever drives it repeats one round:
///
/// 1. wait until something arrives or the instant of [`poll_timeout`](Self::poll_timeout) comes;
/// 2. hand it over with [`handle_input`](Self::handle_input) or, when the instant has come, call
///    [`handle_timeout`](Self::handle_timeout);
/// 3. call [`poll_output`](Self::poll_output) until it returns `None`, carrying out each output in
///    order;
/// 4. ask [`poll_timeout`](Self::poll_timeout) again: any of the calls above may have moved it.
///
/// The same inputs at the same instants give the same outputs, always. Instants never go back from
/// call to call; a machine that is given an earlier one treats it as it is and does not panic.
pub trait Machine {
    /// What can happen to the machine; it may borrow the bytes of a received frame.
    type Input<'a>;
    /// What the machine wants done.
    type Output;

    /// Tells the machine that something happened at `now`.
    ///
    /// Drain [`poll_output`](Self::poll_output) and ask [`poll_timeout`](Self::poll_timeout) again
    /// afterwards.
    fn handle_input(&mut self, input: Self::Input<'_>, now: Time);

    /// Tells the machine that it is `now`.
    ///
    /// Must be called once the instant of [`poll_timeout`](Self::poll_timeout) has come. Calling it
    /// earlier or more often is harmless. Drain [`poll_output`](Self::poll_output) and ask
    /// [`poll_timeout`](Self::poll_timeout) again afterwards.
    fn handle_timeout(&mut self, now: Time);

    /// The next thing to do, oldest first; `None` when there is nothing.
    ///
    /// Must be called until `None` after every `handle_…`, before the next one: an output that is
    /// carried out late says what was true earlier.
    fn poll_output(&mut self) -> Option<Self::Output>;

    /// The instant at which [`handle_timeout`](Self::handle_timeout) must be called next; `None`
    /// when only an input can make the machine act. It may lie in the past: then call at once.
    ///
    /// Valid until the next `handle_…` call. It may be earlier than needed, never later.
    fn poll_timeout(&self) -> Option<Time>;
}
