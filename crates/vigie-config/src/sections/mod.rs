//! Every key: its name, its accepted values and its default.

mod redis;

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use http::uri::Authority;
use tracing_subscriber::EnvFilter;
use vigie_gateway::proxy_protocol::Version;
use vigie_probes::AppRequest;
use vigie_promql::{Features, Limits, syntax::MAX_QUERY_BYTES};

use crate::access::access;
use crate::given::Given;
use crate::heartbeat::heartbeat;
use crate::notify::notify;
use crate::reader::Reader;
use crate::route::route;
use crate::settings::{
    Admin, Alerts, BuiltIn, Capture, Check, Checks, Database, Gateway, Log, LogFormat, Page, Rules,
    Settings, Shutdown,
};
use crate::values::{
    Parsed, boolean, bytes, database_address, duration, host, integer, label, label_name, list,
    listen, metric_name, network, one_of, origins, page_url, queue_link, request_path, status,
    text, wrong,
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Reads every section; a section without its required key is `None`.
pub(crate) fn settings(r: &mut Reader) -> Settings {
    Settings {
        admin: admin(r),
        gateway: gateway(r),
        capture: capture(r),
        redis: redis::redis(r),
        queues: redis::queues(r),
        database: database(r),
        checks: checks(r),
        history: history(r),
        query: query(r),
        alerts: alerts(r),
        page: page(r),
        rules: rules(r),
        notify: notify(r),
        max_messages_per_minute: r.or(
            "notify.max_messages_per_minute",
            integer(1..=1_000),
            vigie_notify::service::Settings::default().max_messages_per_minute,
        ),
        heartbeat: heartbeat(r),
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

const FORWARDING: &[(&str, vigie_gateway::Forwarding)] = &[
    ("none", vigie_gateway::Forwarding::None),
    ("insert", vigie_gateway::Forwarding::Insert),
    ("append", vigie_gateway::Forwarding::Append),
    ("proxy-v1", vigie_gateway::Forwarding::Proxy(Version::V1)),
    ("proxy-v2", vigie_gateway::Forwarding::Proxy(Version::V2)),
];

fn gateway(r: &mut Reader) -> Option<Gateway> {
    let example = r#"app = "http://127.0.0.1:3000", or give the flag --app"#;
    let apps = r.required("gateway", "gateway.app", origins, example);
    let wait = || duration(MS..=HOUR);
    let listen = r.or("gateway.listen", listen, local(8080));
    // Without the app the other keys are still read, so that their mistakes are reported too.
    let mut proxy = vigie_gateway::Settings::new("");
    let p = &mut proxy;
    p.apps = apps.iter().flatten().map(Authority::to_string).collect();
    r.set("gateway.threads", integer(1..=64), &mut p.threads);
    traffic(r, "gateway", &mut p.traffic);
    r.set(
        "gateway.trusted_proxies",
        list(100, network),
        &mut p.trusted_proxies,
    );
    r.set("gateway.proxy_protocol", boolean, &mut p.proxy_protocol);
    r.set("gateway.forwarding", one_of(FORWARDING), &mut p.forwarding);
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
    let routes_file = r.path("gateway.routes_file");
    apps.is_some().then_some(Gateway {
        listen,
        routes_file,
        proxy,
    })
}

/// The keys of the traffic, which both of its sources have.
fn traffic(r: &mut Reader, section: &str, traffic: &mut vigie_traffic::Settings) {
    let key = |name: &str| format!("{section}.{name}");
    r.set(&key("routes"), list(20_000, route), &mut traffic.routes);
    r.set(
        &key("learned_routes"),
        integer(0..=10_000),
        &mut traffic.learned_routes,
    );
    r.set(
        &key("count_client_errors"),
        boolean,
        &mut traffic.count_client_errors,
    );
    r.set(&key("streams"), list(100, text), &mut traffic.streams);
    r.set(
        &key("stream_routes"),
        list(1_000, route),
        &mut traffic.stream_routes,
    );
    r.set(
        &key("stream_bytes"),
        bytes(1..=1 << 40),
        &mut traffic.stream_bytes,
    );
    r.set(
        &key("max_sessions"),
        integer(1..=1_000_000),
        &mut traffic.max_sessions,
    );
}

fn capture(r: &mut Reader) -> Option<Capture> {
    use vigie_capture::Settings;
    let example = r#"listen = [":3000"], or give the flag --capture"#;
    let most = Settings::MAX_LISTEN;
    let listen = r.required("capture", "capture.listen", list(most, captured), example);
    let mut source = Settings::default();
    let sizes = Settings::MIN_RING_BYTES as u64..=Settings::MAX_RING_BYTES as u64;
    r.set("capture.ring_bytes", bytes(sizes), &mut source.ring_bytes);
    let percent = r.or("capture.max_loss_percent", integer(0..=100), 5_u8);
    source.max_loss = f64::from(percent) / 100.0;
    r.set(
        "capture.max_connections",
        integer(1..=1_000_000),
        &mut source.limits.connections,
    );
    r.set(
        "capture.settle",
        duration(Duration::ZERO..=HOUR),
        &mut source.settle,
    );
    let mut settings = vigie_traffic::Settings::default();
    traffic(r, "capture", &mut settings);
    let routes_file = r.path("capture.routes_file");
    source.listen = listen?;
    Some(Capture {
        source,
        traffic: settings,
        routes_file,
    })
}

/// `:3000`, `eth0:3000` or `any:3000`.
fn captured(given: &Given) -> Parsed<vigie_capture::Listen> {
    let accepted = "a port of the app, like :3000, or one on an interface, like eth0:3000";
    let text = given.text().unwrap_or_default();
    text.trim().parse().or_else(|_| wrong(accepted))
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

pub(crate) fn query(r: &mut Reader) -> vigie_api::Settings {
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
            read: most.read,
            points: r.or("query.max_points", integer(100..=1_000_000), most.points),
            series: r.or("query.max_series", integer(100..=10_000_000), most.series),
        },
        features: match r.or("query.experimental", boolean, false) {
            true => Features::Experimental,
            false => Features::Stable,
        },
    }
}

fn alerts(r: &mut Reader) -> Alerts {
    let sets = &[
        ("essential", BuiltIn::Essential),
        ("extended", BuiltIn::Extended),
    ];
    let default = Alerts::default();
    let rules = r.patterns("alerts.rules", 100);
    let builtin = list(sets.len(), one_of(sets));
    let every = duration(SECOND..=24 * HOUR);
    let offset = duration(Duration::ZERO..=HOUR);
    Alerts {
        rules,
        builtin: r.or("alerts.builtin", builtin, default.builtin),
        interval: r.or("alerts.interval", every, default.interval),
        query_offset: r.or("alerts.query_offset", offset, default.query_offset),
        external_labels: r.or(
            "alerts.external_labels",
            list(32, label),
            default.external_labels,
        ),
        path: r.path("alerts.path"),
        reload: r.or("alerts.reload", boolean, default.reload),
        max_alerts: r.or(
            "alerts.max_alerts",
            integer(1..=1_000_000),
            default.max_alerts,
        ),
        max_memory: r.or(
            "alerts.max_memory",
            bytes(4 << 20..=64 << 30),
            default.max_memory,
        ),
    }
}

fn page(r: &mut Reader) -> Page {
    Page {
        external_url: r.concealed("page.external_url", page_url),
        public: r.or("page.public", boolean, false),
        dashboards: r.path("page.dashboards"),
        grafana: r.concealed("page.grafana", page_url),
        queue_link: r.concealed("page.queue_link", queue_link),
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
