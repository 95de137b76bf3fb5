use std::time::Duration;

use vigie_probes::{FailureKind, Sql, Status};
use vigie_testkit::MariaDb;
use vigie_testkit::mariadb::PASSWORD;

use crate::watch::{PERIOD, TIMEOUT, Watch, failure, passes};

fn check(url: &str) -> Sql {
    Sql::new("database", url).unwrap()
}

async fn connections(mariadb: &MariaDb) -> String {
    let list = "SELECT group_concat(id) FROM information_schema.processlist WHERE user = 'vigie'";
    mariadb.run_sql(list).await.unwrap()
}

#[tokio::test]
async fn killed_frozen_and_back() {
    let mut mariadb = MariaDb::start().await.unwrap();
    let mut watch = Watch::well(check(&mariadb.url())).await;

    let first = connections(&mariadb).await;
    assert!(first.parse::<u32>().is_ok(), "{first:?}");
    watch.stays(Status::Ok, 5 * PERIOD).await;
    assert_eq!(connections(&mariadb).await, first);

    let mut hurried = Watch::well_with(check(&mariadb.url()), TIMEOUT).await;
    mariadb.freeze();
    let failed = hurried.turns(Status::Failed).await;
    assert_eq!(failed.failure.unwrap().kind(), FailureKind::TimedOut);
    mariadb.thaw();
    hurried.turns(Status::Ok).await;
    drop(hurried);

    mariadb.kill9();
    let failure = watch.turns(Status::Failed).await.failure.unwrap();
    let expected = format!(
        "mysql 127.0.0.1:{}/vigie: connection refused",
        mariadb.port()
    );
    assert_eq!(failure.text(), expected);
    mariadb.restart().await.unwrap();
    watch.turns(Status::Ok).await;

    let change = format!(
        "ALTER USER {} IDENTIFIED BY 'another-password'",
        mariadb.user()
    );
    mariadb.run_sql(&change).await.unwrap();
    watch.stays(Status::Ok, 2 * PERIOD).await;
    mariadb.run_sql("KILL CONNECTION USER vigie").await.unwrap();
    let failure = watch.turns(Status::Failed).await.failure.unwrap();
    assert_eq!(failure.kind(), FailureKind::Denied);
    assert!(failure.text().contains("Access denied"), "{failure}");
    let back = format!("ALTER USER {} IDENTIFIED BY '{PASSWORD}'", mariadb.user());
    mariadb.run_sql(&back).await.unwrap();
    watch.turns(Status::Ok).await;

    watch.never_reported(&[PASSWORD, "another-password"]).await;
}

#[tokio::test]
async fn logins_are_renewed_and_refusals_distinguished() {
    let mariadb = MariaDb::start().await.unwrap();
    let every = Duration::from_secs(1);
    let renewing = check(&mariadb.url().replace("mysql://", "mariadb://")).relogin_every(every);
    let mut watch = Watch::well(renewing).await;
    watch.stays(Status::Ok, every + 2 * PERIOD).await;
    // Clients that close without a quit command are counted here.
    let aborted = "SHOW GLOBAL STATUS LIKE 'Aborted_clients'";
    assert_eq!(
        mariadb.run_sql(aborted).await.unwrap(),
        "Aborted_clients\t0"
    );

    let denied = failure(&mut check(&mariadb.url_with_password("wrong-password"))).await;
    assert_eq!(denied.kind(), FailureKind::Denied);
    let missing = failure(&mut check(&format!("{}_is_no_database", mariadb.url()))).await;
    assert_eq!(missing.kind(), FailureKind::Denied, "{missing}");
    let tls = failure(&mut check(&format!("{}?ssl=true", mariadb.url()))).await;
    assert_eq!(tls.kind(), FailureKind::Tls, "{tls}");
    passes(&mut check(&format!(
        "{}?connectionLimit=5&charset=utf8",
        mariadb.url()
    )))
    .await;

    let change = format!(
        "ALTER USER {} IDENTIFIED BY 'another-password'",
        mariadb.user()
    );
    mariadb.run_sql(&change).await.unwrap();
    let failed = watch.turns(Status::Failed).await;
    assert_eq!(failed.failure.unwrap().kind(), FailureKind::Denied);
    watch
        .never_reported(&[PASSWORD, "another-password", "wrong-password"])
        .await;
}
