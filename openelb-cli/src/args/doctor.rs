//! `openelb doctor`.

use clap::{Args as ClapArgs, Subcommand};

use super::ClusterArgs;

/// `openelb doctor …`.
#[derive(Debug, Subcommand)]
pub(crate) enum DoctorVerb {
    /// List what objects say that nobody stands behind: records without Services, addresses without
    /// records, finalizers and counts left over. Only reads.
    #[command(
        after_help = "What a controller is about to write is missing for a moment: only what is \
                            told twice is a leak. The exit status is 11 when there is any."
    )]
    Leaks(LeaksArgs),
}

/// `openelb doctor leaks`.
#[derive(Debug, ClapArgs)]
pub(crate) struct LeaksArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}
