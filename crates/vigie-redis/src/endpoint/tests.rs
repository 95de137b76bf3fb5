#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn addresses() {
    for (url, shown) in [
        ("redis://127.0.0.1", "127.0.0.1:6379/0"),
        ("redis://u:p@h:1/5", "h:1/5"),
        ("rediss://[::1]:7", "::1:7/0"),
        ("unix:///run/redis.sock", "/run/redis.sock/0"),
        ("redis+unix:///run/r.sock?db=2&pass=secret", "/run/r.sock/2"),
        ("rediss-cluster://u:p@h:1,i", "cluster h:1,i:6379"),
    ] {
        let endpoint = Endpoint::new(url, TlsFiles::default()).unwrap();
        assert_eq!(endpoint.to_string(), shown);
        assert_eq!(endpoint.is_over_tls(), url.starts_with("rediss"));
    }
}

#[test]
fn malformed_addresses_are_not_repeated() {
    for (url, expected) in [
        ("http://h", UrlError::Scheme),
        ("", UrlError::Scheme),
        ("redis://u:12/34@h", UrlError::Server),
        ("redis://u:12?34@h", UrlError::Server),
        ("redis://u:12?3=4@h", UrlError::Server),
        ("redis://u:12#34@h", UrlError::Server),
        ("valkey://h/5", UrlError::Scheme),
        ("redis://h/secret", UrlError::Server),
        ("redis://", UrlError::Server),
        ("rediss://u:p@/0", UrlError::Server),
        ("redis-sentinel://:secret@h", UrlError::Sentinels),
        ("redis-cluster://:secret@h/1", UrlError::Cluster),
    ] {
        let error = Endpoint::new(url, TlsFiles::default()).unwrap_err();
        assert_eq!(error, expected, "{url}");
    }
}

#[test]
fn parameters_are_applied() {
    for (url, shown, user, password) in [
        ("redis://h:6379?db=2", "h:6379/2", None, None),
        ("redis://h/2?db=2", "h:6379/2", None, None),
        ("redis://h/?db=2&connectTimeout=5", "h:6379/2", None, None),
        (
            "redis://h?username=u&password=p%2F1",
            "h:6379/0",
            Some("u"),
            Some("p/1"),
        ),
        (
            "redis://:p%40@h?db=3&tls=false",
            "h:6379/3",
            None,
            Some("p@"),
        ),
        (
            "rediss://u:p@[::1]:7?tls=true",
            "::1:7/0",
            Some("u"),
            Some("p"),
        ),
        (
            "unix:///s?db=4&username=u&password=p",
            "/s/4",
            Some("u"),
            Some("p"),
        ),
        ("unix:///s?db=4&user=u&pass=p", "/s/4", Some("u"), Some("p")),
    ] {
        let endpoint = Endpoint::new(url, TlsFiles::default()).unwrap();
        assert_eq!(endpoint.to_string(), shown, "{url}");
        let Place::Server(server) = &endpoint.place else {
            panic!("{url} is not a server");
        };
        let settings = server.info.redis_settings();
        assert_eq!(settings.username(), user, "{url}");
        assert_eq!(settings.password(), password, "{url}");
        assert_eq!(endpoint.database().is_some(), url.contains("db="), "{url}");
    }
}

