//! The sections about Redis: `redis`, `queues` and `tick`.

use std::path::PathBuf;

use vigie_bullmq::Tick;
use vigie_redis::{Endpoint, TlsFiles};

use super::{HOUR, MS, SECOND};
use crate::reader::Reader;
use crate::secret_file;
use crate::settings::{Exporter, LeaseIn, Queues};
use crate::values::{boolean, duration, integer, list, object_name, one_of, redis_address, text};

pub(super) fn redis(r: &mut Reader) -> Option<vigie_bullmq::Settings> {
    let example = r#"url = "redis://127.0.0.1:6379", url_file, or the variable REDIS_URL"#;
    let endpoint = r.for_check("redis", |r| {
        r.required_secret("redis", "redis.url", redis_address, example)
    });
    let endpoint = endpoint.or_else(|| r.unusable_file_of("redis").map(in_file));
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
    r.set("queues.redact", boolean, &mut w.redact);
    w.tick = tick(r);
    endpoint.is_some().then_some(watcher)
}

/// The address in a file that cannot be used now.
fn in_file(path: PathBuf) -> Endpoint {
    let shown = format!("the address in {}", path.display());
    Endpoint::late(shown, move || {
        let address = secret_file::read(&path)?;
        let endpoint = Endpoint::new(&address, TlsFiles::default());
        endpoint.map_err(|error| format!("{}: {error}", path.display()))
    })
}

pub(super) fn queues(r: &mut Reader) -> Queues {
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

fn tick(r: &mut Reader) -> Option<Tick> {
    let example = r#"queue = "production", or give the flag --tick QUEUE/JOB"#;
    let queue = r.required("tick", "tick.queue", text, example);
    let job = r.optional("tick.job", text);
    queue.map(|queue| Tick { queue, job })
}
