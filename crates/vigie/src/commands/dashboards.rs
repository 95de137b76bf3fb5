//! `vigie dashboards`: the Grafana dashboards that are built in.

use std::io;

use clap::{Subcommand, ValueEnum};

/// The subcommands.
#[derive(Subcommand)]
pub enum Command {
    /// Print a dashboard: Grafana's JSON, or a Kubernetes ConfigMap around it
    #[command(after_help = "\
Examples:
  vigie dashboards print > vigie.json
  vigie dashboards print details --lang fr > vigie-details.json
  vigie dashboards print --for configmap | kubectl apply -n monitoring -f -

The ConfigMaps carry the label grafana_dashboard=1, by which the sidecar of
Grafana's Helm chart finds them.")]
    Print {
        /// The dashboard; by default the overview, and with --for both
        #[arg(value_name = "DASHBOARD")]
        dashboard: Option<Name>,
        /// The language of its texts
        #[arg(long, value_name = "LANGUAGE", default_value = "en")]
        lang: Lang,
        /// The format to wrap it in; by default it is printed unchanged
        #[arg(long = "for", value_name = "FORM")]
        form: Option<Form>,
    },
}

/// The dashboards there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// The overview: the most important panels
    Vigie,
    /// Everything else
    Details,
}

/// The languages they are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// English
    En,
    /// French, in the terms of the specification
    Fr,
}

/// The format that a dashboard is wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A Kubernetes ConfigMap for each dashboard
    Configmap,
}

/// An embedded dashboard.
#[derive(Clone, Copy, Debug)]
pub struct Dashboard {
    /// The name of its file in `dashboards/`.
    pub file: &'static str,
    /// Grafana's JSON, schemaVersion 42.
    pub json: &'static str,
}

macro_rules! embedded {
    ($file:literal) => {
        Dashboard {
            file: $file,
            json: include_str!(concat!("../../../../dashboards/", $file)),
        }
    };
}

/// The embedded dashboard.
#[must_use]
pub const fn dashboard(name: Name, lang: Lang) -> Dashboard {
    match (name, lang) {
        (Name::Vigie, Lang::En) => embedded!("vigie.json"),
        (Name::Vigie, Lang::Fr) => embedded!("vigie.fr.json"),
        (Name::Details, Lang::En) => embedded!("vigie-details.json"),
        (Name::Details, Lang::Fr) => embedded!("vigie-details.fr.json"),
    }
}

/// Writes the requested output to `out`.
///
/// # Errors
/// If `out` cannot be written.
pub fn run(command: &Command, out: &mut dyn io::Write) -> io::Result<()> {
    let Command::Print {
        dashboard: name,
        lang,
        form,
    } = command;
    match form {
        None => {
            let dashboard = dashboard(name.unwrap_or(Name::Vigie), *lang);
            out.write_all(dashboard.json.as_bytes())
        }
        Some(Form::Configmap) => {
            let names = name
                .as_ref()
                .map_or(Name::value_variants(), std::slice::from_ref);
            let maps = names.iter().map(|name| config_map(dashboard(*name, *lang)));
            out.write_all(maps.collect::<Vec<_>>().join("---\n").as_bytes())
        }
    }
}

/// YAML that contains the JSON unchanged, so that a diff of two versions is readable.
fn config_map(Dashboard { file, json }: Dashboard) -> String {
    let name = file.trim_end_matches(".json").replace('.', "-");
    let mut map = format!(
        "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: grafana-dashboard-{name}
  labels:
    grafana_dashboard: \"1\"
data:
  {file}: |
"
    );
    for line in json.lines() {
        map += "    ";
        map += line;
        map.push('\n');
    }
    map
}
