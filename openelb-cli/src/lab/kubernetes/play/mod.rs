//! What is played in the cluster, one step after the other.

mod controlling;
mod moving;
mod pods;
mod serving;
mod traffic;

use super::stage::Stage;
use crate::lab::args::Play;
use crate::lab::scenario::Outcome;
use crate::lab::scenario::trouble::Trouble;

/// A step with its stable name.
pub(super) type Act = (&'static str, fn(&mut Stage<'_>) -> Result<Outcome, Trouble>);

/// The steps of a play. Each leaves the cluster as it found it.
pub(super) fn acts(play: Play) -> Vec<Act> {
    let played: &[Act] = match play {
        Play::Layer2 => &[("served", serving::on_link), OWNED, ASKED],
        Play::BgpEcmp => &[
            ("served", serving::routed),
            SPREAD,
            ("drained", moving::drain_path),
        ],
        Play::Vip => &[("served", serving::virtual_router), REACHED, ASKED],
        Play::DualStack => &[
            ("served", serving::six_first),
            REACHED,
            ("reduced", serving::reduce),
            ("restored", serving::restore),
        ],
        Play::EtpLocal => &[("served", serving::local), ("moved", moving::move_pod)],
        Play::Failover => &[
            ("served", serving::on_link),
            OWNED,
            ("died", moving::die),
            REACHED,
        ],
        Play::Drain => &[
            ("served", serving::on_link),
            OWNED,
            ("drained", moving::drain),
            REACHED,
        ],
        Play::PoolExhausted => &[
            ("exhausted", controlling::exhaust),
            ("freed", controlling::free),
        ],
        Play::UpgradeFromOpenelb => &[
            ("as-it-was", controlling::as_openelb_left_it),
            ("taken-over", controlling::take_over),
        ],
        Play::ControllerSplitBrain => {
            &[("split", controlling::split), ("healed", controlling::heal)]
        }
        Play::ApiServerOutage => &[
            ("served", serving::on_link),
            OWNED,
            ("failed-over", moving::die_without_api_server),
            ("recovered", controlling::recover),
        ],
        Play::PodRoutes => &[
            ("allocated", pods::allocate),
            ("meshed", pods::mesh),
            ("attached", pods::attach),
            ("reached", pods::reach),
            ("learned", pods::learn),
            ("restarted", pods::restart),
            ("left", pods::leave),
            ("removed", pods::remove),
        ],
    };
    // Pods need no service.
    let released = (play != Play::PodRoutes).then_some(RELEASED);
    played.iter().copied().chain(released).collect()
}

const RELEASED: Act = ("released", serving::release);
const OWNED: Act = ("owned", traffic::own);
const SPREAD: Act = ("spread", traffic::spread);
const REACHED: Act = ("reached", traffic::reach);
const ASKED: Act = ("asked", traffic::ask);
