//! Capabilities (RFC 5492).
