//! Alertmanager's `KV` and `Pairs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::collection::ListKind;
use super::value::{Data, Value};

/// The label that sorts before all others.
const FIRST: &str = "alertname";

/// The pairs of a map by name, `alertname` first.
pub(super) fn sorted(map: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    let first = map.get_key_value(FIRST).into_iter();
    let rest = map.iter().filter(|(name, _)| *name != FIRST);
    let all = first.chain(rest);
    all.map(|(name, value)| (name.as_str(), value.as_str()))
}

/// The pairs of a map as a list.
pub(super) fn list(map: &BTreeMap<String, String>) -> Result<Value, String> {
    let pair = |(name, value): (&str, &str)| {
        Value::Data(Arc::new(Data {
            kind: "template.Pair",
            fields: vec![("Name", Value::text(name)), ("Value", Value::text(value))],
            hidden: Vec::new(),
        }))
    };
    Value::list(ListKind::Pairs, sorted(map).map(pair).collect())
}

/// A map as Alertmanager prints it: `a=b, c=d`.
pub(super) fn display(map: &BTreeMap<String, String>) -> String {
    let texts: Vec<_> = sorted(map)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    texts.join(", ")
}

/// A list of pairs as Alertmanager prints it.
pub(super) fn listed(pairs: &[Value]) -> String {
    let field = |pair: &Value, name| match pair.field(name) {
        Ok(Value::Text(text)) => text.to_string(),
        _ => String::new(),
    };
    let texts: Vec<_> = pairs
        .iter()
        .map(|pair| format!("{}={}", field(pair, "Name"), field(pair, "Value")))
        .collect();
    texts.join(", ")
}
