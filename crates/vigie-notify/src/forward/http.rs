//! Requests to an Alertmanager over HTTP.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::Post;
use crate::config::HttpConfig;
use crate::deliver::http::{self, Request};
use crate::deliver::{Cause, Failure};

/// The deadline of a request.
const WITHIN: Duration = Duration::from_secs(10);

/// An Alertmanager.
#[derive(Clone, Debug)]
pub struct Alertmanager {
    name: String,
    /// The URL of its API.
    url: Url,
    http: HttpConfig,
}

impl Alertmanager {
    /// The Alertmanager at `url`, to which the path of its API is added.
    ///
    /// # Errors
    /// If the URL has no host, or is not one of HTTP.
    pub fn new(url: &Url, http: HttpConfig) -> Result<Self, Failure> {
        let unusable = || {
            let text = "the URL of an Alertmanager is not one like http://HOST:9093";
            Failure::new(Cause::Settings, text)
        };
        let host = url
            .host_str()
            .filter(|_| matches!(url.scheme(), "http" | "https"));
        let host = host.ok_or_else(unusable)?;
        let port = url.port_or_known_default().unwrap_or_default();
        let name = format!("{host}:{port}");
        let mut url = url.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}/api/v2/alerts"));
        Ok(Self { name, url, http })
    }

    /// Connects to it, without sending anything.
    ///
    /// # Errors
    /// If there is no connection.
    pub async fn reach(&self) -> Result<(), Failure> {
        http::reach(&self.url, &self.http, Instant::now() + WITHIN).await
    }

    /// Its host and port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.name
    }
}

impl Post for Alertmanager {
    fn name(&self) -> &str {
        &self.name
    }

    async fn post(&self, body: Vec<u8>) -> Result<(), Failure> {
        let request = Request::json(self.url.clone(), body);
        let answer = http::post(&request, &self.http, Instant::now() + WITHIN).await?;
        answer.judge()
    }
}
