//! The dashboards against Grafana's own JSON Schemas, from grafana/grafana-foundation-sdk (`jsonschema/`), which are read
//! in place: they are not part of this repository.

#![allow(clippy::unwrap_used)]

#[path = "dashboards/files.rs"]
#[allow(dead_code)]
mod files;
#[allow(dead_code)]
#[path = "dashboards/model.rs"]
mod model;

use std::path::Path;
use std::process::ExitCode;

use jsonschema::Validator;
use serde_json::{Value, json};

use vigie_testkit::conformance::{self, Test};

use model::Dashboard;

fn main() -> ExitCode {
    let tests: Vec<Test<'static>> = vec![
        (
            "dashboards_match_the_schema".to_owned(),
            Box::new(dashboards_match_the_schema),
        ),
        (
            "panels_and_queries_match_the_schemas_of_their_kind".to_owned(),
            Box::new(panels_and_queries_match_the_schemas_of_their_kind),
        ),
        (
            "a_mistake_is_found".to_owned(),
            Box::new(a_mistake_is_found),
        ),
    ];
    let schemas = conformance::data("grafana-schema", "GRAFANA_SCHEMA");
    conformance::run(schemas, true, tests)
}

/// The schema in a file, or one of its definitions.
fn schema(folder: &Path, file: &str, definition: Option<&str>) -> Validator {
    let path = folder.join(format!("{file}.jsonschema.json"));
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
    // Grafana's own types accept any value here (`any`), and every dashboard has a field's name; the schema requires
    // an object.
    for (definition, property) in [
        ("MatcherConfig", "options"),
        ("DynamicConfigValue", "value"),
    ] {
        if let Some(definition) = schema["definitions"].get_mut(definition) {
            definition["properties"][property] = json!({});
        }
    }
    jsonschema::validator_for(&schema).unwrap()
}

fn check(schema: &Validator, value: &Value, what: &str) {
    let errors: Vec<_> = schema
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

fn dashboards_match_the_schema(folder: &Path) {
    let schema = schema(folder, "dashboard", None);
    for dashboard in Dashboard::all() {
        check(&schema, &dashboard.json, &dashboard.file);
        assert_eq!(dashboard.json["schemaVersion"], 42, "{}", dashboard.file);
    }
}

/// The schema of dashboards accepts any query and any options; each kind of panel has a separate schema.
fn panels_and_queries_match_the_schemas_of_their_kind(folder: &Path) {
    let query = schema(folder, "prometheus", None);
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
                &schema(folder, file, Some("Options")),
                &panel.0["options"],
                &what,
            );
            let found = &panel.0["fieldConfig"]["defaults"]["custom"];
            match custom {
                Some(name) => check(&schema(folder, file, Some(name)), found, &what),
                None => assert!(found.is_null(), "{what}"),
            }
        }
    }
}

fn a_mistake_is_found(folder: &Path) {
    let schema = schema(folder, "dashboard", None);
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
