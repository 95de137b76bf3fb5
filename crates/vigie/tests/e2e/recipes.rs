//! The recipes of `docs/recipes` print patterns that Vigie accepts, with the real libraries.

use vigie_config::Settings;
use vigie_testkit::{SOON, Script};

/// The patterns that a script prints as a setting.
async fn printed(script: Script) -> Vec<String> {
    let mut process = script.spawn().unwrap();
    let mut setting = String::new();
    while let Ok(line) = process.next_line(SOON).await {
        setting.push_str(&line);
        setting.push('\n');
    }
    let status = process.wait(SOON).await.unwrap();
    assert!(status.success(), "{}", process.tail());
    let settings = format!("{setting}app = \"http://127.0.0.1:3000\"\n");
    let settings = Settings::from_toml(&settings);
    let settings = settings.unwrap_or_else(|error| panic!("{setting}\n{error}"));
    settings.gateway.unwrap().proxy.traffic.routes
}

#[tokio::test]
async fn of_an_express_app() {
    const COMMON: [&str; 18] = [
        "GET /",
        "GET /users",
        "POST /users",
        "/anything/:what",
        "GET /a",
        "GET /b/:c",
        "GET /img/:name",
        "GET /near/:lat",
        "GET /wins/:first",
        "GET /api",
        "GET /api/items/:id",
        "DELETE /api/items/:id",
        "PUT /api/orders/:order/lines/:line",
        "GET /v1/api",
        "GET /v1/api/items/:id",
        "DELETE /v1/api/items/:id",
        "PUT /v1/api/orders/:order/lines/:line",
        "PUT /lines/:line",
    ];
    const OF_BOTH: [&str; 3] = ["GET /files/*", "GET /opt", "GET /opt/:x"];
    for (package, more) in [("express", None), ("express-v4", Some("GET /number/:n"))] {
        let script = Script::new("testing/routes-express.cjs").args([package]);
        let expected: Vec<_> = COMMON.into_iter().chain(OF_BOTH).chain(more).collect();
        assert_eq!(printed(script).await, expected, "{package}");
    }
}

#[tokio::test]
async fn of_a_fastify_app() {
    let routes = printed(Script::new("testing/routes-fastify.cjs")).await;
    let expected = [
        "GET /",
        "POST /users/:id",
        "PUT /users/:id",
        "PATCH /users/:id",
        "GET /opt",
        "GET /opt/:x",
        "GET /number/:n",
        "GET /img/:name",
        "GET /near/:lat",
        "GET /static/*",
        "GET /api",
        "GET /api/items/:id",
        "DELETE /api/items/:id",
    ];
    assert_eq!(routes, expected);
}
