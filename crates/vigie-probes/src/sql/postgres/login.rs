//! The login at PostgreSQL.

use std::net::IpAddr;

use super::keywords::Keywords;
use super::{dsn, tls, uri};
use crate::address::UrlError;
use crate::sql::parameters::wrong;
use crate::sql::stream::Place;
use crate::sql::tls::Policy;
use vigie_redis::redact::Secrets;

/// The maximum number of hosts.
const MOST: usize = 16;
const PORT: u16 = 5432;

/// The login.
pub(crate) struct Login {
    /// In the order in which they are tried; at least one.
    pub(super) servers: Vec<Server>,
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(crate) database: String,
    pub(super) application_name: String,
    pub(super) options: Option<String>,
    pub(super) tls: Policy,
    pub(super) binding: Binding,
    pub(super) wanted: Wanted,
}

/// One of the servers.
pub(crate) struct Server {
    pub(super) place: Place,
}

/// Whether the login is bound to the encrypted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    Never,
    IfPossible,
    Required,
}

/// The requested kind of server: `target_session_attrs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

impl Wanted {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "any" => Self::Any,
            "read-write" => Self::ReadWrite,
            "read-only" => Self::ReadOnly,
            "primary" => Self::Primary,
            "standby" => Self::Standby,
            "prefer-standby" => Self::PreferStandby,
            _ => return None,
        })
    }

    /// The kinds accepted in each pass over the servers.
    pub(super) fn passes(self) -> &'static [Self] {
        match self {
            Self::Any => &[Self::Any],
            Self::ReadWrite => &[Self::ReadWrite],
            Self::ReadOnly => &[Self::ReadOnly],
            Self::Primary => &[Self::Primary],
            Self::Standby => &[Self::Standby],
            Self::PreferStandby => &[Self::Standby, Self::Any],
        }
    }

    /// The query for the kind of a server, the expected result, and a description of the other kind.
    pub(super) fn question(self) -> Option<(&'static str, &'static str, &'static str)> {
        const READ_ONLY: &str = "SHOW transaction_read_only";
        const RECOVERY: &str = "SELECT pg_catalog.pg_is_in_recovery()";
        Some(match self {
            Self::Any | Self::PreferStandby => return None,
            Self::ReadWrite => (READ_ONLY, "off", "is read-only"),
            Self::ReadOnly => (READ_ONLY, "on", "is not read-only"),
            Self::Primary => (RECOVERY, "f", "is a standby"),
            Self::Standby => (RECOVERY, "t", "is not a standby"),
        })
    }
}

impl Login {
    /// Parses an address, and collects its secrets. `default_user` is used if it names no user.
    pub(crate) fn parse(
        text: &str,
        default_user: Option<String>,
    ) -> Result<(Self, Secrets), UrlError> {
        let keywords = match text.split_once("://") {
            Some((_, rest)) if !dsn::is_dsn(text) => uri::read(rest)?,
            _ if dsn::is_dsn(text) => dsn::read(text)?,
            _ => {
                let problem = "there is no // after the scheme";
                return Err(UrlError::Syntax(problem.into()));
            }
        };
        keywords.check()?;
        let owned = |key: &str| keywords.get(key).map(str::to_owned);
        let Some(user) = owned("user").or(default_user) else {
            let problem = "the address names no user, and the variable USER is not set";
            return Err(UrlError::Detail(problem.into()));
        };
        let wanted = keywords.get("target_session_attrs").unwrap_or("any");
        let unsupported = |key| wrong(key, "has a value that is not supported");
        let login = Self {
            servers: servers(&keywords)?,
            password: owned("password"),
            database: owned("dbname").unwrap_or_else(|| user.clone()),
            user,
            application_name: owned("application_name").unwrap_or_else(|| "vigie".to_owned()),
            options: owned("options"),
            tls: tls::policy(&keywords)?,
            binding: match keywords.get("channel_binding") {
                None | Some("prefer") => Binding::IfPossible,
                Some("disable") => Binding::Never,
                Some("require") => Binding::Required,
                Some(_) => return Err(unsupported("channel_binding")),
            },
            wanted: Wanted::parse(wanted).ok_or_else(|| unsupported("target_session_attrs"))?,
        };
        Ok((login, keywords.secrets))
    }

    /// `db.example:5432,10.0.0.2:5433`
    pub(crate) fn places(&self) -> String {
        let places = self.servers.iter().map(|server| server.place.to_string());
        places.collect::<Vec<_>>().join(",")
    }
}

/// The servers of `host=a,b hostaddr=… port=1,2`. A single port applies to all hosts.
fn servers(keywords: &Keywords) -> Result<Vec<Server>, UrlError> {
    let detail = |text: &str| UrlError::Detail(text.to_owned());
    let lists = ["host", "hostaddr", "port"].map(|key| keywords.list(key));
    let [hosts, addresses, ports] = &lists;
    let count = hosts.len().max(addresses.len()).max(1);
    if count > MOST {
        return Err(UrlError::Detail(format!("more than {MOST} hosts")));
    }
    let fits = |list: &[&str]| list.is_empty() || list.len() == count;
    if !fits(hosts) || !fits(addresses) || ports.len() > 1 && !fits(ports) {
        let text = "the parameters host, hostaddr and port name different numbers of servers";
        return Err(detail(text));
    }
    let server = |at: usize| {
        let port = ports.get(at).or(ports.first().filter(|_| ports.len() == 1));
        let port = match port.filter(|port| !port.is_empty()) {
            Some(port) => port.parse::<u16>().ok().filter(|port| *port > 0),
            None => Some(PORT),
        };
        let port = port.ok_or_else(|| detail("the port is not a number from 1 to 65535"))?;
        let address = addresses.get(at).filter(|address| !address.is_empty());
        let address = address.map(|address| address.parse::<IpAddr>()).transpose();
        let address = address.map_err(|_| wrong("hostaddr", "is not an IP address"))?;
        let host = hosts.get(at).map(|host| host.trim_matches(['[', ']']));
        let host = host.filter(|host| !host.is_empty());
        let place = match host {
            Some(directory) if directory.starts_with('/') => Place::Socket {
                path: format!("{}/.s.PGSQL.{port}", directory.trim_end_matches('/')).into(),
                shown: directory.to_owned(),
            },
            Some(host) if host.starts_with('@') => {
                return Err(detail(
                    "a socket in the abstract namespace is not supported",
                ));
            }
            _ => Place::Tcp {
                host: match (host, address) {
                    (Some(host), _) => host.to_owned(),
                    (None, Some(address)) => address.to_string(),
                    (None, None) => "localhost".to_owned(),
                },
                address,
                port,
            },
        };
        Ok(Server { place })
    };
    (0..count).map(server).collect()
}

#[cfg(test)]
mod tests;
