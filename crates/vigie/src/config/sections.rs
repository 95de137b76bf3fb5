//! Every key: its name, what it accepts, and its default.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use http::uri::Authority;
use ipnet::IpNet;
use tracing_subscriber::EnvFilter;
use vigie_probes::AppRequest;
use vigie_promql::Limits;
use vigie_redis::TlsFiles;

use super::access::access;
use super::given::Given;
use super::reader::Reader;
use super::route::route;
use super::settings::{
    Admin, Check, Checks, Database, Exporter, Gateway, LeaseIn, Log, LogFormat, Queues, Redis,
    Settings, Shutdown, Tick,
};
use super::values::{
    Parsed, boolean, bytes, database_address, duration, host, integer, list, listen, network,
    object_name, one_of, origin, redis_address, request_path, status, text, wrong,
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Reads every section; one that lacks what it cannot do without is `None`.
pub(super) fn settings(r: &mut Reader) -> Settings {
    Settings {
        admin: admin(r),
        gateway: gateway(r),
        redis: redis(r),
        queues: queues(r),
        database: database(r),
        tick: tick(r),
        checks: checks(r),
        history: history(r),
        query: query(r),
        shutdown: shutdown(r),
        log: log(r),
        unusable: Vec::new(),
        exposed: Vec::new(),
    }
}

fn admin(r: &mut Reader) -> Admin {
    Admin {
        listen: r.or("admin.listen", listen, local(9850)),
        hosts: r.or("admin.hosts", list(100, host), Vec::new()),
        access: access(r),
    }
}

fn gateway(r: &mut Reader) -> Option<Gateway> {
    let example = r#"app = "http://127.0.0.1:3000", or give the flag --app"#;
    let app = r.required("gateway", "gateway.app", origin, example);
    let wait = || duration(MS..=HOUR);
    let gateway = Gateway {
        listen: r.or("gateway.listen", listen, local(8080)),
        // Every key is read also when the app is missing: its mistakes are told too.
        app: app.clone().unwrap_or(Authority::from_static("missing:80")),
        threads: r.or("gateway.threads", integer(1..=64), 1),
        routes: r.or("gateway.routes", list(1_000, route), Vec::new()),
        learned_routes: r.or("gateway.learned_routes", integer(0..=10_000), 200),
        count_client_errors: r.or("gateway.count_client_errors", boolean, false),
        trusted_proxies: r.or("gateway.trusted_proxies", list(100, network), neighbours()),
        header_timeout: r.or("gateway.header_timeout", wait(), 10 * SECOND),
        max_headers: r.or("gateway.max_headers", integer(1..=1_000), 100),
        max_header_bytes: r.or("gateway.max_header_bytes", bytes(8_192..=1 << 20), 64 << 10),
        connect_timeout: r.or("gateway.connect_timeout", wait(), 2 * SECOND),
        response_timeout: r.or("gateway.response_timeout", wait(), 60 * SECOND),
        body_timeout: r.or("gateway.body_timeout", wait(), 300 * SECOND),
        keep_alive: r.or("gateway.keep_alive", wait(), 75 * SECOND),
        max_connections: r.or("gateway.max_connections", integer(1..=1_000_000), 10_000),
        max_sessions: r.or("gateway.max_sessions", integer(1..=1_000_000), 50_000),
    };
    app.is_some().then_some(gateway)
}

fn redis(r: &mut Reader) -> Option<Redis> {
    let example = r#"url = "redis://127.0.0.1:6379", url_file, or the variable REDIS_URL"#;
    let url = r.for_check("redis", |r| {
        r.required_secret("redis", "redis.url", redis_address, example)
    });
    let tls = r.for_check("redis", tls);
    let databases = r.or("redis.databases", list(64, integer(0..=9_999)), Vec::new());
    let every = || duration(10 * MS..=HOUR);
    let max_queues = r.or(
        "redis.max_queues",
        integer(1..=vigie_bullmq::metrics::MAX_QUEUES as u64),
        10_000,
    );
    let levels_every = r.or("redis.levels_every", every(), SECOND);
    let poll_every = r.or("redis.poll_every", every(), 100 * MS);
    let discover_every = r.or("redis.discover_every", every(), 30 * SECOND);
    let timeout = r.or("redis.timeout", every(), 2 * SECOND);
    url.map(|url| Redis {
        url: url.into(),
        tls,
        databases,
        max_queues,
        levels_every,
        poll_every,
        discover_every,
        timeout,
    })
}

fn queues(r: &mut Reader) -> Queues {
    let exporters = &[("every", Exporter::Every), ("elected", Exporter::Elected)];
    let places = &[
        ("redis", LeaseIn::Redis),
        ("kubernetes", LeaseIn::Kubernetes),
    ];
    let name = r.or(
        "queues.lease_name",
        object_name(253),
        "vigie-exporter".to_owned(),
    );
    let account = r.path("queues.lease_account");
    Queues {
        compatible: r.or("queues.compatible", boolean, false),
        exporter: r.or("queues.exporter", one_of(exporters), Exporter::Every),
        lease_key: r.or("queues.lease_key", text, "vigie:exporter".to_owned()),
        lease_in: r.or("queues.lease_in", one_of(places), LeaseIn::Redis),
        lease_name: name,
        lease_namespace: r.optional("queues.lease_namespace", object_name(63)),
        lease_account: account.unwrap_or_else(|| vigie_election::kubernetes::ACCOUNT.into()),
        lease: r.or("queues.lease", duration(SECOND..=HOUR), 10 * SECOND),
    }
}

/// The files are judged here, and read again for every connection.
fn tls(r: &mut Reader) -> TlsFiles {
    let ca = r.file("redis.ca_file", TlsFiles::judge_certificates);
    let certificate = r.file("redis.cert_file", TlsFiles::judge_certificates);
    let key = r.private_file("redis.key_file", TlsFiles::judge_key);
    TlsFiles {
        ca,
        client: certificate.zip(key),
    }
}

fn database(r: &mut Reader) -> Option<Database> {
    let example = r#"url = "postgres://…", url_file, or the variable DATABASE_URL"#;
    let url = r.for_check("database", |r| {
        r.required_secret("database", "database.url", database_address, example)
    });
    let every = duration(SECOND..=24 * HOUR);
    let relogin_every = r.or("database.relogin_every", every, 60 * SECOND);
    url.map(|(url, engine)| Database {
        url: url.into(),
        engine,
        relogin_every,
    })
}

fn tick(r: &mut Reader) -> Option<Tick> {
    let example = r#"queue = "production", or give the flag --tick QUEUE/JOB"#;
    let queue = r.required("tick", "tick.queue", text, example);
    let job = r.optional("tick.job", text);
    queue.map(|queue| Tick { queue, job })
}

fn checks(r: &mut Reader) -> Checks {
    let within = |most: Duration| -> RangeInclusive<Duration> { 100 * MS..=most };
    let mut check = |key: &str| Check {
        required: r.or(key, boolean, true),
    };
    let database = check("checks.database.required");
    let redis = check("checks.redis.required");
    let queues = check("checks.queues.required");
    let app = check("checks.app.required");
    Checks {
        period: r.or("checks.period", duration(within(HOUR)), 5 * SECOND),
        timeout: r.or("checks.timeout", duration(within(60 * SECOND)), 2 * SECOND),
        database,
        redis,
        queues,
        app,
        app_request: app_request(r),
    }
}

fn app_request(r: &mut Reader) -> Option<AppRequest> {
    let path = r.optional("checks.app.path", request_path);
    let methods = &[("GET", "GET"), ("HEAD", "HEAD"), ("OPTIONS", "OPTIONS")];
    let method = r.or("checks.app.method", one_of(methods), "GET");
    let status = r.or("checks.app.status", list(20, status), vec![200..=399]);
    path.map(|path| AppRequest {
        method: method.parse().unwrap_or_default(),
        path,
        status,
    })
}

fn history(r: &mut Reader) -> vigie_history::Settings {
    let age = duration(HOUR..=24 * 366 * HOUR);
    let size = bytes(16 << 20..=64 << 30);
    vigie_history::Settings {
        path: r.path("history.path"),
        retention: r.or("history.retention", age, 24 * HOUR),
        max_bytes: r.or("history.max_bytes", size, 128 << 20) as u64,
        max_series: r.or("history.max_series", integer(1_000..=10_000_000), 100_000),
    }
}

fn query(r: &mut Reader) -> vigie_api::Settings {
    let default = vigie_api::Settings::default();
    let most = default.limits;
    vigie_api::Settings {
        timeout: r.or("query.timeout", duration(100 * MS..=HOUR), default.timeout),
        lookback: r.or(
            "query.lookback",
            duration(SECOND..=24 * HOUR),
            default.lookback,
        ),
        concurrency: r.or(
            "query.max_concurrency",
            integer(1..=256),
            default.concurrency,
        ),
        query_bytes: r.or(
            "query.max_bytes",
            bytes(256..=64 << 10),
            default.query_bytes,
        ),
        limits: Limits {
            samples: r.or(
                "query.max_samples",
                integer(1_000..=10_000_000_000),
                most.samples,
            ),
            points: r.or("query.max_points", integer(100..=1_000_000), most.points),
            series: r.or("query.max_series", integer(100..=10_000_000), most.series),
        },
    }
}

fn shutdown(r: &mut Reader) -> Shutdown {
    let wait = || duration(Duration::ZERO..=HOUR);
    Shutdown {
        grace: r.or("shutdown.grace", wait(), 25 * SECOND),
        delay: r.or("shutdown.delay", wait(), Duration::ZERO),
    }
}

fn log(r: &mut Reader) -> Log {
    let formats = &[
        ("auto", LogFormat::Auto),
        ("text", LogFormat::Text),
        ("json", LogFormat::Json),
    ];
    Log {
        format: r.or("log.format", one_of(formats), LogFormat::Auto),
        filter: r.or("log.filter", filter, "info".to_owned()),
    }
}

fn filter(given: &Given) -> Parsed<String> {
    let filter = text(given)?;
    match EnvFilter::builder().parse(&filter) {
        Ok(_) => Ok(filter),
        Err(_) => wrong("a filter, like info or info,vigie=debug"),
    }
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Loopback and the private networks (RFC 1918, RFC 4193): nobody reaches us from there by chance.
fn neighbours() -> Vec<IpNet> {
    [
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
    ]
    .iter()
    .filter_map(|network| network.parse().ok())
    .collect()
}
