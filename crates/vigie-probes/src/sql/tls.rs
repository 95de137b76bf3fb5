//! TLS policies of database connections.

use vigie_tls::Tls;

/// Whether a connection is encrypted, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) demand: Demand,
    pub(super) tls: Tls,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    Never,
    /// Only if the server refuses an unencrypted connection.
    IfRefused,
    /// If the server supports it and the handshake succeeds.
    IfPossible,
    Always,
}
