//! Values in replies: times, numbers, and members of sorted sets.

use redis::{Cmd, Value};
use vigie_redis::reply::bytes;

/// Reads the server's clock.
pub(crate) fn ask_time() -> Cmd {
    redis::cmd("TIME")
}

/// Parses the reply to TIME, in milliseconds.
pub(crate) fn time(reply: &Value) -> Option<u64> {
    let Value::Array(parts) = reply else {
        return None;
    };
    let [seconds, micros] = parts.as_slice() else {
        return None;
    };
    let number = |value| std::str::from_utf8(bytes(value)?).ok()?.parse::<u64>().ok();
    number(seconds)?
        .checked_mul(1000)?
        .checked_add(number(micros)? / 1000)
}

/// A number in a field or a score; BullMQ writes some with a fraction.
pub(crate) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Double(number) => *number,
        Value::Int(number) => *number as f64,
        _ => std::str::from_utf8(bytes(value)?).ok()?.parse().ok()?,
    };
    number.is_finite().then_some(number)
}

/// A timestamp in milliseconds.
pub(crate) fn millis(value: &Value) -> Option<u64> {
    number(value)
        .filter(|number| *number >= 0.0)
        .map(|number| number as u64)
}

/// Members of a sorted set with their scores: a flat list, or pairs in RESP3.
pub(crate) fn scored(reply: &Value) -> Option<Vec<(&[u8], f64)>> {
    let Value::Array(values) = reply else {
        return None;
    };
    let pair = |member, score| Some((bytes(member)?, number(score)?));
    let pairs = match values.first() {
        Some(Value::Array(_)) => values
            .iter()
            .filter_map(|both| match both {
                Value::Array(both) => pair(both.first()?, both.get(1)?),
                _ => None,
            })
            .collect(),
        _ => {
            let both = values.chunks_exact(2);
            both.filter_map(|both| pair(&both[0], &both[1])).collect()
        }
    };
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::testing::bulk;

    fn texts(texts: &[&str]) -> Value {
        Value::Array(texts.iter().map(|text| bulk(text)).collect())
    }

    #[test]
    fn times_have_two_parts() {
        let now = time(&texts(&["1795425686", "973123"]));
        assert_eq!(now, Some(1_795_425_686_973));
        assert_eq!(time(&texts(&["1795425686"])), None);
    }

    #[test]
    fn scores_of_both_protocols() {
        let array = |values: &[Value]| Value::Array(values.to_vec());
        let pairs = array(&[array(&[bulk("a"), Value::Double(7.0)]), array(&[bulk("b")])]);
        let expected = Some(vec![(&b"a"[..], 7.0)]);
        assert_eq!(scored(&pairs), expected);
        assert_eq!(scored(&texts(&["a", "7", "b", "x"])), expected);
        assert_eq!(scored(&Value::Nil), None);
    }
}
