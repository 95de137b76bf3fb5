//! Real clients and frameworks: what a client receives and what the app receives, through the gateway, is the same as on a direct
//! connection, except for the documented headers.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};
use vigie_testkit::{Process, SOON, Script};

use crate::common::Vigie;
use crate::source::Source;

const FRAMEWORKS: [&str; 5] = ["express", "fastify", "koa", "hono", "nest"];
/// The clients that talk to every framework. All of them talk to Express.
const FEW: &str = "fetch,http,eventsource";
/// The fields that the gateway writes by default: docs/http.md.
const FORWARDING: [&str; 4] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];
/// Fields whose value is random.
const RANDOM: [&str; 1] = ["sec-websocket-key"];

#[tokio::test]
#[cfg_attr(not(tests_capture), ignore = "needs CAP_NET_RAW")]
async fn clients_and_frameworks_see_no_difference() {
    for framework in FRAMEWORKS {
        let script = Script::new("testing/frameworks.js").args(["--framework", framework]);
        let (mut app, port) = script.listen().await.unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        // It sees the direct connections, and those of the gateway.
        let capture = Vigie::start(&Source::Capture.section(address, "")).await;
        let (seen, received) = exchanges(&mut app, framework, address).await;
        let direct = counted(&capture, received.len()).await;

        let gateway = Vigie::start(&Source::Gateway.section(address, "")).await;
        let through = exchanges(&mut app, framework, gateway.gateway).await;
        for (client, expected) in &seen {
            assert_eq!(expected.get("error"), None, "{framework}: {client}");
            assert_eq!(&through.0[client], expected, "{framework}: {client}");
        }
        assert_eq!(through.1.len(), received.len(), "{framework}");
        for (through, direct) in through.1.iter().zip(&received) {
            assert_eq!(through, direct, "{framework}");
        }
        assert!(received.len() > 12, "{framework}: {received:?}");
        let through = counted(&gateway, received.len()).await;
        assert_eq!(through, direct, "{framework}");
        gateway.stop().await;
        capture.stop().await;
    }
}

/// The responses that the clients received from this address, by client, and the requests that the app received.
async fn exchanges(
    app: &mut Process,
    framework: &str,
    address: SocketAddr,
) -> (serde_json::Map<String, Value>, Vec<Value>) {
    let target = format!("http://{address}");
    let mut script = Script::new("testing/clients.js").args(["--target", &target]);
    if framework != "express" {
        script = script.args(["--clients", FEW]);
    }
    let mut clients = script.spawn().unwrap();
    let seen = clients.next_json(SOON).await.unwrap();
    assert!(clients.wait(SOON).await.unwrap().success());
    let seen = without_addresses(&seen, address);
    let answer = app.ask(&json!({"cmd": "received"}), SOON).await.unwrap();
    let received = answer["received"].as_array().unwrap().iter();
    // The sessions of Socket.IO have random names, and as many polls as there is time for.
    let received = received.filter(|request| !text(&request["url"]).starts_with("/socket.io"));
    let received = received.map(|request| without_addresses(&documented(request), address));
    (seen.as_object().unwrap().clone(), received.collect())
}

/// The request without what the gateway may add, and without random values.
fn documented(request: &Value) -> Value {
    let mut request = request.clone();
    let fields: Vec<_> = request["rawHeaders"].as_array().unwrap().clone();
    let kept = fields.chunks(2).filter(|field| {
        let name = text(&field[0]).to_ascii_lowercase();
        !FORWARDING.contains(&&*name) && !RANDOM.contains(&&*name)
    });
    request["rawHeaders"] = kept.flatten().cloned().collect();
    request
}

/// The value with a name in place of the address, which differs between the gateway and the app.
fn without_addresses(value: &Value, address: SocketAddr) -> Value {
    let text = value.to_string().replace(&address.to_string(), "app");
    serde_json::from_str(&text).unwrap()
}

/// The requests by method and code, once there are as many, and none is open.
async fn counted(vigie: &Vigie, expected: usize) -> BTreeMap<String, u64> {
    vigie_testkit::eventually(SOON, async || {
        let scrape = vigie.scrape().await;
        let mut counted = BTreeMap::new();
        for name in [
            "http_request_duration_seconds_count",
            "http_stream_first_byte_seconds_count",
        ] {
            for sample in scrape.samples(name, &[]) {
                let [method, code] = ["method", "code"].map(|name| sample.label(name).unwrap());
                *counted.entry(format!("{method} {code}")).or_default() += sample.value as u64;
            }
        }
        let open = scrape.value("vigie_gateway_requests_in_flight", &[]);
        let streams = scrape.value("http_streams_open", &[]);
        let websockets = scrape.sum("http_websockets_open", &[]);
        match (open, streams, websockets) {
            (Some(0.0), Some(0.0), 0.0) if counted.values().sum::<u64>() == expected as u64 => {
                Ok(counted)
            }
            other => Err(format!("{other:?} open, {counted:?} of {expected}")),
        }
    })
    .await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
