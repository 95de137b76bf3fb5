//! `vigie rules print`: a built-in file unchanged, or as a Kubernetes resource.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use super::Form;
use crate::rules::BuiltIn;

pub(super) fn run(
    file: BuiltIn,
    form: Option<Form>,
    out: &mut dyn io::Write,
) -> io::Result<ExitCode> {
    let text = match form {
        None => file.text().to_owned(),
        Some(Form::Prometheusrule) => prometheus_rule(file),
    };
    out.write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The file, including comments, as the `spec` of a `PrometheusRule`.
fn prometheus_rule(file: BuiltIn) -> String {
    let mut text = format!(
        "apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: vigie-{}
  labels:
    app.kubernetes.io/name: vigie
spec:
",
        file.name()
    );
    for line in file.text().lines() {
        let indent = if line.is_empty() { "" } else { "  " };
        let _ = writeln!(text, "{indent}{line}");
    }
    text
}
