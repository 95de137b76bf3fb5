//! The French dashboards: the English ones with every text translated by `dashboards/fr.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::files::{SOURCES, load, text};

/// French texts by English text.
pub(crate) type Words = BTreeMap<String, String>;

/// The translations in the repository.
pub(crate) fn words() -> Words {
    toml::from_str(&text("fr.toml")).expect("dashboards/fr.toml maps texts to texts")
}

/// Translates the dashboard. A text without a translation is kept; a test finds it.
pub(crate) fn translate(dashboard: &Value, words: &Words) -> Value {
    let mut translated = dashboard.clone();
    visit(&mut translated, &mut Vec::new(), &mut |path, text| {
        if is_text(path)
            && let Some(word) = words.get(text.as_str())
        {
            text.clone_from(word);
        }
    });
    translated
}

/// Whether the value at a path of keys is a text to translate. Every key must be listed here, so that no text is
/// missed.
fn is_text(path: &[&str]) -> bool {
    match path {
        // One Grafana can have two languages only if these differ as well.
        ["uid"] | ["tags"] | ["links", "tags"] => true,
        ["annotations", "list", "name"] => true,
        // Grafana overwrites it.
        ["templating", "list", "current", ..] => false,
        [.., "renameByName", _] => true,
        [.., key] => match *key {
            "axisLabel" | "description" | "displayName" | "label" | "legendFormat" | "text"
            | "textFormat" | "title" | "titleFormat" | "tooltip" => true,
            "align"
            | "allValue"
            | "axisColorMode"
            | "axisPlacement"
            | "calcs"
            | "cellHeight"
            | "color"
            | "colorMode"
            | "columnField"
            | "definition"
            | "displayMode"
            | "drawStyle"
            | "editorMode"
            | "emptyValue"
            | "expr"
            | "fields"
            | "fixedColor"
            | "format"
            | "from"
            | "gradientMode"
            | "graphMode"
            | "group"
            | "icon"
            | "iconColor"
            | "id"
            | "justifyMode"
            | "lineInterpolation"
            | "mode"
            | "name"
            | "options"
            | "orientation"
            | "percentChangeColorMode"
            | "placement"
            | "pluginVersion"
            | "query"
            | "refId"
            | "refresh"
            | "regex"
            | "rowField"
            | "showPoints"
            | "showValue"
            | "sort"
            | "sortBy"
            | "textMode"
            | "timezone"
            | "to"
            | "type"
            | "uid"
            | "unit"
            | "url"
            | "valueField"
            | "weekStart" => false,
            unknown => panic!(
                "is {unknown:?} ({}) a text that people read? say so here",
                path.join(".")
            ),
        },
        [] => false,
    }
}

/// Calls `seen` with every string and the keys leading to it; an array adds no key.
fn visit<'a>(
    value: &'a mut Value,
    path: &mut Vec<&'a str>,
    seen: &mut impl FnMut(&[&str], &mut String),
) {
    match value {
        Value::String(text) => seen(path, text),
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, path, seen)),
        Value::Object(members) => {
            for (key, item) in members {
                path.push(key);
                visit(item, path, seen);
                path.pop();
            }
        }
        _ => {}
    }
}

/// The texts of the sources that contain words, not only `{{labels}}`.
fn texts() -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for name in SOURCES {
        let mut dashboard = load(&format!("{name}.json"));
        visit(&mut dashboard, &mut Vec::new(), &mut |path, text| {
            if is_text(path) && without_labels(text).contains(char::is_alphabetic) {
                texts.insert(text.clone());
            }
        });
    }
    texts
}

/// A text without its `{{label}}` placeholders.
fn without_labels(text: &str) -> String {
    let mut parts = text.split("{{");
    let before = parts.next().unwrap_or_default().to_owned();
    parts.fold(before, |kept, part| {
        kept + part.split_once("}}").map_or(part, |(_, after)| after)
    })
}

#[test]
fn every_text_has_a_translation_and_every_translation_a_text() {
    let texts = texts();
    let translated: BTreeSet<_> = words().into_keys().collect();
    let missing: Vec<_> = texts.difference(&translated).collect();
    let unused: Vec<_> = translated.difference(&texts).collect();
    assert!(
        missing.is_empty(),
        "without a translation in dashboards/fr.toml: {missing:#?}"
    );
    assert!(
        unused.is_empty(),
        "of no use in dashboards/fr.toml: {unused:#?}"
    );
}

#[test]
fn translations_keep_numbers_and_names() {
    /// Numbers, labels and names of metrics and settings, which are the same in every language.
    fn fixed(text: &str) -> BTreeSet<&str> {
        let words = text.split(|c: char| !(c.is_alphanumeric() || "{}_.<>/".contains(c)));
        let words = words.map(|word| word.trim_end_matches('.'));
        words
            .filter(|word| word.contains(|c: char| c.is_ascii_digit() || "{_</".contains(c)))
            .collect()
    }
    for (english, french) in words() {
        assert_eq!(fixed(&english), fixed(&french), "{english}\n{french}");
    }
}

/// Apostrophes are typographic, and punctuation that must not start a line follows a no-break space.
#[test]
fn french_typography_is_correct() {
    for french in words().into_values() {
        assert!(!french.contains('\''), "{french}: ' for ’");
        for sign in [" :", " ;", " !", " ?", " %", " »", "« "] {
            assert!(
                !french.contains(sign),
                "{french}: a plain space in {sign:?}"
            );
        }
    }
}

#[test]
fn placeholders_are_not_words() {
    assert_eq!(without_labels("{{queue}}/{{name}}"), "/");
    assert_eq!(
        without_labels("Vigie {{instance}} started"),
        "Vigie  started"
    );
}
