//! TLS policies of database connections.

use vigie_tls::{Prepared, Tls};

use super::error::Error;
use super::stream::Place;

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

impl Policy {
    /// Whether a connection to this place is encrypted: never over a Unix socket.
    pub(super) fn demand_at(&self, place: &Place) -> Demand {
        match place.host() {
            Some(_) => self.demand,
            None => Demand::Never,
        }
    }

    /// Reads the certificates, if the connection is to be encrypted from the start. Returns them with the name of the host.
    pub(super) async fn prepare<'a>(
        &self,
        demand: Demand,
        place: &'a Place,
    ) -> Result<Option<(Prepared, &'a str)>, Error> {
        Ok(match (demand, place.host()) {
            (Demand::IfPossible | Demand::Always, Some(host)) => {
                Some((self.tls.prepare().await?, host))
            }
            _ => None,
        })
    }
}
