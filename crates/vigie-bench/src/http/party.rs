//! The parties: what is between the clients and the app, or beside them.

use std::path::Path;
use std::time::Duration;

use vigie_testkit::ports;

use super::haproxy::Haproxy;
use super::nginx::{Backend, Nginx};
use super::vigie::Vigie;
use crate::usage;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    /// The clients connect to the app.
    Direct,
    Nginx,
    Haproxy,
    Gateway,
    /// The clients connect to the app, and Vigie reads the packets.
    Capture,
}

impl Party {
    pub(super) const ALL: [Self; 5] = [
        Self::Direct,
        Self::Nginx,
        Self::Haproxy,
        Self::Gateway,
        Self::Capture,
    ];
    /// The parties that forward.
    pub(super) const PROXIES: [Self; 3] = [Self::Nginx, Self::Haproxy, Self::Gateway];

    pub(super) async fn start(self, vigie: &Path, app: &Backend) -> anyhow::Result<Running> {
        let port = match self {
            Self::Direct | Self::Capture => app.port,
            _ => ports::free(),
        };
        let program = match self {
            Self::Direct => Program::None,
            Self::Nginx => Program::Nginx(Nginx::proxy(port, app.port).await?),
            Self::Haproxy => Program::Haproxy(Haproxy::start(port, app.port).await?),
            Self::Gateway => Program::Vigie(Vigie::gateway(vigie, port, app.port).await?),
            Self::Capture => Program::Vigie(Vigie::capture(vigie, app.port).await?),
        };
        Ok(Running { port, program })
    }
}

enum Program {
    None,
    Nginx(Nginx),
    Haproxy(Haproxy),
    Vigie(Vigie),
}

/// A party that runs until it is dropped.
pub(super) struct Running {
    /// The port for clients.
    pub(super) port: u16,
    program: Program,
}

impl Running {
    fn process(&self) -> anyhow::Result<Option<u32>> {
        Ok(match &self.program {
            Program::None => None,
            Program::Nginx(nginx) => Some(nginx.worker()?),
            Program::Haproxy(haproxy) => Some(haproxy.process()),
            Program::Vigie(vigie) => Some(vigie.process()),
        })
    }

    /// The processor time of the party, without the app.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        match self.process()? {
            Some(process) => usage::cpu(process),
            None => Ok(Duration::ZERO),
        }
    }

    /// Resident bytes, without the app.
    pub(super) fn resident(&self) -> anyhow::Result<f64> {
        match self.process()? {
            Some(process) => Ok(usage::resident(process)? as f64),
            None => Ok(0.0),
        }
    }

    /// The number of requests that it has counted, if it is Vigie.
    pub(super) async fn counted(&self) -> anyhow::Result<Option<f64>> {
        match &self.program {
            Program::Vigie(vigie) => vigie.requests().await.map(Some),
            _ => Ok(None),
        }
    }
}
