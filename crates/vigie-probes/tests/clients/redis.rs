use std::path::Path;

use vigie_probes::Redis;
use vigie_redis::{Endpoint, TlsFiles};
use vigie_testkit::redis::ask;
use vigie_testkit::{Certificates, Kind, Redis as Server, RedisOptions, ports};

use crate::compare::{Reached, Row, Session, ask_node, by_check, compare, row};

const ALL: &[&str] = &["redis-cli", "ioredis", "redis"];
const NODE: &[&str] = &["ioredis", "redis"];

/// Parses a line of `CLIENT LIST`, or that of `CLIENT INFO`.
fn session(line: &str, tls_port: u16) -> Session {
    let field = |name: &str| {
        let mut fields = line
            .split_whitespace()
            .filter_map(|field| field.split_once('='));
        let found = fields.find(|(key, _)| *key == name);
        found.map(|(_, value)| value.to_owned()).unwrap()
    };
    Session {
        database: field("db"),
        user: field("user"),
        is_encrypted: field("laddr").ends_with(&format!(":{tls_port}")),
    }
}

async fn by_cli(address: &str, ca: &Path, tls_port: u16) -> (Reached, String) {
    let ca = address.starts_with("rediss:").then_some(ca);
    match ask(address, ca, &["CLIENT", "INFO"]).await {
        Ok(line) => (Some(session(&line, tls_port)), String::new()),
        Err(error) => (None, error.to_string()),
    }
}

async fn by_vigie(server: &Server, address: &str, ca: &Path, tls_port: u16) -> (Reached, String) {
    let look = async || {
        let all = server.cli(&["CLIENT", "LIST"]).await.unwrap();
        // `redis-cli` itself sends the query.
        let mut others = all.lines().filter(|line| !line.contains("cmd=client|list"));
        others.next().map(|line| session(line, tls_port))
    };
    let tls = TlsFiles {
        ca: Some(ca.to_owned()),
        client: None,
    };
    let check = Endpoint::new(address, tls).map(|endpoint| Redis::at("redis", endpoint));
    by_check(check, look).await
}

#[tokio::test]
async fn an_address_means_what_it_means_to_its_clients() {
    let ca = Certificates::new().await.unwrap();
    let own = Kind {
        common_name: "redis",
        issuer: None,
        days: 2,
        extensions: "basicConstraints=critical,CA:TRUE\nsubjectAltName=IP:127.0.0.1",
    };
    let (certificate, key) = ca.make("own", own).await.unwrap();
    let tls_port = ports::free();
    let mut args = vec!["--tls-port".to_owned(), tls_port.to_string()];
    for (name, value) in [
        ("--tls-cert-file", certificate.display().to_string()),
        ("--tls-key-file", key.display().to_string()),
        ("--tls-ca-cert-file", certificate.display().to_string()),
        ("--tls-auth-clients", "no".to_owned()),
    ] {
        args.extend([name.to_owned(), value]);
    }
    let starting = Server::start_with(RedisOptions {
        password: Some("let-me-in".into()),
        unix_socket: true,
        args,
    });
    let server = starting.await.unwrap();
    let user = ["ACL", "SETUSER", "app", "on", ">p@ss/w", "~*", "+@all"];
    server.cli(&user).await.unwrap();
    let at = |login: &str, rest: &str| format!("redis://{login}127.0.0.1:{}{rest}", server.port());
    let over_tls = |login: &str, rest: &str| format!("rediss://{login}127.0.0.1:{tls_port}{rest}");
    let socket = server.unix_socket().unwrap();
    let rows: Vec<Row<'_>> = vec![
        row(at(":let-me-in@", ""), NODE),
        row(at(":let-me-in@", "/"), NODE),
        row(at(":let-me-in@", "/3"), NODE),
        // redis-cli sends an empty user name unchanged.
        row(at("default:let-me-in@", ""), ALL),
        row(at("default:let-me-in@", "/3"), ALL),
        row(at("app:p%40ss%2Fw@", "/1"), ALL),
        row(at(":wrong@", ""), NODE),
        row(at("nobody:let-me-in@", ""), NODE),
        // ioredis stays in database 0.
        row(at(":let-me-in@", "/99"), &["redis"]),
        row(at("", ""), NODE),
        // node-redis ignores parameters, so only ioredis reads these.
        row(at(":let-me-in@", "?db=2"), &["ioredis"]),
        row(at(":let-me-in@", "/?db=2&connectionName=app"), &["ioredis"]),
        row(at("", "?db=2&password=let-me-in"), &["ioredis"]),
        row(at("", "/4?username=app&password=p%40ss%2Fw"), &["ioredis"]),
        row(
            format!("unix://{}?password=let-me-in&db=2", socket.display()),
            &["ioredis"],
        ),
        row(over_tls(":let-me-in@", ""), NODE),
        row(over_tls("default:let-me-in@", "/2"), ALL),
        row(over_tls("app:p%40ss%2Fw@", "/2"), ALL),
        row(over_tls(":wrong@", ""), NODE),
        row(format!("rediss://:let-me-in@localhost:{tls_port}"), NODE),
    ];
    let node = |row: &Row<'_>| -> Vec<String> {
        let names = row.same.iter().filter(|name| **name != "redis-cli");
        names.map(|name| (*name).to_owned()).collect()
    };
    let all: Vec<_> = rows.iter().map(node).collect();
    let pairs: Vec<_> = rows
        .iter()
        .zip(&all)
        .flat_map(|(row, names)| {
            names
                .iter()
                .map(|name| (name.as_str(), row.address.as_str()))
        })
        .collect();
    let ca_file = certificate.display().to_string();
    let mut reported = ask_node(&pairs, &ca_file).await.into_iter();
    for (row, names) in rows.iter().zip(&all) {
        let mut others: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), reported.next().unwrap()))
            .collect();
        if row.same.contains(&"redis-cli") {
            others.push((
                "redis-cli",
                by_cli(&row.address, &certificate, tls_port).await,
            ));
        }
        let check = by_vigie(&server, &row.address, &certificate, tls_port).await;
        compare(row, &check, &others);
    }
}
