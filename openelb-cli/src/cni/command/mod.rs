//! The commands of the specification, one file each.

mod add;
mod check;
mod del;
mod gc;
mod status;

pub(super) use self::add::add;
pub(super) use self::check::check;
pub(super) use self::del::del;
pub(super) use self::gc::gc;
pub(super) use self::status::status;
