//! Certificates of every kind, as OpenSSL, Node.js and this crate judge them.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;
use vigie_testkit::{Certificates, Kind, SOON, Script, TlsServer};
use vigie_tls::{Pem, Tls, TlsProblem, Verify};

const WITHIN: Duration = SOON;
const NAMED: &str = "subjectAltName=IP:127.0.0.1,DNS:db.test,DNS:*.wild.test";

async fn verdict(port: u16, roots: &Path, host: &str, verify: Verify) -> Option<TlsProblem> {
    let tls = Tls {
        roots: Some(Pem::File(roots.to_owned())),
        client: None,
        verify,
    };
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    match tls.prepare().await.unwrap().connect(host, stream).await {
        Ok(_) => None,
        Err(error) => Some(error.problem().unwrap_or_else(|| panic!("{error:?}"))),
    }
}

async fn is_trusted_by_node(port: u16, roots: &Path, host: &str) -> bool {
    let arguments = [port.to_string(), host.into(), roots.display().to_string()];
    let script = Script::new("testing/trust.js").args(arguments);
    let told = script.spawn().unwrap().next_json(WITHIN).await.unwrap();
    told["trusted"].as_bool().unwrap()
}

struct Case<'a> {
    name: &'a str,
    made: (PathBuf, PathBuf),
    between: Option<PathBuf>,
    roots: PathBuf,
    host: &'a str,
    expected: Option<TlsProblem>,
}

