use std::path::{Path, PathBuf};

use vigie_probes::Sql;
use vigie_testkit::postgres::{self, PASSWORD};
use vigie_testkit::{Certificates, Kind, Postgres, PostgresOptions};

use crate::compare::{Reached, Row, Session, ask_node, by_check, compare, row};

const ACCESS: &str = "local all all scram-sha-256\n\
                      hostssl all only_tls all scram-sha-256\n\
                      hostnossl all only_plain all scram-sha-256\n\
                      hostssl all with_cert all cert\n\
                      host all vigie all scram-sha-256";
const SELF: &str = "SELECT current_database(), current_user, \
                    (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())";
const ALL: &[&str] = &["psql", "pg", "sequelize"];
const LIBPQ: &[&str] = &["psql"];
const NODE: &[&str] = &["pg", "sequelize"];

fn session(line: &str) -> Reached {
    let fields: Vec<_> = line.split('|').collect();
    let [database, user, encrypted] = fields.as_slice() else {
        return None;
    };
    Some(Session {
        database: (*database).to_owned(),
        user: (*user).to_owned(),
        is_encrypted: *encrypted == "t",
    })
}

async fn ask_psql(address: &str) -> (Reached, String) {
    match postgres::ask(address, SELF).await {
        Ok(line) => (session(&line), String::new()),
        Err(error) => (None, error.to_string()),
    }
}

async fn by_vigie(server: &Postgres, address: &str) -> (Reached, String) {
    let look = async || {
        let sql = "SELECT datname, usename, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) \
                   WHERE application_name = 'vigie'";
        session(&server.run_sql(sql).await.unwrap())
    };
    by_check(Sql::new("database", address), look).await
}

async fn hold(server: &Postgres, rows: &[Row<'_>]) {
    let libraries = |row: &Row<'_>| -> Vec<String> {
        let all = row
            .same
            .iter()
            .chain(row.alike)
            .filter(|name| **name != "psql");
        all.map(|name| (*name).to_owned()).collect()
    };
    let all: Vec<_> = rows.iter().map(libraries).collect();
    let pairs = rows.iter().zip(&all);
    let pairs: Vec<_> = pairs
        .flat_map(|(row, names)| {
            names
                .iter()
                .map(|name| (name.as_str(), row.address.as_str()))
        })
        .collect();
    let mut reported = ask_node(&pairs, "").await.into_iter();
    for (row, names) in rows.iter().zip(&all) {
        let mut others: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), reported.next().unwrap()))
            .collect();
        if row.same.contains(&"psql") {
            others.push(("psql", ask_psql(&row.address).await));
        }
        let check = by_vigie(server, &row.address).await;
        compare(row, &check, &others);
    }
}

async fn start(certificate: (PathBuf, PathBuf), ca: Option<&Path>) -> Postgres {
    let starting = Postgres::start_with(PostgresOptions {
        certificate: Some(certificate),
        client_ca: ca.map(Path::to_owned),
        access: Some(ACCESS.to_owned()),
        unix_socket: true,
    });
    let server = starting.await.unwrap();
    for role in ["only_tls", "only_plain", "with_cert"] {
        let role = format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'");
        server.run_sql(&role).await.unwrap();
    }
    server
}

/// libpq requires a key that only its owner can read.
fn private(key: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
    key.display().to_string()
}

