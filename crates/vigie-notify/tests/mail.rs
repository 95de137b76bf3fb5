//! Mails to a real mail server.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use vigie_notify::deliver::{Cause, Failure, Sender, Settings};
use vigie_notify::{Alert, Message, config};
use vigie_promql::Labels;
use vigie_testkit::mail::{LOGIN, Mail, MailOptions, MailServer};
use vigie_testkit::{Certificates, SOON};

struct Server {
    server: MailServer,
    ca: Option<PathBuf>,
}

impl Server {
    async fn start(options: MailOptions) -> Self {
        let server = MailServer::start(&options).await.unwrap();
        Self { server, ca: None }
    }

    async fn with_tls(implicit: bool, mechanisms: &[&'static str]) -> Self {
        let certificates = Certificates::new().await.unwrap();
        let tls = certificates.issue("mail", 2).await.unwrap();
        let options = MailOptions {
            tls: Some(tls),
            implicit,
            mechanisms: mechanisms.to_vec(),
        };
        let server = MailServer::start(&options).await.unwrap();
        // The sender reads the CA for each connection, so it must outlive the certificates.
        let directory = tempfile::tempdir().unwrap().keep();
        let ca = directory.join("ca.pem");
        std::fs::copy(certificates.ca(), &ca).unwrap();
        Self {
            server,
            ca: Some(ca),
        }
    }

    /// A sender with these lines of `email_configs`.
    fn sender(&self, lines: &str) -> Sender {
        let port = self.server.port();
        let ca = self
            .ca
            .as_ref()
            .map(|ca| format!("tls_config: {{ca_file: {}}}, ", ca.display()));
        let yaml = format!(
            "route: {{receiver: ops}}\nreceivers: [{{name: ops, email_configs: [{{from: 'Vigie <vigie@example.org>', \
             smarthost: '127.0.0.1:{port}', {}{lines}}}]}}]",
            ca.unwrap_or_default()
        );
        let config = config::load(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        let settings = Settings {
            timeout: Duration::from_secs(20),
            ..Settings::default()
        };
        Sender::new(&config, settings)
    }

    async fn send(&self, lines: &str) -> Result<(), Failure> {
        self.sender(lines).send(&message()).await
    }

    async fn next(&mut self) -> Mail {
        self.server.next(SOON).await.unwrap()
    }
}

fn message() -> Message {
    let labels = Labels::new([
        ("alertname", "Slow"),
        ("severity", "critical"),
        ("route", "/<é>"),
    ]);
    let mut alert = Alert::firing(labels, 1_700_000_000_000);
    alert.annotations = Arc::new([
        (
            "summary".into(),
            "Antworten dauern länger\n.\nals <1 s>".into(),
        ),
        ("runbook_url".into(), "https://example.org/Slow".into()),
    ]);
    Message {
        id: 7,
        receiver: "ops".into(),
        integration: "email/0".into(),
        group_key: "{}:{alertname=\"Slow\"}".to_owned(),
        group_labels: Labels::new([("alertname", "Slow")]),
        reason: "first notification".to_owned(),
        at: 1_700_000_600_000,
        firing: vec![alert],
        resolved: vec![],
        summary: None,
    }
}

const PASSWORD: &str =
    "to: ops@example.org, auth_username: vigie@example.org, auth_password: right horse";

/// The value of a header.
fn header<'a>(mail: &'a Mail, name: &str) -> &'a str {
    let prefix = format!("{name}: ");
    let line = mail
        .text
        .lines()
        .find_map(|line| line.strip_prefix(&prefix));
    line.unwrap_or_else(|| panic!("no {name} in {}", mail.text))
}

#[tokio::test]
async fn every_way_to_log_in() {
    let secret = PASSWORD.replace("auth_password", "auth_secret");
    for (implicit, mechanisms, lines) in [
        (false, &["PLAIN"][..], PASSWORD.to_owned()),
        (false, &["LOGIN"], PASSWORD.to_owned()),
        (false, &["PLAIN", "LOGIN"], PASSWORD.to_owned()),
        (false, &["CRAM-MD5"], secret.clone()),
        (
            true,
            &["PLAIN"],
            format!("{PASSWORD}, force_implicit_tls: true"),
        ),
        (false, &[], PASSWORD.to_owned()),
    ] {
        let mut server = Server::with_tls(implicit, mechanisms).await;
        assert_eq!(
            server.sender(&lines).reach("ops", "email/0").await,
            Ok(()),
            "{mechanisms:?}"
        );
        server.send(&lines).await.unwrap();
        let mail = server.next().await;
        assert!(mail.encrypted);
        assert_eq!(
            mail.login.as_deref(),
            (!mechanisms.is_empty()).then_some(LOGIN.0)
        );
        assert_eq!(mail.sender, "vigie@example.org");
        assert_eq!(mail.recipients, ["ops@example.org"]);

        if !mechanisms.is_empty() {
            let wrong = lines.replace("right horse", "wrong-horse");
            let failure = server.send(&wrong).await.unwrap_err();
            assert_eq!(
                failure.cause,
                Cause::Credentials,
                "{mechanisms:?} {failure}"
            );
            assert!(!failure.text.contains("wrong-horse"), "{failure}");
        }
    }
    let server = Server::with_tls(false, &["CRAM-MD5"]).await;
    let failure = server.send(PASSWORD).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Credentials);
    assert!(failure.text.contains("offers AUTH CRAM-MD5"), "{failure}");
}

