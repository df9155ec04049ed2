//! Acceptance cases and properties.
