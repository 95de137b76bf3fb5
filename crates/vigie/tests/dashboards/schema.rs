//! Grafana's own JSON Schemas, from grafana/grafana-foundation-sdk (`jsonschema/`). They are not part of this repository:
//! the folder is named by `GRAFANA_SCHEMA`, or lies beside it.

use std::path::PathBuf;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::model::Dashboard;

/// Where the schemas are, if they are anywhere.
fn folder() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("GRAFANA_SCHEMA") {
        return Some(given.into());
    }
    let beside = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/grafana-schema"
    ));
    beside.exists().then_some(beside)
}

/// The schema in a file, or one of its definitions.
fn schema(file: &str, definition: Option<&str>) -> Option<Validator> {
    let path = folder()?.join(format!("{file}.jsonschema.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    if let Some(name) = definition {
        assert!(
            schema["definitions"][name].is_object(),
            "{file}: no definition {name}"
        );
        schema["$ref"] = json!(format!("#/definitions/{name}"));
    }
    // Any value goes here in Grafana's own types (`any`), and a field's name in every dashboard; the schema has come to say object.
    for (definition, property) in [
        ("MatcherConfig", "options"),
        ("DynamicConfigValue", "value"),
    ] {
        if let Some(definition) = schema["definitions"].get_mut(definition) {
            definition["properties"][property] = json!({});
        }
    }
    Some(jsonschema::validator_for(&schema).unwrap())
}

fn check(schema: &Validator, value: &Value, what: &str) {
    let errors: Vec<_> = schema
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

#[test]
fn dashboards_fit_the_schema() {
    let Some(schema) = schema("dashboard", None) else {
        return absent();
    };
    for dashboard in Dashboard::all() {
        check(&schema, &dashboard.json, &dashboard.file);
        assert_eq!(dashboard.json["schemaVersion"], 42, "{}", dashboard.file);
    }
}

/// The schema of dashboards takes any query and any options; each kind of panel has a schema for its own.
#[test]
fn panels_and_queries_fit_the_schemas_of_their_kind() {
    let Some(query) = schema("prometheus", None) else {
        return absent();
    };
    for dashboard in Dashboard::all() {
        for panel in dashboard.panels() {
            let what = format!("{}: {}", dashboard.file, panel.title());
            for target in panel.targets() {
                check(&query, target, &what);
            }
            let (file, custom) = match panel.kind() {
                "timeseries" => ("timeseries", Some("GraphFieldConfig")),
                "state-timeline" => ("statetimeline", Some("FieldConfig")),
                "table" => ("table", Some("TableFieldOptions")),
                "stat" => ("stat", None),
                other => panic!("{what}: which schema is for {other}?"),
            };
            check(
                &schema(file, Some("Options")).unwrap(),
                &panel.0["options"],
                &what,
            );
            let found = &panel.0["fieldConfig"]["defaults"]["custom"];
            match custom {
                Some(name) => check(&schema(file, Some(name)).unwrap(), found, &what),
                None => assert!(found.is_null(), "{what}"),
            }
        }
    }
}

/// What the schemas are there to find.
#[test]
fn a_slip_is_found() {
    let Some(schema) = schema("dashboard", None) else {
        return absent();
    };
    for (pointer, wrong) in [
        ("/panels/1/gridPos/x", json!("0")),
        ("/panels/1/target", json!([])),
        ("/refresh", json!(30)),
        ("/templating/list/0/type", json!("data source")),
    ] {
        let mut dashboard = Dashboard::open("vigie.json").json;
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        dashboard.pointer_mut(parent).unwrap()[key] = wrong;
        assert!(!schema.is_valid(&dashboard), "{pointer}");
    }
}

#[allow(clippy::print_stderr)]
fn absent() {
    eprintln!("not checked: Grafana's schemas are not here; GRAFANA_SCHEMA may name their folder");
}
