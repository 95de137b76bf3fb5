//! Addresses: of listeners, servers, networks and pages.

use std::net::{IpAddr, SocketAddr};

use http::uri::{Authority, Scheme, Uri};
use ipnet::IpNet;
use url::Url;
use vigie_gateway::metrics::APPS;
use vigie_redis::{Endpoint, TlsFiles, UrlError};

use super::{Parsed, list, parse_text, refused, wrong};
use crate::given::{Given, Value};
use crate::settings::Engine;

const WITHOUT_QUOTES: &str = "an address without quotes around it";
const QUEUE_LINK: &str = "an address with {queue} after the host, like https://bull.example.org/queue/{queue}, without credentials";

/// An address to listen on. Names are not resolved, so that a file has the same meaning on every machine.
pub(crate) fn listen(given: &Given) -> Parsed<SocketAddr> {
    let accepted = "an IP address with a port, like 127.0.0.1:9850 or [::]:9850";
    parse_text(given, accepted)
}

/// `http://HOST[:PORT]`, as an authority with an explicit port.
pub(crate) fn origin(given: &Given) -> Parsed<Authority> {
    let accepted = "the app's address without a path, like http://127.0.0.1:3000";
    let Ok(uri) = trimmed(given)?.parse::<Uri>() else {
        return wrong(accepted);
    };
    if uri.scheme() == Some(&Scheme::HTTPS) {
        return wrong("an address with http://: TLS to the app is not supported");
    }
    let bare = uri.scheme() == Some(&Scheme::HTTP)
        && matches!(uri.path(), "" | "/")
        && uri.query().is_none();
    match uri.authority() {
        Some(app) if bare && !app.as_str().contains('@') && app.port_u16() != Some(0) => {
            let port = app.port_u16().unwrap_or(80);
            format!("{}:{port}", app.host())
                .parse()
                .or_else(|_| wrong(accepted))
        }
        _ => wrong(accepted),
    }
}

/// One [`origin`] or a list of them.
pub(crate) fn origins(given: &Given) -> Parsed<Vec<Authority>> {
    let is_list = match &given.value {
        Value::List(_) => true,
        Value::Untyped(text) => text.contains(','),
        _ => false,
    };
    if !is_list {
        return origin(given).map(|app| vec![app]);
    }
    let apps = list(APPS, origin)(given)?;
    let is_repeated = (1..apps.len()).any(|at| apps[..at].contains(&apps[at]));
    match apps.is_empty() || is_repeated {
        true => wrong("one address or several different ones"),
        false => Ok(apps),
    }
}

/// A host name without a port.
pub(crate) fn host(given: &Given) -> Parsed<String> {
    let text = given.text().unwrap_or_default().trim();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match text.chars().all(is_allowed) && (1..=253).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => wrong("the name of a host without a port, like vigie.example.org"),
    }
}

/// The address of a page, without a query and without credentials.
pub(crate) fn page_url(given: &Given) -> Parsed<String> {
    let accepted = "an address like https://vigie.example.org/vigie, without credentials and query";
    let text = trimmed(given)?;
    let Ok(uri) = text.parse::<Uri>() else {
        return wrong(accepted);
    };
    let is_web = uri.scheme() == Some(&Scheme::HTTP) || uri.scheme() == Some(&Scheme::HTTPS);
    let authority = uri.authority().map_or("", Authority::as_str);
    match is_web && uri.query().is_none() && !authority.contains('@') && !text.contains('#') {
        true => Ok(text.trim_end_matches('/').to_owned()),
        false => wrong(accepted),
    }
}

/// The address of a page about a queue, with `{queue}` in the place of its name.
pub(crate) fn queue_link(given: &Given) -> Parsed<String> {
    let text = trimmed(given)?;
    let of = |name: &str| Url::parse(&text.replace("{queue}", name)).ok();
    let (Some(one), Some(other)) = (of("a"), of("b")) else {
        return wrong(QUEUE_LINK);
    };
    let is_web = matches!(one.scheme(), "http" | "https") && one.has_host();
    let is_bare = one.username().is_empty() && one.password().is_none();
    let differs_after_host = one != other && one.origin() == other.origin();
    let has_others = text.replace("{queue}", "").contains(['{', '}']);
    match is_web && is_bare && differs_after_host && !has_others {
        true => Ok(text.to_owned()),
        false => wrong(QUEUE_LINK),
    }
}

