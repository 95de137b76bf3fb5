//! Any bytes as the answers of a server, for the property test and the fuzzer.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vigie_notify::deliver::{Sender, Settings};
use vigie_notify::{Alert, Message, config};
use vigie_promql::Labels;

const SECRET: &str = "xyzzy-plugh-secret";

/// The integrations, with `PORT` for the port of the server.
const INTEGRATIONS: [(&str, &str); 7] = [
    (
        "email/0",
        "email_configs: [{to: ops@example.org, from: vigie@example.org, smarthost: '127.0.0.1:PORT', require_tls: false, \
         auth_username: me, auth_password: SECRET, auth_secret: SECRET}]",
    ),
    (
        "webhook/0",
        "webhook_configs: [{url: 'http://127.0.0.1:PORT/SECRET'}]",
    ),
    (
        "slack/0",
        "slack_configs: [{api_url: 'http://127.0.0.1:PORT/SECRET'}]",
    ),
    (
        "discord/0",
        "discord_configs: [{webhook_url: 'http://127.0.0.1:PORT/SECRET'}]",
    ),
    (
        "telegram/0",
        "telegram_configs: [{api_url: 'http://127.0.0.1:PORT', bot_token: SECRET, chat_id: 1}]",
    ),
    (
        "msteamsv2/0",
        "msteamsv2_configs: [{webhook_url: 'http://127.0.0.1:PORT/SECRET'}]",
    ),
    (
        "webhook/0",
        "webhook_configs: [{url: 'https://example.org/SECRET', http_config: {proxy_url: 'http://me:SECRET@127.0.0.1:PORT'}}]",
    ),
];

/// Sends a message to a server that answers with these bytes and closes the connection. The first byte selects the
/// integration. The delivery ends, and its error contains no secret even if the server quotes it.
pub(crate) fn any_answer(bytes: &[u8]) {
    let Some((first, answer)) = bytes.split_first() else {
        return;
    };
    let (integration, receiver) = INTEGRATIONS[usize::from(*first) % INTEGRATIONS.len()];
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let receiver = receiver.replace("PORT", &port).replace("SECRET", SECRET);
        let yaml = format!("route: {{receiver: ops}}\nreceivers: [{{name: ops, {receiver}}}]");
        let sender = Sender::new(&config::load(&yaml).unwrap(), Settings::default());
        let serve = async {
            // A redirect can lead to the same server again.
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut rest = Vec::new();
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
                let _ = (&mut stream).take(1 << 20).read_to_end(&mut rest).await;
            }
        };
        let message = message(integration);
        let sending = tokio::time::timeout(Duration::from_secs(60), sender.send(&message));
        let sent = tokio::select! {
            sent = sending => sent.unwrap(),
            () = serve => unreachable!(),
        };
        if let Err(failure) = sent {
            assert!(!failure.text.contains(SECRET), "{failure}");
        }
    });
}

fn message(integration: &str) -> Message {
    Message {
        id: 1,
        receiver: "ops".into(),
        integration: integration.into(),
        group_key: "{}:{}".to_owned(),
        group_labels: Labels::empty(),
        reason: "first notification".to_owned(),
        at: 1_700_000_000_000,
        firing: vec![Alert::firing(
            Labels::new([("alertname", "Slow")]),
            1_600_000_000_000,
        )],
        resolved: vec![],
        summary: None,
    }
}
