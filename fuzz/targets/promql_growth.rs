//! Queries that grow, over the API: none takes more memory than its budget.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/vigie-api/tests/growth/check.rs"]
mod check;
#[path = "../../crates/vigie-api/tests/growth/counting.rs"]
mod counting;
#[path = "../../crates/vigie-api/tests/growth/queries.rs"]
#[allow(dead_code)]
mod queries;

/// Each byte is a choice; after the last, the first of every choice is taken.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl queries::Choices for Bytes<'_> {
    fn below(&mut self, count: usize) -> usize {
        self.0.next().map_or(0, |&byte| usize::from(byte)) % count
    }
}

fuzz_target!(|input: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let api = check::api();
        check::request(&api, &mut Bytes(input.iter())).await;
    });
});
