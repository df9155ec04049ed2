//! What the operator of the controller decides.

use crate::wish::Serving;

/// What the operator of the controller decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which Services are served.
    pub serving: Serving,
    /// Whether the API server knows `ipMode` of an ingress entry (1.29 and later).
    pub is_mode_known: bool,
    /// Most entries of `Eip.status.used`; the records beyond them go to blocks. At 8,000 a write is
    /// about 350 KB, a quarter of what an API server takes.
    pub cap: usize,
    /// Tells the moments of repeated attempts of several controllers apart, and seeds pools with the
    /// strategy `Random`.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            serving: Serving::default(),
            is_mode_known: false,
            cap: 8_000,
            seed: 0,
        }
    }
}
