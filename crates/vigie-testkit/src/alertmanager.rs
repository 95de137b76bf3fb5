//! A real Alertmanager, and a receiver for its notifications.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::prometheus::labels;
use crate::server::{Server, User};
use crate::{Error, http, ports, tools};

const NAME: &str = "alertmanager";

/// An Alertmanager that is not part of a cluster.
pub struct Alertmanager {
    server: Server,
    addr: SocketAddr,
}

impl Alertmanager {
    /// Starts the installed one on a free port with this configuration file.
    ///
    /// # Errors
    /// If Alertmanager is not installed, does not start, or refuses the configuration.
    pub async fn start(config: &str) -> Result<Self, Error> {
        Self::start_program(&tools::ALERTMANAGER.find()?, config).await
    }

    /// Starts this program.
    ///
    /// # Errors
    /// As [`Alertmanager::start`].
    pub async fn start_program(program: &Path, config: &str) -> Result<Self, Error> {
        let directory = User::OURSELVES.directory()?;
        let file = directory.path().join("alertmanager.yml");
        std::fs::write(&file, config).map_err(Error::io("alertmanager.yml"))?;
        let addr = SocketAddr::from(([127, 0, 0, 1], ports::free()));
        let program = program.to_owned();
        let mut server = Server::spawn(NAME, directory, move |directory| {
            let file = |name: &str| directory.join(name).display().to_string();
            let mut command = User::OURSELVES.command(&program);
            command
                .arg(format!("--config.file={}", file("alertmanager.yml")))
                .arg(format!("--storage.path={}", file("data")))
                .arg(format!("--web.listen-address={addr}"))
                // Empty: otherwise it listens for peers on all interfaces.
                .arg("--cluster.listen-address=")
                .arg("--log.level=warn");
            command
        })?;
        server.until_ready(addr).await?;
        Ok(Self { server, addr })
    }

    /// Kills it with SIGKILL.
    pub fn kill9(&mut self) {
        self.server.kill9();
    }

    /// Kills it with SIGKILL, and starts it again with its files on the same port.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.server.respawn()?;
        self.server.until_ready(self.addr).await
    }

    /// The address of its API.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The labels of the active alerts, including silenced and inhibited ones.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn active(&self) -> Result<Vec<BTreeMap<String, String>>, Error> {
        let answer = http::get(self.addr, "/api/v2/alerts").await?.json()?;
        let alerts = answer.as_array().map(Vec::as_slice);
        alerts
            .and_then(|alerts| {
                alerts
                    .iter()
                    .map(|alert| labels(&alert["labels"]))
                    .collect()
            })
            .ok_or_else(|| unreadable(&answer))
    }
}

fn unreadable(answer: &Value) -> Error {
    Error::protocol(NAME, format!("an answer of another shape: {answer}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;
    use crate::SOON;
    use crate::Webhook;
    use crate::webhook::Status;

    /// An end in the past resolves it.
    async fn post(alertmanager: &Alertmanager, name: &str, ends_at: &str) {
        let alert = serde_json::json!([{
            "labels": {"alertname": name, "severity": "warning"},
            "annotations": {"summary": "for a test"},
            "startsAt": "2020-01-01T00:00:00Z",
            "endsAt": ends_at,
        }]);
        let headers = [("content-type", "application/json")];
        let body = alert.to_string();
        let path = "/api/v2/alerts";
        let answer = http::request(alertmanager.addr(), "POST", path, &headers, body.as_bytes());
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    #[tokio::test]
    async fn tells_the_webhook_what_fires_and_what_is_over() {
        let webhook = Webhook::start().await.unwrap();
        let config = format!(
            "route: {{receiver: all, group_by: ['...'], group_wait: 0s, group_interval: 100ms, repeat_interval: 1h}}\n\
             receivers: [{{name: all, webhook_configs: [{{url: '{}'}}]}}]\n",
            webhook.url()
        );
        let alertmanager = Alertmanager::start(&config).await.unwrap();
        assert_eq!(alertmanager.active().await.unwrap(), []);

        post(&alertmanager, "One", "2100-01-01T00:00:00Z").await;
        post(&alertmanager, "Two", "2100-01-01T00:00:00Z").await;
        let one = [("alertname", "One"), ("severity", "warning")];
        let (firing, past) = webhook
            .wait_for(Status::Firing, &one, 0, SOON)
            .await
            .unwrap();
        assert_eq!(firing.annotations["summary"], "for a test");
        let active = alertmanager.active().await.unwrap();
        assert!(active.contains(&firing.labels), "{active:?}");

        post(&alertmanager, "One", "2020-01-01T00:00:01Z").await;
        let resolved = webhook.wait_for(Status::Resolved, &one, past, SOON).await;
        assert_eq!(resolved.unwrap().0.labels, firing.labels);
        let two = [("alertname", "Two")];
        let brief = Duration::from_millis(50);
        let late = webhook
            .wait_for(Status::Resolved, &two, 0, brief)
            .await
            .unwrap_err();
        assert!(
            late.to_string().contains("Firing {\"alertname\": \"Two\""),
            "{late}"
        );
    }

    #[tokio::test]
    async fn a_configuration_that_it_refuses_is_told_with_its_reason() {
        let refused = Alertmanager::start("route: {receiver: nobody}").await;
        let reason = refused.err().unwrap().to_string();
        assert!(reason.contains("nobody"), "{reason}");
    }
}
