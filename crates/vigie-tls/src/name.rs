//! Whether a certificate is for a host.

use rustls::pki_types::{IpAddr, ServerName};

use crate::x509::Certificate;

/// As libpq does it: the common name counts if there is no alternative name of the host's kind.
pub(crate) fn is_for(certificate: &Certificate<'_>, host: &ServerName<'_>) -> bool {
    let common_name = certificate.common_name;
    match host {
        ServerName::DnsName(host) if certificate.dns_names.is_empty() => {
            common_name.is_some_and(|name| matches(name, host.as_ref()))
        }
        ServerName::DnsName(host) => {
            let mut names = certificate.dns_names.iter();
            names.any(|name| matches(name, host.as_ref()))
        }
        ServerName::IpAddress(host) => {
            let bytes: &[u8] = match host {
                IpAddr::V4(address) => address.as_ref(),
                IpAddr::V6(address) => address.as_ref(),
            };
            match certificate.ip_addresses.is_empty() {
                true => {
                    let address = std::net::IpAddr::from(*host);
                    common_name.and_then(|name| name.parse().ok()) == Some(address)
                }
                false => certificate.ip_addresses.contains(&bytes),
            }
        }
        _ => false,
    }
}

/// A `*` stands for one whole label, the first (RFC 6125, section 6.4.3).
fn matches(pattern: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    match pattern.strip_prefix("*.") {
        Some(rest) => {
            let behind = host.split_once('.').map(|(_, behind)| behind);
            rest.contains('.') && behind.is_some_and(|behind| behind.eq_ignore_ascii_case(rest))
        }
        None => !pattern.is_empty() && pattern.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, host, expected) in [
            ("db.example.com", "DB.example.com", true),
            ("db.example.com", "db.example.com.", true),
            ("*.example.com", "db.example.com", true),
            ("*.example.com", "a.db.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.com", "example.com", false),
            ("d*.example.com", "db.example.com", false),
            ("*", "db", false),
            ("", "", false),
        ] {
            assert_eq!(matches(pattern, host), expected, "{pattern} {host}");
        }
    }
}