#[test]
fn other_parameters_are_errors_that_name_them() {
    for (url, expected) in [
        (
            "redis://h/1?db=2",
            "db contradicts another part of the address",
        ),
        (
            "redis://h?db=1&db=2",
            "db contradicts another part of the address",
        ),
        ("redis://h?db=secret", "db must be a number"),
        ("redis://h?db=-1", "db must be a number"),
        (
            "redis://u:p@h?username=v",
            "username contradicts another part of the address",
        ),
        (
            "redis://u:p@h?password=v",
            "password contradicts another part of the address",
        ),
        (
            "redis://h?tls=true",
            "tls is not supported: TLS is chosen by rediss://",
        ),
        (
            "rediss://h?ssl=false",
            "ssl is not supported: TLS is chosen by rediss://",
        ),
        (
            "redis://h?family=6",
            "family is not supported: use an IP address as host",
        ),
        ("redis://h?keyPrefix=secret", "keyPrefix is unknown"),
        ("redis://h?ssl_cert_reqs=none", "ssl_cert_reqs is unknown"),
        ("redis://h?a%20b=secret", "? is unknown"),
        ("unix:///s?path=/t", "path is unknown"),
    ] {
        let error = Endpoint::new(url, TlsFiles::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the parameter {expected}"),
            "{url}"
        );
    }
}

#[test]
fn databases() {
    for (url, named, shown) in [
        ("redis://h", None, "h:6379/3"),
        ("redis://h/", None, "h:6379/3"),
        ("redis://h/0", Some(0), "h:6379/3"),
        ("unix:///s", None, "/s/3"),
        ("unix:///s?db=2", Some(2), "/s/3"),
        ("redis-sentinel://h/m", None, "sentinel h:26379/m/3"),
        ("redis-sentinel://h/m/0", Some(0), "sentinel h:26379/m/3"),
        ("redis-cluster://h", None, "cluster h:6379"),
    ] {
        let endpoint = Endpoint::new(url, TlsFiles::default()).unwrap();
        assert_eq!(endpoint.database(), named, "{url}");
        let other = endpoint.clone().or_in_database(Some(3));
        let kept = named.or((!endpoint.is_cluster()).then_some(3));
        assert_eq!(other.database(), kept, "{url}");
        let third = endpoint.in_database(3);
        assert_eq!(third.to_string(), shown, "{url}");
        assert_eq!(
            third.database(),
            (!third.is_cluster()).then_some(3),
            "{url}"
        );
    }
}

#[tokio::test]
async fn an_address_is_read_until_it_can_be_used() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let late = Endpoint::late("the address in /url", move || {
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Err("/url: no such file".to_owned()),
            _ => Ok(Endpoint::new("redis://:secret@h", TlsFiles::default()).unwrap()),
        }
    });
    let late = late.or_in_database(Some(3));
    let copy = late.clone();
    assert_eq!(late.to_string(), "the address in /url");
    assert!(late.is_unknown() && late.scout().is_none() && late.passwords().next().is_none());
    let within = Duration::from_secs(60);
    let error = late.connect(within).await.err().unwrap();
    assert_eq!(error.to_string(), "/url: no such file");
    assert_eq!(late.find().await.unwrap().to_string(), "h:6379/3");
    // Read once for all clones, and never again.
    assert_eq!(copy.find().await.unwrap().database(), Some(3));
    assert_eq!(copy.to_string(), "h:6379/3");
    assert_eq!(copy.passwords().collect::<Vec<_>>(), ["secret"]);
    assert_eq!(reads.load(Ordering::SeqCst), 2);
    let cluster = Endpoint::late("later", || {
        Endpoint::new("redis-cluster://h", TlsFiles::default()).map_err(|error| error.to_string())
    });
    assert!(!cluster.is_cluster());
    cluster.find().await.unwrap();
    assert!(cluster.is_cluster() && cluster.scout().is_some());
}

proptest::proptest! {
    #[test]
    fn any_text_is_accepted_or_refused(
        text in "(redis|rediss|unix|redis-sentinel|redis-cluster)://.{0,40}",
        password in "[A-Z]{8}",
    ) {
        let _ = Endpoint::new(&text, TlsFiles::default());
        let rest = text.split_once("://").unwrap().1;
        for scheme in ["redis-sentinel", "redis-cluster"] {
            let url = format!("{scheme}://:{password}@{rest}");
            if let Ok(endpoint) = Endpoint::new(&url, TlsFiles::default()) {
                assert!(!endpoint.to_string().contains(&password));
            }
        }
    }
}
