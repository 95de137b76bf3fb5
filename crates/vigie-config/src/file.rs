//! A TOML text, flattened to dotted keys with their places.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::given::{Given, Layer, Place, Span, Value};
use crate::problem::Problem;

/// Parses as much of `text` as possible and returns a problem for each part that does not parse.
pub(crate) fn parse(text: &str) -> (Layer, Vec<Problem>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut layer = Layer::default();
    flatten(table.get_ref(), "", &mut layer);
    let problems = errors
        .into_iter()
        .map(|error| {
            let place = Place::File(visible(text, error.span().unwrap_or(0..0)));
            Problem::at(place, "this is not TOML", error.message())
        })
        .collect();
    (layer, problems)
}

fn flatten(table: &DeTable<'_>, prefix: &str, layer: &mut Layer) {
    for (name, value) in table {
        let path = format!("{prefix}{}", segment(name.get_ref()));
        if let DeValue::Table(inner) = value.get_ref() {
            layer
                .sections
                .insert(path.clone(), Place::File(name.span()));
            flatten(inner, &format!("{path}."), layer);
        } else if let Some(tables) = tables(&path, value) {
            layer
                .sections
                .insert(path.clone(), Place::File(name.span()));
            for (number, table) in tables.into_iter().enumerate() {
                let path = format!("{path}.{number}");
                let place = Place::File(table.span());
                layer.sections.insert(path.clone(), place);
                if let DeValue::Table(inner) = table.get_ref() {
                    flatten(inner, &format!("{path}."), layer);
                }
            }
        } else {
            layer.values.insert(path, given(value, name.span()));
        }
    }
}

/// The keys whose value is a list of tables. The tables are sections with numbers for names.
const LISTS: [&str; 1] = ["notify.alertmanagers"];

fn tables<'a, 'd>(
    path: &str,
    value: &'a Spanned<DeValue<'d>>,
) -> Option<Vec<&'a Spanned<DeValue<'d>>>> {
    let DeValue::Array(items) = value.get_ref() else {
        return None;
    };
    let is_table = |item: &&Spanned<DeValue<'d>>| matches!(item.get_ref(), DeValue::Table(_));
    let all: Vec<_> = items.iter().collect();
    (LISTS.contains(&path) && !all.is_empty() && all.iter().all(is_table)).then_some(all)
}

/// Keeps the quotes of a quoted key with a dot in it: it is one name, not two.
fn segment(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

fn given(value: &Spanned<DeValue<'_>>, key: Span) -> Given {
    let place = value.span();
    let value = match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number that is too large"), Value::Integer),
        DeValue::Boolean(truth) => Value::Boolean(*truth),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| given(item, item.span())).collect())
        }
        DeValue::Table(items) => {
            let item = |(name, item): (&Spanned<_>, _)| given(item, name.span());
            Value::Table(items.iter().map(item).collect())
        }
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Given {
        value,
        key: Place::File(key),
        place: Place::File(place),
    }
}

/// Widens an empty span, as at the end of a line or of the file, so that there is a character to point at.
fn visible(text: &str, span: Span) -> Span {
    let end = text.floor_char_boundary(span.end);
    let start = text.floor_char_boundary(span.start.min(end));
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    start..end.min(line_end).max(start)
}
