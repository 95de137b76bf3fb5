//! Finds the current master through Sentinels.
//!
//! This follows the [guidelines for clients](https://redis.io/docs/latest/develop/reference/sentinel-clients/): a
//! Sentinel returns the master's address, and the server there must confirm its role. All Sentinels are queried
//! concurrently, so that a hanging one delays no other.

use std::fmt;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{IntoConnectionInfo, RedisConnectionInfo};
use tokio::task::JoinSet;
use url::Url;
use vigie_tls::TlsProblem;

use crate::endpoint::open;
use crate::error::Error;
use crate::greeting;
use crate::hosts::{self, Address};
use crate::tls::TlsFiles;

const PORT: u16 = 26379;

#[derive(Clone)]
pub(crate) struct Sentinels {
    /// Host and port of each.
    hosts: Vec<Address>,
    master: String,
    over_tls: bool,
    /// The login at the master.
    server: RedisConnectionInfo,
    /// The login at a Sentinel.
    sentinel: RedisConnectionInfo,
    names_database: bool,
}

impl Sentinels {
    /// `redis-sentinel://[user][:password@]host[:port],…/master[/database][?sentinel_password=…]`.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#'])?;
        let (authority, path) = rest.split_at(end);
        let (login, hosts) = hosts::authority(authority, PORT)?;
        // A later @ would show part of a password as a host.
        if path.contains('@') {
            return None;
        }
        // The rest is parsed as a URL with the first host only.
        let single = Url::parse(&format!("redis://{login}sentinel{path}")).ok()?;
        let mut segments = single.path_segments()?;
        let master = segments.next().filter(|master| !master.is_empty())?;
        let database = segments.next().unwrap_or_default();
        if segments.next().is_some() || single.fragment().is_some() {
            return None;
        }
        let mut server = single.clone();
        server.set_path(database);
        let server = server.into_connection_info().ok()?.redis_settings().clone();
        let mut sentinel = RedisConnectionInfo::default();
        for (key, value) in single.query_pairs() {
            match &*key {
                "sentinel_username" => sentinel = sentinel.set_username(value),
                "sentinel_password" => sentinel = sentinel.set_password(value),
                "protocol" => {}
                _ => return None,
            }
        }
        Some(Self {
            hosts,
            // Sentinel allows only letters, digits and .-_, so there is nothing to decode.
            master: master.to_owned(),
            over_tls: scheme == "rediss-sentinel",
            server,
            sentinel,
            names_database: !database.is_empty(),
        })
    }

    pub(crate) fn is_over_tls(&self) -> bool {
        self.over_tls
    }

    /// The database, if the address specifies one.
    pub(crate) fn database(&self) -> Option<i64> {
        self.names_database.then(|| self.server.db())
    }

    pub(crate) fn in_database(mut self, database: i64) -> Self {
        self.server = self.server.set_db(database);
        self.names_database = true;
        self
    }

    pub(crate) fn passwords(&self) -> [Option<&str>; 2] {
        [self.server.password(), self.sentinel.password()]
    }

    /// Connects to the first server that a Sentinel reports as master and that confirms this role.
    pub(crate) async fn connect(
        &self,
        tls: &TlsFiles,
        within: Duration,
    ) -> Result<MultiplexedConnection, Error> {
        // A hanging Sentinel must leave time for the others.
        let each = within.mul_f64(0.8);
        let mut asked = JoinSet::new();
        for at in &self.hosts {
            let (at, sentinels, tls) = (at.clone(), self.clone(), tls.clone());
            asked.spawn(async move {
                let led = sentinels.led_by(&at, &tls, each).await;
                led.map_err(|failed| Failed {
                    reason: format!("{} {}", hosts::name(&at), failed.reason),
                    ..failed
                })
            });
        }
        let mut tried = Vec::new();
        while let Some(led) = asked.join_next().await {
            match led {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(failed)) => tried.push(failed),
                Err(_) => {}
            }
        }
        tried.sort_by(|a, b| a.reason.cmp(&b.reason));
        Err(Error::NoMaster {
            name: self.master.clone(),
            tls: tried.iter().find_map(|failed| failed.tls),
            tried: tried.into_iter().map(|failed| failed.reason).collect(),
        })
    }

    async fn led_by(
        &self,
        at: &Address,
        tls: &TlsFiles,
        within: Duration,
    ) -> Result<MultiplexedConnection, Failed> {
        let failed = |error: Error| Failed::of("fails", &error);
        let asking = async {
            let info = hosts::info(at, self.over_tls, &self.sentinel).map_err(failed)?;
            let mut sentinel = open(&info, tls, within).await.map_err(failed)?;
            let mut ask = redis::cmd("SENTINEL");
            ask.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master);
            let answer: Option<Address> = ask
                .query_async(&mut sentinel)
                .await
                .map_err(|error| failed(Error::Redis(error)))?;
            let Some(master) = answer else {
                return Err(Failed::because("has no master of this name"));
            };
            let name = hosts::name(&master);
            let of_master = |error: Error| Failed::of(&format!("leads to {name}"), &error);
            let info = hosts::info(&master, self.over_tls, &self.server).map_err(of_master)?;
            let mut connection = open(&info, tls, within).await.map_err(of_master)?;
            match greeting::of(&mut connection).await.map_err(of_master)?.role {
                Some(role) if role != "master" => {
                    let reason = format!("leads to {name}, which is a {role}");
                    Err(Failed::because(reason))
                }
                _ => Ok(connection),
            }
        };
        tokio::time::timeout(within, asking)
            .await
            .unwrap_or_else(|_| {
                let reason = format!("gave no answer within {within:?}");
                Err(Failed::because(reason))
            })
    }
}

/// The reason why one Sentinel did not lead to the master.
struct Failed {
    reason: String,
    tls: Option<TlsProblem>,
}

impl Failed {
    fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            tls: None,
        }
    }

    fn of(words: &str, error: &Error) -> Self {
        Self {
            reason: format!("{words}: {error}"),
            tls: error.tls(),
        }
    }
}

impl fmt::Display for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hosts, database) = (hosts::names(&self.hosts), self.server.db());
        write!(f, "sentinel {hosts}/{}/{database}", self.master)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses() {
        let url = "rediss-sentinel://vigie:a%2Fb@h1:1,[::1]:2,h3/my-master/4?sentinel_password=s";
        let sentinels = Sentinels::parse(url).unwrap();
        assert_eq!(
            sentinels.to_string(),
            "sentinel h1:1,::1:2,h3:26379/my-master/4"
        );
        assert!(sentinels.is_over_tls());
        assert_eq!(sentinels.passwords(), [Some("a/b"), Some("s")]);
        assert_eq!(sentinels.server.username(), Some("vigie"));
        assert_eq!(sentinels.sentinel.db(), 0);

        let plain = Sentinels::parse("redis-sentinel://h/m").unwrap();
        assert_eq!(plain.to_string(), "sentinel h:26379/m/0");
        assert_eq!(plain.passwords(), [None, None]);
        for wrong in [
            "redis-sentinel://h",
            "redis-sentinel://h/",
            "redis-sentinel:///m",
            "redis-sentinel://h,/m",
            "redis-sentinel://h:x/m",
            "redis-sentinel://h/m/x",
            "redis-sentinel://h/m/0/0",
            "redis-sentinel://:12/34@h/m",
            "redis-sentinel://h/m?sentinel_pasword=x",
            "redis-sentinel://h/m#x",
        ] {
            assert!(Sentinels::parse(wrong).is_none(), "{wrong}");
        }
    }
}
