//! `postgresql://user:password@host:port,host:port/database?parameters` (PostgreSQL's documentation, section 34.1.1.2).

use super::keywords::Keywords;
use crate::address::{UrlError, decode};

/// Parses the text after `://`.
pub(super) fn read(rest: &str) -> Result<Keywords, UrlError> {
    let syntax = |text: &str| Err(UrlError::Syntax(text.to_owned()));
    if rest.contains('#') {
        return syntax("there is a #");
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    // In `postgres://user:12/34@host`, `12` would be parsed as a port, though it is part of the password.
    let keys = || query.split('&').map(|pair| pair.split('=').next());
    if database.contains('@') || keys().flatten().any(|key| key.contains('@')) {
        return syntax("there is an @ behind the host");
    }
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let mut keywords = Keywords::default();
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    if !user.is_empty() {
        keywords.set("user", decode(user));
    }
    if !password.is_empty() {
        keywords.secrets.add(password);
        keywords.set("password", decode(password));
    }
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',') {
        let Some((name, port)) = split_port(host) else {
            return syntax("the host or its port is malformed");
        };
        names.push(name);
        ports.push(port);
    }
    if names.iter().any(|name| !name.is_empty()) {
        keywords.set("host", names.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        keywords.set("port", ports.join(","));
    }
    if !database.is_empty() {
        keywords.set("dbname", decode(database));
    }
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        keywords.set(&key, value.into_owned());
    }
    Ok(keywords)
}

/// A host name, and its port if there is one. An IPv6 address is in brackets.
fn split_port(host: &str) -> Option<(String, &str)> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']')?;
            name.parse::<std::net::Ipv6Addr>().ok()?;
            (
                name,
                rest.strip_prefix(':')
                    .or(Some(rest).filter(|rest| rest.is_empty()))?,
            )
        }
        None => host.split_once(':').unwrap_or((host, "")),
    };
    if !port.is_empty() && port.parse::<u16>().is_err() {
        return None;
    }
    let name = decode(name);
    let is_plain = |c: char| c.is_alphanumeric() || "._-:".contains(c);
    (name.starts_with('/') || name.chars().all(is_plain)).then_some((name, port))
}
