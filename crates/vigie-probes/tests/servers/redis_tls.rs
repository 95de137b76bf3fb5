//! Redis over TLS, and behind a Sentinel.

use std::path::Path;

use vigie_probes::{Check as _, FailureKind, Redis};
use vigie_redis::{Endpoint, TlsFiles};
use vigie_testkit::{Certificates, Kind, Redis as Server, RedisOptions, Sentinel, ports};

use crate::watch::{failure, passes};

fn check(url: &str, tls: &TlsFiles) -> Redis {
    Redis::at("redis", Endpoint::new(url, tls.clone()).unwrap())
}

#[tokio::test]
async fn certificate_problems_are_reported() {
    let ca = Certificates::new().await.unwrap();
    let (certificate, key) = ca.issue("server", 2).await.unwrap();
    let port = ports::free();
    let mut args = vec!["--tls-port".to_owned(), port.to_string()];
    for (name, path) in [
        ("--tls-cert-file", certificate),
        ("--tls-key-file", key),
        ("--tls-ca-cert-file", ca.ca()),
    ] {
        args.extend([name.to_owned(), path.display().to_string()]);
    }
    let starting = Server::start_with(RedisOptions {
        password: Some("let-me-in".into()),
        args,
        ..RedisOptions::default()
    });
    let _server = starting.await.unwrap();
    let url = format!("rediss://:let-me-in@127.0.0.1:{port}");
    let client = Some(ca.issue("vigie", 2).await.unwrap());
    let trusting = TlsFiles {
        ca: Some(ca.ca()),
        client,
    };
    passes(&mut check(&url, &trusting)).await;

    let stranger = Certificates::new().await.unwrap();
    let wrong_ca = TlsFiles {
        ca: Some(stranger.ca()),
        ..trusting.clone()
    };
    let no_client = TlsFiles {
        client: None,
        ..trusting.clone()
    };
    let expired = TlsFiles {
        client: Some(ca.issue("late", -1).await.unwrap()),
        ..trusting.clone()
    };
    let gone = TlsFiles {
        ca: Some("/no/such/file".into()),
        ..trusting.clone()
    };
    for (tls, said, advice) in [
        (
            wrong_ca,
            "signed by a CA that is not trusted",
            "redis.ca_file",
        ),
        (
            no_client,
            "asks for a client certificate",
            "redis.cert_file",
        ),
        (expired, "client certificate has expired", "redis.cert_file"),
        (gone, "/no/such/file: No such file", "certificates"),
    ] {
        let failure = failure(&mut check(&url, &tls)).await;
        assert_eq!(failure.kind(), FailureKind::Tls, "{failure}");
        assert!(failure.text().contains(said), "{failure}");
        assert!(failure.advice().contains(advice), "{}", failure.advice());
        assert!(!failure.text().contains("let-me-in"), "{failure}");
    }

    // A replaced file is used from the next connection on.
    let renewed = TlsFiles {
        ca: Some(stranger.ca()),
        ..trusting
    };
    let mut renewed = check(&url, &renewed);
    failure(&mut renewed).await;
    std::fs::copy(ca.ca(), stranger.ca()).unwrap();
    passes(&mut renewed).await;
}

