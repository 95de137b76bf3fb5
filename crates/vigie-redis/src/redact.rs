//! Masks secrets in messages: [`addresses`] by their form, [`Secrets`] by their value.
//!
//! A server, a driver or a library may repeat a secret in a different encoding: percent-encoded, escaped, or
//! truncated. Both search the text as it is and with these encodings decoded (`views`).

mod addresses;
mod secrets;
mod views;

use std::ops::Range;

pub use addresses::addresses;
pub use secrets::Secrets;

/// Replaces each masked range.
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
