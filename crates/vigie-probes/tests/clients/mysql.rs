use serde_json::json;
use vigie_probes::Sql;
use vigie_testkit::mariadb::PASSWORD;
use vigie_testkit::{Certificates, MariaDb, MariaDbOptions};

use crate::compare::{Reached, Row, Session, ask_node, by_check, compare, row};

const MYSQL2: &[&str] = &["mysql2"];

/// The number of encrypted connections since the start.
async fn encrypted(server: &MariaDb) -> u64 {
    let status = server.run_sql("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'");
    let status = status.await.unwrap();
    status.split('\t').nth(1).unwrap().parse().unwrap()
}

async fn by_vigie(server: &MariaDb, address: &str) -> (Reached, String) {
    let before = encrypted(server).await;
    let look = async || {
        let list = "SELECT db, user FROM information_schema.processlist WHERE user = 'vigie'";
        let line = server.run_sql(list).await.unwrap();
        let (database, user) = line.split_once('\t')?;
        Some(Session {
            database: database.replace("NULL", "null"),
            user: user.to_owned(),
            is_encrypted: encrypted(server).await > before,
        })
    };
    by_check(Sql::new("database", address), look).await
}

#[tokio::test]
async fn an_address_means_what_it_means_to_mysql2() {
    let ca = Certificates::new().await.unwrap();
    let starting = MariaDb::start_with(MariaDbOptions {
        certificate: Some(ca.issue("server", 2).await.unwrap()),
        ..MariaDbOptions::default()
    });
    let server = starting.await.unwrap();
    let port = server.port();
    let base = |host: &str| format!("mysql://vigie:{PASSWORD}@{host}:{port}");
    let with = |host: &str, ssl: serde_json::Value| {
        let mut url = url::Url::parse(&format!("{}/vigie", base(host))).unwrap();
        url.query_pairs_mut().append_pair("ssl", &ssl.to_string());
        url.to_string()
    };
    let ip = "127.0.0.1";
    let root = std::fs::read_to_string(ca.ca()).unwrap();
    let silent = |address: String| Row {
        address,
        same: &[],
        alike: &["mysql2", "sequelize"],
    };
    let rows = [
        silent(format!("{}/vigie", base(ip))),
        silent(format!("{}/missing", base(ip))),
        silent(format!("mysql://vigie:wrong@{ip}:{port}/vigie")),
        Row {
            alike: MYSQL2,
            ..row(base(ip), &[])
        },
        Row {
            alike: MYSQL2,
            ..row(
                format!(
                    "{}/vigie?connectTimeout=5000&charset=utf8mb4&timezone=Z",
                    base(ip)
                ),
                &[],
            )
        },
        row(with(ip, json!({"rejectUnauthorized": false})), MYSQL2),
        row(with(ip, json!({"rejectUnauthorized": true})), MYSQL2),
        row(with(ip, json!({})), MYSQL2),
        row(with(ip, json!({"ca": root})), MYSQL2),
        // mysql2 compares the certificate of an IP address with `localhost`.
        row(with("localhost", json!({"ca": root})), MYSQL2),
        row(
            with("localhost", json!({"ca": root, "verifyIdentity": true})),
            MYSQL2,
        ),
        row(with(ip, json!("no such profile")), MYSQL2),
    ];
    let pairs: Vec<_> = rows
        .iter()
        .flat_map(|row| {
            let names = row.same.iter().chain(row.alike);
            names.map(|name| (*name, row.address.as_str()))
        })
        .collect();
    let mut reported = ask_node(&pairs, "").await.into_iter();
    for row in &rows {
        let names = row.same.iter().chain(row.alike);
        let others: Vec<_> = names
            .map(|name| (*name, reported.next().unwrap()))
            .collect();
        let check = by_vigie(&server, &row.address).await;
        compare(row, &check, &others);
    }
}
