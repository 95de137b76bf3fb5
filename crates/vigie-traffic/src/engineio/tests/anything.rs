//! Any bytes in any order.

use proptest::prelude::*;

use super::*;

/// Anything two parties may do to the taps.
#[derive(Clone, Debug)]
enum Step {
    Begin(usize, usize),
    Request(Vec<u8>),
    RequestEnd,
    RequestDrop,
    Head(u16, Option<&'static str>),
    Response(Vec<u8>),
    ResponseEnd,
    ResponseDrop,
    Upgrade,
    Client(Vec<u8>),
    Server(Vec<u8>),
    ServerClosed,
    TunnelDrop,
    Wait(u64),
}

const QUERIES: [&str; 7] = [
    POLL,
    OF_S,
    WS,
    WS_OF_S,
    "EIO=3&transport=polling",
    "EIO=3&transport=polling&sid=T",
    "EIO=3&transport=polling&j=1&sid=S",
];

fn steps() -> impl Strategy<Value = Step> {
    let bytes = || {
        let known: [&[u8]; 10] = [
            OPEN.as_bytes(),
            b"ok",
            UNKNOWN.as_bytes(),
            b"1",
            b"1:1",
            b"\x81\x815555\x00",
            b"\x88\x00",
            b"\x81\x030{}",
            b"d=3",
            b"\x81\x60",
        ];
        prop_oneof![
            prop::sample::select(known.to_vec()).prop_map(<[u8]>::to_vec),
            prop::collection::vec(any::<u8>(), 0..40),
        ]
    };
    let encoding =
        prop::sample::select(vec![None, None, Some("gzip"), Some("deflate"), Some("br")]);
    prop_oneof![
        3 => (0..4usize, 0..QUERIES.len()).prop_map(|(method, query)| Step::Begin(method, query)),
        1 => bytes().prop_map(Step::Request),
        1 => Just(Step::RequestEnd),
        1 => Just(Step::RequestDrop),
        3 => (prop::sample::select(vec![200u16, 200, 200, 400, 101, 404, 413]), encoding).prop_map(|(status, encoding)| Step::Head(status, encoding)),
        3 => bytes().prop_map(Step::Response),
        3 => Just(Step::ResponseEnd),
        1 => Just(Step::ResponseDrop),
        2 => Just(Step::Upgrade),
        2 => bytes().prop_map(Step::Client),
        2 => bytes().prop_map(Step::Server),
        1 => Just(Step::ServerClosed),
        1 => Just(Step::TunnelDrop),
        1 => (0u64..3_000).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn never_panics_whatever_is_done_in_whatever_order(steps in prop::collection::vec(steps(), 0..80)) {
        let wire = Wire::new(usize::MAX);
        let (mut requests, mut responses, mut tunnels) = (Vec::new(), Vec::new(), Vec::new());
        let mut opened = 0;
        for step in steps {
            match step {
                Step::Begin(method, query) => {
                    opened += 1;
                    let (request, response) = wire.begin(["GET", "GET", "POST", "PUT"][method], QUERIES[query]);
                    requests.push(request);
                    responses.push(response);
                }
                Step::Request(bytes) => requests.iter_mut().for_each(|tap| tap.chunk(&bytes)),
                Step::RequestEnd => requests.iter_mut().for_each(RequestTap::end),
                Step::RequestDrop => if let Some(mut tap) = requests.pop() { tap.left_at(wire.now()) },
                Step::Head(status, encoding) => if let Some(tap) = responses.last_mut() { tap.head(status, encoding) },
                Step::Response(bytes) => responses.iter_mut().for_each(|tap| {
                    tap.chunk(wire.now(), &bytes);
                    let _ = tap.is_engine_io();
                }),
                Step::ResponseEnd => if let Some(tap) = responses.last_mut() { tap.end(wire.now()) },
                Step::ResponseDrop => if let Some(mut tap) = responses.pop() { tap.left_at(wire.now()) },
                Step::Upgrade => tunnels.extend(responses.pop().map(|tap| tap.upgraded(wire.now()))),
                Step::Client(bytes) => tunnels.iter_mut().for_each(|tap: &mut TunnelTap| tap.from_client(wire.now(), &bytes)),
                Step::Server(bytes) => tunnels.iter_mut().for_each(|tap| tap.from_server(wire.now(), &bytes)),
                Step::ServerClosed => if let Some(tap) = tunnels.last_mut() { tap.end(wire.now()) },
                Step::TunnelDrop => if let Some(mut tap) = tunnels.pop() { tap.abandon(wire.now()) },
                Step::Wait(millis) => wire.at(wire.millis.load(Relaxed) + millis),
            }
            prop_assert!(wire.engineio.count() <= opened);
        }
        tunnels.iter_mut().for_each(|tap| tap.end(wire.now()));
        let (_, websocket) = wire.counts();
        prop_assert_eq!(websocket, 0, "no connection is left");
        wire.at(wire.millis.load(Relaxed) + 10_000_000);
        prop_assert_eq!(wire.counts(), (0, 0), "nothing outlives silence");
    }
}
