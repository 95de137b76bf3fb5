//! Every key: its name, its accepted values and its default.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use vigie_bullmq::Tick;
use vigie_probes::AppRequest;
use vigie_promql::{Limits, syntax::MAX_QUERY_BYTES};
use vigie_redis::{Endpoint, TlsFiles};

use crate::access::access;
use crate::given::Given;
use crate::reader::Reader;
use crate::route::route;
use crate::settings::{
    Admin, Check, Checks, Database, Exporter, Gateway, LeaseIn, Log, LogFormat, Queues, Rules,
    Settings, Shutdown,
};
use crate::values::{
    Parsed, boolean, bytes, database_address, duration, host, integer, label_name, list, listen,
    metric_name, network, object_name, one_of, origin, redis_address, request_path, status, text,
    wrong,
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Reads every section; a section without its required key is `None`.
pub(crate) fn settings(r: &mut Reader) -> Settings {
    Settings {
        admin: admin(r),
        gateway: gateway(r),
        redis: redis(r),
        queues: queues(r),
        database: database(r),
        checks: checks(r),
        history: history(r),
        query: query(r),
        rules: rules(r),
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
    let listen = r.or("gateway.listen", listen, local(8080));
    // Without the app the other keys are still read, so that their mistakes are reported too.
    let mut proxy = vigie_gateway::Settings::new(app.as_ref().map_or("", |app| app.as_str()));
    let p = &mut proxy;
    r.set("gateway.threads", integer(1..=64), &mut p.threads);
    r.set("gateway.routes", list(20_000, route), &mut p.routes);
    r.set(
        "gateway.learned_routes",
        integer(0..=10_000),
        &mut p.learned_routes,
    );
    r.set(
        "gateway.count_client_errors",
        boolean,
        &mut p.count_client_errors,
    );
    r.set(
        "gateway.trusted_proxies",
        list(100, network),
        &mut p.trusted_proxies,
    );
    r.set("gateway.header_timeout", wait(), &mut p.header_timeout);
    r.set(
        "gateway.max_headers",
        integer(1..=1_000),
        &mut p.max_headers,
    );
    r.set(
        "gateway.max_header_bytes",
        bytes(8_192..=1 << 20),
        &mut p.max_header_bytes,
    );
    r.set("gateway.connect_timeout", wait(), &mut p.connect_timeout);
    r.set("gateway.response_timeout", wait(), &mut p.response_timeout);
    r.set("gateway.body_timeout", wait(), &mut p.body_timeout);
    r.set("gateway.keep_alive", wait(), &mut p.keep_alive);
    r.set(
        "gateway.max_connections",
        integer(1..=1_000_000),
        &mut p.max_connections,
    );
    r.set(
        "gateway.max_sessions",
        integer(1..=1_000_000),
        &mut p.max_sessions,
    );
    let routes_file = r.path("gateway.routes_file");
    app.is_some().then_some(Gateway {
        listen,
        routes_file,
        proxy,
    })
}

fn redis(r: &mut Reader) -> Option<vigie_bullmq::Settings> {
    let example = r#"url = "redis://127.0.0.1:6379", url_file, or the variable REDIS_URL"#;
    let endpoint = r.for_check("redis", |r| {
        r.required_secret("redis", "redis.url", redis_address, example)
    });
    let tls = r.for_check("redis", tls);
    // Without an address the other keys are still read, so that their mistakes are reported too.
    let missing = || Endpoint::new("redis://missing", TlsFiles::default()).ok();
    let address = endpoint.clone().or_else(missing)?;
    let mut watcher = vigie_bullmq::Settings::new(address.with_tls(tls));
    let w = &mut watcher;
    let every = || duration(10 * MS..=HOUR);
    r.set(
        "redis.databases",
        list(64, integer(0..=9_999)),
        &mut w.databases,
    );
    r.set(
        "redis.max_queues",
        integer(1..=vigie_bullmq::metrics::MAX_QUEUES as u64),
        &mut w.max_queues,
    );
    r.set("redis.max_names", integer(1..=10_000), &mut w.max_names);
    r.set("redis.max_jobs", integer(0..=100_000_000), &mut w.max_jobs);
    r.set("redis.levels_every", every(), &mut w.levels_every);
    r.set("redis.signals_every", every(), &mut w.signals_every);
    r.set("redis.workers_every", every(), &mut w.workers_every);
    r.set("redis.poll_every", every(), &mut w.poll_every);
    r.set("redis.discover_every", every(), &mut w.discover_every);
    let patience = duration(SECOND..=24 * HOUR);
    r.set("redis.forget_after", patience, &mut w.forget_after);
    r.set("redis.timeout", every(), &mut w.timeout);
    r.set("queues.compatible", boolean, &mut w.compatible);
    w.tick = tick(r);
    endpoint.is_some().then_some(watcher)
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
        exporter: r.or("queues.exporter", one_of(exporters), Exporter::Every),
        lease_key: r.or("queues.lease_key", text, "vigie:exporter".to_owned()),
        lease_in: r.or("queues.lease_in", one_of(places), LeaseIn::Redis),
        lease_name: name,
        lease_namespace: r.optional("queues.lease_namespace", object_name(63)),
        lease_account: account.unwrap_or_else(|| vigie_election::kubernetes::ACCOUNT.into()),
        lease: r.or("queues.lease", duration(SECOND..=HOUR), 10 * SECOND),
    }
}

/// The files are validated here, and read again for each connection.
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
    let default = vigie_probes::Settings::default();
    let mut check = |key: &str| Check {
        required: r.or(key, boolean, default.required),
    };
    let database = check("checks.database.required");
    let redis = check("checks.redis.required");
    let queues = check("checks.queues.required");
    let app = check("checks.app.required");
    let (period, timeout) = (duration(within(HOUR)), duration(within(60 * SECOND)));
    Checks {
        period: r.or("checks.period", period, default.period),
        timeout: r.or("checks.timeout", timeout, default.timeout),
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
    for key in ["checks.app.method", "checks.app.status"] {
        r.needs(key, "checks.app.path");
    }
    path.map(|path| AppRequest {
        method: method.parse().unwrap_or_default(),
        path,
        status,
    })
}

fn history(r: &mut Reader) -> vigie_history::Settings {
    let default = vigie_history::Settings::default();
    let age = duration(HOUR..=24 * 366 * HOUR);
    let size = bytes(16 << 20..=64 << 30);
    let series = integer(1_000..=10_000_000);
    vigie_history::Settings {
        path: r.path("history.path"),
        retention: r.or("history.retention", age, default.retention),
        max_bytes: r.or("history.max_bytes", size, default.max_bytes),
        max_series: r.or("history.max_series", series, default.max_series),
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
            bytes(256..=MAX_QUERY_BYTES as u64),
            default.query_bytes,
        ),
        limits: Limits {
            samples: r.or(
                "query.max_samples",
                integer(1_000..=10_000_000_000),
                most.samples,
            ),
            bytes: r.or("query.max_memory", bytes(4 << 20..=64 << 30), most.bytes),
            points: r.or("query.max_points", integer(100..=1_000_000), most.points),
            series: r.or("query.max_series", integer(100..=10_000_000), most.series),
        },
    }
}

/// For `vigie rules check`, which reads this section alone.
pub(crate) fn rules(r: &mut Reader) -> Rules {
    let metrics = || list(10_000, metric_name);
    Rules {
        metrics: r.or("rules.metrics", metrics(), Vec::new()),
        prefixes: r.or("rules.prefixes", metrics(), Vec::new()),
        target_labels: r.or("rules.target_labels", list(100, label_name), Vec::new()),
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
