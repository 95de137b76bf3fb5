//! Files with credentials that other users of the machine can read.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use vigie_redis::redact;

const GROUP_READS: u32 = 0o040;
const OTHERS_READ: u32 = 0o004;

/// A file with credentials that more users can read than necessary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    path: PathBuf,
    mode: u32,
    is_own: bool,
}

impl Exposed {
    /// Returns the file if it is exposed. Group access to a file of another owner is allowed: Vigie may be in the
    /// group.
    pub(crate) fn find(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Self::judge(path, metadata.mode(), metadata.uid() == geteuid().as_raw())
    }

    fn judge(path: &Path, mode: u32, is_own: bool) -> Option<Self> {
        let too_much = match is_own {
            true => GROUP_READS | OTHERS_READ,
            false => OTHERS_READ,
        };
        (mode & too_much != 0).then(|| Self {
            path: path.to_owned(),
            mode: mode & 0o7777,
            is_own,
        })
    }
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = redact::addresses(&self.path.display().to_string());
        let readers = match self.mode & OTHERS_READ {
            0 => "its group",
            _ => "every user",
        };
        write!(
            f,
            "{path} holds credentials and {readers} can read it (mode {:04o}): ",
            self.mode
        )?;
        match self.is_own {
            true => write!(f, "chmod 600 {path}"),
            false => write!(f, "give it to a group of Vigie's user and chmod 640 {path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(mode: u32, is_own: bool) -> Option<String> {
        let exposed = Exposed::judge(Path::new("/etc/vigie.toml"), mode, is_own);
        exposed.map(|exposed| exposed.to_string())
    }

    #[test]
    fn only_its_owner_needs_to_read_a_file() {
        for private in [0o100_600, 0o100_400, 0o100_620, 0o100_611] {
            assert_eq!(warning(private, true), None, "{private:o}");
        }
        assert_eq!(
            warning(0o100_644, true).as_deref(),
            Some(
                "/etc/vigie.toml holds credentials and every user can read it (mode 0644): chmod 600 /etc/vigie.toml"
            )
        );
        assert!(warning(0o100_640, true).is_some_and(|text| text.contains("its group")));
    }

    #[test]
    fn a_file_of_root_may_be_readable_by_the_group_of_vigie() {
        assert_eq!(warning(0o100_640, false), None);
        assert!(warning(0o100_644, false).is_some_and(|text| text.contains("chmod 640")));
    }
}
