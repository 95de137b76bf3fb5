//! `[heartbeat]`: the dead man's switch.

use std::time::Duration;

use crate::reader::Reader;
use crate::settings::Heartbeat;
use crate::values::{duration, http_url};

const SECOND: Duration = Duration::from_secs(1);
const DEFAULT: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn heartbeat(r: &mut Reader) -> Option<Heartbeat> {
    let example = r#"url = "https://…", or url_file"#;
    // The URL usually contains a credential, so it is a secret.
    let url = r.required_secret("heartbeat", "heartbeat.url", http_url, example);
    let every = r.or("heartbeat.every", duration(10 * SECOND..=LONGEST), DEFAULT);
    url.map(|url| Heartbeat {
        url: url.into(),
        every,
    })
}
