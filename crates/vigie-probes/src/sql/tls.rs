//! Whether a connection to a database is encrypted.

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
    /// Only if the server refuses a connection that is not.
    IfRefused,
    /// If the server can do it, and it works.
    IfPossible,
    Always,
}
