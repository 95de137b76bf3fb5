//! The hosts of a libpq URL: none, one, or several that are tried in their order.

use url::Url;

use crate::address::{self, UrlError};

/// More hosts than a cluster has.
const MOST: usize = 16;

/// One URL per host. A host is missing when it is in the parameters, as in `postgresql://u:p@/db?host=/run`.
pub(super) fn each(text: &str) -> Result<Vec<Url>, UrlError> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(vec![address::parse(text)?]);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let at = authority.rfind('@').map_or(0, |at| at + 1);
    let (login, hosts) = authority.split_at(at);
    let mut urls = Vec::new();
    for host in hosts.split(',').take(MOST + 1) {
        let local = match host.is_empty() || host.starts_with(':') {
            true => "localhost",
            false => "",
        };
        let url = address::parse(&format!("{scheme}://{login}{local}{host}{rest}"))?;
        urls.extend(each_parameter(&url)?);
    }
    match urls.len() {
        1..=MOST => Ok(urls),
        _ => Err(UrlError::Detail(format!("more than {MOST} hosts"))),
    }
}

/// One URL per host of `?host=a,b&port=1,2`. One port stands for all hosts.
fn each_parameter(url: &Url) -> Result<Vec<Url>, UrlError> {
    let list = |name: &str| -> Vec<String> {
        let value = url.query_pairs().find(|(key, _)| key == name);
        let value = value.map(|(_, value)| value.into_owned());
        let split = |value: String| value.split(',').map(str::to_owned).collect();
        value.map(split).unwrap_or_default()
    };
    let (hosts, ports) = (list("host"), list("port"));
    if hosts.len() < 2 && ports.len() < 2 {
        return Ok(vec![url.clone()]);
    }
    if ports.len() > 1 && ports.len() != hosts.len() {
        let text = "the parameters host and port name different numbers of servers";
        return Err(UrlError::Detail(text.into()));
    }
    let one = |(at, host): (usize, &String)| {
        let mut one = url.clone();
        one.set_query(None);
        let port = ports.get(at).or(ports.first());
        for (key, value) in url.query_pairs() {
            let value = match &*key {
                "host" => host,
                "port" => port.map_or(&*value, String::as_str),
                _ => &*value,
            };
            one.query_pairs_mut().append_pair(&key, value);
        }
        one
    };
    Ok(hosts.iter().enumerate().take(MOST + 1).map(one).collect())
}
