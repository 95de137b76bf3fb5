//! Covers secrets in texts that are shown: [`addresses`] those that look like one, [`Secrets`] those that are known.
//!
//! A server, a driver or a library may repeat a secret in another spelling: percent-encoded, escaped, or a part of it. Both
//! search the text as it stands and as it reads without these encodings (`views`).

mod addresses;
mod secrets;
mod views;

use std::ops::Range;

pub use addresses::addresses;
pub use secrets::Secrets;

/// Stands for whatever is covered.
const COVER: &str = "***";

/// Replaces these bytes of a text; ranges that touch become one.
fn cover(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| range.start);
    let mut clean = String::with_capacity(text.len());
    let mut shown = 0;
    let mut ranges = ranges.into_iter().peekable();
    while let Some(mut range) = ranges.next() {
        while let Some(next) = ranges.next_if(|next| next.start <= range.end) {
            range.end = range.end.max(next.end);
        }
        clean += text.get(shown..range.start).unwrap_or_default();
        clean += COVER;
        shown = range.end;
    }
    clean + text.get(shown..).unwrap_or_default()
}
