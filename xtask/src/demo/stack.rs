//! Starts and stops the parts of the demo.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{Instant, sleep};
use vigie_testkit::{Postgres, Process, Redis, Script, http, ports};

use crate::say::say;

/// The timeout until all parts are healthy.
const HEALTHY: Duration = Duration::from_secs(60);
/// The timeout for each part to stop.
const END: Duration = Duration::from_secs(10);

/// The parts, in the order in which they are stopped.
pub(crate) struct Stack {
    traffic: Process,
    vigie: Process,
    backend: Process,
    redis: Redis,
    postgres: Postgres,
    pub(crate) addresses: Addresses,
}

/// The addresses of the demo.
#[derive(Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) backend: SocketAddr,
    pub(crate) gateway: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Addresses {
    /// The usual ports, or free ones if those are taken.
    fn choose() -> Self {
        let choose = |what: &str, usual: u16| {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, usual)).is_ok();
            let port = if free { usual } else { ports::free() };
            if !free {
                say(&format!(
                    "port {usual} is taken: the {what} listens on {port}"
                ));
            }
            SocketAddr::from((Ipv4Addr::LOCALHOST, port))
        };
        Self {
            backend: choose("backend", 3000),
            gateway: choose("gateway", 8080),
            admin: choose("admin page", 9850),
        }
    }
}

impl Stack {
    /// Starts all parts and waits until they are healthy.
    pub(crate) async fn start(vigie: &Path, players: u32) -> anyhow::Result<Self> {
        say("starting PostgreSQL and Redis");
        let (postgres, redis) = tokio::try_join!(Postgres::start(), Redis::start())?;
        let addresses = Addresses::choose();
        say("starting the backend");
        let (backend, _) = Script::backend(&postgres.url(), &redis.url())
            .env("PORT", addresses.backend.port().to_string())
            .listen()
            .await?;
        say("starting Vigie in front of it");
        let mut command = Command::new(vigie);
        command
            .arg("run")
            .args(["--app", &format!("http://{}", addresses.backend)])
            .args(["--listen", &addresses.gateway.to_string()])
            .args(["--admin", &addresses.admin.to_string()])
            .args(["--redis", &redis.url()])
            .args(["--database", &postgres.url()])
            .args(["--tick", "production/production-tick"]);
        let mut vigie = Process::spawn("vigie", command)?;
        let traffic = Script::new("traffic/traffic.js")
            .args(["--target", &format!("http://{}", addresses.gateway)])
            .args(["--players", &players.to_string()]);
        let begun = Instant::now();
        while let Err(reason) = ready(addresses.admin).await {
            if vigie.status().is_some() || begun.elapsed() > HEALTHY {
                let why = if vigie.status().is_some() {
                    "vigie ended".into()
                } else {
                    format!("not healthy within {HEALTHY:?}: {reason}")
                };
                bail!(
                    "{why}; the last lines of vigie:\n{}\nand of the backend:\n{}",
                    vigie.tail(),
                    backend.tail()
                );
            }
            sleep(Duration::from_millis(100)).await;
        }
        say("starting the traffic");
        Ok(Self {
            traffic: traffic.spawn()?,
            vigie,
            backend,
            redis,
            postgres,
            addresses,
        })
    }

    /// Fails if a part has ended.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        for (name, process) in [
            ("the traffic", &mut self.traffic),
            ("vigie", &mut self.vigie),
            ("the backend", &mut self.backend),
        ] {
            if let Some(status) = process.status() {
                bail!(
                    "{name} ended ({status}); its last lines:\n{}",
                    process.tail()
                );
            }
        }
        Ok(())
    }

    /// Stops all parts, dependents first.
    pub(crate) async fn stop(mut self) {
        for (name, process) in [
            ("the traffic", &mut self.traffic),
            ("Vigie", &mut self.vigie),
            ("the backend", &mut self.backend),
        ] {
            say(&format!("stopping {name}"));
            let status = process.stop(END).await;
            if status.is_none_or(|status| status.code().is_none()) {
                say(&format!("{name} had to be killed"));
            }
        }
        say("stopping Redis and PostgreSQL");
        drop(self.redis);
        drop(self.postgres);
    }
}

/// Whether Vigie is ready; otherwise its response.
async fn ready(admin: SocketAddr) -> Result<(), String> {
    let answer = http::get(admin, "/readyz")
        .await
        .map_err(|error| error.to_string())?;
    match answer.status {
        200 => Ok(()),
        status => Err(format!("/readyz answers {status}: {}", answer.text())),
    }
}

/// The current metrics.
pub(crate) async fn scrape(admin: SocketAddr) -> anyhow::Result<vigie_testkit::Scrape> {
    let answer = http::get(admin, "/metrics").await?;
    let format = answer
        .header("content-type")
        .and_then(vigie_testkit::promtext::Format::of);
    let format = format.with_context(|| format!("/metrics answers {}", answer.status))?;
    Ok(vigie_testkit::Scrape::parse(&answer.text(), format)?)
}
