//! The parts of an installation, each a file.

/// A part of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The definitions of our kinds.
    Definitions,
    /// The namespace.
    Namespace,
    /// Accounts and what they may do.
    Access,
    /// The controller.
    Controller,
    /// The speakers.
    Speaker,
    /// Who may reach the controller.
    Network,
    /// A speaker writes only of its own node.
    Guard,
    /// Metrics and alerts.
    Monitoring,
    /// The webhook.
    Webhook,
}

impl Part {
    /// All of them, in the order in which they are to be applied.
    pub const ALL: &[Self] = &[
        Self::Definitions,
        Self::Namespace,
        Self::Access,
        Self::Guard,
        Self::Controller,
        Self::Speaker,
        Self::Network,
        Self::Monitoring,
        Self::Webhook,
    ];

    /// Whether an installation is whole without it.
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Monitoring | Self::Webhook)
    }

    /// Name of its file.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Definitions => "definitions.yaml",
            Self::Namespace => "namespace.yaml",
            Self::Access => "access.yaml",
            Self::Controller => "controller.yaml",
            Self::Speaker => "speaker.yaml",
            Self::Network => "network.yaml",
            Self::Guard => "guard.yaml",
            Self::Monitoring => "monitoring.yaml",
            Self::Webhook => "webhook.yaml",
        }
    }
}
