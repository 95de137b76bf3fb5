//! Lists of hosts in addresses.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};
use url::Url;

use crate::error::Error;

/// The maximum number of hosts.
const MOST: usize = 32;

/// Host and port.
pub(crate) type Address = (String, u16);

/// `[login@]host[:port],host[:port]…`: the login with its `@`, and the hosts.
pub(crate) fn authority(text: &str, port: u16) -> Option<(String, Vec<Address>)> {
    let (login, hosts) = match text.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), text),
    };
    let hosts = hosts.split(',').take(MOST + 1);
    let hosts: Option<Vec<_>> = hosts.map(|text| host(text, port)).collect();
    let hosts = hosts.filter(|hosts| hosts.len() <= MOST)?;
    Some((login, hosts))
}

/// `host[:port]`; an IPv6 address is in brackets.
fn host(text: &str, default: u16) -> Option<Address> {
    let url = Url::parse(&format!("redis://{text}")).ok()?;
    let bare = matches!(url.path(), "" | "/") && url.username().is_empty();
    let host = url.host_str().filter(|host| bare && !host.is_empty())?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let port = url.port().unwrap_or(default);
    (port > 0).then_some((host, port))
}

/// `host:port`.
pub(crate) fn name((host, port): &Address) -> String {
    format!("{host}:{port}")
}

/// `host:port,host:port…`.
pub(crate) fn names(all: &[Address]) -> String {
    all.iter().map(name).collect::<Vec<_>>().join(",")
}

/// The connection parameters of one host.
pub(crate) fn info(
    (host, port): &Address,
    over_tls: bool,
    login: &RedisConnectionInfo,
) -> Result<ConnectionInfo, Error> {
    let addr = match over_tls {
        true => ConnectionAddr::TcpTls {
            host: host.clone(),
            port: *port,
            insecure: false,
            tls_params: None,
        },
        false => ConnectionAddr::Tcp(host.clone(), *port),
    };
    let info = addr.into_connection_info().map_err(Error::Redis)?;
    Ok(info.set_redis_settings(login.clone()))
}
