//! What an owner asks for, from what was typed.

use openelb_ipam::{Families, Family, FamilyPolicy, Port, PortSet, Request, Sharing};

use crate::args::{self, WishArgs};
use crate::exit_code::{ExitCode, Failure};

/// The request; `None` when nothing was typed.
pub(super) fn typed(wish: &WishArgs) -> Result<Option<Request>, Failure> {
    let is_empty = wish.pool.is_none()
        && wish.address.is_empty()
        && wish.families.is_none()
        && wish.sharing_key.is_none()
        && wish.port.is_empty();
    if is_empty {
        Ok(None)
    } else {
        request(wish).map(Some)
    }
}

/// The request, with every default.
pub(super) fn request(wish: &WishArgs) -> Result<Request, Failure> {
    let (families, policy) = families(wish.families);
    let pool = wish
        .pool
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(invalid)?;
    let request = Request {
        families,
        policy,
        addresses: wish.address.iter().map(|it| it.ledger).collect(),
        pool,
        sharing: wish.sharing_key.as_deref().map(Sharing::new),
        ports: ports(&wish.port)?,
        ..Request::default()
    };
    request.wanted().map_err(invalid)?;
    Ok(request)
}

fn families(typed: Option<args::Families>) -> (Families, FamilyPolicy) {
    let both = Families::Both { first: Family::V4 };
    match typed {
        None => (Families::Any, FamilyPolicy::SingleStack),
        Some(args::Families::V4) => (Families::One(Family::V4), FamilyPolicy::SingleStack),
        Some(args::Families::V6) => (Families::One(Family::V6), FamilyPolicy::SingleStack),
        Some(args::Families::Dual) => (both, FamilyPolicy::RequireDualStack),
        Some(args::Families::Prefer) => (both, FamilyPolicy::PreferDualStack),
    }
}

fn ports(typed: &[String]) -> Result<PortSet, Failure> {
    if typed.is_empty() {
        return Ok(PortSet::All);
    }
    let port = |text: &String| {
        text.parse::<Port>()
            .map_err(|error| Failure::new(ExitCode::Invalid, format!("port `{text}`: {error}")))
    };
    typed.iter().map(port).collect()
}

/// The allocator's refusals end with the next step; here it stands by itself.
fn invalid(error: impl std::fmt::Display) -> Failure {
    let text = error.to_string();
    match text.rsplit_once("; ") {
        Some((fact, next)) => Failure::new(ExitCode::Invalid, fact).next(next),
        None => Failure::new(ExitCode::Invalid, text),
    }
}
