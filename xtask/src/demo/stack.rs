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
/// What Vigie needs to capture packets, as its message names it.
const CAPABILITY: &str = "CAP_NET_RAW";
/// The timeout for each part to stop.
const END: Duration = Duration::from_secs(10);

/// Where Vigie reads the requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// From the packets of the backend's port.
    Capture,
    /// From the connections that it forwards.
    Gateway,
}

impl Source {
    /// The arguments of `vigie run`.
    fn arguments(self, addresses: Addresses) -> Vec<String> {
        let Addresses {
            backend, gateway, ..
        } = addresses;
        match self {
            Self::Capture => vec!["--capture".into(), format!("lo:{}", backend.port())],
            Self::Gateway => vec![
                "--app".into(),
                format!("http://{backend}"),
                "--listen".into(),
                gateway.to_string(),
            ],
        }
    }

    /// The address that the players connect to.
    pub(crate) fn entry(self, addresses: Addresses) -> SocketAddr {
        match self {
            Self::Capture => addresses.backend,
            Self::Gateway => addresses.gateway,
        }
    }
}

/// The parts, in the order in which they are stopped.
pub(crate) struct Stack {
    traffic: Process,
    vigie: Process,
    backend: Process,
    redis: Redis,
    postgres: Postgres,
    pub(crate) source: Source,
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
    /// Starts all parts and waits until they are healthy. Captures packets if that is possible and `gateway` is false.
    pub(crate) async fn start(vigie: &Path, players: u32, gateway: bool) -> anyhow::Result<Self> {
        say("starting PostgreSQL and Redis");
        let (postgres, redis) = tokio::try_join!(Postgres::start(), Redis::start())?;
        let addresses = Addresses::choose();
        say("starting the backend");
        let (backend, _) = Script::backend(&postgres.url(), &redis.url())
            .env("PORT", addresses.backend.port().to_string())
            .listen()
            .await?;
        let mut source = match gateway {
            true => Source::Gateway,
            false => Source::Capture,
        };
        let vigie = loop {
            say(match source {
                Source::Capture => "starting Vigie beside it, which captures packets",
                Source::Gateway => "starting Vigie in front of it, as a gateway",
            });
            let mut command = Command::new(vigie);
            command
                .arg("run")
                .args(source.arguments(addresses))
                .args(["--admin", &addresses.admin.to_string()])
                .args(["--redis", &redis.url()])
                .args(["--database", &postgres.url()])
                .args(["--tick", "production/production-tick"]);
            let mut vigie = Process::spawn("vigie", command)?;
            match healthy(&mut vigie, addresses.admin).await {
                Ok(()) => break vigie,
                Err(_) if source == Source::Capture && vigie.tail().contains(CAPABILITY) => {
                    say(&format!("packets cannot be captured without {CAPABILITY}"));
                    source = Source::Gateway;
                }
                Err(why) => bail!(
                    "{why}; the last lines of vigie:\n{}\nand of the backend:\n{}",
                    vigie.tail(),
                    backend.tail()
                ),
            }
        };
        let traffic = Script::new("traffic/traffic.js")
            .args(["--target", &format!("http://{}", source.entry(addresses))])
            .args(["--players", &players.to_string()]);
        say("starting the traffic");
        Ok(Self {
            traffic: traffic.spawn()?,
            vigie,
            backend,
            redis,
            postgres,
            source,
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

/// Waits until Vigie is ready. The error is the reason why it is not.
async fn healthy(vigie: &mut Process, admin: SocketAddr) -> Result<(), String> {
    let begun = Instant::now();
    while let Err(reason) = ready(admin).await {
        if vigie.status().is_some() {
            return Err("vigie ended".into());
        }
        if begun.elapsed() > HEALTHY {
            return Err(format!("not healthy within {HEALTHY:?}: {reason}"));
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
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
