//! The French dashboards: the English ones with every text replaced from `dashboards/fr.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::files::{SOURCES, load, text};

/// What a text is in French.
pub(crate) type Words = BTreeMap<String, String>;

/// The translations as they are checked in.
pub(crate) fn words() -> Words {
    toml::from_str(&text("fr.toml")).expect("dashboards/fr.toml maps texts to texts")
}

/// The dashboard in the language of `words`. A text without a translation stays; a test finds it.
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

/// Whether people read what stands at a path of keys. Everything in a dashboard is one or the other: a key that is not
/// known here has to be added, so that no text is forgotten.
fn is_text(path: &[&str]) -> bool {
    match path {
        // Two languages can be in one Grafana only when these differ, too.
        ["uid"] | ["tags"] | ["links", "tags"] => true,
        ["annotations", "list", "name"] => true,
        // Grafana writes it anew.
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

/// Calls `seen` with every string and the keys that lead to it; an array adds no key.
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

/// The texts of the sources that have words, which `{{labels}}` alone are not.
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
fn a_translation_says_the_same() {
    /// The figures, labels and names of metrics and settings, which are the same in every language.
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

/// Apostrophes are curved, and what a line must not begin with is held by a no-break space.
#[test]
fn the_french_is_set_as_french_is() {
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
fn placeholders_are_no_words() {
    assert_eq!(without_labels("{{queue}}/{{name}}"), "/");
    assert_eq!(
        without_labels("Vigie {{instance}} started"),
        "Vigie  started"
    );
}
