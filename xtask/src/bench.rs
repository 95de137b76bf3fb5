//! `cargo xtask bench`.

use std::process::ExitCode;

use anyhow::Context;

use crate::cargo::{build_vigie, cargo};
use crate::say::complain;
use crate::setup::{self, Purpose};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to the benchmarks, such as `http levels --rounds 5`; `-- --help` lists what there is
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    setup::ensure(Purpose::Bench)?;
    complain("building vigie as it is released");
    let vigie = build_vigie(&["--release"])?;
    let status = cargo()
        .args(["run", "--release", "--package", "vigie-bench", "--"])
        .arg("--vigie")
        .arg(vigie)
        .args(&arguments.rest)
        .status()
        .context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}