#[tokio::test]
async fn are_judged_as_openssl_and_node_judge_them() {
    let ca = Certificates::new().await.unwrap();
    let make = async |name: &str, common_name: &str, issuer, days, extensions: &str| {
        let kind = Kind {
            common_name,
            issuer,
            days,
            extensions,
        };
        ca.make(name, kind).await.unwrap()
    };
    let of_ca = format!("basicConstraints=critical,CA:TRUE\n{NAMED}");
    let below = Some("ca");
    let own_root = make("own", "db", None, 2, &of_ca).await;
    let own_leaf = make("leaf", "db", None, 2, NAMED).await;
    let own_v1 = make("v1", "db.test", None, 2, "").await;
    let own_expired = make("late", "db", None, -1, &of_ca).await;
    let signed_v1 = make("signed-v1", "db.test", below, 2, "").await;
    let signed_ca = make("signed-ca", "db", below, 2, &of_ca).await;
    let expired = make("expired", "db", below, -1, NAMED).await;
    let signed = make("signed", "db", below, 2, NAMED).await;
    let common_name = make("cn", "db.test", below, 2, "basicConstraints=CA:FALSE").await;
    let for_clients = format!("extendedKeyUsage=clientAuth\n{NAMED}");
    let for_clients = make("client", "db", below, 2, &for_clients).await;
    let constraints = "basicConstraints=critical,CA:TRUE";
    let middle = make("middle", "middle", below, 2, constraints).await.0;
    let chained = make("chained", "db", Some("middle"), 2, NAMED).await;
    let old_ca = make("old-ca", "old ca", None, -1, constraints).await.0;
    let below_old = make("below-old", "db", Some("old-ca"), 2, NAMED).await;
    let critical = format!("1.2.3.4=critical,ASN1:NULL\n{NAMED}");
    let critical = make("critical", "db", below, 2, &critical).await;
    let constrained = format!("{constraints}\nnameConstraints=critical,permitted;DNS:other.test");
    let constrained = make("constrained", "other ca", None, 2, &constrained).await;
    let constrained = constrained.0;
    let below_constrained = Some("constrained");
    let outside = make("outside", "db", below_constrained, 2, NAMED).await;
    let outside_v1 = make("outside-v1", "db.test", below_constrained, 2, "").await;
    let outside_ca = make("outside-ca", "db", below_constrained, 2, &of_ca).await;
    let stranger = make("stranger", "db", None, 2, &of_ca).await;

    let root = ca.ca();
    let (ip, dns) = ("127.0.0.1", "db.test");
    let case = |name, made: &(PathBuf, PathBuf), roots: &PathBuf, host, expected| Case {
        name,
        made: made.clone(),
        between: None,
        roots: roots.clone(),
        host,
        expected,
    };
    use TlsProblem::{CaExpired, Certificate, Expired, OtherHost, OtherPurpose, UnknownCa};
    let mut cases = vec![
        case("its own root, a CA's", &own_root, &own_root.0, ip, None),
        case("its own root, by name", &own_root, &own_root.0, dns, None),
        case("its own root, a leaf", &own_leaf, &own_leaf.0, ip, None),
        case("its own root, version 1", &own_v1, &own_v1.0, dns, None),
        case(
            "its own root, other name",
            &own_root,
            &own_root.0,
            "x.test",
            Some(OtherHost),
        ),
        case(
            "its own root, expired",
            &own_expired,
            &own_expired.0,
            ip,
            Some(Expired),
        ),
        case(
            "another's root",
            &stranger,
            &own_root.0,
            ip,
            Some(UnknownCa),
        ),
        case("signed", &signed, &root, ip, None),
        case("signed, wildcard", &signed, &root, "a.wild.test", None),
        case(
            "signed, other name",
            &signed,
            &root,
            "x.test",
            Some(OtherHost),
        ),
        case(
            "signed, by a stranger",
            &signed,
            &stranger.0,
            ip,
            Some(UnknownCa),
        ),
        case("signed, version 1", &signed_v1, &root, dns, None),
        case(
            "version 1, other name",
            &signed_v1,
            &root,
            "x.test",
            Some(OtherHost),
        ),
        case(
            "version 1, by a stranger",
            &signed_v1,
            &stranger.0,
            dns,
            Some(UnknownCa),
        ),
        case("signed, a CA's", &signed_ca, &root, ip, None),
        case("signed, expired", &expired, &root, ip, Some(Expired)),
        case("a common name only", &common_name, &root, dns, None),
        case(
            "for clients only",
            &for_clients,
            &root,
            ip,
            Some(OtherPurpose),
        ),
        case(
            "without the one between",
            &chained,
            &root,
            ip,
            Some(UnknownCa),
        ),
        case("an expired root", &below_old, &old_ca, ip, Some(CaExpired)),
        case(
            "a critical extension that is not known",
            &critical,
            &root,
            ip,
            Some(Certificate),
        ),
        case(
            "a name that the root excludes",
            &outside,
            &constrained,
            dns,
            Some(Certificate),
        ),
        case(
            "a name that the root excludes, version 1",
            &outside_v1,
            &constrained,
            dns,
            Some(UnknownCa),
        ),
        case(
            "a name that the root excludes, a CA's",
            &outside_ca,
            &constrained,
            dns,
            Some(UnknownCa),
        ),
    ];
    cases.push(Case {
        between: Some(middle.clone()),
        ..case("with the one between", &chained, &root, ip, None)
    });
    for case in &cases {
        let (certificate, key) = &case.made;
        let starting = TlsServer::start(certificate, key, case.between.as_deref());
        let server = starting.await.unwrap();
        let (name, roots, host) = (case.name, &case.roots, case.host);
        let found = verdict(server.port(), roots, host, Verify::ChainAndName).await;
        assert_eq!(found, case.expected, "{name}");
        let by_openssl = server.is_trusted_by_openssl(roots, host).await.unwrap();
        assert_eq!(by_openssl, case.expected.is_none(), "{name}: openssl");
        let by_node = is_trusted_by_node(server.port(), roots, host).await;
        assert_eq!(by_node, case.expected.is_none(), "{name}: node");
        // Without the name, and without any verification.
        let chain = verdict(server.port(), roots, host, Verify::Chain).await;
        let expected = case.expected.filter(|problem| *problem != OtherHost);
        assert_eq!(chain, expected, "{name}: chain");
        let nothing = verdict(server.port(), roots, host, Verify::Nothing).await;
        assert_eq!(nothing, None, "{name}: nothing");
    }

    // Clients that allow partial chains, as Python does since 3.13, accept these; OpenSSL does not by default.
    for (made, roots) in [(&chained, &middle), (&signed, &signed.0)] {
        let server = TlsServer::start(&made.0, &made.1, None).await.unwrap();
        let found = verdict(server.port(), roots, ip, Verify::ChainAndName).await;
        assert_eq!(found, None, "{roots:?}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (name, content) in [("empty", ""), ("encrypted", encrypted), ("broken", broken)] {
        std::fs::write(at(name), content).unwrap();
    }
    rustix::fs::mkfifoat(rustix::fs::CWD, at("fifo"), rustix::fs::Mode::RUSR).unwrap();
    std::fs::File::create(at("large"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    for (name, reason) in [
        ("none", "No such file"),
        ("empty", "it holds no certificate in PEM format"),
        ("broken", "it holds a certificate that cannot be understood"),
        ("fifo", "it is not a regular file"),
        (".", "it is not a regular file"),
        ("large", "it is larger than"),
    ] {
        let error = Pem::File(at(name)).judge_certificates().unwrap_err();
        let text = error.to_string();
        let place = at(name).display().to_string();
        assert!(text.contains(&place) && text.contains(reason), "{text}");
    }
    for (name, reason) in [
        ("empty", "it holds no private key in PEM format"),
        ("encrypted", "the key is encrypted"),
        ("broken", "it holds no private key in PEM format"),
        ("fifo", "it is not a regular file"),
    ] {
        let error = Pem::File(at(name)).judge_key().unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