#[tokio::test]
async fn an_address_means_what_it_means_to_libpq_and_node_postgres() {
    let ca = Certificates::new().await.unwrap();
    let stranger = Certificates::new().await.unwrap();
    let server = start(ca.issue("server", 2).await.unwrap(), Some(&ca.ca())).await;
    let (certificate, key) = ca.issue("with_cert", 2).await.unwrap();
    let client = format!("sslcert={}&sslkey={}", certificate.display(), private(&key));
    let (root, other) = (
        ca.ca().display().to_string(),
        stranger.ca().display().to_string(),
    );
    let (port, directory) = (
        server.port(),
        server.socket_directory().display().to_string(),
    );
    let encoded = directory.replace('/', "%2F");
    let at = |user: &str, host: &str, query: &str| {
        format!("postgres://{user}:{PASSWORD}@{host}:{port}/vigie?{query}")
    };
    let with = |query: &str| at("vigie", "127.0.0.1", query);
    let silent = |address: String| Row {
        address,
        same: LIBPQ,
        alike: NODE,
    };
    let rows = [
        // Servers and databases.
        silent(format!(
            "postgres://vigie:{PASSWORD}@127.0.0.1:{port}/vigie"
        )),
        silent(format!("postgresql://vigie:{PASSWORD}@127.0.0.1:{port}")),
        silent(format!(
            "postgresql://vigie:{PASSWORD}@127.0.0.1:{port}/postgres"
        )),
        silent(format!(
            "postgresql://vigie:{PASSWORD}@127.0.0.1:{port}/missing"
        )),
        silent(format!("postgresql://vigie:wrong@127.0.0.1:{port}/vigie")),
        row(
            format!("postgres://vigie:{PASSWORD}@/vigie?host={directory}&port={port}"),
            &["psql", "pg"],
        ),
        row(
            format!("postgres://vigie:{PASSWORD}@{encoded}:{port}/vigie"),
            &["psql", "pg"],
        ),
        row(
            format!("postgres://vigie:{PASSWORD}@/vigie?host=127.0.0.1&port={port}"),
            LIBPQ,
        ),
        row(
            format!("postgres://vigie:{PASSWORD}@127.0.0.1:1,127.0.0.1:{port}/vigie"),
            LIBPQ,
        ),
        row(
            format!("postgres://?host=127.0.0.1&port={port}&user=vigie&password={PASSWORD}"),
            LIBPQ,
        ),
        row(
            format!("host={directory} port={port} dbname=vigie user=vigie password='{PASSWORD}'"),
            LIBPQ,
        ),
        row(
            format!("host=x.invalid hostaddr=127.0.0.1 port={port} user=vigie password={PASSWORD}"),
            LIBPQ,
        ),
        row(
            format!("host=127.0.0.1,127.0.0.1 port=1,{port} user = vigie password={PASSWORD}"),
            LIBPQ,
        ),
        row(format!("host=127.0.0.1 port={port} user=vigie"), LIBPQ),
        row(with("target_session_attrs=read-write"), LIBPQ),
        row(with("target_session_attrs=primary"), LIBPQ),
        row(with("target_session_attrs=standby"), LIBPQ),
        row(with("target_session_attrs=prefer-standby"), LIBPQ),
        row(
            with("sslmode=disable&options=-c%20search_path%3Dpublic"),
            ALL,
        ),
        row(with("options=-c%20no_such_setting%3D1"), LIBPQ),
        // Encryption.
        row(with("sslmode=disable"), ALL),
        row(with("sslmode=allow"), LIBPQ),
        row(with("sslmode=prefer"), LIBPQ),
        row(with("sslmode=require"), LIBPQ),
        row(with("sslmode=require&uselibpqcompat=true"), &["pg"]),
        row(with("sslmode=no-verify"), NODE),
        row(with("ssl=0"), &["pg"]),
        row(with("ssl=true"), &["pg"]),
        row(with("ssl=1"), &["pg"]),
        row(at("only_tls", "127.0.0.1", "sslmode=disable"), ALL),
        row(at("only_tls", "127.0.0.1", "sslmode=allow"), LIBPQ),
        row(at("only_tls", "127.0.0.1", "sslmode=prefer"), LIBPQ),
        row(at("only_plain", "127.0.0.1", "sslmode=prefer"), LIBPQ),
        row(at("only_plain", "127.0.0.1", "sslmode=require"), LIBPQ),
        // Verification.
        row(
            with(&format!("sslmode=verify-full&sslrootcert={root}")),
            ALL,
        ),
        row(
            with(&format!("sslmode=verify-full&sslrootcert={other}")),
            ALL,
        ),
        row(with(&format!("sslmode=verify-ca&sslrootcert={root}")), ALL),
        row(with(&format!("sslmode=verify-ca&sslrootcert={other}")), ALL),
        row(with(&format!("sslmode=require&sslrootcert={root}")), ALL),
        row(with(&format!("sslmode=require&sslrootcert={other}")), ALL),
        row(with(&format!("sslmode=prefer&sslrootcert={root}")), LIBPQ),
        row(with(&format!("sslmode=prefer&sslrootcert={other}")), LIBPQ),
        row(
            at(
                "vigie",
                "localhost",
                &format!("sslmode=verify-ca&sslrootcert={root}"),
            ),
            LIBPQ,
        ),
        row(
            at(
                "vigie",
                "localhost",
                &format!("sslmode=verify-full&sslrootcert={root}"),
            ),
            ALL,
        ),
        row(with("sslmode=require&sslrootcert=/no/such/file"), LIBPQ),
        row(with("sslmode=verify-ca&sslrootcert=/no/such/file"), ALL),
        // Other ways to log in.
        row(with("sslmode=require&channel_binding=require"), LIBPQ),
        row(with("sslmode=disable&channel_binding=require"), LIBPQ),
        row(with("sslmode=require&channel_binding=disable"), LIBPQ),
        row(
            at(
                "with_cert",
                "127.0.0.1",
                &format!("sslmode=require&{client}"),
            ),
            LIBPQ,
        ),
        row(
            at(
                "with_cert",
                "127.0.0.1",
                &format!("sslmode=no-verify&{client}"),
            ),
            &["pg"],
        ),
        row(at("with_cert", "127.0.0.1", "sslmode=require"), LIBPQ),
        row(
            at("vigie", "127.0.0.1", &format!("sslmode=require&{client}")),
            LIBPQ,
        ),
    ];
    hold(&server, &rows).await;
}

