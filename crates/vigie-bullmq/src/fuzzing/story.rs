//! Sequences of steps.

use crate::fuzzing::input::Input;
use crate::fuzzing::reader::Reader;
use crate::fuzzing::server::Server;

/// Runs the steps selected by arbitrary bytes.
///
/// # Panics
///
/// If an invariant is violated.
pub fn any_story(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut server = Server::default();
    let mut reader = Reader::new();
    let mut wild = Reader::new();
    while !input.0.is_empty() {
        match input.byte() % 16 {
            0..8 => server.add(&mut input),
            8 => server.trim(usize::from(input.byte())),
            9 | 10 => reader.read(&server, usize::from(input.byte()).max(1)),
            11 => reader.check(&server, input.byte().is_multiple_of(2)),
            12 => reader.learn(&mut input),
            13 => {
                let (in_flight, now) = (u64::from(input.byte()), input.number());
                reader.fold.reconcile(in_flight, now);
            }
            14 => wild.take_anything(&mut input),
            _ => wild.take_reply(&mut input),
        }
        reader.bounds_hold();
        wild.bounds_hold();
    }
    reader.read(&server, usize::MAX);
    reader.check(&server, true);
    reader.ends_add_up();
    wild.ends_add_up();
    reader.is_true_to(&server);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn any_story_is_taken(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            any_story(&bytes);
        }
    }
}
