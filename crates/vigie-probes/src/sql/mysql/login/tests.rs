#![allow(clippy::unwrap_used)]
use super::*;
use crate::sql::tls::Demand;
use vigie_tls::{Pem, Verify};

fn parse(url: &str) -> Result<Login, UrlError> {
    let login = Login::parse(&Url::parse(url).unwrap());
    login.map(|(login, _)| login)
}

#[test]
fn tls_is_parsed_in_every_spelling() {
    use Demand::{Always, IfPossible, Never};
    use Verify::{Chain, ChainAndName, Nothing};
    for (query, demand, verify) in [
        ("", IfPossible, Nothing),
        ("ssl-mode=DISABLED", Never, Nothing),
        ("sslmode=preferred", IfPossible, Nothing),
        ("ssl-mode=REQUIRED", Always, Nothing),
        ("ssl-mode=VERIFY_CA", Always, Chain),
        ("ssl-mode=VERIFY_IDENTITY", Always, ChainAndName),
        ("ssl-ca=/ca.pem", Always, Chain),
        ("ssl-ca=/ca.pem&ssl-mode=REQUIRED", Always, Nothing),
        ("ssl=false", Never, Nothing),
        ("ssl=true", Always, ChainAndName),
        ("ssl={}", Always, Chain),
        (r#"ssl={"rejectUnauthorized":true}"#, Always, Chain),
        (r#"ssl={"rejectUnauthorized":false}"#, Always, Nothing),
        (
            r#"ssl={"verifyIdentity":true,"minVersion":"TLSv1.2"}"#,
            Always,
            ChainAndName,
        ),
        (
            "sslaccept=strict&connectionLimit=5",
            IfPossible,
            ChainAndName,
        ),
        (
            "sslaccept=accept_invalid_certs&sslcert=/ca.pem",
            IfPossible,
            Nothing,
        ),
        // mysql2 reads only `ssl`, other clients only `ssl-mode`.
        (
            r#"ssl-mode=REQUIRED&ssl={"rejectUnauthorized":false}"#,
            Always,
            Nothing,
        ),
        (
            r#"ssl-mode=REQUIRED&ssl={"rejectUnauthorized":true}"#,
            Always,
            Chain,
        ),
        (
            r#"ssl={"rejectUnauthorized":false}&sslaccept=strict"#,
            Always,
            ChainAndName,
        ),
    ] {
        let policy = parse(&format!("mysql://u@h/d?{query}")).unwrap().tls;
        assert_eq!(
            (policy.demand, policy.tls.verify),
            (demand, verify),
            "{query}"
        );
    }
    let both = parse("mysql://u@h/d?ssl=true&ssl-ca=/ca.pem&ssl-cert=/c.pem&ssl-key=/k.pem");
    let tls = both.unwrap().tls.tls;
    assert!(tls.roots.is_some() && tls.client.is_some(), "{tls:?}");
    let text = r#"mysql://u@h/d?ssl={"ca":"-----BEGIN CERTIFICATE-----"}"#;
    let roots = parse(text).unwrap().tls.tls.roots;
    assert!(matches!(roots, Some(Pem::Text(_))), "{roots:?}");
}

#[test]
fn other_parameters_are_errors_that_name_them() {
    for (query, problem) in [
        ("flags=-SSL", "flags is not supported"),
        ("schema=x", "schema is not supported"),
        (
            "ssl-mode=hunter2",
            "ssl-mode has a value that is not supported",
        ),
        (
            "ssl=Amazon%20RDS",
            "ssl names a profile, which is not supported: name its CA with ssl-ca=FILE",
        ),
        (
            r#"ssl={"ciphers":"x"}"#,
            "ssl has an option that is not supported",
        ),
        (
            r#"ssl={"rejectUnauthorized":"no"}"#,
            "ssl has an option that is not true or false",
        ),
        (
            "sslaccept=hunter2",
            "sslaccept has a value that is not supported",
        ),
        ("ssl-mode=DISABLED&ssl=true", "ssl contradicts ssl-mode"),
        ("ssl-mode=REQUIRED&ssl=false", "ssl contradicts ssl-mode"),
        (
            "ssl=true&sslaccept=accept_invalid_certs",
            "sslaccept contradicts ssl",
        ),
        (
            r#"ssl-ca=/a.pem&ssl={"ca":"/b.pem"}"#,
            "ssl names a second CA",
        ),
        (
            "sslidentity=/k",
            "sslidentity is not supported: name PEM files with sslcert and sslkey",
        ),
    ] {
        let error = parse(&format!("mysql://u@h/d?{query}")).err().unwrap();
        assert_eq!(error.to_string(), format!("the parameter {problem}"));
    }
    // As in mysql2: the anonymous user.
    assert_eq!(parse("mysql://h/d").unwrap().user, "");
}
