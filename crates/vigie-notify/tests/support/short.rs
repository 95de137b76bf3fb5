//! The short settings as `alertmanager.yml`, checked by amtool.

use std::path::Path;
use std::process::Command;

use vigie_notify::config::Secret;
use vigie_notify::config::short::{self, Severity, Short, ShortKind, ShortReceiver, SmtpUrl};

/// One of each kind, with secrets in files and without.
fn kinds(secret: impl Fn() -> Secret) -> Vec<ShortKind> {
    let email = |smtp: &str, password| ShortKind::Email {
        to: vec!["ops@example.org".into(), "Ops <more@example.org>".into()],
        from: "vigie@example.org".into(),
        smtp: SmtpUrl::parse(smtp).unwrap(),
        password,
        require_tls: false,
    };
    vec![
        ShortKind::Slack { url: secret() },
        email("smtps://me:secret@mail.example.org", None),
        email("smtps://me@mail.example.org:1465", Some(secret())),
        email("smtp://mail.example.org", None),
        ShortKind::Webhook { url: secret() },
        ShortKind::Discord { url: secret() },
        ShortKind::Teams { url: secret() },
        ShortKind::Telegram {
            token: secret(),
            chat: -5,
        },
        ShortKind::PagerDuty { key: secret() },
        ShortKind::Pushover {
            user: secret(),
            token: secret(),
        },
        ShortKind::Ntfy {
            url: secret(),
            token: None,
        },
    ]
}

pub(crate) fn accepted(amtool: &Path) {
    let file = || Secret::File("/secrets/one \"of\" them".into());
    let value = || Secret::Value("https://example.org/secret".to_owned().into());
    for kind in kinds(file).into_iter().chain(kinds(value)) {
        let receiver = ShortReceiver {
            kind,
            severity: Severity::All,
            send_resolved: true,
        };
        let yaml = short::yaml(&Short {
            receivers: vec![receiver],
        });
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("alertmanager.yml");
        std::fs::write(&path, &yaml).unwrap();
        let output = Command::new(amtool)
            .arg("check-config")
            .arg(&path)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        let printed = printed + &String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{printed}\n{yaml}");
    }
}
