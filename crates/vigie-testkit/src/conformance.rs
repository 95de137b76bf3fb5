//! Tests with external requirements: test data of other projects, or newer programs.
//!
//! The standard harness cannot report a test as ignored at run time, so such tests are separate test programs
//! (`harness = false`) whose `main` calls [`run`].

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A test, which is given the path of the directory or program.
pub type Test<'a> = (String, Box<dyn FnOnce(&Path) + Send + 'a>);

/// The directory `name` of other projects' test data: in `shared/data` beside the repository, or the value of the
/// environment variable `variable`.
///
/// # Errors
/// The reason, if it does not exist.
pub fn data(name: &str, variable: &str) -> Result<PathBuf, String> {
    let path = match std::env::var_os(variable) {
        Some(given) => PathBuf::from(given),
        None => Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data")
            .join(name),
    };
    match path.is_dir() {
        true => Ok(path),
        false => Err(format!(
            "the test data {name} is absent; {variable} can name its directory"
        )),
    }
}

/// Runs the tests with the arguments of the command line. Without the requirement they are reported as ignored; if
/// `CI` is set and `required`, they fail.
pub fn run(needed: Result<PathBuf, String>, required: bool, tests: Vec<Test<'static>>) -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = tests.into_iter().map(|(name, test)| match &needed {
        Ok(path) => {
            let path = path.clone();
            Trial::test(name, move || {
                test(&path);
                Ok(())
            })
        }
        Err(reason) if required && std::env::var_os("CI").is_some() => {
            let reason = reason.clone();
            Trial::test(name, move || Err(Failed::from(reason)))
        }
        Err(reason) => Trial::test(name, || Ok(()))
            .with_ignored_flag(true)
            .with_kind(reason.clone()),
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