#[tokio::test]
async fn a_certificate_that_is_its_own_root_is_accepted() {
    let ca = Certificates::new().await.unwrap();
    let own = Kind {
        common_name: "redis",
        issuer: None,
        days: 2,
        extensions: "basicConstraints=critical,CA:TRUE\nsubjectAltName=IP:127.0.0.1",
    };
    let (certificate, key) = ca.make("own", own).await.unwrap();
    let port = ports::free();
    let args = [
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &certificate.display().to_string(),
        "--tls-key-file",
        &key.display().to_string(),
        "--tls-auth-clients",
        "no",
        "--tls-ca-cert-file",
        &certificate.display().to_string(),
    ];
    let starting = Server::start_with(RedisOptions {
        args: args.map(str::to_owned).to_vec(),
        ..RedisOptions::default()
    });
    let _server = starting.await.unwrap();
    let url = format!("rediss://127.0.0.1:{port}");
    let with = |ca| TlsFiles {
        ca: Some(ca),
        client: None,
    };
    passes(&mut check(&url, &with(certificate))).await;
    let refused = failure(&mut check(&url, &with(ca.ca()))).await;
    assert_eq!(refused.kind(), FailureKind::Tls);
    assert!(refused.text().contains("not trusted"), "{refused}");
    assert!(!refused.text().contains("Other"), "{refused}");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_fails_the_check_until_it_can() {
    let ca = Certificates::new().await.unwrap();
    let port = ports::free();
    let directives = ca.of_server("server", port).await.unwrap();
    let args = directives
        .into_iter()
        .flat_map(|(name, value)| [format!("--{name}"), value]);
    let starting = Server::start_with(RedisOptions {
        args: args.collect(),
        ..RedisOptions::default()
    });
    let _server = starting.await.unwrap();
    let (certificate, key) = ca.issue("vigie", 2).await.unwrap();
    let other_key = ca.issue("other", 2).await.unwrap().1;
    let directory = tempfile::tempdir().unwrap();
    let ours = directory.path().join("ours");
    let url = format!("rediss://127.0.0.1:{port}");
    let place = |file: &str| match file {
        "ca" => (ours.clone(), certificate.clone(), key.clone()),
        "certificate" => (ca.ca(), ours.clone(), key.clone()),
        _ => (ca.ca(), certificate.clone(), ours.clone()),
    };
    let fifo = |path: &Path| {
        rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RWXU).unwrap();
    };
    let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    type Make<'a> = &'a dyn Fn(&Path);
    let cases: [(&str, Make<'_>, &str); 8] = [
        ("ca", &|_| {}, "No such file"),
        (
            "ca",
            &|path| std::fs::create_dir(path).unwrap(),
            "not a regular file",
        ),
        ("ca", &fifo, "not a regular file"),
        (
            "ca",
            &|path| std::fs::write(path, bad).unwrap(),
            "cannot be understood",
        ),
        (
            "certificate",
            &|path| std::fs::write(path, "").unwrap(),
            "no certificate",
        ),
        ("key", &fifo, "not a regular file"),
        (
            "key",
            &|path| std::fs::write(path, "x").unwrap(),
            "no private key",
        ),
        (
            "key",
            &|path| assert!(std::fs::copy(&other_key, path).is_ok()),
            "not that of the client",
        ),
    ];
    for (file, make, reason) in cases {
        make(&ours);
        let (ca_file, certificate_file, key_file) = place(file);
        let tls = TlsFiles {
            ca: Some(ca_file),
            client: Some((certificate_file, key_file)),
        };
        let mut check = check(&url, &tls);
        let failed = failure(&mut check).await;
        assert_eq!(failed.kind(), FailureKind::Tls, "{failed}");
        assert!(failed.text().contains(reason), "{failed}");
        if ours.is_dir() {
            std::fs::remove_dir(&ours).unwrap();
        } else if ours.symlink_metadata().is_ok() {
            std::fs::remove_file(&ours).unwrap();
        }
        let well = match file {
            "ca" => ca.ca(),
            "certificate" => certificate.clone(),
            _ => key.clone(),
        };
        std::fs::copy(well, &ours).unwrap();
        passes(&mut check).await;
        std::fs::remove_file(&ours).unwrap();
    }
}

#[tokio::test]
async fn a_sentinel_leads_to_the_master_or_reports_the_reason() {
    let mut server = Server::start().await.unwrap();
    let sentinel = Sentinel::watch(server.port()).await.unwrap();
    let at = |master| format!("redis-sentinel://127.0.0.1:{}/{master}", sentinel.port());
    let mut known = check(&at("mymaster"), &TlsFiles::default());
    passes(&mut known).await;
    let target = format!("redis sentinel 127.0.0.1:{}/mymaster/0", sentinel.port());
    assert_eq!(known.target(), target);

    let unknown = failure(&mut check(&at("other"), &TlsFiles::default())).await;
    assert!(
        unknown.text().contains("has no master of this name"),
        "{unknown}"
    );
    server.kill9();
    let dead = failure(&mut known).await;
    let place = format!("leads to 127.0.0.1:{}", server.port());
    assert!(dead.text().contains(&place), "{dead}");
}

#[tokio::test]
async fn server_and_sentinel_have_separate_passwords() {
    let starting = Server::start_with(RedisOptions {
        password: Some("let-me-in".into()),
        ..RedisOptions::default()
    });
    let server = starting.await.unwrap();
    let sentinel = Sentinel::watch(server.port()).await.unwrap();
    let gate = ["ACL", "SETUSER", "default", "resetpass", ">gate-keeper"];
    sentinel.cli(&gate).await.unwrap();
    let at = |login: &str, query: &str| {
        let port = sentinel.port();
        let url = format!("redis-sentinel://{login}127.0.0.1:{port}/mymaster{query}");
        check(&url, &TlsFiles::default())
    };
    let own = "?sentinel_password=gate-keeper";
    passes(&mut at(":let-me-in@", own)).await;
    for (login, query, said) in [
        ("", own, "NOAUTH"),
        (":let-me-in@", "", "NOAUTH"),
        (":wrong-word@", own, "leads to"),
        (":let-me-in@", "?sentinel_password=wrong-word", "fails"),
    ] {
        let failure = failure(&mut at(login, query)).await;
        let text = failure.text();
        assert!(text.contains(said), "{text}");
        for secret in ["let-me-in", "gate-keeper", "wrong-word"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
