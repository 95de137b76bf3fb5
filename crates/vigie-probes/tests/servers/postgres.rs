use std::time::Duration;

use vigie_probes::{Check, FailureKind, Sql, Status};
use vigie_testkit::postgres::PASSWORD;
use vigie_testkit::{Postgres, SOON, eventually};

use crate::watch::{PERIOD, TIMEOUT, Watch, failure, passes};

fn check(url: &str) -> Sql {
    Sql::new("database", url).unwrap()
}

async fn backends(postgres: &Postgres) -> String {
    let list = "SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE usename = 'vigie'";
    postgres.run_sql(list).await.unwrap()
}

#[tokio::test]
async fn killed_frozen_and_back() {
    let mut postgres = Postgres::start().await.unwrap();
    let mut watch = Watch::well(check(&postgres.url())).await;

    // One persistent connection.
    let first = backends(&postgres).await;
    assert!(first.parse::<u32>().is_ok(), "{first:?}");
    watch.stays(Status::Ok, 5 * PERIOD).await;
    assert_eq!(backends(&postgres).await, first);

    let mut hurried = Watch::well_with(check(&postgres.url()), TIMEOUT).await;
    postgres.freeze();
    let failed = hurried.turns(Status::Failed).await;
    assert_eq!(failed.failure.unwrap().kind(), FailureKind::TimedOut);
    hurried.stays(Status::Failed, PERIOD + TIMEOUT).await;
    postgres.thaw();
    hurried.turns(Status::Ok).await;
    drop(hurried);

    postgres.kill9();
    let failed = watch.turns(Status::Failed).await;
    let failure = failed.failure.unwrap();
    assert_eq!(failure.kind(), FailureKind::Unreachable);
    let expected = format!(
        "postgres 127.0.0.1:{}/vigie: connection refused",
        postgres.port()
    );
    assert_eq!(failure.text(), expected);
    postgres.restart().await.unwrap();
    watch.turns(Status::Ok).await;

    // A restart between two runs is not noticed.
    let terminate =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'vigie'";
    let before = watch.verdict().since;
    postgres.run_sql(terminate).await.unwrap();
    watch.stays(Status::Ok, 3 * PERIOD).await;
    assert_eq!(watch.verdict().since, before);

    // The password is changed, and the connections are closed.
    postgres
        .run_sql("ALTER ROLE vigie PASSWORD 'another-password'")
        .await
        .unwrap();
    watch.stays(Status::Ok, 2 * PERIOD).await;
    postgres.run_sql(terminate).await.unwrap();
    let failure = watch.turns(Status::Failed).await.failure.unwrap();
    assert_eq!(failure.kind(), FailureKind::Denied);
    assert!(
        failure.text().contains("password authentication failed"),
        "{failure}"
    );
    let back = format!("ALTER ROLE vigie PASSWORD '{PASSWORD}'");
    postgres.run_sql(&back).await.unwrap();
    watch.turns(Status::Ok).await;

    watch.never_reported(&[PASSWORD, "another-password"]).await;
}

#[tokio::test]
async fn a_changed_password_is_noticed_by_the_next_login() {
    let postgres = Postgres::start().await.unwrap();
    let every = Duration::from_secs(1);
    let mut watch = Watch::well(check(&postgres.url()).relogin_every(every)).await;
    let another = async |first: u32| {
        eventually(SOON, async || {
            let now = backends(&postgres).await;
            // None while the check logs in again.
            let is_another = now.parse().is_ok_and(|pid: u32| pid != first);
            is_another.then(|| now.parse().unwrap()).ok_or(now)
        })
        .await
    };
    let first: u32 = another(0).await;
    another(first).await;
    watch.stays(Status::Ok, every + 2 * PERIOD).await;

    postgres
        .run_sql("ALTER ROLE vigie PASSWORD 'another-password'")
        .await
        .unwrap();
    let failed = watch.turns(Status::Failed).await;
    assert_eq!(failed.failure.unwrap().kind(), FailureKind::Denied);
    watch.never_reported(&[PASSWORD, "another-password"]).await;
}

#[tokio::test]
async fn refusals_are_distinguished() {
    let postgres = Postgres::start().await.unwrap();
    let mut wrong = check(&postgres.url_with_password("wrong-password"));
    let denied = failure(&mut wrong).await;
    assert_eq!(denied.kind(), FailureKind::Denied);
    assert!(!denied.text().contains("wrong-password"));

    let url = postgres.url();
    let missing = failure(&mut check(&format!("{url}-is-no-database"))).await;
    assert_eq!(missing.kind(), FailureKind::Denied);
    assert!(missing.text().contains("does not exist"), "{missing}");

    let tls = failure(&mut check(&format!("{url}?ssl=true"))).await;
    assert_eq!(tls.kind(), FailureKind::Tls, "{tls}");

    // Parameters of other clients are neither sent nor logged.
    let mut odd = check(&format!(
        "{url}?schema=public&sslpassword=hidden-parameter&sslmode=disable"
    ));
    passes(&mut odd).await;

    postgres
        .run_sql("ALTER ROLE vigie CONNECTION LIMIT 0")
        .await
        .unwrap();
    let full = failure(&mut check(&url)).await;
    assert_eq!(full.kind(), FailureKind::Full, "{full}");

    let mut watch = Watch::start(wrong);
    watch.turns(Status::Failed).await;
    watch
        .never_reported(&["wrong-password", "hidden-parameter"])
        .await;
}

#[tokio::test]
async fn a_password_may_contain_special_characters() {
    let postgres = Postgres::start().await.unwrap();
    postgres
        .run_sql("ALTER ROLE vigie PASSWORD 'p@ss/w#r?d %41é'")
        .await
        .unwrap();
    let encoded = "p%40ss%2Fw%23r%3Fd%20%2541%C3%A9";
    passes(&mut check(&postgres.url_with_password(encoded))).await;
    let target = check(&postgres.url_with_password(encoded)).target();
    assert_eq!(
        target,
        format!("postgres 127.0.0.1:{}/vigie", postgres.port())
    );
}

#[tokio::test]
async fn the_next_host_is_tried() {
    let postgres = Postgres::start().await.unwrap();
    let own = format!("127.0.0.1:{}", postgres.port());
    let url = postgres.url();
    assert!(url.contains(&own), "{url}");
    // Nothing listens on port 1.
    passes(&mut check(
        &url.replace(&own, &format!("127.0.0.1:1,{own}")),
    ))
    .await;
    let (before, after) = url.split_once(&own).unwrap();
    let lists = format!("host=127.0.0.1,127.0.0.1&port=1,{}", postgres.port());
    passes(&mut check(&format!("{before}{after}?{lists}"))).await;
    let failed = failure(&mut check(&url.replace(&own, "127.0.0.1:1,127.0.0.1:1"))).await;
    assert_eq!(failed.kind(), FailureKind::Unreachable);
}
