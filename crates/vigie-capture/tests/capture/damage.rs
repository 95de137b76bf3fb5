//! Packets that are dropped, repeated, reordered or cut: never a wrong code, and the loss is reported.

use proptest::prelude::*;
use vigie_capture::filter::Depth;
use vigie_traffic::Side;

use crate::talk::{Body, CODES, Exchange, Requests, Talk, Watched, interleaved, truth};

fn exchange() -> impl Strategy<Value = Exchange> {
    let body = prop_oneof![
        (0usize..6000).prop_map(Body::Length),
        (0usize..6000).prop_map(Body::Chunked),
    ];
    let method = prop_oneof![Just("GET"), Just("POST"), Just("HEAD")];
    let code = prop::sample::select(&CODES[..]);
    let sent = prop_oneof![Just(0usize), 1usize..4000];
    (method, code, sent, body).prop_map(|(method, code, sent, body)| Exchange {
        method,
        code,
        sent: if method == "POST" { sent } else { 0 },
        body,
    })
}

type Connections = Vec<(usize, Vec<Exchange>)>;

fn connections() -> impl Strategy<Value = Connections> {
    let segment = prop_oneof![20usize..200, Just(1448), Just(9000)];
    prop::collection::vec((segment, prop::collection::vec(exchange(), 1..7)), 1..4)
}

/// The packets of each connection.
fn talks(connections: &Connections) -> Vec<Vec<Vec<u8>>> {
    let talk = |(number, (segment, exchanges)): (usize, &(usize, Vec<Exchange>))| {
        let mut talk = Talk::new(number as u16, *segment);
        talk.open();
        for exchange in exchanges {
            talk.exchange(exchange);
        }
        talk.close(if number % 2 == 0 {
            Side::Client
        } else {
            Side::App
        });
        talk.packets
    };
    connections.iter().enumerate().map(talk).collect()
}

fn all(connections: &Connections) -> Requests {
    truth(connections.iter().flat_map(|(_, exchanges)| exchanges))
}

/// Fails if a request was counted that there was not.
fn check_no_wrong(found: &Requests, all: &Requests) -> Result<(), TestCaseError> {
    for (series, number) in found {
        let known = all.get(series).copied().unwrap_or(0);
        prop_assert!(*number <= known, "{series:?}: {number} of {known}");
    }
    Ok(())
}

fn number(requests: &Requests) -> u64 {
    requests.values().sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn repeated_packets_change_nothing(
        connections in connections(),
        repeated in prop::collection::vec((any::<prop::sample::Index>(), 0usize..30), 0..20),
        whole in any::<bool>(),
    ) {
        let mut talks = talks(&connections);
        for (at, later) in repeated {
            let talk = at.index(talks.len());
            let packets = &mut talks[talk];
            // After the handshake and before the end: elsewhere it would be another connection.
            let last = packets.len() - 3;
            let at = 3 + at.index(last - 3);
            let copy = packets[at].clone();
            packets.insert((at + 1 + later).min(last), copy);
        }
        let packets = interleaved(talks);
        let depth = if whole { Depth::Whole } else { Depth::Heads };
        let mut watched = Watched::new(depth);
        watched.see_all(&packets);
        let (found, all) = (watched.requests(), all(&connections));
        if whole {
            prop_assert_eq!(&found, &all);
        }
        // The filter does not know the end of a chunked body that is divided between two segments: if no other request follows,
        // the outcome of the request is not known.
        check_no_wrong(&found, &all)?;
        let counts = watched.capture.counts();
        prop_assert_eq!(counts.known, number(&found));
        prop_assert_eq!(counts.known + counts.abandoned, number(&all));
        prop_assert!(counts.abandoned <= connections.len() as u64);
    }

    #[test]
    fn dropped_packets_give_no_wrong_code_and_are_reported(
        connections in connections(),
        dropped in prop::collection::vec((any::<prop::sample::Index>(), 1usize..4), 1..12),
        whole in any::<bool>(),
    ) {
        let mut talks = talks(&connections);
        for (at, length) in &dropped {
            // The handshake and the end stay, which tell how much was sent.
            for talk in &mut talks {
                let last = talk.len() - 3;
                let begin = 3 + at.index(last - 3);
                talk.drain(begin..(begin + length).min(last));
                if talk.len() == 6 {
                    break;
                }
            }
            if talks.iter().any(|talk| talk.len() == 6) {
                break;
            }
        }
        let depth = if whole { Depth::Whole } else { Depth::Heads };
        let mut watched = Watched::new(depth);
        watched.see_all(&interleaved(talks));
        watched.end();
        let (found, all) = (watched.requests(), all(&connections));
        check_no_wrong(&found, &all)?;
        let counts = watched.capture.counts();
        prop_assert_eq!(counts.known, number(&found));
        prop_assert!(counts.known + counts.abandoned <= number(&all));
        if number(&found) < number(&all) {
            prop_assert!(counts.unseen.client + counts.unseen.app > 0, "{:?}", counts);
        }
        prop_assert_eq!(watched.value("vigie_gateway_requests_in_flight"), Some(0.0));
    }

    #[test]
    fn anything_that_happens_to_packets_gives_no_wrong_code(
        connections in connections(),
        begin in any::<prop::sample::Index>(),
        dropped in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        swapped in prop::collection::vec((any::<prop::sample::Index>(), 1usize..6), 0..12),
        repeated in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6),
        cut in prop::collection::vec((any::<prop::sample::Index>(), 0usize..1000), 0..6),
        whole in any::<bool>(),
    ) {
        let mut packets: Vec<(Vec<u8>, usize)> =
            interleaved(talks(&connections)).into_iter().map(|packet| (packet, usize::MAX)).collect();
        // The capture begins in the middle.
        let first = begin.index(packets.len());
        packets.drain(..first / 2);
        for at in dropped {
            packets.remove(at.index(packets.len()));
            if packets.is_empty() {
                return Ok(());
            }
        }
        for (at, distance) in swapped {
            let at = at.index(packets.len());
            let other = (at + distance).min(packets.len() - 1);
            packets.swap(at, other);
        }
        for (from, to) in repeated {
            let copy = packets[from.index(packets.len())].clone();
            let later = from.index(packets.len()) + 1;
            packets.insert(later + to.index(packets.len() + 1 - later), copy);
        }
        // As the kernel does with packets that are larger than a block; the filter leaves more.
        for (at, length) in cut {
            let at = at.index(packets.len());
            packets[at].1 = length;
        }
        let depth = if whole { Depth::Whole } else { Depth::Heads };
        let mut watched = Watched::new(depth);
        for (packet, cut) in &packets {
            watched.see_cut(packet, *cut);
        }
        watched.end();
        check_no_wrong_code(&watched.requests(), &all(&connections))?;
        prop_assert_eq!(watched.value("vigie_gateway_requests_in_flight"), Some(0.0));
        prop_assert_eq!(watched.capture.connections(), 0);
    }
}

/// Fails if a response got another code than its own. Repeated packets of a connection that has ended can be counted again.
fn check_no_wrong_code(found: &Requests, all: &Requests) -> Result<(), TestCaseError> {
    for series in found.keys() {
        prop_assert!(all.contains_key(series), "{series:?} is not in {all:?}");
    }
    Ok(())
}