#[tokio::test]
async fn tls_is_required_and_verified() {
    let mut plain = Server::start(MailOptions::default()).await;
    let failure = plain.send("to: ops@example.org").await.unwrap_err();
    assert_eq!(failure.cause, Cause::Tls);
    assert!(
        failure.text.contains("does not offer STARTTLS"),
        "{failure}"
    );
    plain
        .send("to: ops@example.org, require_tls: false")
        .await
        .unwrap();
    assert!(!plain.next().await.encrypted);

    for implicit in [false, true] {
        let mut server = Server::with_tls(implicit, &[]).await;
        let lines = format!("to: ops@example.org, force_implicit_tls: {implicit}");
        server.ca = None;
        let failure = server.send(&lines).await.unwrap_err();
        assert_eq!(failure.cause, Cause::Tls, "{failure}");
    }
}

#[tokio::test]
async fn refusals_and_missing_answers() {
    let mut server = Server::with_tls(false, &[]).await;
    for (to, cause) in [
        ("refused@example.org", Cause::Refused),
        ("later@example.org", Cause::Server),
        ("full@example.org", Cause::Server),
        ("spam@example.org", Cause::Refused),
        ("lost@example.org", Cause::NoAnswer),
        ("no address", Cause::Settings),
    ] {
        let failure = server.send(&format!("to: {to}")).await.unwrap_err();
        assert_eq!(failure.cause, cause, "{to}: {failure}");
    }
    for _ in 0..3 {
        server.next().await;
    }
    // A recipient that does not exist does not stop the mail to the others.
    server
        .send("to: 'refused@example.org, a@example.org, b@example.org'")
        .await
        .unwrap();
    assert_eq!(
        server.next().await.recipients,
        ["a@example.org", "b@example.org"]
    );

    let port = server.server.port();
    let sender = server.sender("to: ops@example.org");
    drop(server);
    let failure = sender.send(&message()).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Unreachable, "{port}: {failure}");
}

#[tokio::test]
async fn a_server_that_hangs_may_have_the_mail() {
    let server = Server::with_tls(false, &[]).await;
    let yaml = format!(
        "route: {{receiver: ops}}\nreceivers: [{{name: ops, email_configs: [{{from: vigie@example.org, to: hang@example.org, \
         smarthost: '127.0.0.1:{}', tls_config: {{ca_file: {}}}}}]}}]",
        server.server.port(),
        server.ca.as_ref().unwrap().display()
    );
    let settings = Settings {
        timeout: Duration::from_secs(4),
        ..Settings::default()
    };
    let sender = Sender::new(&config::load(&yaml).unwrap(), settings);
    let failure = sender.send(&message()).await.unwrap_err();
    assert_eq!(failure.cause, Cause::NoAnswer, "{failure}");
}

#[tokio::test]
async fn the_mail() {
    let mut server = Server::with_tls(false, &[]).await;
    let lines = "to: 'ops@example.org, \"Ö, ps\" <more@example.org>', text: '{{ template \"email.default.text\" . }}', \
         headers: {x-team: \"a\\r\\nbcc: evil@example.org\", reply-to: ops@example.org}";
    let sender = server.sender(lines);
    sender.send(&message()).await.unwrap();
    let first = server.next().await;
    assert_eq!(first.recipients, ["ops@example.org", "more@example.org"]);
    assert!(
        header(&first, "Subject").contains("CRITICAL: Slow"),
        "{}",
        first.text
    );
    assert_eq!(header(&first, "From"), "Vigie <vigie@example.org>");
    assert_eq!(header(&first, "X-Team"), "a bcc: evil@example.org");
    assert_eq!(header(&first, "Reply-To"), "ops@example.org");
    assert!(header(&first, "Content-Type").starts_with("multipart/alternative"));
    for part in ["text/plain; charset=utf-8", "text/html; charset=utf-8"] {
        assert!(first.text.contains(part), "{}", first.text);
    }
    assert!(first.text.is_ascii(), "{}", first.text);
    assert!(
        first.text.contains("https://example.org/Slow"),
        "{}",
        first.text
    );
    // The mail that is sent again can be recognised; the next one belongs to the same conversation.
    sender.send(&message()).await.unwrap();
    let again = server.next().await;
    assert_eq!(header(&again, "Message-ID"), header(&first, "Message-ID"));
    let mut over = message();
    over.id = 8;
    over.at += 60_000;
    over.resolved = std::mem::take(&mut over.firing);
    over.resolved[0].ends_at = Some(over.at);
    sender.send(&over).await.unwrap();
    let over = server.next().await;
    assert!(
        header(&over, "Subject").contains("RESOLVED"),
        "{}",
        over.text
    );
    assert_ne!(header(&over, "Message-ID"), header(&first, "Message-ID"));
    assert_eq!(header(&over, "References"), header(&first, "References"));
}
