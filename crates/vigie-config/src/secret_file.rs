//! Secrets in files of their own, as Kubernetes and systemd provide them.

use std::path::Path;

/// More than any password or address needs; bounds the read if the path is wrong. In bytes.
const LARGEST: u64 = 64 * 1024;

/// Whether `value`, resolved to `path`, is a path and not a secret in place of one: the file exists, or `value` names
/// an existing directory.
pub(crate) fn is_path(value: &str, path: &Path) -> bool {
    let directory = Path::new(value).parent();
    let is_named = directory
        .is_some_and(|named| named.components().next().is_some() && named != Path::new("/"));
    path.exists() || is_named && path.parent().is_some_and(Path::is_dir)
}

/// Reads the file of a secret, without its last line break.
///
/// # Errors
/// If the file cannot be read, is empty, too large or not UTF-8. The error never quotes the content.
pub fn read(path: &Path) -> Result<String, String> {
    let text = vigie_store::read_text(path, LARGEST);
    let text = text.map_err(|reason| format!("{}: {reason}", path.display()))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("the file must not be empty".into());
    }
    Ok(text.to_owned())
}
