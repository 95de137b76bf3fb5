//! Queries that grow take no more memory than their budget allows.
#![allow(clippy::unwrap_used)]

mod check;
mod counting;
mod queries;

use check::End;
use queries::Seeded;

#[tokio::test]
async fn no_query_takes_more_memory_than_its_budget() {
    let api = check::api();
    let mut ends = [0; 4];
    for seed in 1..=cases() {
        let mut choices = Seeded(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let end = check::request(&api, &mut choices).await;
        ends[end as usize] += 1;
    }
    let [answered, too_large, refused] =
        [End::Answered, End::TooLarge, End::Refused].map(|end| ends[end as usize]);
    assert!(
        answered > 50 && too_large > 20,
        "{answered} answered, {too_large} too large, {refused} refused"
    );
}

/// How many requests are made; `GROWTH_CASES` for more.
fn cases() -> u64 {
    let cases = std::env::var("GROWTH_CASES");
    cases.map_or(300, |cases| {
        cases.parse().expect("GROWTH_CASES is a number")
    })
}