#[tokio::test]
async fn a_server_whose_certificate_is_its_own_root_is_trusted_with_it() {
    let ca = Certificates::new().await.unwrap();
    let own = Kind {
        common_name: "db",
        issuer: None,
        days: 2,
        extensions: "basicConstraints=critical,CA:TRUE\nsubjectAltName=IP:127.0.0.1",
    };
    let own = ca.make("own", own).await.unwrap();
    let (server, root) = (start(own.clone(), None).await, own.0.display());
    let at = |host: &str, query: String| {
        let port = server.port();
        format!("postgres://vigie:{PASSWORD}@{host}:{port}/vigie?{query}")
    };
    let rows = [
        row(
            at(
                "127.0.0.1",
                format!("sslmode=verify-full&sslrootcert={root}"),
            ),
            ALL,
        ),
        row(
            at(
                "localhost",
                format!("sslmode=verify-full&sslrootcert={root}"),
            ),
            ALL,
        ),
        row(
            at("localhost", format!("sslmode=verify-ca&sslrootcert={root}")),
            LIBPQ,
        ),
    ];
    hold(&server, &rows).await;
}

/// Certificates made as in PostgreSQL's documentation, with older versions of OpenSSL.
#[tokio::test]
async fn a_certificate_of_version_1_is_trusted_by_its_common_name() {
    let ca = Certificates::new().await.unwrap();
    let old = Kind {
        common_name: "localhost",
        issuer: Some("ca"),
        days: 2,
        extensions: "",
    };
    let old = ca.make("old", old).await.unwrap();
    let (server, root) = (start(old, None).await, ca.ca());
    let query = format!("sslmode=verify-full&sslrootcert={}", root.display());
    let at = |host: &str| {
        let port = server.port();
        format!("postgres://vigie:{PASSWORD}@{host}:{port}/vigie?{query}")
    };
    hold(
        &server,
        &[row(at("localhost"), ALL), row(at("127.0.0.1"), ALL)],
    )
    .await;
}