/// A network; an address alone is a network of one address.
pub(crate) fn network(given: &Given) -> Parsed<IpNet> {
    let accepted = "a network, like 10.0.0.0/8, or an IP address";
    match parse_text::<IpAddr>(given, accepted) {
        Ok(address) => Ok(address.into()),
        Err(_) => parse_text(given, accepted),
    }
}

/// Whether quotes are part of the value: `docker run --env-file` and Secrets keep them.
fn is_quoted(text: &str) -> bool {
    text.starts_with(['"', '\''])
}

/// An address without surrounding whitespace: files, Secrets and variables often end with a newline.
fn trimmed(given: &Given) -> Parsed<&str> {
    let text = given.text().unwrap_or_default().trim();
    if is_quoted(text) {
        return wrong(WITHOUT_QUOTES);
    }
    match text.contains(char::is_whitespace) {
        true => wrong("an address without whitespace; in a password, write a space as %20"),
        false => Ok(text),
    }
}

fn begins_with_scheme(text: &str) -> bool {
    let of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.chars().all(of_scheme))
}

/// The address of the database. The error never quotes the value.
pub(crate) fn database_address(given: &Given) -> Parsed<(String, Engine)> {
    // Only the keywords of libpq are separated by spaces.
    let text = match given.text().map(str::trim) {
        Some(text) if is_quoted(text) => return wrong(WITHOUT_QUOTES),
        Some(text) if !begins_with_scheme(text) => text,
        _ => trimmed(given)?,
    };
    let engine = match text.split_once(':').map_or("", |(scheme, _)| scheme) {
        "mysql" | "mariadb" => Engine::MySql,
        "sqlite" | "file" => Engine::Sqlite,
        // The keywords of libpq have no scheme.
        _ => Engine::Postgres,
    };
    match vigie_probes::Sql::new("database", text) {
        Ok(_) => Ok((text.to_owned(), engine)),
        Err(vigie_probes::UrlError::Scheme(_)) => wrong(
            "an address that starts with postgres: or postgresql: or mysql: or mariadb: or sqlite: or file:, \
             like postgres://USER:PASSWORD@127.0.0.1:5432/NAME, or one like host=HOST user=USER dbname=NAME",
        ),
        Err(vigie_probes::UrlError::Syntax(_)) => wrong(
            "an address like postgres://USER:PASSWORD@127.0.0.1:5432/NAME; \
             in a password, write / as %2F, # as %23, @ as %40, % as %25",
        ),
        Err(error) => refused(error.to_string()),
    }
}

/// The address of Redis. The error is one of a few fixed texts, none of which quotes the value.
pub(crate) fn redis_address(given: &Given) -> Parsed<Endpoint> {
    let text = trimmed(given)?;
    match Endpoint::new(text, TlsFiles::default()) {
        Ok(endpoint) => Ok(endpoint),
        Err(error @ UrlError::Parameter { .. }) => refused(error.to_string()),
        Err(UrlError::Sentinels) => wrong(
            "an address like redis-sentinel://:PASSWORD@HOST:PORT,HOST:PORT/MASTER/DATABASE; \
             in a password, write / as %2F, # as %23, @ as %40, % as %25",
        ),
        Err(UrlError::Cluster) => wrong(
            "an address like redis-cluster://:PASSWORD@HOST:PORT,HOST:PORT without a database; \
             in a password, write / as %2F, # as %23, @ as %40, % as %25",
        ),
        Err(UrlError::Scheme) => wrong(
            "an address that starts with redis: or rediss: or unix: or redis+unix: or redis-sentinel: or \
             rediss-sentinel: or redis-cluster: or rediss-cluster:, like redis://127.0.0.1:6379",
        ),
        _ => wrong(
            "an address like redis://127.0.0.1:6379/0; \
             in a password, write / as %2F, # as %23, @ as %40, % as %25",
        ),
    }
}
