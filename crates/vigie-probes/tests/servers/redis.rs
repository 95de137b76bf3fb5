use std::time::Duration;

use tokio::net::TcpStream;
use vigie_probes::{Check, FailureKind, Redis, Status};
use vigie_testkit::{Redis as Server, RedisOptions, SOON};

use crate::watch::{PERIOD, TIMEOUT, Watch, failure, passes};

fn check(url: &str) -> Redis {
    Redis::new("redis", url).unwrap()
}

async fn with(args: &[&str]) -> Server {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    let options = RedisOptions {
        args,
        ..RedisOptions::default()
    };
    Server::start_with(options).await.unwrap()
}

#[tokio::test]
async fn killed_frozen_and_back() {
    let mut server = Server::start().await.unwrap();
    let mut watch = Watch::well(check(&server.url())).await;
    let connected = async |server: &Server| {
        let info = server.cli(&["INFO", "stats"]).await.unwrap();
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("total_connections_received:"));
        line.unwrap().trim().parse::<u32>().unwrap()
    };
    let first = connected(&server).await;
    watch.stays(Status::Ok, 5 * PERIOD).await;
    // The additional one is this query.
    assert_eq!(
        connected(&server).await,
        first + 1,
        "the connection is not kept"
    );

    let mut hurried = Watch::well_with(check(&server.url()), TIMEOUT).await;
    server.freeze();
    let failed = hurried.turns(Status::Failed).await;
    assert_eq!(failed.failure.unwrap().kind(), FailureKind::TimedOut);
    hurried.stays(Status::Failed, PERIOD + TIMEOUT).await;
    server.thaw();
    hurried.turns(Status::Ok).await;
    drop(hurried);

    server.kill9();
    let failure = watch.turns(Status::Failed).await.failure.unwrap();
    let expected = format!("redis 127.0.0.1:{}/0: connection refused", server.port());
    assert_eq!(
        (failure.text(), failure.kind()),
        (&*expected, FailureKind::Unreachable)
    );
    server.restart().await.unwrap();
    watch.turns(Status::Ok).await;

    // A closed connection is replaced within the same run.
    let before = watch.verdict().since;
    server
        .cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
        .await
        .unwrap();
    watch.stays(Status::Ok, 3 * PERIOD).await;
    assert_eq!(watch.verdict().since, before);
}

#[tokio::test]
async fn a_changed_password_is_noticed_by_the_next_login() {
    let server = Server::start_with(RedisOptions {
        password: Some("first-password".into()),
        ..RedisOptions::default()
    })
    .await
    .unwrap();
    let every = Duration::from_secs(1);
    let mut watch = Watch::well(check(&server.url()).relogin_every(every)).await;
    server
        .cli(&["CONFIG", "SET", "requirepass", "another-password"])
        .await
        .unwrap();
    let failure = watch.turns(Status::Failed).await.failure.unwrap();
    assert_eq!(failure.kind(), FailureKind::Denied, "{failure}");
    watch
        .never_reported(&["first-password", "another-password"])
        .await;
}

