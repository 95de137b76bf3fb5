//! Secrets in files of their own, as Kubernetes and systemd provide them.

use std::path::Path;

/// More than any password or address needs; bounds the read if the path is wrong. In bytes.
const LARGEST: u64 = 64 * 1024;

/// Reads the file of a secret, without its last line break.
///
/// # Errors
/// If the file cannot be read, is empty, too large or not UTF-8. The error never quotes the content.
pub fn read(path: &Path) -> Result<String, String> {
    let text = vigie_store::read_text(path, LARGEST);
    let text =
        text.map_err(
            |reason| match vigie_store::is_path(&path.to_string_lossy(), path) {
                true => format!("{}: {reason}", path.display()),
                false => format!("the path is not shown, since it may be a secret: {reason}"),
            },
        )?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("the file must not be empty".into());
    }
    Ok(text.to_owned())
}