#[tokio::test]
async fn refusals_are_distinguished() {
    let server = Server::start_with(RedisOptions {
        password: Some("first-password".into()),
        unix_socket: true,
        ..RedisOptions::default()
    })
    .await
    .unwrap();
    let place = format!("127.0.0.1:{}", server.port());
    let limited = [
        "ACL",
        "SETUSER",
        "limited",
        "on",
        ">limited-password",
        "-@all",
        "+get",
    ];
    server.cli(&limited).await.unwrap();
    for (login, meaning) in [
        ("", "requires a password, but the address has none (NOAUTH"),
        (":wrong-password@", "does not accept this user and password"),
        (
            "nobody:first-password@",
            "does not accept this user and password",
        ),
        (
            "limited:limited-password@",
            "does not allow this user to run PING (NOPERM",
        ),
    ] {
        let denied = failure(&mut check(&format!("redis://{login}{place}"))).await;
        assert_eq!(denied.kind(), FailureKind::Denied, "{denied}");
        assert!(denied.text().contains(meaning), "{denied}");
        assert!(!denied.text().contains("-password"), "{denied}");
    }
    passes(&mut check(&format!("redis://:first-password@{place}/3"))).await;
    let socket = server.unix_socket().unwrap();
    passes(&mut check(&format!(
        "unix://{}?pass=first-password",
        socket.display()
    )))
    .await;
    let target = check(&format!("redis://:first-password@{place}/3")).target();
    assert_eq!(target, format!("redis {place}/3"));
    for url in [
        "http://h",
        "redis://:hidden@h:port",
        "redis://h/x?pass=hidden",
    ] {
        let error = Redis::new("redis", url).err().unwrap().to_string();
        assert!(!error.contains("hidden"), "{error}");
    }
}

#[tokio::test]
async fn a_server_at_its_client_limit_is_reported() {
    let server = with(&["--maxclients", "1"]).await;
    let mut check = check(&server.url());
    // The client that awaited the server's start may not have disconnected yet.
    let deadline = tokio::time::Instant::now() + SOON;
    let _room = loop {
        let taken = TcpStream::connect(("127.0.0.1", server.port()))
            .await
            .unwrap();
        let mut byte = [0];
        let refused = tokio::time::timeout(Duration::from_millis(100), taken.peek(&mut byte)).await;
        if refused.is_err() {
            break taken;
        }
        assert!(tokio::time::Instant::now() < deadline);
    };
    let full = failure(&mut check).await;
    // The server's error may be lost when it closes the connection.
    assert!(
        [FailureKind::Full, FailureKind::Broken].contains(&full.kind()),
        "{full}"
    );
    assert!(full.text().contains("max number of clients") || full.text().contains("maxclients"));
}

#[tokio::test]
async fn a_script_that_blocks_the_server_is_reported() {
    let server = with(&["--busy-reply-threshold", "50"]).await;
    let mut watch = Watch::well(check(&server.url())).await;
    let hog = server.cli(&["EVAL", "while true do end", "0"]);
    let (_, ()) = tokio::join!(hog, async {
        let failed = watch.turns(Status::Failed).await;
        let failure = failed.failure.unwrap();
        assert_eq!(failure.kind(), FailureKind::NotReady, "{failure}");
        assert!(
            failure.text().contains("is busy running a script (BUSY"),
            "{failure}"
        );
        server.cli(&["SCRIPT", "KILL"]).await.unwrap();
    });
    watch.turns(Status::Ok).await;
}

#[tokio::test]
async fn a_server_that_loads_its_data_is_reported() {
    let slow = [
        "--key-load-delay",
        "1000",
        "--loading-process-events-interval-bytes",
        "1024",
    ];
    let mut server = with(&slow).await;
    let fill = "for i = 1, 2000 do redis.call('SET', 'key' .. i, string.rep('x', 100)) end";
    server.cli(&["EVAL", fill, "0"]).await.unwrap();
    server.cli(&["BGREWRITEAOF"]).await.unwrap();
    let rewritten = async || {
        let info = server.cli(&["INFO", "persistence"]).await.unwrap();
        info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0")
    };
    while !rewritten().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut watch = Watch::well(check(&server.url())).await;
    let seen = async {
        loop {
            let failure = watch.verdict().failure;
            if let Some(failure) = failure.filter(|failure| failure.text().contains("LOADING")) {
                break failure;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let seen = tokio::time::timeout(SOON, seen);
    let (restarted, seen) = tokio::join!(server.restart(), seen);
    restarted.unwrap();
    let loading = seen.expect("it never said that it loads");
    assert_eq!(loading.kind(), FailureKind::NotReady);
    assert!(loading.text().contains("is loading its data"), "{loading}");
    watch.turns(Status::Ok).await;
}
